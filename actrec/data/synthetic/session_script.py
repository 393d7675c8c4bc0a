"""Draws what happens in a session: who does which motions one after another, and when."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from actrec.data.synthetic.body import Pose, joints
from actrec.data.synthetic.motion import Actor, ease, repetitions
from actrec.data.synthetic.transitions import blended, distance, frame_of, held, placed
from actrec.types import Segment

Motion = Callable[[Actor], Pose]

# Actions that are done once in a performance: a set is several performances, with the bar put down in between.
_ONCE = ("clean_and_jerk", "snatch_weight_lifting")
_EVENNESS = 0.5  # variants of a motion are drawn more evenly than in trimmed clips
# Seconds of a set's rest before its first movement and after its last that belong to the set.
_MARGIN = 0.3


class Part(NamedTuple):
    """A stretch of a session in which one motion is done.

    Attributes:
        motion: Name of the motion; "transition" between two.
        joints: COCO-17 joints in metres.
        number: Number of the set that it belongs to; None for motions that are not actions.
        done: Number of complete repetitions of the set so far; None where there are none.
    """

    motion: str
    joints: Float[ndarray, "frame 17 3"]
    number: int | None = None
    done: Float[ndarray, " frame"] | None = None


class Script(NamedTuple):
    """A whole session in the world, before any camera.

    Attributes:
        joints: In metres.
        segments: The sets of actions.
        repetition: As in `actrec.types.SkeletonSequence`.
        motions: Name of the motion, first frame and end, of every part.
    """

    joints: Float[ndarray, "frame 17 3"]
    segments: tuple[Segment, ...]
    repetition: Float[ndarray, " frame"]
    motions: list[tuple[str, int, int]]


class Director:
    """Draws the motions of a session, one after another, and joins them.

    Args:
        actor: Who performs; its random numbers decide everything.
        view: Draws the angle from which the camera sees a motion, in radians: 0 is from the front.
    """

    def __init__(self, actor: Actor, view: Callable[[str], float]) -> None:
        self.actor, self.view = actor, view
        self.parts: list[Part] = []
        self.labels: list[str] = []
        self._last: Pose | None = None

    @property
    def seconds(self) -> float:
        """How long the session is so far."""
        return sum(len(part.joints) for part in self.parts) / self.actor.fps

    def other(self, name: str, motion: Motion, n_repetitions: int) -> None:
        """Adds a motion that is none of the actions."""
        self._perform(name, motion, n_repetitions, -self.view(name))

    def set_of(self, label: str, motion: Motion, n_repetitions: int) -> None:
        """Adds a set of an action."""
        heading, number = -self.view(label), len(self.labels)
        self.labels.append(label)
        if label not in _ONCE:
            self._perform(label, motion, n_repetitions, heading, number)
            return
        for before in range(n_repetitions):
            self._perform(label, motion, 1, heading, number, before)

    def hold(self, label: str, motion: Motion, seconds: float) -> None:
        """Adds somebody who gets into the position of an action, waits there, and does nothing."""
        a = self.actor
        pose = motion(a._replace(n_repetitions=1, evenness=_EVENNESS))
        number = 0 if a.chance(0.75) else len(pose.trunk.pelvis) // 2
        self._add(f"{label} (position)", held(a, frame_of(pose, number), seconds), -self.view(label))

    def mixed(self, motions: Sequence[Motion], n_repetitions: int) -> None:
        """Adds an exercise that has no name: back and forth between poses of two motions."""
        a = self.actor
        first = self._drawn(motions)
        others = [self._drawn(motions) for _ in range(5)]
        last = min(others, key=lambda pose: abs(distance(first, pose) - a.u(0.1, 1.2)))
        last = placed(last, a.u(-0.5, 0.5), np.zeros(2))
        rep = repetitions(a._replace(n_repetitions=n_repetitions), a.u(0.6, 3.0))
        last = placed(last, 0.0, (first.trunk.pelvis - last.trunk.pelvis)[0, :2] + 0.1 * a.rng.standard_normal(2))
        self._add("mixed", blended(a.body, first, last, rep.u), a.u(-np.pi, np.pi))

    def _drawn(self, motions: Sequence[Motion]) -> Pose:
        """Draws a motion, and returns a pose of it."""
        rng = self.actor.rng
        pose = motions[int(rng.integers(len(motions)))](self.actor._replace(n_repetitions=1))
        return frame_of(pose, int(rng.integers(len(pose.trunk.pelvis))))

    def _perform(
        self, name: str, motion: Motion, n_repetitions: int, heading: float, number: int | None = None, before: int = 0
    ) -> None:
        pose = motion(self.actor._replace(n_repetitions=n_repetitions, evenness=_EVENNESS))
        done = None if pose.done is None or number is None else np.clip(pose.done, 0, n_repetitions) + before
        self._add(name, pose._replace(done=done), heading, number, before)

    def _add(self, name: str, pose: Pose, heading: float, number: int | None = None, before: int = 0) -> None:
        pose = placed(pose, heading, np.zeros(2))
        if self._last is not None:
            first = frame_of(pose, 0)
            shift = (self._last.trunk.pelvis - first.trunk.pelvis)[0, :2]
            pose, first = placed(pose, 0.0, shift), placed(first, 0.0, shift)
            self._approach(first, number if before else None, before)
        self.parts.append(Part(name, joints(self.actor.body, pose), number, pose.done))
        self._last = frame_of(pose, -1)

    def _approach(self, first: Pose, number: int | None, done: int) -> None:
        """Adds the way from the last pose to the next one; between the repetitions of a set it belongs to the set."""
        assert self._last is not None
        a = self.actor
        seconds = a.around(0.35 + 0.5 * distance(self._last, first), 0.4)
        n_frames = max(int(np.clip(seconds, 0.2, 4.0) * a.fps), 1)
        pose = blended(a.body, self._last, first, ease(np.arange(1, n_frames + 1) / (n_frames + 1)))
        self.parts.append(Part("transition", joints(a.body, pose), number, np.full(n_frames, float(done))))

    def script(self) -> Script:
        """Returns the session of all motions so far."""
        ends = np.cumsum([len(part.joints) for part in self.parts])
        starts = ends - [len(part.joints) for part in self.parts]
        repetition = np.full(ends[-1], np.nan, dtype=np.float32)
        segments = []
        for number, label in enumerate(self.labels):
            parts = [index for index, part in enumerate(self.parts) if part.number == number]
            start = starts[parts[0]] + self._moving(self.parts[parts[0]])[0]
            end = starts[parts[-1]] + self._moving(self.parts[parts[-1]])[1]
            for index in parts:
                if (done := self.parts[index].done) is not None:
                    repetition[starts[index] : ends[index]] = done
            counted = repetition[start:end]
            count = None if np.isnan(counted).all() else int(np.nanmax(counted) + 0.05)
            segments.append(Segment(label, int(start), int(end), count))
            repetition[starts[parts[0]] : start] = repetition[end : ends[parts[-1]]] = np.nan
        names = [part.motion for part in self.parts]
        motions = list(zip(names, starts.tolist(), ends.tolist(), strict=True))
        return Script(np.concatenate([part.joints for part in self.parts]), tuple(segments), repetition, motions)

    def _moving(self, part: Part) -> tuple[int, int]:
        """Returns the frames of a part that belong to its set: all but most of the rest before and after it."""
        if part.done is None:
            return 0, len(part.joints)
        margin = int(_MARGIN * self.actor.fps)
        moving = np.flatnonzero(np.abs(np.diff(part.done, prepend=part.done[0])) > 1e-4)
        if not len(moving):
            return 0, len(part.joints)
        return max(int(moving[0]) - margin, 0), min(int(moving[-1]) + 1 + margin, len(part.joints))
