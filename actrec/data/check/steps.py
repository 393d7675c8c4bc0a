"""Measures how the joints of a clip move from frame to frame."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy import ndarray

FAST = 0.1  # torso lengths a frame; only of faster clips the order of frames and joints is looked at
SHUFFLED = 0.6  # motion from frame to frame, relative to frames that are far apart
_NEARER = 0.6  # distance to the most similar frame; in a trembling clip no order of the frames is smoother
_COMPARED = 120  # frames
_JUMP = 0.8  # body lengths of half the joints from one frame to the next


def furthest(xy: Float[ndarray, "frame joint 2"], seen: Bool[ndarray, "frame joint"]) -> float:
    """Computes the furthest that a joint moves along x or y, in pixels."""
    spread = np.where(seen[..., None], xy, -np.inf).max(0) - np.where(seen[..., None], xy, np.inf).min(0)
    return float(spread[seen.any(0)].max(initial=0.0))


def steps(
    xy: Float[ndarray, "frame joint 2"], seen: Bool[ndarray, "frame joint"], scale: float
) -> tuple[float, float, float, Int[ndarray, " jump"]]:
    """Computes `step`, `shuffled`, `reordered` and `jumps`."""
    n = len(xy)
    near, moved = _typical_step(xy, seen, 1)
    if not len(near) or not np.isfinite(scale):
        return 0.0, 0.0, 1.0, np.zeros(0, int)
    step, jumps = float(np.median(near)), moved[near > _JUMP * scale] + 1
    if step < FAST * scale:
        return step / scale, 0.0, 1.0, jumps
    far, _ = _typical_step(xy, seen, max(n // 3, 1))
    reordered = 1.0
    if n > 3 and len(far) and step > 0:
        other = xy.reshape(xy.shape[1], n, 2).transpose(1, 0, 2)
        whole = seen.reshape(seen.shape[1], n).T
        theirs, _ = _typical_step(other, whole, 1)
        reordered = float(np.median(theirs)) / step if len(theirs) else 1.0
    shuffled = step / float(np.median(far)) if len(far) and np.median(far) > 0 else 0.0
    if shuffled > SHUFFLED and _nearest_frame(xy, seen) > _NEARER * step:
        shuffled = 0.0
    return step / scale, shuffled, reordered, jumps


def _nearest_frame(xy: Float[ndarray, "frame joint 2"], seen: Bool[ndarray, "frame joint"]) -> float:
    """Computes the median over frames of the distance to the most similar frame, by the median joint."""
    chosen = np.flatnonzero(seen.sum(1) >= 3)[:_COMPARED]
    points = np.where(seen[chosen][..., None], xy[chosen], np.nan)
    nearest = []
    for number, pose in enumerate(points):
        apart = np.delete(points, number, axis=0) - pose
        lengths = np.sort(np.hypot(apart[..., 0], apart[..., 1]), axis=1)  # NaN last
        count = np.isfinite(lengths).sum(1)
        kept = lengths[count >= 3]
        if len(kept):
            nearest.append(kept[np.arange(len(kept)), (count[count >= 3] - 1) // 2].min())
    return float(np.median(nearest)) if nearest else 0.0


def _typical_step(
    xy: Float[ndarray, "frame joint 2"], seen: Bool[ndarray, "frame joint"], lag: int
) -> tuple[Float[ndarray, " pair"], Int[ndarray, " pair"]]:
    """Computes the median distance over joints between frames `lag` apart, and the first frame of each pair."""
    both = seen[lag:] & seen[:-lag] if len(xy) > lag else np.zeros((0, seen.shape[1]), bool)
    count = both.sum(1)
    frames = np.flatnonzero(count >= 3)
    if not len(frames):
        return np.zeros(0), frames
    moved = xy[lag:][frames] - xy[:-lag][frames]
    lengths = np.sort(np.where(both[frames], np.hypot(moved[..., 0], moved[..., 1]), np.inf), axis=1)
    return lengths[np.arange(len(frames)), (count[frames] - 1) // 2].astype(float), frames


def repeated(keypoints: Float[ndarray, "frame joint 3"], seen: Bool[ndarray, "frame joint"]) -> float:
    """Computes the share of frame pairs that are the same, and in which a joint is seen."""
    if len(keypoints) < 2:
        return 0.0
    same = (keypoints[1:] == keypoints[:-1]).all((1, 2)) & seen[1:].any(1)
    return float(same.mean())


def longest(gone: Bool[ndarray, " frame"]) -> tuple[int, int]:
    """Finds the first frame and the length of the longest stretch."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], gone, [False]]).astype(int)))
    if not len(edges):
        return 0, 0
    lengths = edges[1::2] - edges[::2]
    return int(edges[::2][lengths.argmax()]), int(lengths.max())
