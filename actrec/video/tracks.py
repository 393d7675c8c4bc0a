"""Builds tracks from the people in each frame, and chooses the persons whose sequences are stored.

Every sequence has all frames of the video: in a frame in which a person is not found, no joint is observed.
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
_ALIKE = 0.2  # least overlap of the last box of a track and the first of another for them to be one person
_SAME = 0.2  # body sizes; greatest distance of joints, in common frames, of two tracks of one person
_STILL = 0.1  # body sizes; added to the motion of a person, so that one who does not move has some prominence
_BRIEF = 0.5  # seconds; shorter tracks are left out with person=all
_CROWD = 10  # consecutive frames with another number of people than one, from which person=single rejects a clip


@dataclass(frozen=True)
class Track:
    """One person in a video.

    Attributes:
        frames: Ascending numbers of the frames in which the person was found.
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
        """Root mean square distance of the observed joints from their mean position in the box, in body sizes."""
        seen = self.keypoints[..., 2] > 0
        centre = 0.5 * (self.boxes[:, None, :2] + self.boxes[:, None, 2:])
        place = np.where(seen[..., None], (self.keypoints[..., :2] - centre) / max(self.size, 1), np.nan)
        place = place[:, seen.sum(0) > 1]
        if not place.size:
            return 0.0
        return float(np.sqrt(np.nanmean(np.nanvar(place, axis=0).sum(-1))))

    def fill(self, n_frames: int) -> Float[ndarray, "frame joint 3"]:
        """Returns the keypoints of all frames of the video; 0 where the person was not found."""
        whole = np.zeros((n_frames, *self.keypoints.shape[1:]), dtype=np.float32)
        whole[self.frames] = self.keypoints
        return whole


def collect(people: Sequence[People], numbers: Sequence[Int[ndarray, " _"]], fps: float, gap: float) -> list[Track]:
    """Builds the tracks of a video, in the order of their first frames; parts of one person's track are joined.

    Args:
        numbers: The tracker's number for each of them; 0 for none.
        gap: Longest time, in seconds, between the end of a track and the start of another that continues it.
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
    """Chooses the persons to keep, and returns the keypoints of each in all frames of the video.

    Args:
        person: "main" keeps the person of greatest duration, size and motion; "all" keeps everybody; "single" is the
            rule of the published implementation: it keeps the only person in each frame, and rejects a clip with 10
            consecutive frames with another number of people than one.
        presence: Least share of the frames in which the person must be found.

    Raises:
        ActrecError: No person satisfies the rule.
    """
    if person == "single":
        return [_alone(people, presence)]
    n_frames = len(people)
    if person == "main":
        best = max(tracks, key=lambda track: len(track.frames) * track.size * (_STILL + track.motion), default=None)
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


def _nobody(found: int, n_frames: int, presence: float) -> ActrecError:
    if not found:
        return ActrecError(f"no person was found in any of its {n_frames} frames.")
    return ActrecError(
        f"a person was found in {found} of its {n_frames} frames at most; expected {presence:.0%} or more "
        "(min_presence)."
    )


def _likeness(track: Track, later: Track, gap: float) -> float:
    """Computes how likely a track that starts later is of the same person as another, from 0 to 1.

    In common frames (a body that was found twice) it compares the joints; otherwise the last box with the first.
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
    """Joins two tracks; in common frames, the keypoints of greater confidence are used."""
    frames = np.concatenate([first.frames, second.frames])
    keypoints = np.concatenate([first.keypoints, second.keypoints])
    order = np.lexsort((-keypoints[..., 2].mean(1), frames))
    order = order[np.unique(frames[order], return_index=True)[1]]
    return Track(frames[order], np.concatenate([first.boxes, second.boxes])[order], keypoints[order])


def _overlap(a: Float[ndarray, "4"], b: Float[ndarray, "4"]) -> float:
    """Computes the intersection over union of two boxes."""
    inner = np.prod(np.maximum(np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2]), 0))
    both = np.prod(a[2:] - a[:2]) + np.prod(b[2:] - b[:2]) - inner
    return float(inner / max(both, 1e-6))
