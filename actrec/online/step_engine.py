"""An engine that caches each layer's keys and values, so that only the new frame is computed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Bool
from numpy import ndarray

from actrec.online.engine import EngineOutput, Frames, StepModel, denormalize
from actrec.online.state_checks import check_rows, check_turns, checked_array
from actrec.pipeline.causal import new_streams, push, stream_fields
from actrec.pipeline.measures import Measures, measure
from actrec.pipeline.pipeline import Pipeline
from actrec.pipeline.view import directions, push_turns, turn_fields, turned


class StepEngine:
    """An `Engine` that steps all people as one batch.

    Each person has two windows: the active one gives the output until it is full (T frames); the other, begun T // 2
    frames earlier, then takes over. The frames that remain in the window after re-anchoring have therefore been
    processed already, one at a time, so that every frame costs the same.

    The windows of person number i are rows 2 i and 2 i + 1 of all arrays; the numbers have no gaps.
    """

    def __init__(self, pipeline: Pipeline, model: StepModel) -> None:
        self.pipeline, self.model, self.length = pipeline, model, pipeline.windows.length
        n_joints, n_coordinates = pipeline.skeleton.n_joints, pipeline.n_coordinates
        self._is_turned = pipeline.preprocess.view != "camera"
        self._fields = [
            *stream_fields(n_joints, self.length, n_coordinates),
            *(turn_fields() if self._is_turned else []),
            ("position", np.int64, ()),  # number of frames in the window
            ("answers", np.bool_, ()),
            # The previous and the current frame, for features.
            ("frames", np.float32, (2, n_joints, n_coordinates + 1)),
            ("placed", np.bool_, (2, n_joints)),  # whether each of their joints is known
        ]
        self._people: list[str] = []
        self._rows = new_streams(0, self._fields)
        self._keys, self._values = (np.zeros(model.cache_shape(0), dtype=np.float32) for _ in range(2))

    def push(self, people: Sequence[str], frames: Frames) -> EngineOutput:
        those = self._rows_of(people)
        rows = self._rows[those]
        active = self._switch_windows(rows)
        position = np.where(active, rows["position"], 0)
        self._preprocess(rows, frames)
        placed = rows["placed"].copy()
        placed[position == 0, 0] = False  # the first frame of a window has no predecessor
        features = self.pipeline.features.of(rows["frames"], placed, self.pipeline.skeleton)[:, 1]
        answer = np.flatnonzero(rows["answers"])
        made = self.model(features, position, answer, self._keys[:, those], self._values[:, those])
        logits, poses, keys, values, phase, embedding = made
        rows["position"] += active
        if not isinstance(those, slice):
            self._rows[those] = rows
        numbers = np.arange(len(self._rows))[those]
        self._keys[:, numbers, :, position] = keys.swapaxes(0, 1)
        self._values[:, numbers, :, position] = values.swapaxes(0, 1)
        if self.pipeline.features.stream != "joint":  # the forecasts are not poses
            poses = poses[:0]
        origin, scale, known = (rows[name][answer] for name in ("origin", "scale", "known"))
        turn = rows["turn"][answer] if self._is_turned else None
        return EngineOutput(logits, denormalize(poses.swapaxes(0, 1), origin, scale, known, turn), phase, embedding)

    def _rows_of(self, people: Sequence[str]) -> Any:
        """Returns the index of the people's rows: a slice where possible, which gives a view instead of a copy."""
        numbers = [self._number(person) for person in people]
        if numbers == list(range(numbers[0], numbers[0] + len(numbers))):
            return slice(2 * numbers[0], 2 * numbers[-1] + 2)
        return (2 * np.array(numbers)[:, None] + np.arange(2)).ravel()

    def _switch_windows(self, rows: ndarray) -> Bool[ndarray, " row"]:
        """Replaces full windows by younger ones, starts those that are due, and returns which process the frame."""
        of_person = rows.reshape(-1, 2)
        full = of_person["answers"] & (of_person["position"] == self.length)
        of_person["position"][full] = 0
        of_person["answers"] ^= full.any(1, keepdims=True)
        elder = of_person["position"][of_person["answers"]]
        active = (of_person["answers"] | (elder >= self.length - self.length // 2)[:, None]).ravel()
        beginning = rows["position"] == 0  # also of idle windows, whose contents are discarded
        if beginning.any():
            fresh = new_streams(int(beginning.sum()), self._fields)
            fresh["answers"] = rows["answers"][beginning]
            rows[beginning] = fresh
        return active

    def _preprocess(self, rows: ndarray, frames: Frames) -> None:
        """Preprocesses a frame in both windows of each person; the result of an idle window is not used."""
        raw, observed = frames.astype(np.float64), self.pipeline.preprocess.observed(frames)
        both = [each.repeat(2, 0)[:, None] for each in (raw, observed, *measure(raw, observed, self.pipeline.skeleton))]
        normalized, known = push(rows, both[0], both[1], Measures(*both[2:]))
        if self._is_turned:
            new = directions(raw, observed, self.pipeline.skeleton).repeat(2, 0)[:, None]
            normalized = turned(normalized, push_turns(rows, new, self.pipeline.preprocess.view))
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
        """The last person gets the number of the one who is dropped."""
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
        return StepEngine(self.pipeline, self.model)

    def state(self, person: str) -> dict[str, ndarray]:
        number = self._people.index(person)
        those = slice(2 * number, 2 * number + 2)
        remembered = {name: self._rows[name][those].copy() for name, *_ in self._fields}
        return remembered | {"keys": self._keys[:, those].copy(), "values": self._values[:, those].copy()}

    def restore(self, person: str, state: Mapping[str, ndarray]) -> None:
        rows, shape = np.zeros(2, np.dtype(self._fields)), self.model.cache_shape(2)
        for name, kind, tail in self._fields:
            rows[name] = checked_array(state, name, (2, *tail), kind)
        keys, values = (checked_array(state, name, shape, np.float32) for name in ("keys", "values"))
        check_rows(rows, keys, values, self.length)
        if self._is_turned:
            check_turns(rows, self.pipeline.preprocess.view)
        number = self._number(person)
        those = slice(2 * number, 2 * number + 2)
        self._rows[those], self._keys[:, those], self._values[:, those] = rows, keys, values
