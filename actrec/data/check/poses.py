"""Measures the poses of a clip: its moments, the body's size and direction, and hashes of its frames."""

from __future__ import annotations

from functools import cache

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy import ndarray

from actrec.pipeline.measures import TORSOS_PER_BOX
from actrec.skeleton import get_skeleton

TIMES = 8  # moments of a clip, evenly spread, at which its poses are kept
_MARGIN = 0.1  # share of the picture's size by which joints may lie outside, as in estimates of YOLO and HRNet
_REACH = 4.0  # torso lengths
_FORESHORTENED = 0.35  # least torso length, relative to what the extent of the body suggests


@cache
def torso_of(skeleton: str) -> tuple[list[int], int]:
    """Returns the numbers of a layout's shoulders and, after them, hips; and how many shoulders it has."""
    layout = get_skeleton(skeleton)
    return layout.index([*layout.shoulders, *layout.hips]), len(layout.shoulders)


def sampled_poses(
    xy: Float[ndarray, "frame joint 2"], seen: Bool[ndarray, "frame joint"]
) -> Float[ndarray, "time joint 2"]:
    """Interpolates x and y at `TIMES` moments of a clip; NaN for a joint that is never seen."""
    times = np.linspace(0, len(xy) - 1, TIMES)
    poses = np.full((TIMES, xy.shape[1], 2), np.nan, np.float32)
    for joint in np.flatnonzero(seen.any(0)):
        frames = np.flatnonzero(seen[:, joint])
        for axis in range(2):
            poses[:, joint, axis] = np.interp(times, frames, xy[frames, joint, axis])
    return poses


def body_scale(poses: Float[ndarray, "time joint 2"], torso: list[int]) -> float:
    """Measures the body: the median torso length, or what the body's extent suggests where that is much longer."""
    known = np.isfinite(poses[0, :, 0])
    if not known.any():
        return float("nan")
    body = poses[:, known]
    extent = float(np.median((body.max(1) - body.min(1)).max(1))) / TORSOS_PER_BOX
    half = len(torso) // 2
    sides = [(a, b) for a, b in zip(torso[:half], torso[half:], strict=True) if known[a] and known[b]]
    vectors = np.mean([poses[:, a] - poses[:, b] for a, b in sides], axis=0) if sides else np.full((1, 2), extent)
    length = max(float(np.median(np.hypot(*vectors.T))), _FORESHORTENED * extent) if sides else extent
    return length if length > 0 else float("nan")


def outside(points: Float[ndarray, "seen 2"], size: tuple[int, int]) -> float:
    """Computes the share of points outside the picture; 0 if its size is not known."""
    if not len(points) or min(size) <= 0:
        return 0.0
    limit = np.array(size)
    return float(((points < -_MARGIN * limit) | (points > (1 + _MARGIN) * limit)).any(1).mean())


def astray(xy: Float[ndarray, "frame joint 2"], scale: float) -> int:
    """Counts the joints that are further from the middle of the body than any limb reaches."""
    if not np.isfinite(scale):
        return 0
    offset = xy - np.median(xy, axis=1, keepdims=True)
    return int((np.hypot(offset[..., 0], offset[..., 1]) > _REACH * scale).sum())


def directions(down: Float[ndarray, "frame 2"]) -> Int[ndarray, "4"]:
    """Counts the frames in which the torso points up, down, left and right."""
    upright = np.abs(down[:, 1]) >= np.abs(down[:, 0])
    signs = [down[:, 1] > 0, down[:, 1] < 0, down[:, 0] > 0, down[:, 0] < 0]
    return np.array([int((sign & (upright == (k < 2))).sum()) for k, sign in enumerate(signs)])


def hashed_frames(xy: Float[ndarray, "frame joint 2"], seen: Bool[ndarray, "frame joint"]) -> Int[ndarray, " frame"]:
    """Hashes each frame's pose, rounded to a hundredth of its extent; the same pose elsewhere has the same hash."""
    low = np.where(seen[..., None], xy, np.inf).min(1)
    extent = (np.where(seen[..., None], xy, -np.inf).max(1) - low).max(1)
    whole = (seen.sum(1) >= 4) & (extent > 0)
    hashes = np.zeros(len(xy), np.int64)
    if whole.any():
        places = (xy[whole] - low[whole, None]) / extent[whole, None, None]
        rounded = np.where(seen[whole][..., None], np.round(places * 100), -1).astype(np.int64)
        weights = _weights(xy.shape[1])
        with np.errstate(over="ignore"):
            hashes[whole] = (rounded.reshape(len(rounded), -1) * weights).sum(1)
    return hashes


@cache
def _weights(n_joints: int) -> Int[ndarray, " coordinate"]:
    return np.random.default_rng(0).integers(-(2**62), 2**62, 2 * n_joints)
