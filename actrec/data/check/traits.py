"""Measures each clip for the checks, one clip after the other, so that their keypoints need not stay in memory."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy import ndarray

from actrec.data.store.ranges import THRESHOLD, ClipRanges, measure_ranges
from actrec.data.store.reading import row_of
from actrec.pipeline.measures import TORSOS_PER_BOX
from actrec.skeleton import get_skeleton
from actrec.types import SkeletonSequence

TIMES = 8  # moments of a clip, evenly spread, at which its poses are kept
_MARGIN = 0.1  # share of the picture's size by which joints may lie outside, as in estimates of YOLO and HRNet
FAST = 0.1  # torso lengths a frame; only of faster clips the order of frames and joints is looked at
_JUMP = 0.8  # body lengths of half the joints from one frame to the next
_EMPTY = 0.2  # share of the joints; fewer observed ones are as good as none
_FORESHORTENED = 0.35  # least torso length, relative to what the extent of the body suggests


@dataclass(frozen=True)
class Traits:
    """What the checks know of a clip.

    Attributes:
        ranges: Its row of the manifest, and the ranges of its keypoints.
        outside: Share of the observed joints that are outside the picture, if its size is known.
        marked: Number of observed joints at exactly (0, 0) or (-1, -1), as some tools write missing joints.
        torsos: Number of frames in which the torso points up, down, left and right, from hips to shoulders.
        scale: Torso length in pixels, from the joints that are observed; NaN if there are none.
        motion: The furthest that a joint moves in the clip, in torso lengths.
        step: Median over frames of the distance that the joints move in a frame, in torso lengths.
        shuffled: `step`, relative to the same between frames that are far apart; near 1 for frames without order;
            0 if it is below 0.1 torso lengths.
        reordered: `step` if the array were (joint, frame), relative to `step`; 1 if that is below 0.1 torso lengths.
        jumps: Frames in which most joints jump.
        repeated: Share of the frames that are the same as the frame before.
        gap: First frame and length of the longest stretch in which hardly a joint is observed.
        poses: x and y at 8 moments from the first to the last frame, interpolated; NaN for a joint that is never seen.
        frame_hashes: Hashes of every frame's pose, without position and size in the picture; 0 for one without joints.
    """

    ranges: ClipRanges
    outside: float
    marked: int
    torsos: Int[ndarray, "4"]
    scale: float
    motion: float
    step: float
    shuffled: float
    reordered: float
    jumps: Int[ndarray, " jump"]
    repeated: float
    gap: tuple[int, int]
    poses: Float[ndarray, "time joint 2"]
    frame_hashes: Int[ndarray, " frame"]

    @property
    def clip_id(self) -> str:
        return self.ranges.row["clip_id"]

    @property
    def label(self) -> str:
        return self.ranges.row["label"]

    @property
    def group(self) -> str:
        return self.ranges.row["group"] or self.clip_id

    @property
    def skeleton(self) -> str:
        return self.ranges.row["skeleton"]

    @property
    def fps(self) -> float:
        return float(self.ranges.row["fps"])

    @property
    def n_frames(self) -> int:
        return self.ranges.n_frames

    @property
    def size(self) -> tuple[int, int]:
        return int(self.ranges.row["width"]), int(self.ranges.row["height"])

    @property
    def seen(self) -> Float[ndarray, " joint"]:
        """Share of the frames in which each joint is observed."""
        return self.ranges.seen / self.n_frames


def measure(clip: SkeletonSequence) -> Traits:
    """Measures a clip."""
    keypoints, (torso, n_sides) = clip.keypoints, _torso(clip.skeleton)
    seen, xy = keypoints[..., 2] >= THRESHOLD, keypoints[..., :2]
    ranges = measure_ranges(keypoints, row_of(clip))
    poses = _poses(xy, seen)
    down = xy[:, torso[n_sides:]].sum(1) - xy[:, torso[:n_sides]].sum(1)  # twice the vector from shoulders to hips
    scale = _scale(poses, torso)
    step, shuffled, reordered, jumps = _steps(xy, seen, scale)
    return Traits(
        ranges=ranges,
        outside=_outside(xy[seen], (clip.width, clip.height)),
        marked=int((((xy == 0).all(2) | (xy == -1).all(2)) & seen).sum()),
        torsos=_directions(down[seen[:, torso].all(1)]),
        scale=scale,
        motion=_motion(xy, seen) / scale,
        step=step,
        shuffled=shuffled,
        reordered=reordered,
        jumps=jumps,
        repeated=_repeated(keypoints, seen),
        gap=_longest(seen.mean(1) < _EMPTY),
        poses=poses,
        frame_hashes=_frame_hashes(xy, seen),
    )


@cache
def _torso(skeleton: str) -> tuple[list[int], int]:
    layout = get_skeleton(skeleton)
    return layout.index([*layout.shoulders, *layout.hips]), len(layout.shoulders)


def _poses(xy: Float[ndarray, "frame joint 2"], seen: Bool[ndarray, "frame joint"]) -> Float[ndarray, "time joint 2"]:
    times = np.linspace(0, len(xy) - 1, TIMES)
    poses = np.full((TIMES, xy.shape[1], 2), np.nan, np.float32)
    for joint in np.flatnonzero(seen.any(0)):
        frames = np.flatnonzero(seen[:, joint])
        for axis in range(2):
            poses[:, joint, axis] = np.interp(times, frames, xy[frames, joint, axis])
    return poses


def _scale(poses: Float[ndarray, "time joint 2"], torso: list[int]) -> float:
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


def _outside(points: Float[ndarray, "seen 2"], size: tuple[int, int]) -> float:
    if not len(points) or min(size) <= 0:
        return 0.0
    limit = np.array(size)
    return float(((points < -_MARGIN * limit) | (points > (1 + _MARGIN) * limit)).any(1).mean())


def _directions(down: Float[ndarray, "frame 2"]) -> Int[ndarray, "4"]:
    """Counts the frames in which the torso points up, down, left and right."""
    upright = np.abs(down[:, 1]) >= np.abs(down[:, 0])
    signs = [down[:, 1] > 0, down[:, 1] < 0, down[:, 0] > 0, down[:, 0] < 0]
    return np.array([int((sign & (upright == (k < 2))).sum()) for k, sign in enumerate(signs)])


def _motion(xy: Float[ndarray, "frame joint 2"], seen: Bool[ndarray, "frame joint"]) -> float:
    spread = np.where(seen[..., None], xy, -np.inf).max(0) - np.where(seen[..., None], xy, np.inf).min(0)
    return float(spread[seen.any(0)].max(initial=0.0))


def _steps(
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
    return step / scale, shuffled, reordered, jumps


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


def _repeated(keypoints: Float[ndarray, "frame joint 3"], seen: Bool[ndarray, "frame joint"]) -> float:
    if len(keypoints) < 2:
        return 0.0
    same = (keypoints[1:] == keypoints[:-1]).all((1, 2)) & seen[1:].any(1)
    return float(same.mean())


def _longest(gone: Bool[ndarray, " frame"]) -> tuple[int, int]:
    """Finds the first frame and the length of the longest stretch."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], gone, [False]]).astype(int)))
    if not len(edges):
        return 0, 0
    lengths = edges[1::2] - edges[::2]
    return int(edges[::2][lengths.argmax()]), int(lengths.max())


def _frame_hashes(xy: Float[ndarray, "frame joint 2"], seen: Bool[ndarray, "frame joint"]) -> Int[ndarray, " frame"]:
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


def by_source(clips: Iterable[Traits]) -> list[list[Traits]]:
    """Groups clips by source and joint layout."""
    sources: defaultdict[tuple[str, str], list[Traits]] = defaultdict(list)
    for clip in clips:
        sources[clip.ranges.row["source"], clip.skeleton].append(clip)
    return list(sources.values())


def by_label(clips: Iterable[Traits]) -> dict[str, list[Traits]]:
    """Groups clips by label, sorted."""
    labels: defaultdict[str, list[Traits]] = defaultdict(list)
    for clip in clips:
        labels[clip.label].append(clip)
    return dict(sorted(labels.items()))


def names(clips: Sequence[Traits]) -> tuple[str, ...]:
    return tuple(clip.clip_id for clip in clips)
