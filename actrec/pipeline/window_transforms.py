"""Augmentations of a preprocessed window: rotation, scaling, translation, mirroring, exchanged sides, and jitter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from actrec.pipeline.transform import Transform, check_interval, draw_uniform
from actrec.skeleton import Skeleton
from actrec.types import NormalizedSequence


def _centroid(sequence: NormalizedSequence, per_frame: bool = False) -> Float[ndarray, "_ 1 2"]:
    """Computes the mean position of the observed joints, or if none is observed, of the known ones."""
    axis = 1 if per_frame else (0, 1)
    some = sequence.observed.any(axis, keepdims=True)
    weight = np.where(some, sequence.observed, sequence.known)[..., None]
    total = (sequence.keypoints[..., :2] * weight).sum(axis, keepdims=True)
    return total / np.maximum(weight.sum(axis, keepdims=True), 1)


def _move(sequence: NormalizedSequence, xy: Float[ndarray, "frame joint 2"]) -> NormalizedSequence:
    """Moves the known joints to `xy`; the others stay at zero."""
    keypoints = sequence.keypoints.copy()
    keypoints[..., :2] = np.where(sequence.known[..., None], xy, 0)
    return replace(sequence, keypoints=keypoints)


@dataclass(frozen=True)
class Rotation(Transform[NormalizedSequence]):
    """Rotates the window by one angle about the centroid of its observed joints.

    Attributes:
        max_degrees: Greatest angle; angles are drawn uniformly from -max_degrees to max_degrees.
        per_frame: Whether each frame is rotated about its own centroid.
    """

    max_degrees: float = 15.0
    per_frame: bool = False

    def apply(self, sequence: NormalizedSequence, skeleton: Skeleton, rng: np.random.Generator) -> NormalizedSequence:
        angle = np.radians(rng.uniform(-self.max_degrees, self.max_degrees))
        cos, sin = np.cos(angle), np.sin(angle)
        centre = _centroid(sequence, self.per_frame)
        return _move(sequence, (sequence.keypoints[..., :2] - centre) @ np.array([[cos, sin], [-sin, cos]]) + centre)


@dataclass(frozen=True)
class Scaling(Transform[NormalizedSequence]):
    """Scales the window about the centroid of its observed joints.

    Attributes:
        range: Least and greatest factor of x and y.
        aspect: Least and greatest additional factor of only x; None keeps the proportions.
    """

    range: Sequence[float] = (0.9, 1.1)
    aspect: Sequence[float] | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        check_interval(self, "range", 0.1, 10.0)
        if self.aspect is not None:
            check_interval(self, "aspect", 0.1, 10.0)

    def apply(self, sequence: NormalizedSequence, skeleton: Skeleton, rng: np.random.Generator) -> NormalizedSequence:
        factor = np.full(2, draw_uniform(rng, self.range))
        if self.aspect is not None:
            factor[0] *= draw_uniform(rng, self.aspect)
        centre = _centroid(sequence)
        return _move(sequence, (sequence.keypoints[..., :2] - centre) * factor + centre)


@dataclass(frozen=True)
class Translation(Transform[NormalizedSequence]):
    """Shifts the window by one offset.

    Attributes:
        max_shift: Greatest offset in x and y, in torso lengths; drawn uniformly from -max_shift to max_shift.
    """

    max_shift: float = 0.1

    def apply(self, sequence: NormalizedSequence, skeleton: Skeleton, rng: np.random.Generator) -> NormalizedSequence:
        return _move(sequence, sequence.keypoints[..., :2] + rng.uniform(-self.max_shift, self.max_shift, size=2))


@dataclass(frozen=True)
class Mirror(Transform[NormalizedSequence]):
    """Reflects x about the origin, and exchanges left and right joints."""

    def apply(self, sequence: NormalizedSequence, skeleton: Skeleton, rng: np.random.Generator) -> NormalizedSequence:
        swap = skeleton.mirror_index
        keypoints = sequence.keypoints[:, swap]
        keypoints[..., 0] *= -1
        observed, known = sequence.observed[:, swap], sequence.known[:, swap]
        return replace(sequence, keypoints=keypoints, observed=observed, known=known)


@dataclass(frozen=True)
class SwapSides(Transform[NormalizedSequence]):
    """Exchanges the labels of left and right joints without moving them.

    Penn Action's annotators name the sides as the viewer sees them; COCO's annotations, and pose estimators, name them
    from the person's view.
    """

    def apply(self, sequence: NormalizedSequence, skeleton: Skeleton, rng: np.random.Generator) -> NormalizedSequence:
        swap = skeleton.mirror_index
        parts = {name: getattr(sequence, name)[:, swap] for name in ("keypoints", "observed", "known")}
        return replace(sequence, **parts)


@dataclass(frozen=True)
class Jitter(Transform[NormalizedSequence]):
    """Adds independent Gaussian noise to every coordinate.

    Attributes:
        sigma: Standard deviation in torso lengths.
    """

    sigma: float = 0.01

    def apply(self, sequence: NormalizedSequence, skeleton: Skeleton, rng: np.random.Generator) -> NormalizedSequence:
        xy = sequence.keypoints[..., :2]
        return _move(sequence, xy + rng.normal(0, self.sigma, size=xy.shape))
