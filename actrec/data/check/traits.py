"""Measures each clip for the checks, one clip after the other, so that their keypoints need not stay in memory."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from jaxtyping import Float, Int
from numpy import ndarray

from actrec.data.check.plane import in_plane
from actrec.data.check.poses import astray, body_scale, directions, hashed_frames, outside, sampled_poses, torso_of
from actrec.data.check.steps import furthest, longest, repeated, steps
from actrec.data.store.ranges import THRESHOLD, ClipRanges, measure_ranges
from actrec.data.store.reading import Row, row_of
from actrec.types import SkeletonSequence

T = TypeVar("T", bound="Described")

_EMPTY = 0.2  # share of the joints; fewer observed ones are as good as none


@dataclass(frozen=True)
class Described:
    """What the checks know of a clip without its keypoints.

    Attributes:
        row: Its row of the manifest.
        is_part: Whether it is a part of a longer clip, an action or a stretch between actions.
        n_coordinates: Number of coordinates of its joints: 2 or 3.
    """

    row: Row
    is_part: bool
    n_coordinates: int

    @property
    def clip_id(self) -> str:
        return self.row["clip_id"]

    @property
    def label(self) -> str:
        return self.row["label"]

    @property
    def source(self) -> str:
        return self.row["source"]

    @property
    def group(self) -> str:
        return self.row["group"] or self.clip_id

    @property
    def split(self) -> str:
        return self.row["split"]

    @property
    def skeleton(self) -> str:
        return self.row["skeleton"]

    @property
    def fps(self) -> float:
        return float(self.row["fps"])

    @property
    def n_frames(self) -> int:
        return int(self.row["n_frames"])

    @property
    def size(self) -> tuple[int, int]:
        return int(self.row["width"]), int(self.row["height"])


@dataclass(frozen=True)
class Traits(Described):
    """What the checks know of a clip with its keypoints.

    Attributes:
        ranges: The ranges of its keypoints.
        outside: Share of the observed joints that are outside the picture, if its size is known.
        marked: Number of observed joints at exactly (0, 0) or (-1, -1), as some tools write missing joints.
        astray: If all joints have one and the same confidence: number of those that are far from the body.
        torsos: Number of frames in which the torso points up, down, left and right, from hips to shoulders.
        scale: Torso length in pixels, from the joints that are observed; NaN if there are none.
        motion: The furthest that a joint moves in the clip, in torso lengths.
        step: Median over frames of the distance that the joints move in a frame, in torso lengths.
        shuffled: `step`, relative to the same between frames that are far apart; near 1 for frames without order;
            0 if it is below 0.1 torso lengths, or if no order of the frames would be smoother.
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
    astray: int
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
    def seen(self) -> Float[ndarray, " joint"]:
        """Share of the frames in which each joint is observed."""
        return self.ranges.seen / self.n_frames


def describe(clip: SkeletonSequence) -> Described:
    """Describes a clip of one label; a part of a longer clip has one segment, its whole."""
    return Described(row_of(clip), bool(clip.segments), clip.n_coordinates)


def measure(clip: SkeletonSequence) -> Traits:
    """Measures a clip of one label, in three dimensions `in_plane`; a part of a longer clip has one segment."""
    n_coordinates, clip = clip.n_coordinates, in_plane(clip)
    keypoints, (torso, n_sides) = clip.keypoints, torso_of(clip.skeleton)
    seen, xy = keypoints[..., 2] >= THRESHOLD, keypoints[..., :2]
    row = row_of(clip)
    ranges, poses = measure_ranges(keypoints, row), sampled_poses(xy, seen)
    down = xy[:, torso[n_sides:]].sum(1) - xy[:, torso[:n_sides]].sum(1)  # twice the vector from shoulders to hips
    scale = body_scale(poses, torso)
    step, shuffled, reordered, jumps = steps(xy, seen, scale)
    return Traits(
        row=row,
        ranges=ranges,
        is_part=bool(clip.segments),
        n_coordinates=n_coordinates,
        outside=outside(xy[seen], (clip.width, clip.height)),
        marked=int((((xy == 0).all(2) | (xy == -1).all(2)) & seen).sum()),
        astray=astray(xy, scale) if ranges.any == seen.size and ranges.low[2] == ranges.high[2] else 0,
        torsos=directions(down[seen[:, torso].all(1)]),
        scale=scale,
        motion=furthest(xy, seen) / scale,
        step=step,
        shuffled=shuffled,
        reordered=reordered,
        jumps=jumps,
        repeated=repeated(keypoints, seen),
        gap=longest(seen.mean(1) < _EMPTY),
        poses=poses,
        frame_hashes=hashed_frames(xy, seen),
    )


def by_source(clips: Iterable[Traits]) -> list[list[Traits]]:
    """Groups clips by source and joint layout."""
    sources: defaultdict[tuple[str, str], list[Traits]] = defaultdict(list)
    for clip in clips:
        sources[clip.source, clip.skeleton].append(clip)
    return list(sources.values())


def by_label(clips: Iterable[T]) -> dict[str, list[T]]:
    """Groups clips by label, sorted."""
    labels: defaultdict[str, list[T]] = defaultdict(list)
    for clip in clips:
        labels[clip.label].append(clip)
    return dict(sorted(labels.items()))


def names(clips: Sequence[Described]) -> tuple[str, ...]:
    """Returns the ids of clips."""
    return tuple(clip.clip_id for clip in clips)
