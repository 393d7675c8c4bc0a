"""Times online recognition: the latency of a frame of one or more people, and the memory of a long stream."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float
from numpy import ndarray
from torch import nn

from actrec.model.folder import save_model
from actrec.model.spec import ModelSpec
from actrec.online.onnx_export import export
from actrec.online.recognizer import OnlineRecognizer
from actrec.online.torch_backend import make_engine
from actrec.types import SetupError

FRAME = 1 / 30  # seconds
_WARM_UP = 64  # frames

Recognizers = Mapping[str, OnlineRecognizer]  # by the name of the backend


def make_recognizers(network: nn.Module, spec: ModelSpec) -> dict[str, OnlineRecognizer]:
    """Makes a recogniser for each installed backend."""
    found = {"PyTorch": OnlineRecognizer(spec, make_engine(network, spec))}
    try:
        with tempfile.TemporaryDirectory() as folder:
            model = save_model(Path(folder) / "model", network, spec)
            export(model, Path(folder) / "onnx")
            found["ONNX Runtime"] = OnlineRecognizer.from_pretrained(Path(folder) / "onnx")
    except SetupError as error:
        print(f"ONNX Runtime is not measured. {error}")
    return found


def time_step(recognizers: Recognizers, n_frames: int) -> dict[str, Any]:
    """Times a frame of one person, including preprocessing and re-anchoring."""
    return {f"step, {name}": _latency(frame_times(each, 1, n_frames)) for name, each in recognizers.items()}


def time_people(recognizers: Recognizers, counts: Sequence[int]) -> dict[str, Any]:
    """Times a frame of several people, and finds the greatest number that is processed within a frame's time."""
    found: dict[str, Any] = {}
    for name, recognizer in recognizers.items():
        most = 0
        for count in counts:
            found[f"{count} people, {name}"] = latency = _latency(frame_times(recognizer, count, 200))
            most = count if latency["p95_ms"] <= 1e3 * FRAME else most
        found[f"most people at 30 frames a second, {name}"] = {"people": most}
    return found


def measure_memory(recognizers: Recognizers, n_frames: int) -> dict[str, Any]:
    """Measures the growth of memory over a long stream of one person, with the last backend."""
    name, recognizer = list(recognizers.items())[-1]
    return {f"memory, {name}": {"grown_mib": memory_growth(recognizer, n_frames)}}


def _latency(times: Float[ndarray, " frame"]) -> dict[str, float]:
    p50, p95, p99 = (float(1e3 * value) for value in np.percentile(times, (50, 95, 99)))
    return {"p50_ms": p50, "p95_ms": p95, "p99_ms": p99, "max_ms": float(1e3 * times.max()), "p99_over_p50": p99 / p50}


def random_stream(
    n_frames: int, n_joints: int, seed: int = 0, n_coordinates: int = 2
) -> Float[ndarray, "frame joint value"]:
    """Makes keypoints of oscillating joints, some of them unobserved."""
    rng, shape = np.random.default_rng(seed), (n_joints, n_coordinates)
    place, swing = rng.uniform(200, 400, shape), rng.normal(0, 20, (2, *shape))
    phase = 2 * np.pi * np.arange(n_frames)[:, None, None] / 45
    keypoints = np.ones((n_frames, n_joints, n_coordinates + 1), dtype=np.float32)
    keypoints[..., :-1] = place + np.sin(phase) * swing[0] + np.cos(phase) * swing[1]
    keypoints[..., -1] = rng.uniform(0.1, 1, size=(n_frames, n_joints))
    return keypoints


def _stream_for(recognizer: OnlineRecognizer, seed: int = 0) -> Float[ndarray, "frame joint value"]:
    """Makes keypoints that a recogniser takes."""
    return random_stream(997, recognizer.input_skeleton.n_joints, seed, recognizer.spec.pipeline.n_coordinates)


def frame_times(recognizer: OnlineRecognizer, n_people: int, n_frames: int) -> Float[ndarray, " frame"]:
    """Measures the seconds of each frame of a stream of several people, after a warm-up of 64 frames."""
    people = [_stream_for(recognizer, seed) for seed in range(n_people)]
    times = np.zeros(n_frames)
    for t in range(-_WARM_UP, n_frames):
        frame = {str(i): keypoints[t % len(keypoints)] for i, keypoints in enumerate(people)}
        start = time.perf_counter()
        recognizer.push_all(frame, (t + _WARM_UP) * FRAME)
        if t >= 0:
            times[t] = time.perf_counter() - start
    for person in recognizer.people:
        recognizer.forget(person)
    return times


def resident_mib() -> float:
    """Reads the resident memory of this process in MiB; NaN if the system is not Linux."""
    status = Path("/proc/self/status")
    lines = status.read_text(encoding="utf-8").splitlines() if status.is_file() else []
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS")), float("nan"))


def memory_growth(recognizer: OnlineRecognizer, n_frames: int) -> float:
    """Measures how many MiB the process grows after the first 1,000 frames of one person's stream."""
    keypoints = _stream_for(recognizer)
    before = float("nan")
    for t in range(n_frames):
        recognizer.push(keypoints[t % len(keypoints)], t * FRAME)
        before = resident_mib() if t == 1000 else before
    return resident_mib() - before
