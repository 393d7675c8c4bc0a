"""Generates clips of the 14 actions by seed and index, for training or for a skeleton store."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np

from actrec.data.store.clip_source import ClipSource
from actrec.data.synthetic.bar import clean_and_jerk, pull_ups, snatch_weight_lifting
from actrec.data.synthetic.body import Body, Pose, joints
from actrec.data.synthetic.camera import look
from actrec.data.synthetic.faults import Faults
from actrec.data.synthetic.floor import (
    bench_press,
    handstand_pushups,
    handstand_walking,
    push_ups,
    sit_ups,
    wall_pushups,
)
from actrec.data.synthetic.motion import Actor
from actrec.data.synthetic.standing import jump_rope, jumping_jacks, lunges, running_on_treadmill, squat
from actrec.skeleton import COCO17
from actrec.types import ActrecError, SkeletonSequence

ACTIONS: dict[str, Callable[[Actor], Pose]] = {
    action.__name__: action
    for action in (
        *(bench_press, squat, clean_and_jerk, handstand_pushups, handstand_walking, jumping_jacks, jump_rope),
        *(lunges, pull_ups, push_ups, running_on_treadmill, sit_ups, snatch_weight_lifting, wall_pushups),
    )
}

# The usual views of each action: yaw of the camera, in degrees from the front, and its standard deviation. As in Penn
# Action's training clips, push-ups, sit-ups and bench press are filmed from the side, jumping jacks from the front.
_VIEWS: dict[str, tuple[tuple[float, float], ...]] = {
    "bench_press": ((35, 25), (70, 25)),
    "squat": ((15, 25), (60, 25)),
    "clean_and_jerk": ((10, 20), (50, 25)),
    "handstand_pushups": ((90, 50), (180, 40)),
    "handstand_walking": ((90, 50), (180, 50)),
    "jumping_jacks": ((0, 15),),
    "jump_rope": ((0, 20), (60, 30)),
    "lunges": ((15, 30), (80, 20)),
    "pull_ups": ((0, 25), (180, 25)),
    "push_ups": ((90, 20), (65, 25), (10, 15)),
    "running_on_treadmill": ((80, 25), (40, 30)),
    "sit_ups": ((90, 20), (60, 25)),
    "snatch_weight_lifting": ((10, 20), (50, 25)),
    "wall_pushups": ((90, 25), (130, 30)),
}
# Parts that equipment hides in the whole clip (bench and rack, bars on shoulders, the edge of the picture), and with
# what probability: how much more often they are never observed in Penn Action's training clips than the body itself
# explains.
_HIDDEN: dict[str, dict[str, float]] = {
    "bench_press": {"nose": 0.3, "shoulder": 0.25, "ankle": 0.4},
    "squat": {"shoulder": 0.25, "wrist": 0.2},
    "pull_ups": {"ankle": 0.25},
    "push_ups": {"hip": 0.1, "ankle": 0.1},
    "sit_ups": {"shoulder": 0.1, "ankle": 0.1},
    "clean_and_jerk": {"shoulder": 0.05},
    "snatch_weight_lifting": {"shoulder": 0.05},
}
_RATES = (30.0, 25.0, 29.97, 24.0, 60.0, 15.0)


@dataclass(frozen=True)
class Synthetic:
    """Generates clips of motion; it is an importer, and can also generate the clips in memory.

    Clip `index` depends only on the seed and the index. Each clip has another body, tempo, style and camera, and is a
    group. Classes alternate.

    Attributes:
        n_clips: Number of clips.
        seed: Seed of all clips; another seed gives another data set.
        test_share: Share of each class's clips that are in test; the first of each class are.
        any_view: Share of clips that are filmed from any direction, instead of a usual one of the action.
        faults: Simulated errors of a pose estimator or annotator; None gives perfect keypoints.
    """

    n_clips: int = 2800
    seed: int = 0
    test_share: float = 0.2
    any_view: float = 0.35
    faults: Faults | None = field(default_factory=Faults)

    def __post_init__(self) -> None:
        if not isinstance(self.n_clips, int) or self.n_clips < len(ACTIONS):
            raise ActrecError(
                f"importer.n_clips is {self.n_clips!r}; expected a whole number, at least {len(ACTIONS)} (actions)."
            )
        if not isinstance(self.seed, int) or self.seed < 0:
            raise ActrecError(f"importer.seed is {self.seed!r}; expected a whole number of at least 0.")
        for name, value in (("test_share", self.test_share), ("any_view", self.any_view)):
            if not isinstance(value, (int, float)) or not 0 <= value <= 1:
                raise ActrecError(f"importer.{name} is {value!r}; expected a share from 0 to 1.")

    def __call__(self, raw: Path | None = None) -> list[ClipSource]:
        """Lists the clips, which are generated when they are loaded; `raw` is not read."""
        inputs = {"seed": self.seed, "any_view": self.any_view, "faults": repr(self.faults)}
        return [
            ClipSource(
                self._name(index),
                "synthetic",
                f"clip {index} of seed {self.seed}",
                partial(self.clip, index),
                row={"label": self._label(index), "group": self._name(index), "split": self._split(index)},
                inputs=inputs,
            )
            for index in range(self.n_clips)
        ]

    def clips(self) -> list[SkeletonSequence]:
        """Generates all clips."""
        return [self.clip(index) for index in range(self.n_clips)]

    def clip(self, index: int) -> SkeletonSequence:
        """Generates one clip."""
        label = self._label(index)
        rng = np.random.default_rng((self.seed, index))
        actor = Actor(Body.sample(rng), rng, draw_rate(rng))
        pose = ACTIONS[label](actor)
        body = joints(actor.body, pose)
        view = look(actor, body, usual_yaw(actor, label, self.any_view), np.arange(len(body)) / actor.fps)
        if self.faults is None:
            keypoints = np.concatenate([view.image, np.ones_like(view.image[..., :1])], -1).astype(np.float32)
        else:
            keypoints = self.faults(view.camera, view.image, view.width, view.height, actor.fps, rng)
            keypoints[:, hidden_joints(actor, label)] = 0
        return SkeletonSequence(
            keypoints,
            fps=actor.fps,
            skeleton="coco17",
            label=label,
            clip_id=self._name(index),
            source="synthetic",
            group=self._name(index),
            split=self._split(index),
            width=view.width,
            height=view.height,
            repetition=None if pose.done is None else pose.done.astype(np.float32),
        )

    def _split(self, index: int) -> str:
        n_test = round(self.test_share * (self.n_clips // len(ACTIONS)))
        return "test" if index // len(ACTIONS) < n_test else "train"

    def _label(self, index: int) -> str:
        return tuple(ACTIONS)[index % len(ACTIONS)]

    def _name(self, index: int) -> str:
        return f"{self._label(index)}_{self.seed}_{index:06d}"


def draw_rate(rng: np.random.Generator) -> float:
    """Draws the frames per second of a clip, most often 30."""
    return _RATES[int(6 * rng.random() ** 2.5)]


def usual_yaw(actor: Actor, motion: str, any_view: float) -> float:
    """Draws the direction of the camera from the body, in radians; 0 is the front, and pi / 2 the left.

    With probability `any_view`, and for motions without a usual view, it is any direction.
    """
    views = _VIEWS.get(motion)
    if actor.chance(any_view) or views is None:
        return actor.u(-np.pi, np.pi)
    yaw, spread = views[int(actor.rng.integers(len(views)))]
    side = 1 if actor.chance(0.5) else -1
    return side * float(np.radians(yaw + spread * actor.rng.standard_normal()))


def hidden_joints(actor: Actor, label: str) -> list[int]:
    """Draws the joints that equipment hides: both sides of a part, or one."""
    parts = [part for part, probability in _HIDDEN.get(label, {}).items() if actor.chance(probability)]
    sides = {part: actor.pick({"left_": 1.0, "right_": 1.0, "": 2.0}) for part in parts}
    split = [(joint.rpartition("_")[2], joint) for joint in COCO17.joints]
    return [
        number
        for number, (part, joint) in enumerate(split)
        if part in parts and (joint == part or joint.startswith(sides[part]))
    ]
