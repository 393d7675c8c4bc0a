"""A server in a process of its own."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hydra import compose, initialize_config_dir
from hydra.utils import instantiate

from actrec.config import config_dir


@dataclass
class Running:
    """A server that answers.

    Attributes:
        port: On 127.0.0.1.
        process: Of it.
        temporary: The folder that its temporary files are in.
    """

    port: int
    process: subprocess.Popen[str]
    temporary: Path

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def get(self, path: str) -> str:
        with urllib.request.urlopen(self.address + path, timeout=20) as answer:
            return answer.read().decode()

    def counted(self, name: str) -> float:
        """The figure of that name of /metrics."""
        return next(float(line.split()[1]) for line in self.get("/metrics").splitlines() if line.startswith(name + " "))

    @property
    def sessions(self) -> float:
        return self.counted("actrec_sessions")


Serve = Callable[..., Running]


@pytest.fixture(scope="session")
def full_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of the size that experiment=synthetic_online trains, untrained."""
    from omegaconf import OmegaConf

    from actrec.model.folder import save_model
    from actrec.model.network import build_network
    from actrec.model.spec import ModelSpec
    from actrec.pipeline.pipeline import Pipeline
    from actrec.skeleton import get_skeleton

    with initialize_config_dir(str(config_dir()), version_base="1.3"):
        cfg = compose("train", ["experiment=synthetic_online"])
    preprocess, windows, features = (
        instantiate(cfg[name], _convert_="all") for name in ("preprocess", "windows", "features")
    )
    labels = tuple(cfg.dataset.label_map.labels)
    options: Any = OmegaConf.to_container(cfg.network, resolve=True)
    name = options.pop("_target_").rpartition(".")[2]
    options |= {
        "skeleton": cfg.skeleton,
        "in_channels": features.n_channels(),
        "n_classes": len(labels),
        "coordinates": 2,
    }
    spec = ModelSpec(name, options, Pipeline(get_skeleton(cfg.skeleton), preprocess, windows, features), labels)
    return save_model(tmp_path_factory.mktemp("full") / "model", build_network(spec), spec)


@pytest.fixture
def serve(noise_model: Path, test_data: Path, tmp_path: Path) -> Iterator[Serve]:
    """`serve("limits.idle=1", …)` gives a server that is ready."""
    running = []

    def begin(*overrides: str, model: Path = noise_model) -> Running:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        temporary = tmp_path / f"tmp{port}"
        temporary.mkdir()
        pose = test_data / "models/yolov8n-pose_int8_openvino_model"
        command = [sys.executable, "-m", "actrec.serve", f"model={model}", f"pose={pose}", f"port={port}"]
        environment = os.environ | {"TMPDIR": str(temporary)}
        process = subprocess.Popen([*command, *overrides], stderr=subprocess.PIPE, text=True, env=environment)
        server = Running(port, process, temporary)
        running.append(server)
        deadline = time.monotonic() + 120
        while True:
            try:
                server.get("/readyz")
                return server
            except (urllib.error.URLError, ConnectionError):
                assert process.poll() is None, process.communicate()[1]
                assert time.monotonic() < deadline
                time.sleep(0.2)

    yield begin
    for server in running:
        server.process.terminate()
        server.process.communicate(timeout=60)
