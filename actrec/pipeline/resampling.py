"""Resamples sequences in time, by linear interpolation between frames.

Preprocessing (`preprocess.fps`), windows of a fixed length and temporal augmentation use it.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from actrec.types import NormalizedSequence, Targets


def frame_grid(start: float, step: float, count: int) -> Float[ndarray, " time"]:
    """Returns evenly spaced frame positions; those within rounding error of a whole frame are rounded to it."""
    positions = start + step * np.arange(count, dtype=np.float64)
    nearest = positions.round()
    return np.where(np.abs(positions - nearest) < 1e-6, nearest, positions)


def resample(sequence: NormalizedSequence, positions: Float[ndarray, " time"]) -> NormalizedSequence:
    """Interpolates a sequence linearly at fractional frame positions; whole frames are copied.

    A joint is observed, or known, at a position if it is in both frames around it. Targets are the nearest frame's.

    Args:
        positions: In frames, from 0 to len(sequence) - 1.
    """
    before, after = sequence.take(np.floor(positions).astype(int)), sequence.take(np.ceil(positions).astype(int))
    weight = (positions - np.floor(positions)).astype(sequence.keypoints.dtype)[:, None, None]
    keypoints = before.keypoints * (1 - weight) + after.keypoints * weight
    known = before.known & after.known
    keypoints[..., :-1][~known] = 0
    targets = sequence.targets and Targets(*(part[positions.round().astype(int)] for part in sequence.targets))
    return NormalizedSequence(keypoints, before.observed & after.observed, known, targets=targets)
