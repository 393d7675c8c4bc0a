"""Extracts skeleton sequences from a video: decoding, pose estimation, tracking, and the choice of persons."""

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
from actrec.video.augmentation import VideoTransform
from actrec.video.people import SKELETON, People, PeopleBuffer
from actrec.video.pose import PoseModel
from actrec.video.tracker import Tracker
from actrec.video.tracks import PERSONS, choose, collect
from actrec.video.video import Video, open_video

_NEAR = 0.75  # frame intervals; greatest distance in time between an output frame and the frame used for it
_SPARSE = 100  # a video that lasts so many times longer than its frames would at its rate has damaged times
T = TypeVar("T")


@dataclass(frozen=True)
class Extractor:
    """Extracts the skeletons from a video.

    Attributes:
        pose: The pose model.
        person: The persons to keep: "main", "all" or "single"; see `tracks.choose`.
        min_presence: Least share of the frames in which the person must be found.
        gap: Longest time, in seconds, after which a person who was lost is still recognised as the same.
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

    def __call__(
        self, path: Path, transform: VideoTransform | None = None, picture_fps: float = 30.0
    ) -> list[SkeletonSequence]:
        """Extracts the sequences of a video: one, or with person="all" one for each person.

        The sequences have a constant frame rate: if the rate of the video varies, each output frame is the nearest one
        in time, and no joint is observed if there is none nearby. Keypoints are in pixels of the upright picture.

        Args:
            picture_fps: Frames per second of a folder of pictures.

        Raises:
            ActrecError: The video is damaged, or no person is found in it.
        """
        video = open_video(path, picture_fps)
        chosen = self.choose(video, PeopleBuffer(self.people(video, transform)))
        if transform is not None or not video.is_constant:
            times = video.times if transform is None else transform.times(video.times)
            chosen = [_at_rate(keypoints, times, video.fps) for keypoints in chosen]
        if self.person == "all":
            chosen = [_observed_part(keypoints) for keypoints in chosen]
        blank = SkeletonSequence(chosen[0], video.fps, SKELETON, width=video.width, height=video.height)
        return [replace(blank, keypoints=keypoints) for keypoints in chosen]

    def people(self, video: Video, transform: VideoTransform | None = None) -> Iterator[People]:
        """Yields the people in each frame, in pixels of the video's picture; decodes ahead in a thread."""
        pictures: Iterator[Picture] = (picture for _, picture in video.frames(self.pose.longest))
        if transform is not None:
            pictures = map(transform.picture, pictures)
        for batch in one_ahead(_batched(pictures, self.pose.batch)):
            height, width, _ = batch[0].shape
            scale = (video.width / width, video.height / height)
            for people in self.pose(batch):
                yield people.scaled(*scale)

    def choose(self, video: Video, people: Sequence[People]) -> list[Float[ndarray, "frame joint 3"]]:
        """Tracks the people, and returns the keypoints of those to keep, in all frames; an ActrecError for none."""
        tracker = Tracker(video.fps, self.gap)
        tracks = collect(people, [tracker(present) for present in people], video.fps, self.gap)
        return choose(tracks, people, self.person, video.fps, self.min_presence)


def _batched(pictures: Iterator[Picture], size: int) -> Iterator[list[Picture]]:
    while batch := list(islice(pictures, size)):
        yield batch


def one_ahead(items: Iterator[T]) -> Iterator[T]:
    """Yields the same items, and computes the next one in a thread meanwhile."""
    with ThreadPoolExecutor(1) as pool:
        coming = pool.submit(next, items, None)
        while (item := coming.result()) is not None:
            coming = pool.submit(next, items, None)
            yield item


def _at_rate(
    keypoints: Float[ndarray, "frame joint 3"], times: Float[ndarray, " frame"], fps: float
) -> Float[ndarray, "slot joint 3"]:
    """Returns the nearest frame at every 1/fps seconds; no joint is observed if there is none nearby."""
    if times[-1] * fps > _SPARSE * len(times):
        raise ActrecError(f"its {len(times)} frames last {times[-1]:.0f} s by their times, which are damaged.")
    due = np.arange(round(float(times[-1]) * fps) + 1) / fps
    after = np.clip(np.searchsorted(times, due), 1, max(len(times) - 1, 1))
    nearest = np.where(due - times[after - 1] <= times[after % len(times)] - due, after - 1, after % len(times))
    near = np.abs(times[nearest] - due) * fps <= _NEAR
    return np.where(near[:, None, None], keypoints[nearest], 0)


def _observed_part(keypoints: Float[ndarray, "frame joint 3"]) -> Float[ndarray, "part joint 3"]:
    """Returns the frames from the first to the last with an observed joint."""
    seen = np.flatnonzero((keypoints[..., 2] > 0).any(1))
    return keypoints[seen[0] : seen[-1] + 1] if len(seen) else keypoints[:1]
