"""Augmentations of clips: joint dropout and temporal cropping before preprocessing, resampling in time after it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool
from numpy import ndarray

from actrec.pipeline.resampling import frame_grid, resample
from actrec.pipeline.transform import Transform, check_interval, draw_uniform
from actrec.skeleton import Skeleton
from actrec.types import ActrecError, NormalizedSequence, SkeletonSequence


@dataclass(frozen=True)
class JointDropout(Transform[SkeletonSequence]):
    """Makes joints or whole limbs of a stored clip unobserved, for some consecutive frames or the whole clip.

    Attributes:
        max_joints: Greatest number of joints that are drawn; the least is 1.
        share: Least and greatest share of the clip's frames in which they are unobserved.
        whole: Probability that they are unobserved in the whole clip instead.
        limb: Probability that all descendants of a drawn joint along the bones are unobserved as well.
    """

    max_joints: int = 4
    share: Sequence[float] = (0.1, 0.5)
    whole: float = 0.5
    limb: float = 0.2

    def __post_init__(self) -> None:
        super().__post_init__()
        check_interval(self, "share", 0.0, 1.0)
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
        share = 1.0 if rng.random() < self.whole else draw_uniform(rng, self.share)
        length = max(round(share * n_frames), 1)
        start = int(rng.integers(n_frames - length + 1))
        keypoints = sequence.keypoints.copy()
        keypoints[start : start + length, dropped] = 0
        return replace(sequence, keypoints=keypoints)


def _limb(joint: int, skeleton: Skeleton) -> Bool[ndarray, " joint"]:
    """Returns which joints are the joint or its descendants along the bones."""
    parent, ancestor = skeleton.parents, np.arange(skeleton.n_joints)
    limb = ancestor == joint
    for _ in skeleton.joints:
        ancestor = parent[ancestor]
        limb |= ancestor == joint
    return limb


@dataclass(frozen=True)
class TemporalCrop(Transform[SkeletonSequence]):
    """Crops a stored clip to consecutive frames at a random position.

    Attributes:
        share: Least and greatest share of the frames that are kept.
    """

    share: Sequence[float] = (0.5, 1.0)

    def __post_init__(self) -> None:
        super().__post_init__()
        check_interval(self, "share", 0.0, 1.0)

    def apply(self, sequence: SkeletonSequence, skeleton: Skeleton, rng: np.random.Generator) -> SkeletonSequence:
        length = max(round(draw_uniform(rng, self.share) * len(sequence)), 1)
        start = int(rng.integers(len(sequence) - length + 1))
        return sequence.cut(start, start + length)


@dataclass(frozen=True)
class TemporalResample(Transform[NormalizedSequence]):
    """Resamples a preprocessed clip so that it is faster or slower.

    Attributes:
        rate: Least and greatest speed; 2 is twice as fast, with half as many frames.
    """

    rate: Sequence[float] = (0.8, 1.25)

    def __post_init__(self) -> None:
        super().__post_init__()
        check_interval(self, "rate", 0.1, 10.0)

    def apply(self, sequence: NormalizedSequence, skeleton: Skeleton, rng: np.random.Generator) -> NormalizedSequence:
        rate = draw_uniform(rng, self.rate)
        return resample(sequence, frame_grid(0.0, rate, int((len(sequence) - 1) / rate) + 1))
