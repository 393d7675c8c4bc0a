"""Chooses the persons of a clip of keypoint files: as the file names them, else tracked as in videos."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray

from actrec.data.sources.keypoint_files.detections import NOBODY, Detections
from actrec.types import ActrecError
from actrec.video.people import People
from actrec.video.tracks import choose, collect

_PICTURE = 1000.0  # pixels of a side; tracks are made in pixels, also where x and y are shares


def chosen(
    found: Detections,
    keypoints: Float[ndarray, "row joint 3"],
    in_shares: bool,
    person: str,
    fps: float,
    presence: float,
    gap: float,
) -> list[Float[ndarray, "frame joint 3"]]:
    """Returns the keypoints of the persons to keep, from the first frame number of the clip to the last.

    Frames that the file does not have are without observations. Where the numbers of frames go up in steps, as in every
    second frame, those between do not count as frames in which a person was not found.

    Args:
        keypoints: The joints of `found`, in the order of their layout.
        in_shares: Whether x and y are shares of the picture, and not pixels.
        person: "main", "all" or "single", see `actrec.video.tracks.choose`.
        presence: Least share of the frames in which the person must be found.
        gap: Longest time, in seconds, after which a person who was lost is still recognised as the same.

    Raises:
        ActrecError: No person satisfies the rule.
    """
    frames, step = _grid(found.looked)
    scale = np.array([_PICTURE, _PICTURE, 1] if in_shares else [1, 1, 1], np.float32)
    ends = np.searchsorted(found.frames, frames, side="right")
    rows = [slice(start, end) for start, end in zip(np.searchsorted(found.frames, frames), ends, strict=True)]
    everybody = _people(keypoints * scale)
    people = [People(everybody.boxes[row], everybody.scores[row], everybody.keypoints[row]) for row in rows]
    rate = fps / step
    numbers = [found.people[row] + 1 for row in rows]
    if (found.people == NOBODY).any():
        crowded = max(map(len, people)) > 1
        numbers = _tracked(people, rate, gap) if crowded else [np.ones(len(each), np.int64) for each in people]
    tracks = collect(people, numbers, rate, gap)
    length = int(frames[-1] - frames[0]) + 1
    whole = []
    for each in choose(tracks, people, person, rate, presence):
        clip = np.zeros((length, *each.shape[1:]), np.float32)
        clip[frames - frames[0]] = each / scale
        whole.append(clip)
    return whole


def _grid(looked: Int[ndarray, " frame"]) -> tuple[Int[ndarray, " number"], int]:
    """Returns the numbers of all frames in which people could have been found, and their usual step.

    They are those of the file, and where its step is larger than usual, those that are left out.
    """
    steps = Counter(int(after - before) for before, after in pairwise(looked))
    step = min(steps, key=lambda each: (-steps[each], each), default=1)
    frames = [int(looked[0])]
    for number in map(int, looked[1:]):
        frames += [*range(frames[-1] + step, number, step), number]
    return np.array(frames), step


def _people(keypoints: Float[ndarray, "person joint 3"]) -> People:
    """Makes people with the boxes around their joints, and scores with which each may start a track."""
    observed = keypoints[..., 2] > 0
    low = np.where(observed[..., None], keypoints[..., :2], np.inf).min(axis=1)
    high = np.where(observed[..., None], keypoints[..., :2], -np.inf).max(axis=1)
    boxes = np.concatenate([low, high + 1], axis=1)  # a box of one joint would have no area
    boxes[~observed.any(axis=1)] = 0
    mean = keypoints[..., 2].sum(axis=1) / np.maximum(observed.sum(axis=1), 1)
    return People(boxes.astype(np.float32), (0.5 + 0.5 * mean.clip(0, 1)).astype(np.float32), keypoints)


def _tracked(people: Sequence[People], fps: float, gap: float) -> list[Int[ndarray, " person"]]:
    from actrec.video.tracker import Tracker

    tracker = Tracker(fps, gap)
    return [tracker(present) for present in people]


def observed(keypoints: Float[ndarray, "frame joint 3"]) -> Float[ndarray, "part joint 3"]:
    """Returns the frames from the first to the last with an observed joint."""
    seen = np.flatnonzero((keypoints[..., 2] > 0).any(1))
    if not len(seen):
        raise ActrecError("no joint of a person was found.")
    return keypoints[seen[0] : seen[-1] + 1]
