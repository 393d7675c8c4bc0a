"""The base class of skeleton-level augmentations, and checks of their options."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np

from actrec.skeleton import Skeleton
from actrec.types import ActrecError, NormalizedSequence, SkeletonSequence

Sequence_ = TypeVar("Sequence_", SkeletonSequence, NormalizedSequence)


@dataclass(frozen=True)
class Transform(ABC, Generic[Sequence_]):
    """An augmentation that is applied with probability `p`; its input is not modified.

    Attributes:
        p: Probability; True means always, None never.
    """

    p: float | int | None = 0.5

    def __post_init__(self) -> None:
        if not 0 <= (self.p or 0) <= 1:
            raise ActrecError(f"The probability p of {type(self).__name__} is {self.p}; expected 0 to 1.")

    def __call__(self, sequence: Sequence_, skeleton: Skeleton, rng: np.random.Generator) -> Sequence_:
        return self.apply(sequence, skeleton, rng) if rng.random() < (self.p or 0) else sequence

    @abstractmethod
    def apply(self, sequence: Sequence_, skeleton: Skeleton, rng: np.random.Generator) -> Sequence_:
        """Returns the transformed sequence."""


def check_interval(transform: Transform[Any], name: str, least: float, greatest: float) -> None:
    """Raises an ActrecError unless the option `name` is two ascending numbers in that range."""
    interval = list(getattr(transform, name))
    if len(interval) != 2 or not least <= interval[0] <= interval[1] <= greatest:
        raise ActrecError(
            f"The {name} of {type(transform).__name__} is {interval}; expected two ascending numbers from {least} to "
            f"{greatest}."
        )


def draw_uniform(rng: np.random.Generator, interval: Sequence[float]) -> float:
    """Draws a number from the interval."""
    least, greatest = interval
    return rng.uniform(least, greatest)
