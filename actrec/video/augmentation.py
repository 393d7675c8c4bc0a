"""Video-level augmentation (blog post, 2.3): decoded frames are changed before pose; no video is written.

A variant is drawn once a clip, from the clip's id, so that a store made again, or in parts, is the same.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from actrec.types import ActrecError, Picture

ORIGINAL = "original"


@runtime_checkable
class Drawn(Protocol):
    """A variant, drawn for one clip."""

    def picture(self, picture: Picture) -> Picture:
        """A changed frame, of the same size."""

    def times(self, times: Float[ndarray, " frame"]) -> Float[ndarray, " frame"]:
        """Changed times of the frames, in seconds."""


@runtime_checkable
class Variant(Protocol):
    """What a `variants` node of the config makes."""

    def draw(self, rng: np.random.Generator) -> Drawn: ...


@dataclass(frozen=True)
class Flip:
    """Frames mirrored left to right; the pose model then finds the mirror image's own left and right."""

    def draw(self, rng: np.random.Generator) -> Flip:
        return self

    def picture(self, picture: Picture) -> Picture:
        return picture[:, ::-1]

    def times(self, times: Float[ndarray, " frame"]) -> Float[ndarray, " frame"]:
        return times


@dataclass(frozen=True)
class Color:
    """Saturation and brightness multiplied, in HSV.

    Attributes:
        saturation: Range of the factor, which is drawn uniformly.
        value: Range of brightness's factor.
    """

    saturation: Sequence[float] = (0.6, 1.4)
    value: Sequence[float] = (0.6, 1.4)

    def __post_init__(self) -> None:
        for name in ("saturation", "value"):
            _check_range(f"color.{name}", getattr(self, name))

    def draw(self, rng: np.random.Generator) -> _Colored:
        return _Colored(
            float(rng.uniform(self.saturation[0], self.saturation[1])), float(rng.uniform(self.value[0], self.value[1]))
        )


@dataclass(frozen=True)
class _Colored:
    saturation: float
    value: float

    def picture(self, picture: Picture) -> Picture:
        import cv2

        hsv = cv2.cvtColor(picture, cv2.COLOR_RGB2HSV)
        for channel, factor in ((1, self.saturation), (2, self.value)):
            table = np.clip(np.rint(np.arange(256) * factor), 0, 255).astype(np.uint8)
            hsv[..., channel] = table[hsv[..., channel]]
        out: Picture = cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)
        return out

    def times(self, times: Float[ndarray, " frame"]) -> Float[ndarray, " frame"]:
        return times


@dataclass(frozen=True)
class Tempo:
    """The video played faster or slower, at its frame rate: frames are left out or shown twice.

    Attributes:
        factor: Range of the speed, which is drawn evenly in its logarithm; 2 is twice as fast.
    """

    factor: Sequence[float] = (0.8, 1.25)

    def __post_init__(self) -> None:
        _check_range("tempo.factor", self.factor)

    def draw(self, rng: np.random.Generator) -> _Retimed:
        return _Retimed(float(np.exp(rng.uniform(np.log(self.factor[0]), np.log(self.factor[1])))))


@dataclass(frozen=True)
class _Retimed:
    factor: float

    def picture(self, picture: Picture) -> Picture:
        return picture

    def times(self, times: Float[ndarray, " frame"]) -> Float[ndarray, " frame"]:
        return times / self.factor


def drawn_for(clip_id: str, name: str, variant: Variant) -> Drawn:
    """The variant of that name for that clip: the same on every machine and in every run."""
    return variant.draw(np.random.default_rng(zlib.crc32(f"{clip_id}\n{name}".encode())))


def _check_range(name: str, values: Sequence[float]) -> None:
    if len(values) != 2 or not 0 < values[0] <= values[1]:
        raise ActrecError(f"{name} is {tuple(values)}; expected two positive numbers, the lesser first.")
