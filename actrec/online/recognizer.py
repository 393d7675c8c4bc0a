"""The streaming recogniser: takes keypoints frame by frame and predicts after each. It imports no torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from actrec._startup import import_name
from actrec.model.spec import ModelSpec, find_model, load_spec
from actrec.online.clock import Clock
from actrec.online.engine import Engine
from actrec.online.hysteresis import NO_ACTION, HeldLabel, Hysteresis
from actrec.online.inputs import check_settings, checked_name, number_of, numbers_of
from actrec.online.pace import Pace
from actrec.online.state import fitting
from actrec.skeleton import get_skeleton, map_keypoints
from actrec.types import LATEST, ActrecError, checked_keypoints, checked_timestamp

MOST_PEOPLE = 64


@dataclass(frozen=True)
class Prediction:
    """The prediction for a person after a frame.

    Attributes:
        timestamp: Of that frame, in seconds.
        person: Who.
        probabilities: Of each class, from this frame and those before it.
        label: The likeliest class.
        held: The class that is held, see `Hysteresis`; None is no action.
        forecast: Poses 1 to N frames ahead, in pixels, in the model's joint layout; NaN for a joint not yet seen.
        n_frames: Frames of the person so far, at the model's rate.
        seen: Whether a joint was observed in the newest frame that was pushed.
    """

    timestamp: float
    person: str
    probabilities: Float[ndarray, " class"]
    label: str
    held: str | None
    forecast: Float[ndarray, "horizon joint 2"]
    n_frames: int
    seen: bool


class _Person:
    """The state of a person, without that of the engine."""

    def __init__(self, clock: Clock, held: HeldLabel) -> None:
        self.clock, self.held, self.n_frames, self.last_seen = clock, held, 0, np.nan
        self.prediction: Prediction | None = None


class OnlineRecognizer:
    """Recognises actions in streams of keypoints, frame by frame.

    What it gives for a frame equals the batch forward over the frames since the anchor (`AnchoredWindows`), with
    preprocessing from the anchor on; nothing after a frame changes what was given for it. State per person is of fixed
    size, however long the stream.

    Args:
        spec: The model's.
        engine: Runs the model's network.
        hysteresis: When the held label changes.
        max_gap: Seconds after which a person who has not been seen is lost, and one who comes back starts anew. Shorter
            gaps are bridged: the joints are held where they were.
        skeleton: Joint layout of the keypoints that will come; by default the model's.
        max_people: People who may be followed at once; each takes some megabytes.
    """

    def __init__(
        self,
        spec: ModelSpec,
        engine: Engine,
        hysteresis: Hysteresis | None = None,
        max_gap: float = 1.0,
        skeleton: str | None = None,
        max_people: int = MOST_PEOPLE,
    ) -> None:
        check_settings(spec, max_gap, max_people)
        self.spec, self.labels, self.skeleton = spec, spec.labels, spec.pipeline.skeleton
        self.hysteresis, self.max_gap, self.max_people = hysteresis or Hysteresis(), max_gap, max_people
        self.input_skeleton = get_skeleton(skeleton) if skeleton else self.skeleton
        self._engine, self._people, self._pace = engine, dict[str, _Person](), Pace(max_gap)

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
        """The recogniser of a model folder (runs PyTorch), or of what `actrec.export` made of one (runs ONNX Runtime).

        Args:
            folder: The folder.
            hysteresis: See the class.
            max_gap: See the class.
            skeleton: See the class.
            max_people: See the class.
            trust: See `actrec.load_model`; ONNX Runtime needs none.

        Raises:
            ActrecError: It is neither, or it is damaged.
        """
        folder, spec = find_model(folder), load_spec(folder)
        if any((folder / name).is_file() for name in ("step.onnx", "window.onnx")):
            from actrec.online.onnx_backend import load_engine

            engine = load_engine(folder, spec)
        else:
            engine = import_name("actrec.online.torch_backend", "load_engine")(folder, spec, trust)
        return cls(spec, engine, hysteresis, max_gap, skeleton, max_people)

    def fresh(self) -> OnlineRecognizer:
        """Returns a recogniser without people that has the same settings and shares the network."""
        return OnlineRecognizer(
            self.spec,
            self._engine.fresh(),
            self.hysteresis,
            self.max_gap,
            self.input_skeleton.name,
            self.max_people,
        )

    @property
    def people(self) -> list[str]:
        """The names of the people who are followed now."""
        return list(self._people)

    def push(self, keypoints: ndarray | None, timestamp: float, person: str = "") -> Prediction | None:
        """Takes one person's next frame.

        Args:
            keypoints: (joint, 3): x and y in pixels, and confidence in [0, 1], see `actrec.types.checked_keypoints`;
                None where the person was not found.
            timestamp: Of the frame, in seconds, later than the person's frame before. All people go by one clock.
            person: Who; others' keypoints stay out of it.

        Returns:
            The newest prediction, which is of an earlier frame where none is due at the model's rate; None where the
            person is not there, or no longer.

        Raises:
            ActrecError: The keypoints or the timestamp are not right, timestamps go on in another unit than seconds
                (`Pace`), or there are more than `max_people`; nothing has changed then.
        """
        return self._push({checked_name(person): keypoints}, timestamp).get(person)

    def push_all(self, people: Mapping[str, ndarray | None], timestamp: float) -> dict[str, Prediction]:
        """Takes the next frame of everybody, as one batch; who is followed but not in `people` was not found in it.

        Args:
            people: Each person's keypoints, see `push`.
            timestamp: Of the frame, in seconds.

        Returns:
            The newest prediction of each person who is still there.

        Raises:
            ActrecError: As `push`; nothing has changed then.
        """
        if not isinstance(people, Mapping):
            raise ActrecError(f"The people are a {type(people).__name__}; expected keypoints by name.")
        named = {checked_name(person): keypoints for person, keypoints in people.items()}
        return self._push(dict.fromkeys(self._people) | named, timestamp)

    def _push(self, people: Mapping[str, ndarray | None], timestamp: float) -> dict[str, Prediction]:
        timestamp = checked_timestamp(number_of(timestamp))
        frames = {person: self._checked(person, keypoints, timestamp) for person, keypoints in people.items()}
        threshold = self.spec.pipeline.preprocess.confidence_threshold
        seen = {person: bool((frame[:, 2] >= threshold).any()) for person, frame in frames.items()}
        lost = {person for person, known in self._people.items() if timestamp - known.last_seen > self.max_gap}
        followed = set(self._people) - lost
        self._check_room(followed | {person for person in frames if seen[person]})
        self._pace.push(timestamp)  # raises before anything has changed
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
            due[person] = known.clock.push(frame, timestamp)
        for turn in range(max((len(frames) for frames in due.values()), default=0)):
            self._step({person: frames[turn] for person, frames in due.items() if turn < len(frames)}, timestamp)
        return {person: prediction for person in due if (prediction := self._people[person].prediction) is not None}

    def _check_room(self, people: set[str]) -> None:
        if len(people) > self.max_people:
            raise ActrecError(
                f"There are {len(people)} people; this recogniser follows at most max_people={self.max_people} at "
                f"once. Give a person the same name in every frame, forget those who have left, or raise max_people."
            )

    def _new(self) -> _Person:
        preprocess = self.spec.pipeline.preprocess
        clock = Clock(preprocess.fps, preprocess.confidence_threshold, self.skeleton.n_joints)
        return _Person(clock, HeldLabel(self.hysteresis, len(self.labels)))

    def _checked(self, person: str, keypoints: ndarray | None, timestamp: float) -> Float[ndarray, "joint 3"]:
        """The keypoints in the model's layout; zeros for None."""
        known = self._people.get(person)
        if known is not None and not timestamp > known.clock.time:
            raise ActrecError(
                f"The timestamp is {timestamp} s after {known.clock.time:.15g} s; expected seconds that ascend from "
                "frame to frame."
            )
        if keypoints is None:
            return np.zeros((self.skeleton.n_joints, 3), dtype=np.float32)
        array = numbers_of(keypoints, self.input_skeleton)
        checked = checked_keypoints(array, f"The frame of person '{person[:40]}'" if person else "The frame")
        return map_keypoints(checked[None], self.input_skeleton.name, self.skeleton.name)[0]

    def _step(self, due: Mapping[str, tuple[float, Float[ndarray, "joint 3"]]], timestamp: float) -> None:
        answers = self._engine.push(list(due), np.stack([frame for _, frame in due.values()]))
        shifted = np.exp(answers.logits - answers.logits.max(1, keepdims=True))
        probabilities = shifted / shifted.sum(1, keepdims=True)
        for i, (person, (time, _)) in enumerate(due.items()):
            known = self._people[person]
            known.n_frames += 1
            held = known.held.update(probabilities[i])
            known.prediction = Prediction(
                time,
                person,
                probabilities[i],
                self.labels[int(probabilities[i].argmax())],
                None if held == NO_ACTION else self.labels[held],
                answers.forecasts[i],
                known.n_frames,
                known.last_seen == timestamp,
            )

    def forget(self, person: str) -> None:
        """Drops all state of a person; nothing happens where there is none of that name."""
        self._drop(checked_name(person))
        if not self._people:  # a new stream may begin, at any time
            self._pace = Pace(self.max_gap)

    def _drop(self, person: str) -> None:
        self._people.pop(person, None)
        self._engine.forget(person)

    def state(self, person: str) -> dict[str, ndarray]:
        """Returns the state of a person, in arrays of fixed size, for `restore` or `numpy.savez`.

        Raises:
            ActrecError: There is no person of that name.
        """
        if checked_name(person) not in self._people:
            raise ActrecError(f"There is no person '{person}'. Followed are: {', '.join(self._people) or 'none'}.")
        known = self._people[person]
        own = {"n_frames": np.array(known.n_frames), "last_seen": np.array(known.last_seen), "held": known.held.state()}
        clock = {f"clock.{name}": value for name, value in known.clock.state().items()}
        return own | clock | {f"engine.{name}": value for name, value in self._engine.state(person).items()}

    def restore(self, person: str, state: Mapping[str, ndarray]) -> None:
        """Restores a person, under this name, from what `state` of the same model returned.

        Until the next frame there is no prediction.

        Raises:
            ActrecError: It is of another model, or damaged, or there are more than `max_people`; nothing has changed
                then.
        """
        self._check_room({*self._people, checked_name(person)})
        known = self._new()
        try:
            parts: dict[str, dict[str, ndarray]] = {"clock": {}, "engine": {}}
            for name, value in state.items():
                part, _, rest = name.partition(".")
                if part in parts:
                    parts[part][rest] = value
            known.n_frames = int(fitting(state, "n_frames", (), int))
            known.last_seen = float(fitting(state, "last_seen", (), float))
            known.held.restore(state["held"])
            known.clock.restore(parts["clock"])
            if not -LATEST <= known.last_seen <= known.clock.time or known.n_frames < 1:
                raise ValueError("the person was never observed")
            self._engine.restore(person, parts["engine"])
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise ActrecError(f"That state is not one of this model's ({error}).") from error
        self._people[person] = known
