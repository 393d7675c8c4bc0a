"""Times the network (training steps, batches and windows) and the preparation of its training data."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Sequence
from typing import Any

import torch
from hydra.utils import instantiate
from torch import nn

from actrec.benchmark.plain import plain
from actrec.benchmark.setup import Setup
from actrec.benchmark.streaming import random_stream
from actrec.benchmark.timing import alternate
from actrec.data.synthetic.clips import Synthetic
from actrec.data.training_windows import TrainingWindows
from actrec.evaluation.probabilities import clip_probabilities
from actrec.model.network import compile_network
from actrec.online.torch_backend import TorchWindow
from actrec.training.losses import Objective
from actrec.training.malloc import keep_freed_memory
from actrec.types import Batch, SkeletonSequence


def time_training(setup: Setup) -> dict[str, Any]:
    """Times a training step; the malloc settings of `actrec.train` stay in effect for all later parts."""
    keep_freed_memory()
    network = setup.network.to(setup.device).train()
    if setup.cfg.hardware.compile:
        compile_network(network)
    step = training_step(network, _batch(setup, setup.cfg.batch_size))
    with torch.autocast(setup.device.type, torch.bfloat16, enabled=setup.dtype == torch.bfloat16):
        rates = alternate({"training step": step}, setup.cfg.repeats, setup.device, setup.dtype)
    network.zero_grad(set_to_none=True)
    return {name: rate.figures() for name, rate in rates.items()}


def time_forward(setup: Setup) -> dict[str, Any]:
    """Times the forward of a batch as in `actrec.evaluate` (float32, not compiled), and of a window on the CPU as in
    `predict` and `serve` with `WindowEngine`; both also with plain modules (`plain`)."""
    network, repeats = setup.network.to(setup.device).eval(), setup.cfg.repeats
    batch, window = _batch(setup, setup.cfg.batch_size), _batch(setup, 1)
    plain_network = plain(network)
    of_batch = {
        "batch forward": lambda: network(batch.features, batch.valid),
        "batch forward, plain": lambda: plain_network(batch.features, batch.valid),
    }
    on_cpu, features, valid = plain(network).cpu(), window.features.cpu(), window.valid.cpu()
    served = TorchWindow(copy.deepcopy(network).cpu())
    of_window = {
        "window forward": lambda: served(features[0].numpy()),
        "window forward, plain": lambda: on_cpu(features, valid),
    }
    with torch.inference_mode():
        rates = alternate(of_batch, repeats, setup.device) | alternate(of_window, repeats, torch.device("cpu"))
    return {name: rate.figures() for name, rate in rates.items()} | _time_evaluation(setup, network)


def _time_evaluation(setup: Setup, network: nn.Module) -> dict[str, Any]:
    """Measures clips per second of evaluation at one observation ratio, including preprocessing."""
    size, n_classes = setup.cfg.batch_size, setup.cfg.n_classes
    clips = _clips(setup)[:size]

    def evaluate() -> None:
        clip_probabilities(network, setup.pipeline, clips, n_classes, batch_size=size)

    rate = alternate({"evaluation": evaluate}, setup.cfg.repeats, setup.device)["evaluation"]
    return {"evaluation": {"clips_per_s": len(clips) / rate.seconds}}


def time_data(setup: Setup) -> dict[str, Any]:
    """Times the preprocessing of whole clips, and augmented training windows, on one core."""
    clips = _clips(setup)
    augmentation = instantiate(setup.cfg.augmentation, _convert_="all")
    windows = TrainingWindows(clips, [0] * len(clips), setup.pipeline, augmentation, seed=0)
    rates = alternate({"windows": lambda: [windows[0, i] for i in range(len(windows))]}, 3, torch.device("cpu"))
    start = time.perf_counter()
    n_frames = sum(len(setup.pipeline.normalize(clip)) for clip in clips)
    return {
        "preprocessing": {"frames_per_s": n_frames / (time.perf_counter() - start)},
        "training windows": {"windows_per_s": len(windows) / rates["windows"].seconds},
    }


def _clips(setup: Setup) -> list[SkeletonSequence]:
    """Makes 100 clips: generated ones in two dimensions, oscillating joints in three."""
    skeleton, n_coordinates = setup.pipeline.skeleton, setup.pipeline.n_coordinates
    if n_coordinates == 2:
        return list(Synthetic(n_clips=100).clips())
    streams = (random_stream(64, skeleton.n_joints, seed, n_coordinates) for seed in range(100))
    return [SkeletonSequence(keypoints, 30.0, skeleton.name) for keypoints in streams]


def _batch(setup: Setup, size: int) -> Batch:
    pipeline = setup.pipeline
    shape = (size, pipeline.windows.length, pipeline.skeleton.n_joints, pipeline.n_channels)
    return random_batch(shape, setup.cfg.n_classes, setup.device)


def random_batch(network_input: Sequence[int], n_classes: int, device: torch.device) -> Batch:
    """Makes a batch of noise of shape (batch, time, joint, channel), all frames valid and all joints observed."""
    batch, length, n_joints, _ = network_input
    return Batch(
        torch.randn(*network_input, device=device),
        torch.ones(batch, length, dtype=torch.bool, device=device),
        torch.ones(batch, length, n_joints, dtype=torch.bool, device=device),
        torch.randint(n_classes, (batch,), device=device),
        torch.arange(batch, device=device),
    )


def training_step(network: nn.Module, batch: Batch) -> Callable[[], None]:
    """Makes a training step: forward, loss, backward and optimiser."""
    optimizer, objective = torch.optim.SGD(network.parameters(), lr=1e-4), Objective()

    def step() -> None:
        optimizer.zero_grad()
        objective(network(batch.features, batch.valid), batch).loss.backward()
        optimizer.step()

    return step
