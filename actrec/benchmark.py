"""Times a training step: `python -m actrec.benchmark network=published`."""

from __future__ import annotations

import statistics
import time

import torch
from hydra.utils import instantiate
from omegaconf import DictConfig
from torch import nn

from actrec.config import main
from actrec.losses import Objective
from actrec.skeleton import get_skeleton
from actrec.types import Batch


def random_batch(cfg: DictConfig, n_joints: int) -> Batch:
    """A batch of noise, wholly valid and observed."""
    shape = (cfg.batch_size, cfg.windows.length, n_joints)
    return Batch(
        torch.randn(*shape, cfg.in_channels),
        torch.ones(shape[:2], dtype=torch.bool),
        torch.ones(shape, dtype=torch.bool),
        torch.randint(cfg.n_classes, shape[:1]),
        torch.arange(cfg.batch_size),
    )


def training_step_times(network: nn.Module, batch: Batch, steps: int) -> list[float]:
    """Seconds of each training step: forward, loss, backward and optimiser, after two that warm up."""
    optimizer, objective, times = torch.optim.SGD(network.parameters(), lr=1e-4), Objective(), []
    for _ in range(steps + 2):
        start = time.perf_counter()
        optimizer.zero_grad()
        objective(network(batch.features, batch.valid), batch).total.backward()
        optimizer.step()
        times.append(time.perf_counter() - start)
    return times[2:]


@main("benchmark")
def run(cfg: DictConfig) -> None:
    torch.manual_seed(cfg.seed)
    network = instantiate(
        cfg.network, skeleton=cfg.skeleton, in_channels=cfg.in_channels, n_classes=cfg.n_classes, _convert_="all"
    )
    n_joints = get_skeleton(cfg.skeleton).n_joints
    times = training_step_times(network, random_batch(cfg, n_joints), cfg.steps)
    print(
        f"Training step of {cfg.batch_size} windows of {cfg.windows.length} frames and {n_joints} joints, "
        f"{type(network).__name__}, float32, {torch.get_num_threads()} threads: median of {len(times)} "
        f"{statistics.median(times):.2f} s, {min(times):.2f} to {max(times):.2f} s"
    )


if __name__ == "__main__":
    run()
