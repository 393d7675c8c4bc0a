"""Leaves out the first frames of a clip in which a pose estimator had not yet found the body's place.

Trackers such as MediaPipe's search a part of the picture that they take from the frame before. In the first frames that
part is coarse: the body is beside its place, of another size, or facing the other way, and then jumps to its place.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from jaxtyping import Float
from numpy import ndarray

_SPEED = 2.0  # sizes of the body a second
_TIMES = 4.0  # the usual speed afterwards
_AFTER = 0.5  # seconds in which the usual speed is measured
_LEAST = 3  # frames, of those
_JOINTS = 4  # a frame with fewer tells nothing of the body's place


def settled(keypoints: Float[ndarray, "frame joint 3"], fps: float, seconds: float) -> Float[ndarray, "frame joint 3"]:
    """Returns the keypoints without the frames before the last jump in a person's first `seconds`.

    A jump is a step in which the joints' mean speed is above 2 sizes of the body a second, and above 4 times the usual
    one of the half second afterwards. Nobody moves so: a person who comes running is as fast afterwards.
    """
    rows = np.flatnonzero((keypoints[..., 2] > 0).sum(1) >= _JOINTS)
    if not len(rows):
        return keypoints
    rows = rows[rows <= rows[0] + fps * (seconds + _AFTER) + _LEAST]
    steps = list(pairwise(map(int, rows)))
    speeds = [_step(keypoints[[a, b]]) * fps / (b - a) for a, b in steps]
    start = 0
    for number, (before, after) in enumerate(steps):
        later = speeds[number + 1 : number + 1 + max(_LEAST, round(_AFTER * fps))]
        if before >= rows[0] + seconds * fps or len(later) < _LEAST:
            break
        if speeds[number] > max(_SPEED, _TIMES * float(np.median(later))):
            start = after
    if not start:
        return keypoints
    rest = keypoints.copy()
    rest[:start] = 0
    return rest


def _step(pair: Float[ndarray, "2 joint 3"]) -> float:
    """Computes the joints' mean way between two frames, in sizes of the body; 0 if they share too few joints."""
    observed = pair[..., 2] > 0
    both = observed.all(0)
    sizes = [float(np.linalg.norm(np.ptp(frame[seen, :2], axis=0))) for frame, seen in zip(pair, observed, strict=True)]
    if both.sum() < _JOINTS or not max(sizes):
        return 0.0
    return float(np.linalg.norm(pair[1, both, :2] - pair[0, both, :2], axis=-1).mean()) / max(sizes)
