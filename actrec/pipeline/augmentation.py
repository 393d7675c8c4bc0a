"""Skeleton-level augmentation of the training split, at three places of the pipeline.

Temporal cropping and joint dropout change the stored clip, so that preprocessing gets incomplete clips as in serving;
resampling in time changes the preprocessed clip; the others change the window.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from actrec.pipeline.clip_transforms import JointDropout, TemporalCrop, TemporalResample
from actrec.pipeline.window_transforms import Jitter, Mirror, Prefix, Rotation, Scaling, Shear, SwapSides, Translation
from actrec.pipeline.windows import pad_to_window
from actrec.skeleton import Skeleton
from actrec.types import NormalizedSequence, SkeletonSequence, Window


@dataclass(frozen=True)
class Augmentation:
    """The augmentations of training clips; None leaves one out."""

    temporal_crop: TemporalCrop | None = None
    joint_dropout: JointDropout | None = None
    temporal_resample: TemporalResample | None = None
    prefix: Prefix | None = None
    mirror: Mirror | None = None
    swap_sides: SwapSides | None = None
    rotation: Rotation | None = None
    scaling: Scaling | None = None
    shear: Shear | None = None
    translation: Translation | None = None
    jitter: Jitter | None = None

    def clip(self, sequence: SkeletonSequence, skeleton: Skeleton, rng: np.random.Generator) -> SkeletonSequence:
        """Augments a stored clip; returns the same object if nothing was changed."""
        for transform in (self.temporal_crop, self.joint_dropout):
            if transform is not None:
                sequence = transform(sequence, skeleton, rng)
        return sequence

    def sequence(
        self, sequence: NormalizedSequence, skeleton: Skeleton, rng: np.random.Generator
    ) -> NormalizedSequence:
        """Augments a preprocessed clip; its length may change."""
        return self.temporal_resample(sequence, skeleton, rng) if self.temporal_resample else sequence

    def window(self, window: Window, skeleton: Skeleton, rng: np.random.Generator) -> Window:
        """Augments the valid frames of a window, and pads it again."""
        sequence = window.take(slice(int(window.valid.sum())))
        geometric = (
            self.mirror,
            self.swap_sides,
            self.rotation,
            self.scaling,
            self.shear,
            self.translation,
            self.jitter,
        )
        for transform in (self.prefix, *geometric):
            if transform is not None:
                sequence = transform(sequence, skeleton, rng)
        return pad_to_window(sequence, len(window.valid))
