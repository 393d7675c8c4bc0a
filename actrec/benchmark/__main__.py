"""Times a network on this machine: `python -m actrec.benchmark`; or videos: `… video=<file or folder>`.

Each time stands beside what the machine can do: the GFLOP/s that were reached, as a share of what the network's
commonest matrix product reaches between the measurements.
"""

from __future__ import annotations

import copy
import json
import os
import platform
import tempfile
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf
from torch import nn

from actrec.benchmark.plain import plain
from actrec.benchmark.timing import (
    FRAME,
    PRODUCT,
    Rate,
    alternate,
    frame_times,
    memory_growth,
    preprocessing_rate,
    random_batch,
    training_step,
)
from actrec.benchmark.video import time_videos
from actrec.config import check_whole, main
from actrec.data.datamodule import TrainingWindows
from actrec.data.synthetic.clips import Synthetic
from actrec.evaluation.probabilities import clip_probabilities
from actrec.files import replace_file
from actrec.model.folder import save_model
from actrec.model.spec import ModelSpec
from actrec.network.compiled import compile_network
from actrec.online.recognizer import OnlineRecognizer
from actrec.online.torch_backend import TorchWindow, make_engine
from actrec.pipeline.pipeline import Pipeline
from actrec.skeleton import get_skeleton
from actrec.training.malloc import keep_freed_memory
from actrec.types import ActrecError
from actrec.video.people import SKELETON

PARTS = ("forward", "step", "people", "memory", "data", "training")


def _rate(rate: Rate) -> dict[str, float]:
    return {"ms": 1e3 * rate.seconds, "least_ms": 1e3 * rate.least, "gflops": rate.gflops, "share": rate.share}


def _latency(times: Any) -> dict[str, float]:
    p50, p95, p99 = (float(1e3 * value) for value in np.percentile(times, (50, 95, 99)))
    return {"p50_ms": p50, "p95_ms": p95, "p99_ms": p99, "max_ms": float(1e3 * times.max()), "p99_over_p50": p99 / p50}


class Benchmark:
    """One network's measurements.

    Args:
        cfg: A composed `benchmark` config.
    """

    def __init__(self, cfg: DictConfig) -> None:
        torch.manual_seed(cfg.seed)
        self.cfg, hardware = cfg, cfg.hardware
        self.device = torch.device("cuda" if hardware.accelerator == "gpu" else "cpu")
        if self.device.type == "cuda" and not torch.cuda.is_available():
            raise ActrecError("hardware does not fit this machine: there is no GPU that PyTorch can use.")
        self.dtype = torch.bfloat16 if "bf16" in str(hardware.precision) else torch.float32
        preprocess, windows, features = (
            instantiate(cfg[name], _convert_="all") for name in ("preprocess", "windows", "features")
        )
        self.pipeline = Pipeline(get_skeleton(cfg.skeleton), preprocess, windows, features)
        options: Any = OmegaConf.to_container(cfg.network, resolve=True)
        options |= {"skeleton": cfg.skeleton, "in_channels": features.n_channels, "n_classes": cfg.n_classes}
        self.network: nn.Module = instantiate(options, _convert_="all")
        del options["_target_"]
        labels = tuple(f"class {number}" for number in range(cfg.n_classes))
        self.spec = ModelSpec(type(self.network).__name__, options, self.pipeline, labels)
        self.n_joints = self.pipeline.skeleton.n_joints

    def _batch(self, size: int) -> Any:
        shape = (size, self.pipeline.windows.length, self.n_joints, self.pipeline.features.n_channels)
        return random_batch(shape, self.cfg.n_classes, self.device)

    def _alternate(self, computations: dict[str, Any]) -> dict[str, Any]:
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.dtype == torch.bfloat16):
            rates = alternate(computations, self.cfg.repeats, self.device, self.dtype)
        return {name: _rate(rate) for name, rate in rates.items()}

    def training(self) -> dict[str, Any]:
        """A training step, with memory kept as `actrec.train` keeps it; so for all that comes after, too."""
        keep_freed_memory()
        network = self.network.to(self.device).train()
        if self.cfg.hardware.compile:
            compile_network(network)
        found = self._alternate({"training step": training_step(network, self._batch(self.cfg.batch_size))})
        network.zero_grad(set_to_none=True)
        return found

    def forward(self) -> dict[str, Any]:
        """A batch as `actrec.evaluate` runs it: the network itself, in float32, not compiled. A window as `predict` and
        `serve` run it, on the CPU, where a model cannot be stepped. Each beside the same by plain modules."""
        network = self.network.to(self.device).eval()
        batch, window = self._batch(self.cfg.batch_size), self._batch(1)
        plainly = plain(network)
        of_batch = {
            "batch forward": lambda: network(batch.features, batch.valid),
            "batch forward, plain": lambda: plainly(batch.features, batch.valid),
        }
        on_cpu, features, valid = plain(network).cpu(), window.features.cpu(), window.valid.cpu()
        served = TorchWindow(copy.deepcopy(network).cpu())
        of_window = {
            "window forward": lambda: served(features[0].numpy()),
            "window forward, plain": lambda: on_cpu(features, valid),
        }
        with torch.inference_mode():
            rates = alternate(of_batch, self.cfg.repeats, self.device)
            rates |= alternate(of_window, self.cfg.repeats, torch.device("cpu"))
        return {name: _rate(rate) for name, rate in rates.items()} | self._evaluation(network)

    def _evaluation(self, network: nn.Module) -> dict[str, Any]:
        """Clips a second at one observation ratio, preprocessing included, by what `actrec.evaluate` calls."""
        clips = list(Synthetic(n_clips=100).clips())[: self.cfg.batch_size]

        def judge() -> None:
            clip_probabilities(network, self.pipeline, clips, self.cfg.n_classes, batch_size=self.cfg.batch_size)

        rate = alternate({"evaluation": judge}, self.cfg.repeats, self.device)["evaluation"]
        return {"evaluation": {"clips_per_s": len(clips) / rate.seconds}}

    @cached_property
    def recognizers(self) -> dict[str, OnlineRecognizer]:
        """One for each way to run the network that is installed."""
        network = self.network.cpu().eval()
        found = {"PyTorch": OnlineRecognizer(self.spec, make_engine(network, self.spec))}
        try:
            from actrec.export import export

            with tempfile.TemporaryDirectory() as folder:
                model = save_model(Path(folder) / "model", network, self.spec)
                export(model, Path(folder) / "onnx")
                found["ONNX Runtime"] = OnlineRecognizer.from_pretrained(Path(folder) / "onnx")
        except ImportError:
            print("ONNX Runtime is not measured: pip install 'actrec[export]'")
        return found

    def step(self) -> dict[str, Any]:
        """A frame of one person, preprocessing and re-anchoring included."""
        return {
            f"step, {name}": _latency(frame_times(recognizer, 1, self.cfg.frames))
            for name, recognizer in self.recognizers.items()
        }

    def people(self) -> dict[str, Any]:
        """A frame of several people, as one batch, and how many of them fit in a frame's time."""
        found: dict[str, Any] = {}
        for name, recognizer in self.recognizers.items():
            most = 0
            for count in self.cfg.people:
                found[f"{count} people, {name}"] = latency = _latency(frame_times(recognizer, count, 200))
                most = count if latency["p95_ms"] <= 1e3 * FRAME else most
            found[f"most people at 30 frames a second, {name}"] = {"people": most}
        return found

    def memory(self) -> dict[str, Any]:
        """Growth over a long stream of one person."""
        name, recognizer = list(self.recognizers.items())[-1]
        return {f"memory, {name}": {"grown_mib": memory_growth(recognizer, self.cfg.memory_frames)}}

    def data(self) -> dict[str, Any]:
        """Preprocessing of clips, and augmented training windows, on one core."""
        clips = list(Synthetic(n_clips=100).clips())
        augmentation = instantiate(self.cfg.augmentation, _convert_="all")
        windows = TrainingWindows(clips, [0] * len(clips), self.pipeline, augmentation, seed=0)
        rates = alternate({"windows": lambda: [windows[0, i] for i in range(len(windows))]}, 3, torch.device("cpu"))
        return {
            "preprocessing": {"frames_per_s": preprocessing_rate(self.pipeline, clips)},
            "training windows": {"windows_per_s": len(windows) / rates["windows"].seconds},
        }


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else None
    threads = torch.get_num_threads()
    return {
        "cpu": platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "threads": threads,
        "gpu": gpu,
        "torch": torch.__version__,
        "python": platform.python_version(),
        "measured": datetime.now().isoformat(timespec="seconds"),
    }


def derived(found: dict[str, Any]) -> dict[str, Any]:
    """Ratios between the measurements that are there."""
    ratios: dict[str, Any] = {}
    if "batch forward" in found:
        ratio = found["batch forward, plain"]["ms"] / found["batch forward"]["ms"]
        ratios["batch forward against plain modules"] = {"times_faster": ratio}
    if "window forward, plain" in found:
        for name in [name for name in found if name.startswith("step, ")]:
            ratio = found["window forward, plain"]["ms"] / found[name]["p50_ms"]
            ratios[f"{name}, against a plain window forward"] = {"times_faster": ratio}
    return ratios


def print_table(found: dict[str, Any]) -> None:
    """A line a measurement."""
    for name, figures in found.items():
        print(f"{name:<52}" + "  ".join(f"{figure} {value:.3g}" for figure, value in figures.items()))


def _write(cfg: DictConfig, figures: dict[str, Any]) -> None:
    file = Path(str(cfg.to)).expanduser()
    content = {"machine": machine(), "config": OmegaConf.to_container(cfg, resolve=True), "figures": figures}
    replace_file(file, json.dumps(content, indent=2) + "\n")
    print(f"Written to {file}")


def _of_videos(cfg: DictConfig) -> dict[str, Any]:
    model = None if cfg.model is None else Path(str(cfg.model)).expanduser()
    recognizer = None if model is None else OnlineRecognizer.from_pretrained(model, skeleton=SKELETON)
    return time_videos(Path(str(cfg.video)).expanduser(), instantiate(cfg.extractor, _convert_="all"), recognizer)


@main("benchmark")
def run(cfg: DictConfig) -> None:
    """Compose, instantiate, run."""
    if cfg.video is not None:
        _write(cfg, _of_videos(cfg))
        return
    for name in ("batch_size", "repeats", "frames", "memory_frames"):
        check_whole(cfg, name, 1)
    unknown = [part for part in cfg.parts if part not in PARTS]
    if unknown:
        raise ActrecError(f"There is no part '{unknown[0]}'. Choose of: {', '.join(PARTS)}.")
    benchmark, found = Benchmark(cfg), dict[str, Any]()
    print(f"{benchmark.spec.network_name}, {cfg.windows.length} frames, {benchmark.n_joints} joints, {benchmark.dtype}")
    print(f"share: of the GFLOP/s of a ({PRODUCT[0]:,} × {PRODUCT[1]}) by ({PRODUCT[1]} × {PRODUCT[2]}) product")
    for part in cfg.parts:
        measured = getattr(benchmark, part)()
        print_table(measured)
        found |= measured
    print_table(ratios := derived(found))
    _write(cfg, found | ratios)


if __name__ == "__main__":
    run()
