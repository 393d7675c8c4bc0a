"""From one video to its skeleton sequences: decoding, pose, tracks, and the choice of whom to keep."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import TypeVar

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from actrec.types import ActrecError, Picture, SkeletonSequence
from actrec.video.augmentation import Drawn
from actrec.video.people import SKELETON, Crowd, People
from actrec.video.pose import PoseModel, Tracker
from actrec.video.tracks import PERSONS, choose, collect
from actrec.video.video import Video, open_video

_NEAR = 0.75  # frame times; a frame farther than that from where one is due is not taken for it
_SPARSE = 100  # times as long as its frames would last at its rate: no video is that
T = TypeVar("T")


@dataclass(frozen=True)
class Extractor:
    """Takes the skeletons out of a video.

    Attributes:
        pose: Finds the people of a picture.
        person: Whom to keep: "main", "all" or "single"; see `tracks.choose`.
        min_presence: Least share of the frames in which that person must be found.
        gap: Seconds for which somebody may be lost and still be the same person.
    """

    pose: PoseModel
    person: str = "main"
    min_presence: float = 0.5
    gap: float = 1.0

    def __post_init__(self) -> None:
        if self.person not in PERSONS:
            raise ActrecError(f"person is '{self.person}'; expected one of: {', '.join(PERSONS)}.")
        if not 0 <= self.min_presence <= 1:
            raise ActrecError(f"min_presence is {self.min_presence}; expected a share from 0 to 1.")
        if not self.gap >= 0:
            raise ActrecError(f"gap is {self.gap}; expected seconds, 0 or more.")

    def __call__(self, path: Path, drawn: Drawn | None = None, picture_fps: float = 30.0) -> list[SkeletonSequence]:
        """The sequences of a video: one, or with person="all" one a person.

        Frames come at a constant rate: those of a video whose rate varies are put where they belong in time, and
        where there is none, no joint is observed. Keypoints are in pixels of the video's own upright picture.

        Args:
            path: A video file, or a folder of pictures.
            drawn: How the video is to be changed before pose.
            picture_fps: Frames a second of a folder of pictures.

        Raises:
            ActrecError: The video is damaged, or nobody is to be had from it.
        """
        video = open_video(path, picture_fps)
        chosen = self.choose(video, Crowd(self.people(video, drawn)))
        if drawn is not None or not video.is_constant:
            times = video.times if drawn is None else drawn.times(video.times)
            chosen = [_at_rate(keypoints, times, video.fps) for keypoints in chosen]
        if self.person == "all":
            chosen = [_trimmed(keypoints) for keypoints in chosen]
        blank = SkeletonSequence(chosen[0], video.fps, SKELETON, width=video.width, height=video.height)
        return [replace(blank, keypoints=keypoints) for keypoints in chosen]

    def people(self, video: Video, drawn: Drawn | None = None) -> Iterator[People]:
        """Who is in each frame, in pixels of the video's own picture; the next frames are decoded meanwhile."""
        pictures: Iterator[Picture] = (picture for _, picture in video.frames(self.pose.longest))
        if drawn is not None:
            pictures = map(drawn.picture, pictures)
        for batch in one_ahead(_batched(pictures, self.pose.batch)):
            height, width, _ = batch[0].shape
            scale = (video.width / width, video.height / height)
            for people in self.pose(batch):
                yield people.scaled(*scale)

    def choose(self, video: Video, people: Sequence[People]) -> list[Float[ndarray, "frame joint 3"]]:
        """Of the people in each frame, the keypoints of those to keep, through all frames.

        Raises:
            ActrecError: Nobody is to be had.
        """
        tracker = Tracker(video.fps, self.gap)
        tracks = collect(people, [tracker(present) for present in people], video.fps, self.gap)
        return choose(tracks, people, self.person, video.fps, self.min_presence)


def _batched(pictures: Iterator[Picture], size: int) -> Iterator[list[Picture]]:
    while batch := list(islice(pictures, size)):
        yield batch


def one_ahead(items: Iterator[T]) -> Iterator[T]:
    """The same items, the next of which is made in a thread while one is used."""
    with ThreadPoolExecutor(1) as pool:
        coming = pool.submit(next, items, None)
        while (item := coming.result()) is not None:
            coming = pool.submit(next, items, None)
            yield item


def _at_rate(
    keypoints: Float[ndarray, "frame joint 3"], times: Float[ndarray, " frame"], fps: float
) -> Float[ndarray, "slot joint 3"]:
    """At every 1/fps seconds the nearest frame; nothing observed where none is near.

    Raises:
        ActrecError: Nearly all of the time has no frame.
    """
    if times[-1] * fps > _SPARSE * len(times):
        raise ActrecError(f"its {len(times)} frames are said to last {times[-1]:.0f} s; its times are damaged.")
    due = np.arange(round(float(times[-1]) * fps) + 1) / fps
    after = np.clip(np.searchsorted(times, due), 1, max(len(times) - 1, 1))
    nearest = np.where(due - times[after - 1] <= times[after % len(times)] - due, after - 1, after % len(times))
    near = np.abs(times[nearest] - due) * fps <= _NEAR
    return np.where(near[:, None, None], keypoints[nearest], 0)


def _trimmed(keypoints: Float[ndarray, "frame joint 3"]) -> Float[ndarray, "part joint 3"]:
    """From the first to the last frame that has an observed joint."""
    seen = np.flatnonzero((keypoints[..., 2] > 0).any(1))
    return keypoints[seen[0] : seen[-1] + 1] if len(seen) else keypoints[:1]
