"""Times what a user waits for: training, batches, single frames, data; each beside what the machine can do."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from numpy import ndarray
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from actrec.online.recognizer import OnlineRecognizer
from actrec.pipeline.pipeline import Pipeline
from actrec.training.losses import Objective
from actrec.types import Batch, SkeletonSequence

# The network's commonest product: 32 windows of 64 frames of 17 joints, from D to 3 D channels.
PRODUCT = (34_816, 64, 192)
FRAME = 1 / 30  # seconds


class Rate(NamedTuple):
    """What a repeated computation takes, and what the machine does meanwhile.

    Attributes:
        seconds: Median.
        least: Seconds of the quickest.
        gflops: GFLOP/s reached: its matrix products and attentions, over the median.
        share: That, as a share of what `PRODUCT` reaches between the repetitions.
    """

    seconds: float
    least: float
    gflops: float
    share: float


def _seconds(compute: Callable[[], Any], device: torch.device) -> float:
    start = time.perf_counter()
    compute()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter() - start


def alternate(
    computations: dict[str, Callable[[], Any]], repeats: int, device: torch.device, dtype: torch.dtype = torch.float32
) -> dict[str, Rate]:
    """Times computations by turns, after a turn that warms up, so that all meet the same moods of the machine.

    Args:
        computations: By name.
        repeats: Turns that count.
        device: That they run on.
        dtype: Of the product that they are held against.
    """
    left, right = torch.randn(PRODUCT[:2]), torch.randn(PRODUCT[1:])
    left, right = left.to(device, dtype), right.to(device, dtype)
    gflop = {}
    for name, compute in computations.items():
        with FlopCounterMode(display=False) as counter:
            compute()
        gflop[name] = counter.get_total_flops() / 1e9
    times: dict[str, list[float]] = {name: [] for name in computations}
    products: dict[str, list[float]] = {name: [] for name in computations}
    for turn in range(repeats + 1):
        for name, compute in computations.items():
            spent = _seconds(compute, device)
            if turn:
                times[name].append(spent)
                products[name] += [_seconds(lambda: left @ right, device) for _ in range(5)]
    peak = {name: 2 * np.prod(PRODUCT) / 1e9 / statistics.median(each) for name, each in products.items()}
    rates = {}
    for name, each in times.items():
        reached = gflop[name] / statistics.median(each)
        rates[name] = Rate(statistics.median(each), min(each), reached, reached / float(peak[name]))
    return rates


def random_batch(network_input: Sequence[int], n_classes: int, device: torch.device) -> Batch:
    """A batch of noise, wholly valid and observed.

    Args:
        network_input: (batch, time, joint, channel).
        n_classes: Number of classes.
        device: Where to.
    """
    batch, length, n_joints, _ = network_input
    return Batch(
        torch.randn(*network_input, device=device),
        torch.ones(batch, length, dtype=torch.bool, device=device),
        torch.ones(batch, length, n_joints, dtype=torch.bool, device=device),
        torch.randint(n_classes, (batch,), device=device),
        torch.arange(batch, device=device),
    )


def training_step(network: nn.Module, batch: Batch) -> Callable[[], None]:
    """A training step: forward, loss, backward and optimiser."""
    optimizer, objective = torch.optim.SGD(network.parameters(), lr=1e-4), Objective()

    def step() -> None:
        optimizer.zero_grad()
        objective(network(batch.features, batch.valid), batch).total.backward()
        optimizer.step()

    return step


def stream(n_frames: int, n_joints: int, seed: int = 0) -> Float[ndarray, "frame joint 3"]:
    """Keypoints of somebody who moves about in a picture, some of whose joints are not observed."""
    rng = np.random.default_rng(seed)
    place, swing = rng.uniform(200, 400, size=(n_joints, 2)), rng.normal(0, 20, size=(2, n_joints, 2))
    phase = 2 * np.pi * np.arange(n_frames)[:, None, None] / 45
    keypoints = np.ones((n_frames, n_joints, 3), dtype=np.float32)
    keypoints[..., :2] = place + np.sin(phase) * swing[0] + np.cos(phase) * swing[1]
    keypoints[..., 2] = rng.uniform(0.1, 1, size=(n_frames, n_joints))
    return keypoints


def frame_times(recognizer: OnlineRecognizer, n_people: int, n_frames: int) -> Float[ndarray, " frame"]:
    """Seconds that a recogniser takes for each frame of a stream of so many people, after 64 frames that warm up."""
    warm_up = 64
    people = [stream(997, recognizer.input_skeleton.n_joints, seed) for seed in range(n_people)]
    times = np.zeros(n_frames)
    for t in range(-warm_up, n_frames):
        frame = {str(i): keypoints[t % len(keypoints)] for i, keypoints in enumerate(people)}
        start = time.perf_counter()
        recognizer.push_all(frame, (t + warm_up) * FRAME)
        if t >= 0:
            times[t] = time.perf_counter() - start
    for person in recognizer.people:
        recognizer.forget(person)
    return times


def resident() -> float:
    """Memory of this process, in MiB; NaN where the system does not say (other than Linux)."""
    status = Path("/proc/self/status")
    lines = status.read_text(encoding="utf-8").splitlines() if status.is_file() else []
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS")), float("nan"))


def memory_growth(recognizer: OnlineRecognizer, n_frames: int) -> float:
    """MiB that a recogniser has more at the end of one person's stream than after its first 1,000 frames."""
    keypoints = stream(997, recognizer.input_skeleton.n_joints)
    before = float("nan")
    for t in range(n_frames):
        recognizer.push(keypoints[t % len(keypoints)], t * FRAME)
        before = resident() if t == 1000 else before
    return resident() - before


def preprocessing_rate(pipeline: Pipeline, clips: Sequence[SkeletonSequence]) -> float:
    """Frames a second through preprocessing, whole clips at a time."""
    start = time.perf_counter()
    n_frames = sum(len(pipeline.normalize(clip)) for clip in clips)
    return n_frames / (time.perf_counter() - start)
