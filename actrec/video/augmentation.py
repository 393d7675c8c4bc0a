"""Video-level augmentation (blog post, 2.3): decoded frames are changed before pose estimation; no video is written.

The parameters of a variant are drawn once for each clip, with a seed from the clip's id, so that a store is the same if
it is made again or in shards.
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
class VideoTransform(Protocol):
    """A variant with the parameters that were drawn for one clip."""

    def picture(self, picture: Picture) -> Picture:
        """Transforms a frame; the size stays."""

    def times(self, times: Float[ndarray, " frame"]) -> Float[ndarray, " frame"]:
        """Transforms the times of the frames, in seconds."""


@runtime_checkable
class Variant(Protocol):
    """A video augmentation, as an entry of `variants` in the config constructs it."""

    def draw(self, rng: np.random.Generator) -> VideoTransform:
        """Draws its parameters for one clip."""


@dataclass(frozen=True)
class Flip:
    """Mirrors the frames horizontally; the pose model then finds left and right of the mirrored person."""

    def draw(self, rng: np.random.Generator) -> Flip:
        return self

    def picture(self, picture: Picture) -> Picture:
        return picture[:, ::-1]

    def times(self, times: Float[ndarray, " frame"]) -> Float[ndarray, " frame"]:
        return times


@dataclass(frozen=True)
class Color:
    """Multiplies saturation and brightness, in HSV.

    Attributes:
        saturation: Range of the factor of the saturation, drawn uniformly.
        value: Range of the factor of the brightness, drawn uniformly.
    """

    saturation: Sequence[float] = (0.6, 1.4)
    value: Sequence[float] = (0.6, 1.4)

    def __post_init__(self) -> None:
        for name in ("saturation", "value"):
            _check_range(f"color.{name}", getattr(self, name))

    def draw(self, rng: np.random.Generator) -> _ColorTransform:
        return _ColorTransform(
            float(rng.uniform(self.saturation[0], self.saturation[1])), float(rng.uniform(self.value[0], self.value[1]))
        )


@dataclass(frozen=True)
class _ColorTransform:
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
    """Changes the speed of the video at the same frame rate: frames are left out or repeated.

    Attributes:
        factor: Range of the speed, whose logarithm is drawn uniformly; 2 is twice as fast.
    """

    factor: Sequence[float] = (0.8, 1.25)

    def __post_init__(self) -> None:
        _check_range("tempo.factor", self.factor)

    def draw(self, rng: np.random.Generator) -> _TempoTransform:
        return _TempoTransform(float(np.exp(rng.uniform(np.log(self.factor[0]), np.log(self.factor[1])))))


@dataclass(frozen=True)
class _TempoTransform:
    factor: float

    def picture(self, picture: Picture) -> Picture:
        return picture

    def times(self, times: Float[ndarray, " frame"]) -> Float[ndarray, " frame"]:
        return times / self.factor


def draw_transform(clip_id: str, name: str, variant: Variant) -> VideoTransform:
    """Draws the parameters of the variant `name` for a clip: the same on every machine and in every run."""
    return variant.draw(np.random.default_rng(zlib.crc32(f"{clip_id}\n{name}".encode())))


def _check_range(name: str, values: Sequence[float]) -> None:
    if len(values) != 2 or not 0 < values[0] <= values[1]:
        raise ActrecError(f"{name} is {tuple(values)}; expected two positive numbers, the lesser first.")
