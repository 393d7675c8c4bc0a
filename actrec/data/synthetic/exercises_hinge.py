"""Other motions of bent hips: deadlifts, good mornings, rows, swings."""

from __future__ import annotations

import numpy as np

from actrec.data.synthetic.body import Limbs, Pose, both, free_arms, shoulders
from actrec.data.synthetic.exercise_parts import hanging_arms, hinge
from actrec.data.synthetic.motion import Actor, cycles, repetitions
from actrec.data.synthetic.standing import gaze


def deadlift(actor: Actor) -> Pose:
    """Lifts a weight from the floor to the hips with straight arms."""
    a, b = actor, actor.body
    rep = repetitions(a, 2.6, hold=0.1, rest=0.12)
    u = rep.u if a.chance(0.6) else 1 - rep.u  # begins upright, or at the floor
    lean = a.u(0.9, 1.45) * u
    knee = a.u(0.1, 0.55) * b.shank * u
    trunk, legs = hinge(a, rep.t, lean - a.u(0, 0.1) * (1 - u), knee)
    grip = b.shoulder_width * a.u(0.3, 0.75)
    return Pose(
        trunk, hanging_arms(a, rep.t, trunk, grip, a.u(-0.05, 0.15)), legs, gaze(a, rep.t, lean * a.u(0.2, 0.9))
    )


def romanian_deadlift(actor: Actor) -> Pose:
    """Bends at the hips with nearly straight knees and a weight in the hands."""
    a, b = actor, actor.body
    rep = repetitions(a, 2.8, hold=0.06, rest=0.1)
    lean = a.u(0.7, 1.5) * rep.u
    trunk, legs = hinge(a, rep.t, lean, a.u(0.0, 0.12) * b.shank * rep.u)
    return Pose(
        trunk,
        hanging_arms(a, rep.t, trunk, b.shoulder_width * a.u(0.3, 0.8)),
        legs,
        gaze(a, rep.t, lean * a.u(0.3, 1.0)),
    )


def good_morning(actor: Actor) -> Pose:
    """Bends at the hips with a bar on the back, or hands at the head."""
    a, b = actor, actor.body
    rep = repetitions(a, 2.6, hold=0.06, rest=0.1)
    lean = a.u(0.6, 1.4) * rep.u
    trunk, legs = hinge(a, rep.t, lean, a.u(0.0, 0.12) * b.shank * rep.u)
    reach = both(a.u(-0.1, 0.08), a.u(0.12, 0.7), a.u(-0.02, 0.25)) + 0.03 * a.rng.standard_normal((1, 2, 3))
    arms = free_arms(b, trunk, np.broadcast_to(reach, (len(rep.t), 2, 3)), both(-0.5, 0.4, -1))
    return Pose(trunk, arms, legs, gaze(a, rep.t, lean * a.u(0.3, 1.0)))


def bent_over_row(actor: Actor) -> Pose:
    """Pulls a weight to the belly, bent over; with both arms or one."""
    a, b = actor, actor.body
    rep = repetitions(a, 1.7, hold=0.08, rest=0.1)
    lean = np.full(len(rep.t), a.u(0.6, 1.45)) + 0.08 * rep.u * a.u(-1, 1)
    trunk, legs = hinge(a, rep.t, lean, np.full(len(rep.t), a.u(0.0, 0.35) * b.shank))
    down = both(a.u(-0.1, 0.15), a.u(0.0, 0.2), -0.96)
    up = both(a.u(-0.35, -0.05), a.u(0.05, 0.3), a.u(-0.45, -0.2))
    one = np.array([1.0, 1.0]) if a.chance(0.65) else (np.array([1.0, 0.0]) if a.chance(0.5) else np.array([0.0, 1.0]))
    u = (rep.u[:, None] * one)[..., None]
    sh = shoulders(b, trunk)
    return Pose(
        trunk,
        Limbs(sh + b.arm * (down + u * (up - down)), np.broadcast_to(both(-1, a.u(0.1, 0.8), 0.6), sh.shape)),
        legs,
        gaze(a, rep.t, lean * a.u(0.3, 1)),
    )


def kettlebell_swing(actor: Actor) -> Pose:
    """Swings a weight between the legs and up to the chest or overhead."""
    a, b = actor, actor.body
    t, phase = cycles(a, a.around(0.65, 0.15), 1.0, 6.0, at_rest=0.5)
    u = 0.5 + 0.5 * np.cos(phase)
    lean = a.u(0.7, 1.2) * u
    trunk, legs = hinge(a, t, lean, a.u(0.05, 0.3) * b.shank * u)
    angle = (-0.5 + (a.u(1.5, 2.0) if a.chance(0.7) else a.u(2.6, 3.0)) * (1 - u)) + 0.5
    sh = shoulders(b, trunk)
    ends = (
        both(0.97 * np.sin(angle - 0.6 * u), -0.35 * b.shoulder_width / b.arm * 0.9, -0.97 * np.cos(angle - 0.6 * u))
        * b.arm
    )
    return Pose(trunk, Limbs(sh + ends, np.broadcast_to(both(0.2, 1, -0.5), sh.shape)), legs, gaze(a, t, 0.5 * lean))


HINGE = (deadlift, romanian_deadlift, good_morning, bent_over_row, kettlebell_swing)
