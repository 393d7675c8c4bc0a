"""From due frames to logits and forecasts, for many people at once: the part of online recognition that a network runs.

Two ways to the same numbers, those of a batch forward over the frames since the anchor: `StepEngine` keeps each layer's
keys and values, so that a frame costs a frame's work; `WindowEngine` runs the window again, which any model allows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy import ndarray

from actrec.data.pipeline import Pipeline
from actrec.data.preprocess import CausalStream, Measures, measure
from actrec.types import NormalizedSequence, Window

Frames = Float[ndarray, "person joint 3"]


class Answers(NamedTuple):
    """What frames give.

    Attributes:
        logits: Class scores.
        forecasts: Poses 1 to N frames ahead, in pixels; NaN for a joint that has not been seen since the anchor.
    """

    logits: Float[ndarray, "person class"]
    forecasts: Float[ndarray, "person horizon joint 2"]


@runtime_checkable
class StepModel(Protocol):
    """`actrec.network.step.Step`, with arrays for tensors."""

    def cache_shape(self, rows: int) -> tuple[int, ...]:
        """Shape of the keys, and of the values, of that many rows."""

    def __call__(
        self, features: ndarray, position: ndarray, answer: ndarray, keys: ndarray, values: ndarray
    ) -> tuple[ndarray, ndarray, ndarray, ndarray]:
        """Logits, pose forecasts, and the frame's keys and values."""


@runtime_checkable
class WindowModel(Protocol):
    """A network's forward over one window without padding, with arrays for tensors."""

    def __call__(self, features: Float[ndarray, "time joint channel"]) -> tuple[ndarray, ndarray]:
        """Logits (time, class) and pose forecasts (horizon, time, joint, coordinate)."""


@runtime_checkable
class Engine(Protocol):
    """Keeps what it needs of each person's past."""

    def push(self, people: Sequence[str], frames: Frames) -> Answers:
        """Takes the next frame of each of these people, at the model's rate; an unknown one starts with it."""

    def forget(self, person: str) -> None:
        """Lets go of a person."""

    def state(self, person: str) -> dict[str, ndarray]:
        """All that is remembered of a person, in arrays of fixed size."""

    def restore(self, person: str, state: Mapping[str, ndarray]) -> None:
        """Goes on with a person from what `state` gave."""


def _in_pixels(
    poses: Float[ndarray, "horizon joint coordinate"],
    origin: Float[ndarray, " 2"],
    scale: float,
    known: Bool[ndarray, " joint"],
) -> Float[ndarray, "horizon joint 2"]:
    return np.where(known[:, None], poses[..., :2] * scale + origin, np.nan).astype(np.float32)


class _Anchored:
    """One person's two windows: one answers until it is full; the other, begun T // 2 frames before, then takes over.

    So the frames that stay when the window is anchored anew have been gone through already, one at a time, each with
    its turn: no frame is dearer than another.
    """

    def __init__(self, pipeline: Pipeline) -> None:
        self.pipeline, self.length = pipeline, pipeline.windows.length
        self.elder, self.position = 0, np.zeros(2, dtype=np.int64)
        self.streams = [self._stream(), self._stream()]
        n_joints = pipeline.skeleton.n_joints
        self.keypoints = np.zeros((2, 2, n_joints, 3), dtype=np.float32)  # of each window: the frame before, and this
        self.known = np.zeros((2, 2, n_joints), dtype=bool)

    def _stream(self) -> CausalStream:
        return CausalStream(self.pipeline.skeleton, self.pipeline.preprocess.confidence_threshold)

    def push(
        self, frame: Float[ndarray, "1 joint 3"], measures: Measures
    ) -> tuple[Float[ndarray, "2 joint channel"], Int[ndarray, " 2"]]:
        """Features of the frame in each window, and its position there. An idle window's are of no matter."""
        if self.position[self.elder] == self.length:
            self.position[self.elder] = 0
            self.streams[self.elder] = self._stream()
            self.elder = 1 - self.elder
        rows = [self.elder]
        if self.position[self.elder] >= self.length - self.length // 2:
            rows.append(1 - self.elder)
        position = np.where(np.isin((0, 1), rows), self.position, 0)
        features = np.zeros((2, len(self.known[0, 0]), self.pipeline.features.n_channels), dtype=np.float32)
        for row in rows:
            features[row] = self._features(row, self.streams[row].push(frame, measures))
            self.position[row] += 1
        return features, position

    def _features(self, row: int, sequence: NormalizedSequence) -> Float[ndarray, "joint channel"]:
        for memory, new in ((self.keypoints, sequence.keypoints), (self.known, sequence.known)):
            memory[row, 0], memory[row, 1] = memory[row, 1], new[0]
        two = slice(0 if self.position[row] else 1, 2)  # the window's first frame has none before it
        known = self.known[row, two]
        window = Window(self.keypoints[row, two], known, known, np.ones(len(known), dtype=bool))
        return self.pipeline.features(window, self.pipeline.skeleton)[-1]

    def in_pixels(self, poses: Float[ndarray, "horizon joint coordinate"]) -> Float[ndarray, "horizon joint 2"]:
        """Poses of the window that answers."""
        stream = self.streams[self.elder]
        return _in_pixels(poses, stream.origin, stream.scale, self.known[self.elder, 1])

    def state(self) -> dict[str, ndarray]:
        streams = {
            f"stream{row}.{name}": value
            for row, stream in enumerate(self.streams)
            for name, value in stream.state(self.length).items()
        }
        own = {"elder": np.array(self.elder), "position": self.position, "known": self.known}
        return {**own, "keypoints": self.keypoints, **streams}

    def restore(self, state: Mapping[str, ndarray]) -> None:
        self.elder, self.position = int(state["elder"]), state["position"].copy()
        self.keypoints, self.known = state["keypoints"].copy(), state["known"].copy()
        for row, stream in enumerate(self.streams):
            prefix = f"stream{row}."
            stream.restore({name[len(prefix) :]: value for name, value in state.items() if name.startswith(prefix)})


class StepEngine:
    """Steps all people as one batch.

    Person number i has rows 2 i and 2 i + 1 of the caches; numbers have no gaps.

    Args:
        pipeline: The model's; causal.
        model: The network's step.
    """

    def __init__(self, pipeline: Pipeline, model: StepModel) -> None:
        self.pipeline, self.model = pipeline, model
        self._people: list[str] = []
        self._windows: list[_Anchored] = []
        self._keys, self._values = (np.zeros(model.cache_shape(0), dtype=np.float32) for _ in range(2))

    def push(self, people: Sequence[str], frames: Frames) -> Answers:
        """See `Engine`."""
        numbers = np.array([self._number(person) for person in people])
        raw = frames.astype(np.float64)
        observed = frames[..., 2] >= self.pipeline.preprocess.confidence_threshold
        measures = measure(raw, observed, self.pipeline.skeleton)
        windows = [self._windows[number] for number in numbers]
        features, position = zip(
            *(
                window.push(frames[i : i + 1], Measures(*(part[i : i + 1] for part in measures)))
                for i, window in enumerate(windows)
            ),
            strict=True,
        )
        answer = np.array([2 * i + window.elder for i, window in enumerate(windows)])
        rows = (2 * numbers[:, None] + np.arange(2)).ravel()
        logits, poses = self._step(np.concatenate(features), np.concatenate(position), answer, rows)
        if self.pipeline.features.stream != "joint":  # what is forecast is not a pose
            poses = poses[:0]
        forecasts = [window.in_pixels(poses[:, i]) for i, window in enumerate(windows)]
        return Answers(logits, np.stack(forecasts))

    def _step(self, features: ndarray, position: ndarray, answer: ndarray, rows: ndarray) -> tuple[ndarray, ndarray]:
        start, count = rows[0], len(rows)
        together = np.array_equal(rows, np.arange(start, start + count))  # then a view does, and nothing is copied
        those = slice(start, start + count) if together else rows
        made = self.model(features, position, answer, self._keys[:, those], self._values[:, those])
        logits, poses, keys, values = made
        self._keys[:, rows, :, position] = keys.swapaxes(0, 1)
        self._values[:, rows, :, position] = values.swapaxes(0, 1)
        return logits, poses

    def _number(self, person: str) -> int:
        if person not in self._people:
            self._people.append(person)
            self._windows.append(_Anchored(self.pipeline))
            room = np.zeros(self.model.cache_shape(2), dtype=np.float32)
            self._keys, self._values = (np.concatenate([cache, room], 1) for cache in (self._keys, self._values))
        return self._people.index(person)

    def forget(self, person: str) -> None:
        """See `Engine`. The last person takes the number that has come free."""
        if person not in self._people:
            return
        number, last = self._people.index(person), len(self._people) - 1
        for cache in (self._keys, self._values):
            cache[:, 2 * number : 2 * number + 2] = cache[:, 2 * last :]
        self._keys, self._values = (cache[:, : 2 * last].copy() for cache in (self._keys, self._values))
        self._people[number], self._windows[number] = self._people[last], self._windows[last]
        self._people.pop()
        self._windows.pop()

    def state(self, person: str) -> dict[str, ndarray]:
        """See `Engine`."""
        number = self._people.index(person)
        rows = slice(2 * number, 2 * number + 2)
        caches = {"keys": self._keys[:, rows].copy(), "values": self._values[:, rows].copy()}
        return {name: value.copy() for name, value in self._windows[number].state().items()} | caches

    def restore(self, person: str, state: Mapping[str, ndarray]) -> None:
        """See `Engine`."""
        number = self._number(person)
        rows = slice(2 * number, 2 * number + 2)
        self._keys[:, rows], self._values[:, rows] = state["keys"], state["values"]
        self._windows[number].restore(state)


class WindowEngine:
    """Keeps the frames since each person's anchor, and runs the network over all of them for each new one.

    Args:
        pipeline: The model's.
        model: The network.
        fps: Frames a second of the frames that it is given.
    """

    def __init__(self, pipeline: Pipeline, model: WindowModel, fps: float) -> None:
        self.pipeline, self.model, self.fps = pipeline, model, fps
        self._frames: dict[str, Float[ndarray, "time joint 3"]] = {}

    def push(self, people: Sequence[str], frames: Frames) -> Answers:
        """See `Engine`."""
        made = [self._one(person, frame) for person, frame in zip(people, frames, strict=True)]
        logits, forecasts = zip(*made, strict=True)
        return Answers(np.stack(logits), np.stack(forecasts))

    def _one(self, person: str, frame: Float[ndarray, "joint 3"]) -> tuple[ndarray, ndarray]:
        length, preprocess, skeleton = self.pipeline.windows.length, self.pipeline.preprocess, self.pipeline.skeleton
        held = self._frames.get(person, frame[:0].reshape(0, *frame.shape))
        if len(held) == length:
            held = held[length - length // 2 :]
        held = self._frames[person] = np.concatenate([held, frame[None]])
        sequence = preprocess(held, skeleton, self.fps)
        everywhere = np.ones(len(sequence), dtype=bool)
        window = Window(sequence.keypoints, sequence.observed, sequence.known, everywhere)
        logits, poses = self.model(self.pipeline.features(window, skeleton))
        if self.pipeline.features.stream != "joint":  # what is forecast is not a pose
            poses = poses[:0]
        return logits[-1], _in_pixels(poses[:, -1], *preprocess.reference(held, skeleton), sequence.known[-1])

    def forget(self, person: str) -> None:
        """See `Engine`."""
        self._frames.pop(person, None)

    def state(self, person: str) -> dict[str, ndarray]:
        """See `Engine`."""
        held = self._frames[person]
        frames = np.zeros((self.pipeline.windows.length, *held.shape[1:]), dtype=held.dtype)
        frames[: len(held)] = held
        return {"frames": frames, "count": np.array(len(held))}

    def restore(self, person: str, state: Mapping[str, ndarray]) -> None:
        """See `Engine`."""
        self._frames[person] = state["frames"][: int(state["count"])].copy()
