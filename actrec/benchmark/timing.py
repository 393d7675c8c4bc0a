"""Times repeated computations, and compares their GFLOP/s with those of a matrix product."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

# The network's most common product: 32 windows of 64 frames of 17 joints, from D to 3 D channels.
PRODUCT = (34_816, 64, 192)


class Rate(NamedTuple):
    """The time of a repeated computation."""

    seconds: float  # median
    least: float  # minimum, in seconds
    gflops: float  # GFLOP/s of its matrix products and attentions, from the median
    share: float  # `gflops` relative to those of `PRODUCT`, timed between the repetitions

    def figures(self) -> dict[str, float]:
        """Converts to the figures that a benchmark writes."""
        return {"ms": 1e3 * self.seconds, "least_ms": 1e3 * self.least, "gflops": self.gflops, "share": self.share}


def _seconds(compute: Callable[[], Any], device: torch.device) -> float:
    start = time.perf_counter()
    compute()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter() - start


def alternate(
    computations: dict[str, Callable[[], Any]], repeats: int, device: torch.device, dtype: torch.dtype = torch.float32
) -> dict[str, Rate]:
    """Times computations in alternation, after a warm-up, so that changes of the machine's speed affect all alike.

    `dtype` is the type of the product that they are compared with.
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
