"""Learning-rate schedules: a linear warm-up and one of PyTorch's schedulers, stepped after every optimiser step.

The config's `schedule` node names one of these functions; the Lightning module calls it with the optimiser and the
length of the run.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from torch.optim import Optimizer, lr_scheduler
from torch.optim.lr_scheduler import LRScheduler


def warmup_steps(
    optimizer: Optimizer,
    epochs: int,
    steps_per_epoch: int,
    warmup_epochs: float | int = 5,
    lr_steps: Sequence[float | int] = (30, 45, 60),
    lr_decay: float | int = 0.1,
) -> LRScheduler:
    """Multiplies a linear warm-up by a factor of `lr_decay` at each epoch of `lr_steps` (blog post 4.2).

    Args:
        warmup_epochs: Epochs until the base rate, the optimiser's, is reached.
        lr_steps: Epochs at which the rate falls; those past the run's end have no effect.
        lr_decay: Factor of each fall.
    """
    warmup = _warmup(optimizer, _n_warmup(warmup_epochs, steps_per_epoch))
    milestones = [math.ceil(epoch * steps_per_epoch) for epoch in lr_steps]
    return lr_scheduler.ChainedScheduler([warmup, lr_scheduler.MultiStepLR(optimizer, milestones, lr_decay)])


def warmup_cosine(
    optimizer: Optimizer, epochs: int, steps_per_epoch: int, warmup_epochs: float | int = 5, final: float | int = 0.0
) -> LRScheduler:
    """A linear warm-up, then half a cosine down to `final` times the base rate at the run's end.

    Args:
        warmup_epochs: Epochs until the base rate, the optimiser's, is reached.
        final: Share of the base rate that is left at the end.
    """
    n_warmup = _n_warmup(warmup_epochs, steps_per_epoch)
    warmup = _warmup(optimizer, n_warmup)
    n_after = max(1, epochs * steps_per_epoch - n_warmup)
    cosine = lr_scheduler.CosineAnnealingLR(optimizer, n_after, eta_min=final * optimizer.defaults["lr"])
    return lr_scheduler.SequentialLR(optimizer, [warmup, cosine], [n_warmup])


def _n_warmup(epochs: float | int, steps_per_epoch: int) -> int:
    return max(1, round(epochs * steps_per_epoch))


def _warmup(optimizer: Optimizer, n_steps: int) -> LRScheduler:
    """Step s of the warm-up, from 0, has (s + 1) / n_steps of the base rate."""
    return lr_scheduler.LinearLR(optimizer, 1 / n_steps, total_iters=max(1, n_steps - 1))
