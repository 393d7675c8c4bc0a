"""Video-level augmentation (blog post, 2.3): decoded frames are changed before pose estimation; no video is written.

The parameters of a variant are drawn once for each clip, with a seed from the clip's id, so that a store is the same if
it is made again or in shards.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from actrec.types import ActrecError, Picture

ORIGINAL = "original"


@dataclass(frozen=True)
class VideoTransform:
    """A variant with the parameters that were drawn for one clip; the default changes nothing.

    Attributes:
        picture: Transforms a frame; its size stays.
        speed: Factor of the speed.
    """

    picture: Callable[[Picture], Picture] = lambda picture: picture
    speed: float = 1.0

    def times(self, times: Float[ndarray, " frame"]) -> Float[ndarray, " frame"]:
        """Transforms the times of the frames, in seconds."""
        return times / self.speed


@runtime_checkable
class Variant(Protocol):
    """A video augmentation, as an entry of `variants` in the config constructs it."""

    def draw(self, rng: np.random.Generator) -> VideoTransform:
        """Draws its parameters for one clip."""


@dataclass(frozen=True)
class Flip:
    """Mirrors the frames horizontally; the pose model then finds left and right of the mirrored person."""

    def draw(self, rng: np.random.Generator) -> VideoTransform:
        return VideoTransform(lambda picture: picture[:, ::-1])


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

    def draw(self, rng: np.random.Generator) -> VideoTransform:
        saturation, value = (rng.uniform(low, high) for low, high in (self.saturation, self.value))
        return VideoTransform(partial(_multiply, factors=(saturation, value)))


@dataclass(frozen=True)
class Tempo:
    """Changes the speed of the video at the same frame rate: frames are left out or repeated.

    Attributes:
        factor: Range of the speed, whose logarithm is drawn uniformly; 2 is twice as fast.
    """

    factor: Sequence[float] = (0.8, 1.25)

    def __post_init__(self) -> None:
        _check_range("tempo.factor", self.factor)

    def draw(self, rng: np.random.Generator) -> VideoTransform:
        low, high = np.log(self.factor)
        return VideoTransform(speed=float(np.exp(rng.uniform(low, high))))


def draw_transform(clip_id: str, name: str, variant: Variant) -> VideoTransform:
    """Draws the parameters of the variant `name` for a clip: the same on every machine and in every run."""
    return variant.draw(np.random.default_rng(zlib.crc32(f"{clip_id}\n{name}".encode())))


def _check_range(name: str, values: Sequence[float]) -> None:
    if len(values) != 2 or not 0 < values[0] <= values[1]:
        raise ActrecError(f"{name} is {tuple(values)}; expected two positive numbers, the lesser first.")


def _multiply(picture: Picture, factors: tuple[float, float]) -> Picture:
    import cv2

    hsv = cv2.cvtColor(picture, cv2.COLOR_RGB2HSV)
    for channel, factor in enumerate(factors, start=1):
        table = np.clip(np.rint(np.arange(256) * factor), 0, 255).astype(np.uint8)
        hsv[..., channel] = table[hsv[..., channel]]
    out: Picture = cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)
    return out
