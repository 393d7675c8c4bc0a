"""Generates sessions: sets of the 14 actions with pauses, other motions and rests, filmed with cuts and zooms."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from actrec.data.store.clip_source import ClipSource
from actrec.data.synthetic.body import Body
from actrec.data.synthetic.camera import look, picture_size
from actrec.data.synthetic.clips import ACTIONS, draw_rate, hidden_joints, usual_yaw
from actrec.data.synthetic.faults import Faults
from actrec.data.synthetic.motion import Actor
from actrec.data.synthetic.others import DAILY, OTHERS
from actrec.data.synthetic.session_script import Director, Script
from actrec.types import NONE, ActrecError, SkeletonSequence

# Repetitions of a set: least and usual greatest number. Those of the faster actions are more.
_USUAL_SET = (1, 8)
_ONLY_POSITION = 0.1  # share of the sets in which somebody takes the position of an action and does not begin
_SETS = {"jump_rope": (6, 40), "jumping_jacks": (3, 20), "running_on_treadmill": (8, 50), "handstand_walking": (3, 16),
         "push_ups": (1, 14), "lunges": (1, 12), "squat": (1, 10), "clean_and_jerk": (1, 2),
         "snatch_weight_lifting": (1, 3)}  # fmt: skip

# Equal to importer.faults in conf/dataset/synthetic_sessions.yaml.
_FAULTS = partial(
    Faults,
    annotated_share=0.2,
    head=0.05,
    jitter=1.6,
    cropped=0.15,
    confident=0.35,
    unsteady=0.7,
    collapsed=0.5,
    faint=0.4,
)
_WITHOUT_NAME = 0.2  # share of other exercises that go back and forth between poses of any two motions


class Session(NamedTuple):
    """A session as observed, and which motion is done when: names, first frames and ends."""

    sequence: SkeletonSequence
    motions: list[tuple[str, int, int]]


@dataclass(frozen=True)
class SyntheticSessions:
    """Generates sessions; it is an importer, and can also generate them in memory.

    Session `index` depends only on the seed and the index. Each has another body, style and camera, and is a group.

    Attributes:
        n_clips: Number of sessions.
        seed: Seed of all sessions.
        test_share: Share of the sessions that are in test.
        seconds: Least and greatest usual length of a session.
        actions: Share of the performances that are sets of the 14 actions.
        others: Share of those that are other exercises; the rest are everyday motions.
        any_view: Share of performances that are filmed from any direction, instead of a usual one of the action.
        cuts: Mean number of camera cuts a minute.
        lost: Mean number of times a minute that the person is not found.
        faults: Simulated errors of a pose estimator or annotator; None gives perfect keypoints.
    """

    n_clips: int = 1200
    seed: int = 0
    test_share: float | int = 0.1
    seconds: Sequence[float | int] = (15, 45)
    actions: float | int = 0.5
    others: float | int = 0.3
    any_view: float | int = 0.45
    cuts: float | int = 1.0
    lost: float | int = 0.7
    faults: Faults | None = field(default_factory=_FAULTS)

    def __post_init__(self) -> None:
        if not isinstance(self.n_clips, int) or self.n_clips < 2:
            raise ActrecError(f"importer.n_clips is {self.n_clips!r}; expected a whole number, at least 2.")
        if not isinstance(self.seed, int) or self.seed < 0:
            raise ActrecError(f"importer.seed is {self.seed!r}; expected a whole number of at least 0.")
        for name in ("test_share", "actions", "others", "any_view"):
            if not 0 <= getattr(self, name) <= 1:
                raise ActrecError(f"importer.{name} is {getattr(self, name)!r}; expected a share from 0 to 1.")
        if self.actions + self.others > 1:
            raise ActrecError(f"importer.actions={self.actions} and importer.others={self.others} are more than 1.")
        least, greatest = self.seconds
        if not 1 <= least <= greatest:
            raise ActrecError(f"importer.seconds is {list(self.seconds)}; expected two ascending numbers, at least 1.")

    def __call__(self, raw: Path | None = None) -> list[ClipSource]:
        """Lists the sessions, which are generated when they are loaded; `raw` is not read."""
        inputs = {name: repr(getattr(self, name)) for name in self.__dataclass_fields__ if name != "n_clips"}
        return [
            ClipSource(
                self._name(index),
                "synthetic",
                f"session {index} of seed {self.seed}",
                partial(self.clip, index),
                row={"group": self._name(index), "split": self._split(index)},
                inputs=inputs,
            )
            for index in range(self.n_clips)
        ]

    def clips(self) -> list[SkeletonSequence]:
        """Generates all sessions."""
        return [self.clip(index) for index in range(self.n_clips)]

    def clip(self, index: int) -> SkeletonSequence:
        """Generates one session."""
        return self.session(index).sequence

    def session(self, index: int) -> Session:
        """Generates one session, with the names of its motions."""
        rng = np.random.default_rng((self.seed, index, 1))
        actor = Actor(Body.sample(rng).as_estimated(rng), rng, draw_rate(rng))
        script = self._direct(actor)
        size = picture_size(actor)
        keypoints = self._film(actor, script, size)
        labels = [segment.label for segment in script.segments for _ in range(segment.end - segment.start)]
        return Session(
            SkeletonSequence(
                keypoints,
                fps=actor.fps,
                skeleton="coco17",
                label=max(labels, key=labels.count) if labels else NONE,
                clip_id=self._name(index),
                source="synthetic",
                group=self._name(index),
                split=self._split(index),
                width=size[0],
                height=size[1],
                segments=script.segments,
                repetition=script.repetition,
            ),
            script.motions,
        )

    def _direct(self, actor: Actor) -> Script:
        """Draws the motions: often a way in, then sets, other exercises and rests, in any order."""
        seconds = actor.u(*self.seconds)
        favourites = [tuple(ACTIONS)[int(i)] for i in actor.rng.choice(len(ACTIONS), 3, replace=False)]
        director = Director(actor, lambda name: usual_yaw(actor, name, self.any_view))
        if actor.chance(0.5):
            _draw_other(director, DAILY)
        while director.seconds < seconds:
            kind = actor.pick({"action": self.actions, "other": self.others, "daily": 1 - self.actions - self.others})
            if kind == "action":
                label = favourites[int(actor.rng.integers(3))]
                least, greatest = _SETS.get(label, _USUAL_SET)
                if actor.chance(_ONLY_POSITION):
                    director.hold(label, ACTIONS[label], actor.u(1.5, 6.0))
                    continue
                count = least + int((greatest - least + 1) * actor.rng.random() ** 1.5)
                director.set_of(label, ACTIONS[label], count)
            elif kind == "other" and actor.chance(_WITHOUT_NAME):
                director.mixed((*ACTIONS.values(), *OTHERS, *DAILY), 1 + int(6 * actor.rng.random()))
            else:
                _draw_other(director, OTHERS if kind == "other" else DAILY)
        return director.script()

    def _film(self, actor: Actor, script: Script, size: tuple[int, int]) -> Float[ndarray, "frame 17 3"]:
        """Films a session in shots, each from another place, and simulates the errors of its observation."""
        n_frames, fps = len(script.joints), actor.fps
        n_cuts = int(actor.rng.poisson(self.cuts * n_frames / fps / 60))
        cuts = sorted(int(cut) for cut in actor.rng.integers(1, max(n_frames - 1, 2), n_cuts))
        shots = [(start, end) for start, end in zip([0, *cuts], [*cuts, n_frames], strict=True) if end - start > 1]
        keypoints = np.zeros((n_frames, 17, 3), dtype=np.float32)
        for number, (start, end) in enumerate(shots):
            yaw = actor.u(-np.pi, np.pi) if number and actor.chance(0.5) else 0.3 * actor.rng.standard_normal()
            keypoints[start:end] = self._shot(actor, script.joints[start:end], yaw, size)
        for _ in range(int(actor.rng.poisson(self.lost * n_frames / fps / 60))):
            start, length = int(actor.rng.integers(n_frames)), int(actor.around(0.5, 0.8) * fps)
            keypoints[start : start + length] = 0
        for motion, start, end in script.motions:
            if self.faults is not None:
                keypoints[start:end, hidden_joints(actor, motion)] = 0
        return keypoints

    def _shot(
        self, actor: Actor, joints: Float[ndarray, "frame 17 3"], yaw: float, size: tuple[int, int]
    ) -> Float[ndarray, "frame 17 3"]:
        t = np.arange(len(joints)) / actor.fps
        view = look(actor, joints, yaw, t, size, anywhere=True)
        image = _zoomed(actor, view.image, size, t)
        if self.faults is None:
            return np.concatenate([image, np.ones_like(image[..., :1])], -1).astype(np.float32)
        return self.faults(view.camera, image, *size, actor.fps, actor.rng)

    def _split(self, index: int) -> str:
        return "test" if index < round(self.test_share * self.n_clips) else "train"

    def _name(self, index: int) -> str:
        return f"session_{self.seed}_{index:06d}"


def _draw_other(director: Director, motions: tuple[Callable, ...]) -> None:
    actor = director.actor
    motion = motions[int(actor.rng.integers(len(motions)))]
    director.other(motion.__name__, motion, 1 + int(6 * actor.rng.random() ** 1.5))


def _zoomed(
    actor: Actor, image: Float[ndarray, "frame 17 2"], size: tuple[int, int], t: Float[ndarray, " frame"]
) -> Float[ndarray, "frame 17 2"]:
    """Zooms a shot: most not at all, some in or out, some onto a part of the body throughout."""
    kind = actor.pick({"none": 0.75, "zoom": 0.15, "close": 0.1})
    if kind == "none":
        return image
    middle = 0.5 * np.array(size) if kind == "zoom" else image[len(image) // 2, int(actor.rng.integers(17))]
    if kind == "close":
        return (image - middle) * actor.u(1.3, 2.2) + 0.5 * np.array(size)
    rate, start = actor.u(-0.5, 0.5), actor.u(0.0, max(float(t[-1]) - 2.0, 0.1))
    scale = np.exp(rate * np.clip((t - start) / actor.u(0.8, 3.0), 0, 1))
    return (image - middle) * scale[:, None, None] + middle
