"""Random clips and sequences for the tests of the pipeline."""

from __future__ import annotations

import numpy as np

from actrec.pipeline.offline import interpolate_missing
from actrec.types import NormalizedSequence, SkeletonSequence, Window

NEVER = 4  # a joint that these sequences never observe


def random_clip(n_frames: int = 20, seed: int = 0) -> SkeletonSequence:
    """A clip as stored, every joint observed."""
    rng = np.random.default_rng(seed)
    keypoints = rng.uniform(100, 400, (n_frames, 17, 3)).astype(np.float32)
    keypoints[..., 2] = rng.uniform(0.3, 1, (n_frames, 17))
    return SkeletonSequence(keypoints, 30.0, "coco17", clip_id="a")


def random_sequence(n_frames: int = 20, seed: int = 0) -> NormalizedSequence:
    """Keypoints as preprocessing leaves them: all known but `NEVER`, which is zero throughout."""
    rng = np.random.default_rng(seed)
    keypoints = rng.normal(size=(n_frames, 17, 3)).astype(np.float32)
    keypoints[..., 2] = rng.uniform(0, 1, (n_frames, 17))
    keypoints[:, NEVER] = 0
    observed = keypoints[..., 2] >= 0.2
    known = np.broadcast_to(observed.any(0), observed.shape)
    return NormalizedSequence(interpolate_missing(keypoints, observed), observed, known)


def same(one: NormalizedSequence | Window, other: NormalizedSequence | Window) -> bool:
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in ("keypoints", "observed", "known"))


def growing_sequence(n_frames: int, seed: int = 0) -> NormalizedSequence:
    """Joints 0 to 4 become known one after another; the others are known throughout."""
    rng = np.random.default_rng(seed)
    keypoints, observed = rng.normal(size=(n_frames, 17, 3)).astype(np.float32), rng.random((n_frames, 17)) < 0.8
    known = np.arange(n_frames)[:, None] >= 2 * np.minimum(np.arange(17), 5) % 10
    keypoints[..., :2][~known] = 0
    return NormalizedSequence(keypoints, observed & known, known)


def all_known(keypoints: np.ndarray) -> NormalizedSequence:
    everywhere = np.ones(keypoints.shape[:2], dtype=bool)
    return NormalizedSequence(keypoints, everywhere, everywhere)
