"""The work behind the API, away from its event loop: pose in one thread, recognition in others."""

from __future__ import annotations

import asyncio
import gc
import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from jaxtyping import Float
from numpy import ndarray

from actrec.live.watcher import Watcher
from actrec.online.recognizer import OnlineRecognizer, Prediction
from actrec.serve.frames import parse_bytes, parse_text
from actrec.serve.settings import Limits
from actrec.types import ActrecError, Picture
from actrec.video.limits import VideoLimits
from actrec.video.people import People
from actrec.video.pose import PoseModel
from actrec.video.video import open_video

T = TypeVar("T")
_WARM_UP = 30  # frames
_STREAM_FPS = 15.0  # about what a browser's camera sends; the tracker's memory is measured in frames of it


class Recognition:
    """Runs a model for many clients.

    Args:
        recognizer: Of the model; each client has a fresh one of it.
        pose: Finds the people of a picture; None where only keypoints are taken.
        limits: What clients may ask for.
    """

    def __init__(self, recognizer: OnlineRecognizer, pose: PoseModel | None, limits: Limits) -> None:
        self.recognizer, self.pose, self.limits = recognizer, pose, limits
        self._pose_thread = ThreadPoolExecutor(1, "pose")
        # One worker with one thread of torch: more of either wait for one another, at ten times the latency.
        self._recognition_thread = ThreadPoolExecutor(1, "recognition", torch.set_num_threads, (1,))

    async def warm_up(self) -> None:
        """Runs recognition and pose once in their threads, so that no client waits for the slow first call."""
        skeleton, recognizer = self.recognizer.input_skeleton, self.recognizer.fresh()
        for number in range(_WARM_UP):
            keypoints = np.ones((skeleton.n_joints, 3), dtype=np.float32)
            await self.run(recognizer.push, keypoints, number / _STREAM_FPS)
        if self.pose is not None:
            await self.find([np.zeros((360, 640, 3), dtype=np.uint8)])
        gc.collect()
        gc.freeze()  # what is loaded stays: going through it for garbage stops every stream for 180 ms

    async def run(self, work: Callable[..., T], *arguments: Any) -> T:
        """Runs a short function in the recognition thread."""
        return await asyncio.get_running_loop().run_in_executor(self._recognition_thread, work, *arguments)

    async def find(self, pictures: list[Picture]) -> list[People]:
        """Finds the people in pictures."""
        if self.pose is None:
            raise NoPose("This server has no pose model and takes keypoints only.")
        return await asyncio.get_running_loop().run_in_executor(self._pose_thread, self.pose, pictures)

    def close(self) -> None:
        """Shuts the threads down when they have finished their work."""
        self._pose_thread.shutdown()
        self._recognition_thread.shutdown()
        gc.unfreeze()


class LiveStream:
    """One client's stream of frames."""

    def __init__(self, recognition: Recognition) -> None:
        self.recognition, self.recognizer = recognition, recognition.recognizer.fresh()
        self._watcher: Watcher | None = None

    async def answer(self, message: str | bytes) -> dict[str, Any]:
        """Recognises what each person in a frame does.

        Args:
            message: As :func:`parse_text` and :func:`parse_bytes` take it.

        Raises:
            ActrecError: It is none, or does not go with those before it.
        """
        if isinstance(message, str):
            return await self.recognition.run(self._of_keypoints, message)
        timestamp, picture = await asyncio.to_thread(parse_bytes, message, self.recognition.limits)
        (people,) = await self.recognition.find([picture])
        return await self.recognition.run(self._of_people, people, timestamp)

    def _of_keypoints(self, message: str) -> dict[str, Any]:
        frame = parse_text(message, self.recognizer.input_skeleton, self.recognition.limits)
        predictions = self.recognizer.push_all(frame.people, frame.timestamp)
        return {"timestamp": frame.timestamp, "people": [described(each) for each in predictions.values()]}

    def _of_people(self, people: People, timestamp: float) -> dict[str, Any]:
        self._watcher = self._watcher or Watcher(self.recognizer, _STREAM_FPS)
        watched = self._watcher(people, timestamp)
        described_people = [described(each.prediction, each.box, each.keypoints) for each in watched]
        return {"timestamp": timestamp, "people": described_people}


async def video_answers(recognition: Recognition, file: Path) -> Any:
    """Recognises what each person in each frame of a video does, frame by frame.

    Raises:
        TooMuchVideo: It is more than is allowed: by its header, before a picture is decoded, or further on.
        ActrecError: It is no video.
    """
    limits, pose = recognition.limits, recognition.pose
    if pose is None:
        raise NoPose("This server has no pose model and takes keypoints only.")
    admitted = VideoLimits(limits.seconds, limits.fps, limits.side, limits.seconds * limits.fps)
    video = await asyncio.to_thread(partial(open_video, file, limits=admitted))
    fps = await asyncio.to_thread(lambda: video.about_fps)
    watcher, number = Watcher(recognition.recognizer.fresh(), fps), 0
    frames = video.frames(pose.longest)
    while batch := await asyncio.to_thread(_take, frames, pose.batch):
        found = await recognition.find([picture for _, picture in batch])
        for (time, picture), people in zip(batch, found, strict=True):
            scaled = people.scaled(video.width / picture.shape[1], video.height / picture.shape[0])
            watched = await recognition.run(watcher, scaled, time)
            described_people = [described(each.prediction, each.box, each.keypoints) for each in watched]
            yield {"frame": number, "timestamp": round(time, 6), "people": described_people}
            number += 1


class NoPose(ActrecError):
    """The error for pictures that are sent to a server without a pose model."""


def _take(frames: Iterator[tuple[float, Picture]], count: int) -> list[tuple[float, Picture]]:
    return list(islice(frames, count))


def described(
    prediction: Prediction,
    box: Float[ndarray, " 4"] | None = None,
    keypoints: Float[ndarray, "joint 3"] | None = None,
) -> dict[str, Any]:
    """Converts a prediction to plain data for JSON: probabilities in the order of labels, null for unknown joints."""
    answer: dict[str, Any] = {
        "person": prediction.person,
        "label": prediction.label,
        "probability": round(float(prediction.probabilities.max()), 4),
        "held": prediction.held,
        "probabilities": np.round(prediction.probabilities.astype(float), 4).tolist(),
        "n_frames": prediction.n_frames,
    }
    if len(prediction.forecast):
        last = prediction.forecast[-1].astype(float)
        answer["forecast"] = [None if np.isnan(joint).any() else joint.round(1).tolist() for joint in last]
    if box is not None and keypoints is not None:
        answer["box"] = box.astype(float).round(1).tolist()
        answer["keypoints"] = keypoints.astype(float).round(2).tolist()
    return answer


def as_json(answer: dict[str, Any]) -> str:
    """Converts an answer to JSON; a lone surrogate in a name that the client has sent is escaped.

    Raises:
        ValueError: A number is NaN or infinite, which JSON cannot represent.
    """
    return json.dumps(answer, ensure_ascii=False, allow_nan=False).encode(errors="backslashreplace").decode()
