"""Skeleton-level augmentation of the training split, at three places of the flow.

Cropping and joint dropout act on the clip as it is stored, so that preprocessing meets clips that begin anywhere and
lack joints just as it will in use; resampling in time acts on the preprocessed clip; the rest on the window.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

import numpy as np
from jaxtyping import Bool, Float
from numpy import ndarray

from actrec.pipeline.windows import frame_grid, hold_last, resample
from actrec.skeleton import Skeleton
from actrec.types import ActrecError, NormalizedSequence, SkeletonSequence, Window

Sequence_ = TypeVar("Sequence_", SkeletonSequence, NormalizedSequence)


@dataclass(frozen=True)
class Transform(ABC, Generic[Sequence_]):
    """An augmentation that is applied with probability `p` and leaves its input as it was.

    Attributes:
        p: Probability; True is always, None never.
    """

    p: float | int | None = 0.5

    def __post_init__(self) -> None:
        if not 0 <= (self.p or 0) <= 1:
            raise ActrecError(f"The probability p of {type(self).__name__} is {self.p}; expected 0 to 1.")

    def __call__(self, sequence: Sequence_, skeleton: Skeleton, rng: np.random.Generator) -> Sequence_:
        return self.apply(sequence, skeleton, rng) if rng.random() < (self.p or 0) else sequence

    @abstractmethod
    def apply(self, sequence: Sequence_, skeleton: Skeleton, rng: np.random.Generator) -> Sequence_:
        """The sequence, transformed for certain."""


def _check_interval(transform: Transform[Any], name: str, least: float, greatest: float) -> None:
    interval = list(getattr(transform, name))
    if len(interval) != 2 or not least <= interval[0] <= interval[1] <= greatest:
        raise ActrecError(
            f"The {name} of {type(transform).__name__} is {interval}; expected two ascending numbers from {least} to "
            f"{greatest}."
        )


def _uniform(rng: np.random.Generator, interval: Sequence[float]) -> float:
    least, greatest = interval
    return rng.uniform(least, greatest)


def _centroid(sequence: NormalizedSequence, per_frame: bool = False) -> Float[ndarray, "_ 1 2"]:
    """Mean place of the observed joints, or if none is, of the known ones: (1, 1, 2), or (frame, 1, 2) per frame."""
    axis = 1 if per_frame else (0, 1)
    some = sequence.observed.any(axis, keepdims=True)
    weight = np.where(some, sequence.observed, sequence.known)[..., None]
    total = (sequence.keypoints[..., :2] * weight).sum(axis, keepdims=True)
    return total / np.maximum(weight.sum(axis, keepdims=True), 1)


def _move(sequence: NormalizedSequence, xy: Float[ndarray, "frame joint 2"]) -> NormalizedSequence:
    """The sequence with its joints at `xy`; those that are not known stay at zero."""
    keypoints = sequence.keypoints.copy()
    keypoints[..., :2] = np.where(sequence.known[..., None], xy, 0)
    return replace(sequence, keypoints=keypoints)


@dataclass(frozen=True)
class Rotation(Transform[NormalizedSequence]):
    """Turns the window by one angle about the centroid of its observed joints.

    Attributes:
        max_degrees: The angle is uniform up to this, either way.
        per_frame: Whether each frame turns about its own centroid.
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
        range: Least and greatest factor, for x and y alike.
        aspect: Least and greatest further factor of x alone; None keeps the proportions.
    """

    range: Sequence[float] = (0.9, 1.1)
    aspect: Sequence[float] | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_interval(self, "range", 0.1, 10.0)
        if self.aspect is not None:
            _check_interval(self, "aspect", 0.1, 10.0)

    def apply(self, sequence: NormalizedSequence, skeleton: Skeleton, rng: np.random.Generator) -> NormalizedSequence:
        factor = np.full(2, _uniform(rng, self.range))
        if self.aspect is not None:
            factor[0] *= _uniform(rng, self.aspect)
        centre = _centroid(sequence)
        return _move(sequence, (sequence.keypoints[..., :2] - centre) * factor + centre)


@dataclass(frozen=True)
class Translation(Transform[NormalizedSequence]):
    """Shifts the window by one offset.

    Attributes:
        max_shift: The offset is uniform up to this in x and y, either way, in torso lengths.
    """

    max_shift: float = 0.1

    def apply(self, sequence: NormalizedSequence, skeleton: Skeleton, rng: np.random.Generator) -> NormalizedSequence:
        return _move(sequence, sequence.keypoints[..., :2] + rng.uniform(-self.max_shift, self.max_shift, size=2))


@dataclass(frozen=True)
class Mirror(Transform[NormalizedSequence]):
    """Reflects x about the origin, and makes left joints right and right joints left."""

    def apply(self, sequence: NormalizedSequence, skeleton: Skeleton, rng: np.random.Generator) -> NormalizedSequence:
        swap = skeleton.mirror_index
        keypoints = sequence.keypoints[:, swap]
        keypoints[..., 0] *= -1
        return NormalizedSequence(keypoints, sequence.observed[:, swap], sequence.known[:, swap])


@dataclass(frozen=True)
class SwapSides(Transform[NormalizedSequence]):
    """Calls left joints right and right joints left, and leaves them where they are.

    A person's left arm is the one on the left for an annotator who names sides as the viewer sees them (Penn Action),
    and not for one, or a pose estimator, who takes the person's view (COCO).
    """

    def apply(self, sequence: NormalizedSequence, skeleton: Skeleton, rng: np.random.Generator) -> NormalizedSequence:
        swap = skeleton.mirror_index
        return NormalizedSequence(sequence.keypoints[:, swap], sequence.observed[:, swap], sequence.known[:, swap])


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


@dataclass(frozen=True)
class JointDropout(Transform[SkeletonSequence]):
    """Makes joints or whole limbs of a stored clip unseen, for a stretch or for good.

    Attributes:
        max_joints: One to this many joints are drawn, or limbs.
        share: Least and greatest share of the clip that a stretch lasts.
        whole: Probability that they are unseen for the whole clip instead.
        limb: Probability that what hangs on a drawn joint goes with it.
    """

    max_joints: int = 4
    share: Sequence[float] = (0.1, 0.5)
    whole: float = 0.5
    limb: float = 0.2

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_interval(self, "share", 0.0, 1.0)
        if self.max_joints < 1 or not (0 <= self.whole <= 1 and 0 <= self.limb <= 1):
            raise ActrecError(
                f"JointDropout has max_joints={self.max_joints}, whole={self.whole} and limb={self.limb}; expected at "
                "least 1 joint, and probabilities from 0 to 1."
            )

    def apply(self, sequence: SkeletonSequence, skeleton: Skeleton, rng: np.random.Generator) -> SkeletonSequence:
        n_frames, n_drawn = len(sequence), int(rng.integers(1, min(self.max_joints, skeleton.n_joints) + 1))
        drawn = rng.choice(skeleton.n_joints, size=n_drawn, replace=False)
        dropped = np.zeros(skeleton.n_joints, dtype=bool)
        for joint, whole_limb in zip(drawn, rng.random(n_drawn) < self.limb, strict=True):
            dropped |= _limb(int(joint), skeleton) if whole_limb else np.arange(skeleton.n_joints) == joint
        share = 1.0 if rng.random() < self.whole else _uniform(rng, self.share)
        length = max(round(share * n_frames), 1)
        start = int(rng.integers(n_frames - length + 1))
        keypoints = sequence.keypoints.copy()
        keypoints[start : start + length, dropped] = 0
        return replace(sequence, keypoints=keypoints)


def _limb(joint: int, skeleton: Skeleton) -> Bool[ndarray, " joint"]:
    """The joint and its descendants along the bones."""
    parent, ancestor = skeleton.parents, np.arange(skeleton.n_joints)
    limb = ancestor == joint
    for _ in skeleton.joints:
        ancestor = parent[ancestor]
        limb |= ancestor == joint
    return limb


@dataclass(frozen=True)
class TemporalCrop(Transform[SkeletonSequence]):
    """Cuts a stretch out of a stored clip.

    Attributes:
        share: Least and greatest share of the frames that stay.
    """

    share: Sequence[float] = (0.5, 1.0)

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_interval(self, "share", 0.0, 1.0)

    def apply(self, sequence: SkeletonSequence, skeleton: Skeleton, rng: np.random.Generator) -> SkeletonSequence:
        length = max(round(_uniform(rng, self.share) * len(sequence)), 1)
        start = int(rng.integers(len(sequence) - length + 1))
        return replace(sequence, keypoints=sequence.keypoints[start : start + length])


@dataclass(frozen=True)
class TemporalResample(Transform[NormalizedSequence]):
    """Plays the clip faster or slower.

    Attributes:
        rate: Least and greatest speed: 2 is twice as fast, with half as many frames.
    """

    rate: Sequence[float] = (0.8, 1.25)

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_interval(self, "rate", 0.1, 10.0)

    def apply(self, sequence: NormalizedSequence, skeleton: Skeleton, rng: np.random.Generator) -> NormalizedSequence:
        rate = _uniform(rng, self.rate)
        return resample(sequence, frame_grid(0.0, rate, int((len(sequence) - 1) / rate) + 1))


@dataclass(frozen=True)
class Augmentation:
    """What the training split goes through: the clip as stored, preprocessed, and its window. None is left out."""

    temporal_crop: TemporalCrop | None = None
    joint_dropout: JointDropout | None = None
    temporal_resample: TemporalResample | None = None
    mirror: Mirror | None = None
    swap_sides: SwapSides | None = None
    rotation: Rotation | None = None
    scaling: Scaling | None = None
    translation: Translation | None = None
    jitter: Jitter | None = None

    def clip(self, sequence: SkeletonSequence, skeleton: Skeleton, rng: np.random.Generator) -> SkeletonSequence:
        """The stored clip, cropped and with joints unseen; the very same object where nothing was done to it."""
        for transform in (self.temporal_crop, self.joint_dropout):
            if transform is not None:
                sequence = transform(sequence, skeleton, rng)
        return sequence

    def sequence(
        self, sequence: NormalizedSequence, skeleton: Skeleton, rng: np.random.Generator
    ) -> NormalizedSequence:
        """The preprocessed clip at another pace, which changes its length."""
        return self.temporal_resample(sequence, skeleton, rng) if self.temporal_resample else sequence

    def window(self, window: Window, skeleton: Skeleton, rng: np.random.Generator) -> Window:
        """The window moved and blurred; its padding goes on holding the last valid frame."""
        sequence = window.take(slice(int(window.valid.sum())))
        for transform in (self.mirror, self.swap_sides, self.rotation, self.scaling, self.translation, self.jitter):
            if transform is not None:
                sequence = transform(sequence, skeleton, rng)
        return hold_last(sequence, len(window.valid))
