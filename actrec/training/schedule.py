"""Learning-rate schedules, stepped after every batch. Each is a factory: optimiser and run length in, scheduler out."""

from __future__ import annotations

import math
from collections.abc import Sequence

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR


def warmup_steps(
    optimizer: Optimizer,
    epochs: int,
    steps_per_epoch: int,
    warmup_epochs: float | int = 5,
    lr_steps: Sequence[int] = (30, 45, 60),
    lr_decay: float = 0.1,
) -> LambdaLR:
    """Linear warm-up, then the rate times `lr_decay` at each epoch of `lr_steps` (blog post 4.2).

    Args:
        optimizer: Its rates are the base rates.
        epochs: Epochs of the run.
        steps_per_epoch: Batches of an epoch.
        warmup_epochs: Epochs until the base rate is reached.
        lr_steps: Epochs at which the rate falls; those past the run's end do nothing.
        lr_decay: Factor of each fall.
    """

    def factor(step: int) -> float:
        epoch = step / steps_per_epoch
        warmup = min(1.0, (step + 1) / max(1, warmup_epochs * steps_per_epoch))
        return warmup * lr_decay ** sum(epoch >= edge for edge in lr_steps)

    return LambdaLR(optimizer, factor)


def warmup_cosine(
    optimizer: Optimizer, epochs: int, steps_per_epoch: int, warmup_epochs: float | int = 5, final: float = 0.0
) -> LambdaLR:
    """Linear warm-up, then half a cosine down to `final` times the base rate at the run's end.

    Args:
        optimizer: Its rates are the base rates.
        epochs: Epochs of the run.
        steps_per_epoch: Batches of an epoch.
        warmup_epochs: Epochs until the base rate is reached.
        final: Share of the base rate that is left in the end.
    """
    warmup, total = max(1.0, warmup_epochs * steps_per_epoch), epochs * steps_per_epoch

    def factor(step: int) -> float:
        if step < warmup:
            return (step + 1) / warmup
        done = min(1.0, (step - warmup) / max(1.0, total - warmup))
        return final + (1 - final) * (1 + math.cos(math.pi * done)) / 2

    return LambdaLR(optimizer, factor)
