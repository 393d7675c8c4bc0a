"""Runs the models for the API outside its event loop: pose estimation and recognition in a thread each."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch

from actrec.live.answers import frame_answer
from actrec.live.sets import person_set_answers
from actrec.live.tracking import TrackedPerson, TrackingRecognizer
from actrec.online.enrolment import Enrolment
from actrec.online.recognizer import OnlineRecognizer
from actrec.online.set_list import SetList
from actrec.serve.frames import parse_bytes, parse_text
from actrec.serve.settings import Limits
from actrec.types import ActrecError, Picture, SkeletonSequence
from actrec.video.limits import VideoLimits
from actrec.video.people import People
from actrec.video.pose import PoseModel
from actrec.video.video import open_video

T = TypeVar("T")
_WARM_UP = 30  # frames
_STREAM_FPS = 15.0  # typical of a browser; the tracker's memory is counted in frames at this rate


class Recognition:
    """Runs the models for all clients; `pose` is None for a server that accepts only keypoints."""

    def __init__(self, recognizer: OnlineRecognizer, pose: PoseModel | None, limits: Limits) -> None:
        self.recognizer, self.pose, self.limits = recognizer, pose, limits
        self._pose_thread = ThreadPoolExecutor(1, "pose")
        # One worker with one thread of torch: with more of either the latency is ten times as high.
        self._recognition_thread = ThreadPoolExecutor(1, "recognition", torch.set_num_threads, (1,))
        # Of its own, since enrolment takes seconds; one worker, so that one change follows the other.
        self._enrolment_thread = ThreadPoolExecutor(1, "enrolment", torch.set_num_threads, (1,))

    @property
    def n_coordinates(self) -> int:
        """The number of coordinates of a joint."""
        return self.recognizer.spec.pipeline.n_coordinates

    async def warm_up(self) -> None:
        """Runs recognition and pose in their threads, so that no client waits for the slow first calls."""
        skeleton, recognizer = self.recognizer.input_skeleton, self.recognizer.fresh()
        for number in range(_WARM_UP):
            keypoints = np.ones((skeleton.n_joints, self.n_coordinates + 1), dtype=np.float32)
            await self.run(recognizer.push, keypoints, number / _STREAM_FPS)
        if self.pose is not None:
            await self.find([np.zeros((360, 640, 3), dtype=np.uint8)])
        gc.collect()
        gc.freeze()  # otherwise a garbage collection of the loaded modules would stop all streams for 180 ms

    async def run(self, work: Callable[..., T], *arguments: Any) -> T:
        """Runs a short function in the recognition thread."""
        return await asyncio.get_running_loop().run_in_executor(self._recognition_thread, work, *arguments)

    async def find(self, pictures: list[Picture]) -> list[People]:
        """Finds the people in pictures."""
        if self.pose is None:
            raise NoPoseModelError(self.n_coordinates)
        return await asyncio.get_running_loop().run_in_executor(self._pose_thread, self.pose, pictures)

    async def run_enrolment(self, work: Callable[[], T]) -> T:
        """Runs a function in the enrolment thread."""
        return await asyncio.get_running_loop().run_in_executor(self._enrolment_thread, work)

    async def enroll(self, label: str, clips: Sequence[SkeletonSequence]) -> Enrolment:
        """Adds a class, which the streams and uploads that begin afterwards have; for errors see `OnlineRecognizer`."""

        def work() -> Enrolment:
            recognizer = self.recognizer.fresh()
            found = recognizer.enroll(label, clips)
            self.recognizer = recognizer
            return found

        return await self.run_enrolment(work)

    async def unenroll(self, label: str) -> None:
        """Removes an enrolled class; streams and uploads that have begun keep it."""

        def work() -> None:
            recognizer = self.recognizer.fresh()
            recognizer.unenroll(label)
            self.recognizer = recognizer

        await self.run_enrolment(work)

    def close(self) -> None:
        """Shuts the threads down when they have finished their work."""
        self._pose_thread.shutdown()
        self._recognition_thread.shutdown()
        self._enrolment_thread.shutdown(cancel_futures=True)
        gc.unfreeze()


class LiveStream:
    """One client's stream of frames."""

    def __init__(self, recognition: Recognition) -> None:
        self.recognition, self.recognizer = recognition, recognition.recognizer.fresh()
        self._tracking: TrackingRecognizer | None = None

    async def answer(self, message: str | bytes) -> dict[str, Any]:
        """Recognises the people in a frame.

        Raises:
            ActrecError: The message is not a frame, or its timestamp does not follow the previous one.
        """
        if isinstance(message, str):
            return await self.recognition.run(self._of_keypoints, message)
        timestamp, picture = await asyncio.to_thread(parse_bytes, message, self.recognition.limits)
        (people,) = await self.recognition.find([picture])
        return await self.recognition.run(self._of_people, people, timestamp)

    def _of_keypoints(self, message: str) -> dict[str, Any]:
        timestamp, people = parse_text(message, self.recognition.limits)
        return frame_answer(timestamp, list(self.recognizer.push_all(people, timestamp).values()))

    def _of_people(self, people: People, timestamp: float) -> dict[str, Any]:
        self._tracking = self._tracking or TrackingRecognizer(self.recognizer, _STREAM_FPS)
        return frame_answer(timestamp, self._tracking(people, timestamp))


async def video_answers(recognition: Recognition, file: Path) -> AsyncIterator[dict[str, Any]]:
    """Recognises the people in each frame of a video, and yields an answer for each frame; the last has all `sets`.

    Raises:
        TooMuchVideo: The video exceeds the limits: found in its header or while decoding.
        ActrecError: It is not a video, or it is damaged further on, after the answer with the sets until then.
    """
    found, waiting = SetList(), None  # an answer waits until it is known whether it is the last
    try:
        async for answer, people in _recognized(recognition, file):
            if waiting is not None:
                yield waiting
            found.update(each.prediction for each in people)
            waiting = answer
    except Exception:
        if waiting is not None:
            yield waiting | {"sets": person_set_answers(found.sets)}
        raise
    if waiting is not None:
        yield waiting | {"sets": person_set_answers(found.sets)}


async def _recognized(
    recognition: Recognition, file: Path
) -> AsyncIterator[tuple[dict[str, Any], list[TrackedPerson]]]:
    """Yields the answer and the people of each frame of a video."""
    limits, pose = recognition.limits, recognition.pose
    if pose is None:
        raise NoPoseModelError(recognition.n_coordinates)
    admitted = VideoLimits(limits.seconds, limits.fps, limits.side, limits.seconds * limits.fps)
    video = await asyncio.to_thread(partial(open_video, file, limits=admitted))
    fps = await asyncio.to_thread(lambda: video.about_fps)
    tracking, number = TrackingRecognizer(recognition.recognizer.fresh(), fps), 0
    frames = video.frames(pose.longest)
    while batch := await asyncio.to_thread(lambda: list(islice(frames, pose.batch))):
        found = await recognition.find([picture for _, picture in batch])
        for (time, picture), people in zip(batch, found, strict=True):
            scaled = people.scaled(video.width / picture.shape[1], video.height / picture.shape[0])
            tracked = await recognition.run(tracking, scaled, time)
            yield {"frame": number} | frame_answer(round(time, 6), tracked), tracked
            number += 1


class NoPoseModelError(ActrecError):
    """Raised if a client sends pictures to a server without a pose model."""

    def __init__(self, n_coordinates: int) -> None:
        super().__init__(
            "This server has no pose model and takes keypoints only."
            if n_coordinates == 2
            else "This server's model takes three dimensions, which pictures do not show. Send keypoints: x, y, z and "
            "confidence of each joint."
        )
