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

import pytest


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


@pytest.fixture
def serve(noise_model: Path, test_data: Path, tmp_path: Path) -> Iterator[Serve]:
    """`serve("limits.idle=1", …)` gives a server that is ready."""
    running = []

    def begin(*overrides: str) -> Running:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        temporary = tmp_path / f"tmp{port}"
        temporary.mkdir()
        pose = test_data / "models/yolov8n-pose_int8_openvino_model"
        command = [sys.executable, "-m", "actrec.serve", f"model={noise_model}", f"pose={pose}", f"port={port}"]
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
