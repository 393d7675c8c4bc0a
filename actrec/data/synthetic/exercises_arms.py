"""Other motions of the arms of an upright body, standing or seated: curls, presses, raises, pulls."""

from __future__ import annotations

import numpy as np

from actrec.data.synthetic.body import Array, Pose, both, free_arms
from actrec.data.synthetic.exercise_parts import upright
from actrec.data.synthetic.motion import Actor, cycles, repetitions
from actrec.data.synthetic.standing import gaze


def _arm_exercise(
    a: Actor,
    seconds: float,
    low: Array,
    high: Array,
    pole: Array,
    seated: float = 0.15,
    alternate: float = 0.2,
    lean: float = 0.0,
) -> Pose:
    """Moves the hands between two places, given from the shoulders in arm lengths; also one after the other."""
    rep = repetitions(a, seconds, hold=0.08, rest=0.12)
    trunk, legs = upright(a, rep.t, a.chance(seated), a.u(-1, 1) * lean * rep.u)
    u = np.stack([rep.u, rep.u], 1)
    if a.chance(alternate):
        left = (rep.number % 2 == 0)[:, None] if a.chance(0.5) else np.ones((len(rep.t), 1), bool)
        u = np.where(left == np.array([[True, False]]), u, 0)
    low = low + 0.05 * a.rng.standard_normal((1, 2, 3))
    high = high + 0.05 * a.rng.standard_normal((1, 2, 3))
    bow = np.sin(np.pi * u)[..., None] * 0.08 * a.rng.standard_normal((1, 1, 3))
    return Pose(
        trunk,
        free_arms(a.body, trunk, low + u[..., None] * (high - low) + bow, pole),
        legs,
        gaze(a, rep.t, a.u(-0.2, 0.3)),
    )


def curl(actor: Actor) -> Pose:
    """Bends the elbows with a weight in the hands."""
    a = actor
    return _arm_exercise(
        a,
        1.9,
        both(a.u(0.0, 0.12), a.u(0.0, 0.2), -0.97),
        both(a.u(0.12, 0.35), a.u(0.0, 0.2), a.u(-0.3, -0.02)),
        both(-0.6, 0.3, -1),
        alternate=0.4,
        lean=0.1,
    )


def overhead_press(actor: Actor) -> Pose:
    """Presses a weight from the shoulders overhead."""
    a = actor
    return _arm_exercise(
        a,
        2.0,
        both(a.u(0.02, 0.25), a.u(0.05, 0.45), a.u(-0.08, 0.2)),
        both(a.u(-0.08, 0.1), a.u(0.0, 0.35), 0.96),
        both(0.3, 0.6, -1),
        seated=0.35,
        alternate=0.15,
        lean=0.12,
    )


def lateral_raise(actor: Actor) -> Pose:
    """Raises straight arms to the side or to the front."""
    a = actor
    front = a.u(0.0, 1.0) if a.chance(0.4) else a.u(0.0, 0.25)
    top = a.u(-0.1, 0.35) if a.chance(0.8) else a.u(0.7, 0.95)
    side = np.sqrt(max(1 - top**2, 0.02))
    return _arm_exercise(
        a,
        1.8,
        both(a.u(0.0, 0.15), a.u(0.05, 0.25), -0.95),
        0.95 * both(front * side, np.sqrt(max(1 - front**2, 0.0)) * side, top),
        both(-0.4, 0.3, -0.6),
        alternate=0.15,
    )


def upright_row(actor: Actor) -> Pose:
    """Pulls a weight up along the body to the chest or chin; or shrugs."""
    a = actor
    return _arm_exercise(
        a,
        1.8,
        both(0.15, a.u(-0.2, 0.1), -0.95),
        both(a.u(0.1, 0.25), a.u(-0.15, 0.1), a.u(-0.4, -0.05) if a.chance(0.8) else -0.86),
        both(-0.1, 1, 0.6),
        seated=0.0,
    )


def triceps_extension(actor: Actor) -> Pose:
    """Straightens the elbows overhead, or downwards on a cable."""
    a = actor
    if a.chance(0.5):
        return _arm_exercise(
            a,
            1.8,
            both(a.u(-0.3, -0.1), a.u(-0.1, 0.1), a.u(0.15, 0.4)),
            both(a.u(-0.05, 0.1), 0.0, 0.95),
            both(0.5, 0.3, 1),
            seated=0.3,
        )
    return _arm_exercise(
        a,
        1.6,
        both(a.u(0.3, 0.45), a.u(-0.1, 0.1), a.u(-0.3, -0.1)),
        both(a.u(0.05, 0.2), a.u(-0.1, 0.15), -0.94),
        both(-0.8, 0.2, -0.6),
        seated=0.0,
        lean=0.1,
    )


def lat_pull_down(actor: Actor) -> Pose:
    """Pulls a bar from overhead to the chest, seated or kneeling, or rows on a cable."""
    a = actor
    wide = a.u(0.1, 0.6)
    return _arm_exercise(
        a,
        2.0,
        both(a.u(0.0, 0.25), wide, np.sqrt(max(0.95 - wide**2, 0.3))),
        both(a.u(0.1, 0.3), wide * a.u(0.6, 1.1), a.u(-0.25, 0.1)),
        both(-0.3, 0.6, -1),
        seated=1.0,
        alternate=0.03,
        lean=0.25,
    )


def seated_row(actor: Actor) -> Pose:
    """Pulls handles to the belly, seated."""
    a = actor
    return _arm_exercise(
        a,
        1.8,
        both(0.93, a.u(-0.1, 0.1), a.u(-0.25, 0.1)),
        both(a.u(0.1, 0.3), a.u(0.0, 0.25), a.u(-0.5, -0.25)),
        both(-1, 0.4, -0.3),
        seated=0.9,
        alternate=0.1,
        lean=0.25,
    )


def chest_press_machine(actor: Actor) -> Pose:
    """Pushes the hands forward, seated or standing, or flies with a cable."""
    a = actor
    return _arm_exercise(
        a,
        1.9,
        both(a.u(0.1, 0.3), a.u(0.15, 0.6), a.u(-0.3, 0.0)),
        both(0.93, a.u(-0.2, 0.1), a.u(-0.3, 0.1)),
        both(-0.3, 1, -0.2),
        seated=0.6,
        alternate=0.15,
        lean=0.1,
    )


def arm_circles(actor: Actor) -> Pose:
    """Circles with straight arms, small or large."""
    a, b = actor, actor.body
    t, phase = cycles(a, a.around(0.9, 0.4), 1.0, 8.0)
    trunk, legs = upright(a, t)
    size = a.u(0.1, 0.4) if a.chance(0.5) else a.u(0.8, 1.0)
    offset = np.array([0, np.pi * a.chance(0.3)])
    p = phase[:, None] + offset
    side = 0.95 * (1 - size * 0.8)
    reach = both(size * np.cos(p), side + 0.1, size * np.sin(p))
    reach = 0.95 * reach / np.linalg.norm(reach, axis=-1, keepdims=True)
    return Pose(trunk, free_arms(b, trunk, reach, both(-0.5, 0.3, -0.6)), legs, gaze(a, t, 0.0))


ARMS = (
    curl,
    overhead_press,
    lateral_raise,
    upright_row,
    triceps_extension,
    lat_pull_down,
    seated_row,
    chest_press_machine,
    arm_circles,
)
