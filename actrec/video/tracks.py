"""Tracks: from the people of every frame, numbered by the tracker, to the sequences that go into the store.

Time keeps running: a frame in which somebody is not found is a frame without observed joints, never left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray

from actrec.types import ActrecError
from actrec.video.people import People

PERSONS = ("main", "single", "all")
_ALIKE = 0.2  # least overlap of boxes, where one track ends and another begins, for the two to be one person
_SAME = 0.2  # body sizes; tracks whose joints are less apart, in the frames that they share, are of one person
_STILL = 0.1  # how much somebody who does not move counts, where a joint's motion is measured in body sizes
_BRIEF = 0.5  # seconds; a track of less is nobody, under person=all
_CROWD = 10  # frames in a row with another count than one, from which person=single rejects a clip


@dataclass(frozen=True)
class Track:
    """One person through a video.

    Attributes:
        frames: Numbers of the frames in which the person was found, rising.
        boxes: Left, top, right and bottom in those frames, in pixels.
        keypoints: x, y and confidence in those frames.
    """

    frames: Int[ndarray, " seen"]
    boxes: Float[ndarray, "seen 4"]
    keypoints: Float[ndarray, "seen joint 3"]

    @property
    def size(self) -> float:
        """Square root of the box's area, in pixels; the median over frames."""
        return float(np.median(np.sqrt(np.prod(self.boxes[:, 2:] - self.boxes[:, :2], axis=1))))

    @property
    def motion(self) -> float:
        """How far the observed joints are from their mean place in the box, root mean square, in body sizes."""
        seen = self.keypoints[..., 2] > 0
        centre = 0.5 * (self.boxes[:, None, :2] + self.boxes[:, None, 2:])
        place = np.where(seen[..., None], (self.keypoints[..., :2] - centre) / max(self.size, 1), np.nan)
        place = place[:, seen.sum(0) > 1]
        if not place.size:
            return 0.0
        return float(np.sqrt(np.nanmean(np.nanvar(place, axis=0).sum(-1))))

    def fill(self, n_frames: int) -> Float[ndarray, "frame joint 3"]:
        """Keypoints of every frame of the video; 0 where the person was not found."""
        whole = np.zeros((n_frames, *self.keypoints.shape[1:]), dtype=np.float32)
        whole[self.frames] = self.keypoints
        return whole


def collect(people: Sequence[People], numbers: Sequence[Int[ndarray, " _"]], fps: float, gap: float) -> list[Track]:
    """The tracks of a video, in the order of their first frames; pieces of one person are put together.

    Args:
        people: Who is in each frame.
        numbers: The track of each of them; 0 for none.
        fps: Frames a second.
        gap: A track that begins at most so many seconds after another's end, where that was, goes on with it.
    """
    found: dict[int, list[tuple[int, int]]] = {}
    for frame, row in enumerate(numbers):
        for index in np.flatnonzero(row):
            found.setdefault(int(row[index]), []).append((frame, int(index)))
    pieces = [
        Track(
            np.array([frame for frame, _ in places]),
            np.stack([people[frame].boxes[index] for frame, index in places]),
            np.stack([people[frame].keypoints[index] for frame, index in places]),
        )
        for places in found.values()
    ]
    whole: list[Track] = []
    for piece in sorted(pieces, key=lambda track: int(track.frames[0])):
        likeness = [_likeness(track, piece, max(gap * fps, 1)) for track in whole]
        if max(likeness, default=0.0) >= _ALIKE:
            best = int(np.argmax(likeness))
            whole[best] = _joined(whole[best], piece)
        else:
            whole.append(piece)
    return whole


def choose(
    tracks: Sequence[Track], people: Sequence[People], person: str, fps: float, presence: float
) -> list[Float[ndarray, "frame joint 3"]]:
    """Whose keypoints go into the store: each with all frames of the video.

    Args:
        tracks: Of `collect`.
        people: Who is in each frame.
        person: "main" is who is there longest, largest and moves most; "all" is everybody; "single" is the rule of the
            published implementation: whoever is alone in the frame, and no clip with 10 frames in a row in which
            another number of people is seen.
        fps: Frames a second.
        presence: Least share of the frames in which the person must be found.

    Raises:
        ActrecError: Nobody is to be had by that rule.
    """
    if person == "single":
        return [_alone(people, presence)]
    n_frames = len(people)
    if person == "main":
        best = max(tracks, key=_prominence, default=None)
        found = 0 if best is None else len(best.frames)
        if best is None or found < presence * n_frames:
            raise _nobody(found, n_frames, presence)
        return [best.fill(n_frames)]
    kept = []
    for track in tracks:
        first, last = int(track.frames[0]), int(track.frames[-1])
        span = last + 1 - first
        if span >= min(_BRIEF * fps, n_frames) and len(track.frames) >= presence * span:
            kept.append(track.fill(n_frames))
    if not kept:
        raise _nobody(max((len(track.frames) for track in tracks), default=0), n_frames, presence)
    return kept


def _alone(people: Sequence[People], presence: float) -> Float[ndarray, "frame joint 3"]:
    found = [np.flatnonzero(present.scores >= 0.25) for present in people]
    crowd = 0
    for number, who in enumerate(found, start=1):
        crowd = 0 if len(who) == 1 else crowd + 1
        if crowd == _CROWD:
            raise ActrecError(
                f"frames {number - _CROWD + 1} to {number} do not have one person each (person=single). "
                "person=main takes the main one."
            )
    alone = [len(who) == 1 for who in found]
    if sum(alone) < presence * len(people):
        raise _nobody(sum(alone), len(people), presence)
    nothing = np.zeros_like(next(people[n].keypoints[who[0]] for n, who in enumerate(found) if alone[n]))
    return np.stack([people[n].keypoints[who[0]] if alone[n] else nothing for n, who in enumerate(found)])


def _prominence(track: Track) -> float:
    return len(track.frames) * track.size * (_STILL + track.motion)


def _nobody(found: int, n_frames: int, presence: float) -> ActrecError:
    if not found:
        return ActrecError(f"no person was found in any of its {n_frames} frames.")
    return ActrecError(
        f"a person was found in {found} of its {n_frames} frames at most; expected {presence:.0%} or more "
        "(min_presence)."
    )


def _likeness(track: Track, later: Track, gap: float) -> float:
    """How well a track that begins later goes with another, 0 to 1.

    Where they share frames (a body that was found twice), by their joints; else by where one ends and the other begins.
    """
    _, a, b = np.intersect1d(track.frames, later.frames, return_indices=True)
    if len(a):
        first, second = track.keypoints[a], later.keypoints[b]
        both = (first[..., 2] > 0) & (second[..., 2] > 0)
        apart = np.linalg.norm(first[..., :2] - second[..., :2], axis=-1)[both]
        return float(len(apart) > 0 and np.median(apart) < _SAME * min(track.size, later.size))
    if later.frames[0] - track.frames[-1] > gap:
        return 0.0
    return _overlap(track.boxes[-1], later.boxes[0])


def _joined(first: Track, second: Track) -> Track:
    """Both, with the one whose joints are the surer in frames that both have."""
    frames = np.concatenate([first.frames, second.frames])
    keypoints = np.concatenate([first.keypoints, second.keypoints])
    order = np.lexsort((-keypoints[..., 2].mean(1), frames))
    order = order[np.unique(frames[order], return_index=True)[1]]
    return Track(frames[order], np.concatenate([first.boxes, second.boxes])[order], keypoints[order])


def _overlap(a: Float[ndarray, "4"], b: Float[ndarray, "4"]) -> float:
    """Intersection over union of two boxes."""
    inner = np.prod(np.maximum(np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2]), 0))
    both = np.prod(a[2:] - a[:2]) + np.prod(b[2:] - b[:2]) - inner
    return float(inner / max(both, 1e-6))
