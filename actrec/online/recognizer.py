"""Recognises actions online: one prediction after each frame of keypoints. This module does not import torch."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from actrec._startup import import_name
from actrec.model.spec import ModelSpec, find_model, load_spec
from actrec.online.engine import Engine
from actrec.online.enrolled import Enrolled, History, load_enrolled, save_enrolled
from actrec.online.enrolment import Enrolment, check_clips, check_label, embed_probe, enroll, start_enrolled
from actrec.online.hysteresis import NO_ACTION, Hysteresis, LabelHysteresis
from actrec.online.inputs import TimestampUnitCheck, check_settings, checked_name, checked_person, checked_seconds
from actrec.online.person import PersonState, substate
from actrec.online.prediction import Prediction
from actrec.online.resampler import StreamResampler
from actrec.online.sets import SetTracker
from actrec.skeleton import get_skeleton, map_keypoints
from actrec.types import NONE, ActrecError, SkeletonSequence

MOST_PEOPLE = 64


class OnlineRecognizer:
    """Recognises actions in streams of keypoints, frame by frame, of several people at once.

    Each output equals the batch forward over the frames since the anchor (`AnchoredWindows`), with preprocessing from
    the anchor on; later frames never change it. The state of a person has a fixed size, however long the stream is.

    Args:
        spec: The model's specification.
        engine: Runs the model's network.
        hysteresis: Thresholds for changes of the held label.
        max_gap: Seconds without an observed joint after which a person is dropped; one who comes back starts anew.
            Shorter gaps are bridged: the joints keep their last positions.
        skeleton: Joint layout of the keypoints that are pushed; by default the model's.
        max_people: Greatest number of people who are followed at once; each needs a few megabytes of memory.
        enrolled: Classes besides the model's own, see `enroll`.

    Attributes:
        labels: The model's classes, and after them the enrolled ones; the order of the probabilities.
    """

    def __init__(
        self,
        spec: ModelSpec,
        engine: Engine,
        hysteresis: Hysteresis | None = None,
        max_gap: float = 1.0,
        skeleton: str | None = None,
        max_people: int = MOST_PEOPLE,
        enrolled: Enrolled | None = None,
    ) -> None:
        check_settings(spec, max_gap, max_people)
        self.spec, self.skeleton = spec, spec.pipeline.skeleton
        self.labels, self._enrolled = (*spec.labels, *(enrolled.labels if enrolled else ())), enrolled
        self.hysteresis, self.max_gap, self.max_people = hysteresis or Hysteresis(), max_gap, max_people
        self.input_skeleton = get_skeleton(skeleton) if skeleton else self.skeleton
        self._none = self.labels.index(NONE) if NONE in self.labels else None
        self._engine, self._people = engine, dict[str, PersonState]()
        self._unit_check = TimestampUnitCheck(max_gap)

    @classmethod
    def from_pretrained(
        cls,
        folder: str | Path,
        hysteresis: Hysteresis | None = None,
        max_gap: float = 1.0,
        skeleton: str | None = None,
        max_people: int = MOST_PEOPLE,
        trust: str | Sequence[str] = (),
    ) -> OnlineRecognizer:
        """Loads a model folder (run by PyTorch), or a folder that `actrec.export` wrote (run by ONNX Runtime).

        Classes that were enrolled into the folder are recognised too. For `trust` see `actrec.load_model`; ONNX Runtime
        does not need it. The other arguments are those of the class.

        Raises:
            ActrecError: The folder is neither of these, or is damaged.
        """
        folder, spec = find_model(folder), load_spec(folder)
        if any((folder / name).is_file() for name in ("step.onnx", "window.onnx")):
            from actrec.online.onnx_backend import load_engine

            engine = load_engine(folder, spec)
        else:
            engine = import_name("actrec.online.torch_backend", "load_engine")(folder, spec, trust)
        enrolled = load_enrolled(folder, lambda: embed_probe(engine, spec), spec.labels)
        return cls(spec, engine, hysteresis, max_gap, skeleton, max_people, enrolled)

    def fresh(self) -> OnlineRecognizer:
        """Returns a recogniser without people that has the same settings and shares the network."""
        return OnlineRecognizer(
            self.spec,
            self._engine.fresh(),
            self.hysteresis,
            self.max_gap,
            self.input_skeleton.name,
            self.max_people,
            self._enrolled,
        )

    def enroll(self, label: str, clips: Sequence[SkeletonSequence]) -> Enrolment:
        """Adds a class from 1 to 10 clips of it, without training; everybody who is followed starts anew.

        The new class comes last in `labels` and `probabilities`. It is held and makes sets like the model's own
        classes, and its repetitions are not counted. The first class takes seconds, because the model is run on
        generated motion first, to know how similar other motions are.

        Args:
            clips: Each shows the action from its beginning to its end, once or several times, in any joint layout.
                Models of three dimensions take none.

        Raises:
            ActrecError: The label is taken, the clips are unusable, or the model gives no embedding (it was exported by
                an earlier version, or has a network of one's own). Nothing has changed then.
        """
        check_label(label, self.labels)
        check_clips(label, clips, self.spec)  # before the part that takes seconds
        enrolled = self._enrolled or start_enrolled(self._engine, self.spec)
        enrolled, found = enroll(enrolled, self._engine, self.spec, label, clips)
        self._change(enrolled)
        return found

    @property
    def enrolled(self) -> tuple[str, ...]:
        """The classes that were enrolled."""
        return self.labels[len(self.spec.labels) :]

    def gives_embeddings(self) -> bool:
        """Returns whether the model gives the embedding that `enroll` needs, and is of two dimensions."""
        is_flat = self.spec.pipeline.n_coordinates == 2
        return is_flat and embed_probe(self._engine, self.spec) is not None

    def unenroll(self, label: str) -> None:
        """Removes an enrolled class; everybody who is followed starts anew."""
        if self._enrolled is None:
            raise ActrecError(f"'{label}' is not an enrolled class. Enrolled are: none.")
        self._change(self._enrolled.without_class(label))

    def save_enrolled(self, folder: str | Path) -> Path:
        """Writes the enrolled classes into a folder of this model, and returns the file; `from_pretrained` reads it."""
        if self._enrolled is None:
            raise ActrecError("There are no enrolled classes to save.")
        return save_enrolled(self._enrolled, Path(folder))

    def _change(self, enrolled: Enrolled) -> None:
        for person in self.people:
            self.forget(person)
        self._enrolled, self.labels = enrolled, (*self.spec.labels, *enrolled.labels)

    @property
    def people(self) -> list[str]:
        """The names of the people who are followed now."""
        return list(self._people)

    def push(self, keypoints: ndarray | None, timestamp: float, person: str = "") -> Prediction | None:
        """Processes the next frame of one person.

        Args:
            keypoints: (joint, 3): x and y in pixels, and confidence in [0, 1]; for a model in 3D (joint, 4): x, y and z
                in any unit of length, and confidence. See `actrec.types.checked_keypoints`. None where the person was
                not found.
            timestamp: Time of the frame in seconds, later than the person's previous one; one clock for all people.
            person: Name of the person.

        Returns:
            The newest prediction, from an earlier frame if none is due at the model's rate; None if the person is not
            followed.

        Raises:
            ActrecError: The keypoints or the timestamp are invalid, the timestamps are not in seconds
                (`TimestampUnitCheck`), or there are more than `max_people`. The state is unchanged then.
        """
        return self._push({checked_name(person): keypoints}, timestamp).get(person)

    def push_all(self, people: Mapping[str, Any], timestamp: float) -> dict[str, Prediction]:
        """Processes the next frame of all people as one batch; followed people who are not in it were not found.

        For keypoints and errors see `push`; the keypoints of a person may be nested lists too.

        Returns:
            The newest prediction of each person who is still followed.
        """
        if not isinstance(people, Mapping):
            raise ActrecError(f"The people are a {type(people).__name__}; expected keypoints by name.")
        named = {checked_name(person): keypoints for person, keypoints in people.items()}
        return self._push(dict.fromkeys(self._people) | named, timestamp)

    def _push(self, people: Mapping[str, Any], timestamp: float) -> dict[str, Prediction]:
        timestamp = checked_seconds(timestamp)
        frames = {person: self._checked(person, keypoints, timestamp) for person, keypoints in people.items()}
        threshold = self.spec.pipeline.preprocess.confidence_threshold
        seen = {person: bool((frame[:, -1] >= threshold).any()) for person, frame in frames.items()}
        lost = {person for person, known in self._people.items() if timestamp - known.last_seen > self.max_gap}
        followed = set(self._people) - lost
        self._check_room(followed | {person for person in frames if seen[person]})
        self._unit_check.push(timestamp)  # raises before any state changes
        for person in lost:
            self._drop(person)
        due = {}
        for person, frame in frames.items():
            if person not in followed and not seen[person]:
                continue
            if person not in self._people:
                self._people[person] = self._new()
            known = self._people[person]
            known.last_seen = timestamp if seen[person] else known.last_seen
            due[person] = known.resampler.push(frame, timestamp)
        for turn in range(max((len(frames) for frames in due.values()), default=0)):
            self._step({person: frames[turn] for person, frames in due.items() if turn < len(frames)}, timestamp)
        return {person: prediction for person in due if (prediction := self._people[person].prediction) is not None}

    def _check_room(self, people: set[str]) -> None:
        if len(people) > self.max_people:
            raise ActrecError(
                f"There are {len(people)} people; this recogniser follows at most max_people={self.max_people} at "
                f"once. Give a person the same name in every frame, forget those who have left, or raise max_people."
            )

    def _new(self) -> PersonState:
        preprocess = self.spec.pipeline.preprocess
        resampler = StreamResampler(
            preprocess.fps, preprocess.confidence_threshold, self.skeleton.n_joints, self.spec.pipeline.n_coordinates
        )
        held = LabelHysteresis(self.hysteresis, len(self.labels), self._none)
        enrolled = self._enrolled if self._enrolled and self._enrolled.labels else None
        uncounted, leads = self.spec.uncounted, dict[int, float]()
        if enrolled:
            uncounted = (*uncounted, *enrolled.labels)
            rate = float(preprocess.fps or self.spec.fps)
            first = len(self.spec.labels)
            leads = {first + i: float(length) / rate for i, length in enumerate(enrolled.lengths)}
        sets = SetTracker(self.hysteresis, self.labels, uncounted, leads)
        return PersonState(resampler, held, sets, History(enrolled, self._none) if enrolled else None)

    def _checked(self, person: str, keypoints: Any, timestamp: float) -> Float[ndarray, "joint value"]:
        """Checks a frame and converts it to the model's layout; None becomes zeros."""
        known = self._people.get(person)
        if known is not None and not timestamp > known.resampler.time:
            raise ActrecError(
                f"The timestamp is {timestamp} s after {known.resampler.time:.15g} s; expected seconds that ascend "
                "from frame to frame."
            )
        if keypoints is None:
            return np.zeros((self.skeleton.n_joints, self.spec.pipeline.n_coordinates + 1), dtype=np.float32)
        checked = checked_person(keypoints, self.input_skeleton, person, self.spec.pipeline.n_coordinates)
        return map_keypoints(checked[None], self.input_skeleton.name, self.skeleton.name)[0]

    def _step(self, due: Mapping[str, tuple[float, Float[ndarray, "joint value"]]], timestamp: float) -> None:
        output = self._engine.push(list(due), np.stack([frame for _, frame in due.values()]))
        shifted = np.exp(output.logits - output.logits.max(1, keepdims=True))
        probabilities = shifted / shifted.sum(1, keepdims=True)
        for i, (person, (time, _)) in enumerate(due.items()):
            known, phase = self._people[person], None if output.phase is None else output.phase[i]
            now = probabilities[i]
            if known.history is not None and output.embedding is not None:
                now = known.history.push(now, output.embedding[i])
            known.decide(time, timestamp, now, phase)
            held = known.hysteresis.label
            known.prediction = Prediction(
                time,
                person,
                now,
                self.labels[int(now.argmax())],
                None if held == NO_ACTION else self.labels[held],
                output.forecasts[i],
                known.n_frames,
                known.last_seen == timestamp,
                float(1 - now[self._none] if self._none is not None else now.max()),
                # Twice, because a small negative angle becomes 2π by rounding.
                None if phase is None else math.atan2(phase[0], phase[1]) % math.tau % math.tau,
                known.sets.repetitions,
                known.sets.current(),
            )

    def forget(self, person: str) -> None:
        """Drops all state of a person; does nothing if the person is not followed."""
        self._drop(checked_name(person))
        if not self._people:  # a new stream may start with any timestamp
            self._unit_check = TimestampUnitCheck(self.max_gap)

    def _drop(self, person: str) -> None:
        self._people.pop(person, None)
        self._engine.forget(person)

    def state(self, person: str) -> dict[str, ndarray]:
        """Returns the state of a person, in arrays of fixed size, for `restore` or `numpy.savez`."""
        if checked_name(person) not in self._people:
            raise ActrecError(f"There is no person '{person}'. Followed are: {', '.join(self._people) or 'none'}.")
        engine = self._engine.state(person)
        return self._people[person].state() | {f"engine.{name}": value for name, value in engine.items()}

    def restore(self, person: str, state: Mapping[str, ndarray]) -> None:
        """Restores a person, under this name, from what `state` of the same model returned.

        There is no prediction until the next frame.

        Raises:
            ActrecError: The state is damaged or of another model, or there are more than `max_people`; the recogniser
                is unchanged then.
        """
        self._check_room({*self._people, checked_name(person)})
        known = self._new()
        try:
            known.restore(state)
            self._engine.restore(person, substate(state, "engine"))
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise ActrecError(f"The state does not fit this model ({error}).") from error
        self._people[person] = known
