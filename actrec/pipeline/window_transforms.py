"""Augmentations of a preprocessed window: prefix, mirror, exchanged sides, rotation, scaling, shear, shift, jitter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from actrec.pipeline.transform import Transform, check_interval, draw_uniform
from actrec.skeleton import Skeleton
from actrec.types import ActrecError, NormalizedSequence


def _centroid(sequence: NormalizedSequence, per_frame: bool = False) -> Float[ndarray, "_ 1 coordinate"]:
    """Computes the mean position of the observed joints, or if none is observed, of the known ones."""
    axis = 1 if per_frame else (0, 1)
    some = sequence.observed.any(axis, keepdims=True)
    weight = np.where(some, sequence.observed, sequence.known)[..., None]
    total = (sequence.keypoints[..., :-1] * weight).sum(axis, keepdims=True)
    return total / np.maximum(weight.sum(axis, keepdims=True), 1)


def _move(sequence: NormalizedSequence, places: Float[ndarray, "frame joint coordinate"]) -> NormalizedSequence:
    """Moves the known joints to `places`; the others stay at zero."""
    keypoints = sequence.keypoints.copy()
    keypoints[..., :-1] = np.where(sequence.known[..., None], places, 0)
    return replace(sequence, keypoints=keypoints)


@dataclass(frozen=True)
class Prefix(Transform[NormalizedSequence]):
    """Keeps the first frames of a window, as if the action were seen only so far; see `evaluation.observation`.

    A network that is not causal learns by it to decide before an action has ended; a causal one learns that anyway.

    Attributes:
        share: Least and greatest share of the window's frames that are kept.
    """

    share: Sequence[float] = (0.1, 1.0)

    def __post_init__(self) -> None:
        super().__post_init__()
        check_interval(self, "share", 0.0, 1.0)

    def apply(self, sequence: NormalizedSequence, skeleton: Skeleton, rng: np.random.Generator) -> NormalizedSequence:
        return sequence.take(slice(max(round(draw_uniform(rng, self.share) * len(sequence)), 1)))


@dataclass(frozen=True)
class Rotation(Transform[NormalizedSequence]):
    """Rotates the window about the centroid of its observed joints.

    Attributes:
        max_degrees: Greatest angle; angles are drawn uniformly from -max_degrees to max_degrees. In three dimensions
            the window is turned about the axes x, y and z, in this order: give their greatest angles, or one for all.
        per_frame: Whether each frame is rotated about its own centroid.
    """

    max_degrees: float | int | Sequence[float | int] = 15.0
    per_frame: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        given = self.max_degrees if isinstance(self.max_degrees, Sequence) else [self.max_degrees] * 3
        if len(given) != 3 or not all(0 <= each <= 180 for each in given):
            raise ActrecError(
                f"The max_degrees of Rotation is {self.max_degrees}; expected an angle from 0 to 180, or in three "
                "dimensions one for each of x, y and z."
            )

    def apply(self, sequence: NormalizedSequence, skeleton: Skeleton, rng: np.random.Generator) -> NormalizedSequence:
        centre = _centroid(sequence, self.per_frame)
        turn = self._draw(sequence.keypoints.shape[-1] - 1, rng)
        return _move(sequence, (sequence.keypoints[..., :-1] - centre) @ turn.T + centre)

    def _draw(self, n_coordinates: int, rng: np.random.Generator) -> Float[ndarray, "coordinate coordinate"]:
        """Draws a rotation matrix."""
        if n_coordinates == 2:
            if isinstance(self.max_degrees, Sequence):
                raise ActrecError(
                    f"The max_degrees of Rotation is {list(self.max_degrees)}, one for each of three axes, and these "
                    "clips have two dimensions. Give one angle."
                )
            angle = np.radians(rng.uniform(-self.max_degrees, self.max_degrees))
            cos, sin = np.cos(angle), np.sin(angle)
            return np.array([[cos, -sin], [sin, cos]])
        greatest = np.broadcast_to(np.asarray(self.max_degrees, dtype=float), 3)
        turn = np.eye(3)
        for axis, angle in enumerate(np.radians(rng.uniform(-greatest, greatest))):
            first, second = (axis + 1) % 3, (axis + 2) % 3
            about = np.eye(3)
            about[[first, second], [first, second]] = np.cos(angle)
            about[first, second], about[second, first] = -np.sin(angle), np.sin(angle)
            turn = about @ turn
        return turn


@dataclass(frozen=True)
class Scaling(Transform[NormalizedSequence]):
    """Scales the window about the centroid of its observed joints.

    Attributes:
        range: Least and greatest factor of the coordinates.
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
        factor = np.full(sequence.keypoints.shape[-1] - 1, draw_uniform(rng, self.range))
        if self.aspect is not None:
            factor[0] *= draw_uniform(rng, self.aspect)
        centre = _centroid(sequence)
        return _move(sequence, (sequence.keypoints[..., :-1] - centre) * factor + centre)


@dataclass(frozen=True)
class Shear(Transform[NormalizedSequence]):
    """Shears the window about the centroid of its observed joints: each coordinate changes in proportion to the others.

    Attributes:
        range: Greatest share of one coordinate that is added to another; drawn uniformly from -range to range for each
            ordered pair of coordinates.
    """

    range: float | int = 0.3

    def apply(self, sequence: NormalizedSequence, skeleton: Skeleton, rng: np.random.Generator) -> NormalizedSequence:
        n_coordinates = sequence.keypoints.shape[-1] - 1
        shear = rng.uniform(-self.range, self.range, (n_coordinates, n_coordinates))
        np.fill_diagonal(shear, 1.0)
        centre = _centroid(sequence)
        return _move(sequence, (sequence.keypoints[..., :-1] - centre) @ shear + centre)


@dataclass(frozen=True)
class Translation(Transform[NormalizedSequence]):
    """Shifts the window by one offset.

    Attributes:
        max_shift: Greatest offset of each coordinate, in torso lengths; drawn uniformly from -max_shift to max_shift.
    """

    max_shift: float = 0.1

    def apply(self, sequence: NormalizedSequence, skeleton: Skeleton, rng: np.random.Generator) -> NormalizedSequence:
        places = sequence.keypoints[..., :-1]
        return _move(sequence, places + rng.uniform(-self.max_shift, self.max_shift, size=places.shape[-1]))


@dataclass(frozen=True)
class Mirror(Transform[NormalizedSequence]):
    """Reflects x about the origin, and exchanges left and right joints.

    In three dimensions this is the mirror image across the body, up to a turn: exactly so where `preprocess.view` has
    laid the shoulders along x.
    """

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
    """Adds Gaussian noise to every coordinate.

    Attributes:
        sigma: Standard deviation in torso lengths, independent in every frame.
        joint_sigma: Standard deviation of an offset of each joint that is the same in all frames, as sensors and pose
            estimators differ between views.
    """

    sigma: float = 0.01
    joint_sigma: float = 0.0

    def apply(self, sequence: NormalizedSequence, skeleton: Skeleton, rng: np.random.Generator) -> NormalizedSequence:
        places = sequence.keypoints[..., :-1]
        noise = rng.normal(0, self.sigma, size=places.shape)
        if self.joint_sigma:
            noise += rng.normal(0, self.joint_sigma, size=places.shape[1:])
        return _move(sequence, places + noise)
