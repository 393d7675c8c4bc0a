"""Runs the network in online recognition: from frames to logits and forecasts, for many people at once.

Both engines give what a batch forward over the frames since the anchor gives: `StepEngine` keeps each layer's keys and
values, so that a frame costs one frame's work; `WindowEngine` runs the whole window again, which any model allows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Bool, Float
from numpy import ndarray

from actrec.online.state import check_rows, check_within, fitting
from actrec.pipeline.causal import new_streams, push, stream_fields
from actrec.pipeline.measures import Measures, measure
from actrec.pipeline.pipeline import Pipeline
from actrec.types import FARTHEST, Window

Frames = Float[ndarray, "person joint 3"]


class Answers(NamedTuple):
    """The outputs for a batch of frames.

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
    """Runs a network over the frames of several people, and keeps the state of each."""

    def push(self, people: Sequence[str], frames: Frames) -> Answers:
        """Takes the next frame of each of these people, at the model's rate; an unknown one starts with it."""

    def forget(self, person: str) -> None:
        """Drops all state of a person."""

    def fresh(self) -> Engine:
        """Returns an engine without people that shares the network."""

    def state(self, person: str) -> dict[str, ndarray]:
        """Returns the state of a person, in arrays of fixed size."""

    def restore(self, person: str, state: Mapping[str, ndarray]) -> None:
        """Restores a person from what `state` returned.

        Raises:
            ValueError: The state is not valid; nothing has changed then.
        """


def _in_pixels(
    poses: Float[ndarray, "*person horizon joint coordinate"],
    origin: Float[ndarray, "*person 2"],
    scale: Float[ndarray, "*person"],
    known: Bool[ndarray, "*person joint"],
) -> Float[ndarray, "*person horizon joint 2"]:
    places = poses[..., :2] * scale[..., None, None, None] + origin[..., None, None, :]
    return np.where(known[..., None, :, None], places, np.nan).astype(np.float32)


class StepEngine:
    """Steps all people as one batch.

    A person has two windows: one answers until it is full; the other, begun T // 2 frames before, then takes over. So
    the frames that stay when the window is anchored anew have been gone through already, one at a time, each with its
    turn: no frame is dearer than another.

    Person number i has rows 2 i and 2 i + 1 of what is remembered; numbers have no gaps.

    Args:
        pipeline: The model's; causal.
        model: The network's step.
    """

    def __init__(self, pipeline: Pipeline, model: StepModel) -> None:
        self.pipeline, self.model, self.length = pipeline, model, pipeline.windows.length
        n_joints = pipeline.skeleton.n_joints
        self._fields = [
            *stream_fields(n_joints, self.length),
            ("position", np.int64, ()),  # frames that the window has had
            ("answers", np.bool_, ()),
            ("frames", np.float32, (2, n_joints, 3)),  # the frame before, and this: what features draw on
            ("placed", np.bool_, (2, n_joints)),  # their joints that are known
        ]
        self._people: list[str] = []
        self._rows = new_streams(0, self._fields)
        self._keys, self._values = (np.zeros(model.cache_shape(0), dtype=np.float32) for _ in range(2))

    def push(self, people: Sequence[str], frames: Frames) -> Answers:
        """See `Engine`."""
        those = self._rows_of(people)
        rows = self._rows[those]
        active = self._take_turns(rows)
        position = np.where(active, rows["position"], 0)
        self._take(rows, frames)
        placed = rows["placed"].copy()
        placed[position == 0, 0] = False  # a window's first frame has none before it
        features = self.pipeline.features.of(rows["frames"], placed, self.pipeline.skeleton)[:, 1]
        answer = np.flatnonzero(rows["answers"])
        made = self.model(features, position, answer, self._keys[:, those], self._values[:, those])
        logits, poses, keys, values = made
        rows["position"] += active
        if not isinstance(those, slice):
            self._rows[those] = rows
        numbers = np.arange(len(self._rows))[those]
        self._keys[:, numbers, :, position] = keys.swapaxes(0, 1)
        self._values[:, numbers, :, position] = values.swapaxes(0, 1)
        if self.pipeline.features.stream != "joint":  # what is forecast is not a pose
            poses = poses[:0]
        origin, scale, known = (rows[name][answer] for name in ("origin", "scale", "known"))
        return Answers(logits, _in_pixels(poses.swapaxes(0, 1), origin, scale, known))

    def _rows_of(self, people: Sequence[str]) -> Any:
        """Returns the index of the people's rows: a slice where possible, which gives a view instead of a copy."""
        numbers = [self._number(person) for person in people]
        if numbers == list(range(numbers[0], numbers[0] + len(numbers))):
            return slice(2 * numbers[0], 2 * numbers[-1] + 2)
        return (2 * np.array(numbers)[:, None] + np.arange(2)).ravel()

    def _take_turns(self, rows: ndarray) -> Bool[ndarray, " row"]:
        """Replaces full windows by younger ones, starts those that are due, and returns which take the frame."""
        of_person = rows.reshape(-1, 2)
        full = of_person["answers"] & (of_person["position"] == self.length)
        of_person["position"][full] = 0
        of_person["answers"] ^= full.any(1, keepdims=True)
        elder = of_person["position"][of_person["answers"]]
        active = (of_person["answers"] | (elder >= self.length - self.length // 2)[:, None]).ravel()
        beginning = rows["position"] == 0  # of idle windows too, whose contents are discarded
        if beginning.any():
            fresh = new_streams(int(beginning.sum()), self._fields)
            fresh["answers"] = rows["answers"][beginning]
            rows[beginning] = fresh
        return active

    def _take(self, rows: ndarray, frames: Frames) -> None:
        """Preprocesses a frame in both of each person's windows. The result in an idle window is not used."""
        raw, observed = frames.astype(np.float64), self.pipeline.preprocess.observed(frames)
        both = [each.repeat(2, 0)[:, None] for each in (raw, observed, *measure(raw, observed, self.pipeline.skeleton))]
        normalized, known = push(rows, both[0], both[1], Measures(*both[2:]))
        for memory, new in (("frames", normalized), ("placed", known)):
            rows[memory][:, 0] = rows[memory][:, 1]
            rows[memory][:, 1] = new[:, 0]

    def _number(self, person: str) -> int:
        if person not in self._people:
            self._people.append(person)
            new = new_streams(2, self._fields)
            new["answers"][0] = True
            self._rows = np.concatenate([self._rows, new])
            room = np.zeros(self.model.cache_shape(2), dtype=np.float32)
            self._keys, self._values = (np.concatenate([cache, room], 1) for cache in (self._keys, self._values))
        return self._people.index(person)

    def forget(self, person: str) -> None:
        """See `Engine`. The last person takes the number that has come free."""
        if person not in self._people:
            return
        number, last = self._people.index(person), len(self._people) - 1
        free, end = slice(2 * number, 2 * number + 2), 2 * last
        self._rows[free] = self._rows[end:]
        for cache in (self._keys, self._values):
            cache[:, free] = cache[:, end:]
        self._rows = self._rows[:end].copy()
        self._keys, self._values = (cache[:, :end].copy() for cache in (self._keys, self._values))
        self._people[number] = self._people[last]
        self._people.pop()

    def fresh(self) -> StepEngine:
        """See `Engine`."""
        return StepEngine(self.pipeline, self.model)

    def state(self, person: str) -> dict[str, ndarray]:
        """See `Engine`."""
        number = self._people.index(person)
        those = slice(2 * number, 2 * number + 2)
        remembered = {name: self._rows[name][those].copy() for name, *_ in self._fields}
        return remembered | {"keys": self._keys[:, those].copy(), "values": self._values[:, those].copy()}

    def restore(self, person: str, state: Mapping[str, ndarray]) -> None:
        """See `Engine`."""
        rows, shape = np.zeros(2, np.dtype(self._fields)), self.model.cache_shape(2)
        for name, kind, tail in self._fields:
            rows[name] = fitting(state, name, (2, *tail), kind)
        keys, values = (fitting(state, name, shape, np.float32) for name in ("keys", "values"))
        check_rows(rows, keys, values, self.length)
        number = self._number(person)
        those = slice(2 * number, 2 * number + 2)
        self._rows[those], self._keys[:, those], self._values[:, those] = rows, keys, values


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
        origin, scale = preprocess.reference(held, skeleton)
        return logits[-1], _in_pixels(poses[:, -1], origin, np.array(scale), sequence.known[-1])

    def forget(self, person: str) -> None:
        """See `Engine`."""
        self._frames.pop(person, None)

    def fresh(self) -> WindowEngine:
        """See `Engine`."""
        return WindowEngine(self.pipeline, self.model, self.fps)

    def state(self, person: str) -> dict[str, ndarray]:
        """See `Engine`."""
        held = self._frames[person]
        frames = np.zeros((self.pipeline.windows.length, *held.shape[1:]), dtype=held.dtype)
        frames[: len(held)] = held
        return {"frames": frames, "count": np.array(len(held))}

    def restore(self, person: str, state: Mapping[str, ndarray]) -> None:
        """See `Engine`."""
        length, n_joints = self.pipeline.windows.length, self.pipeline.skeleton.n_joints
        frames, count = (
            fitting(state, "frames", (length, n_joints, 3), np.float32),
            int(fitting(state, "count", (), int)),
        )
        check_within(FARTHEST, frames)
        if not 1 <= count <= length:
            raise ValueError(f"{count} frames in a window of {length}")
        self._frames[person] = frames[:count].copy()
