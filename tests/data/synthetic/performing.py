"""An action, performed: what the tests of all actions begin with."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from actrec.data.synthetic.body import Body, joints
from actrec.data.synthetic.motion import Actor
from actrec.skeleton import get_skeleton

INDEX = get_skeleton("coco17").joints.index
SEEDS = range(20)


def perform(action: Callable, seed: int) -> tuple[Body, np.ndarray]:
    """A body of that seed, and its joints: (frame, joint, coordinate) in metres."""
    rng = np.random.default_rng(seed)
    actor = Actor(Body.sample(rng), rng, 30.0)
    return actor.body, joints(actor.body, action(actor))


def joint(body: np.ndarray, name: str) -> np.ndarray:
    return body[:, INDEX(name)]
