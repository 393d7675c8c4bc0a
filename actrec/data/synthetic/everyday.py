"""What people do between sets: stand, sit, walk, crouch, lie."""

from __future__ import annotations

import numpy as np

from actrec.data.synthetic.body import Limbs, Pose, Trunk, both, free_arms, free_legs, orient, shoulders, vec
from actrec.data.synthetic.exercise_parts import hinge, upright
from actrec.data.synthetic.motion import Actor, ease, performance, sway
from actrec.data.synthetic.standing import gaze


def stand(actor: Actor) -> Pose:
    """Stands, with arms hanging, crossed, on the hips, at the face, or gesturing."""
    a, b = actor, actor.body
    t = performance(a, a.u(2.0, 7.0))
    n = len(t)
    trunk, legs = upright(a, t)
    places = {
        "hang": (0.05, 0.12, -0.95),
        "hips": (0.08, 0.15, -0.68),
        "crossed": (0.25, -0.35, -0.25),
        "face": (0.25, -0.15, 0.12),
        "front": (0.4, -0.1, -0.4),
        "back": (-0.15, -0.1, -0.75),
    }
    names = [a.pick(dict.fromkeys(places, 1.0) | {"hang": 3.0}) for _ in range(4)]
    left, right = both(*places[names[0]])[0, 0], both(*places[names[1] if a.chance(0.5) else names[0]])[0, 1]
    then = both(*places[names[2]])[0, 0], both(*places[names[3]])[0, 1]
    when, long = a.u(0.2, 0.8) * t[-1], a.u(0.5, 1.2)
    w = (ease((t - when) / long) * a.chance(0.7))[:, None, None]
    base = np.stack([left, right])[None]
    reach = (
        base + w * (np.stack(then)[None] - base) + sway(a, t, [a.u(0.01, 0.1)] * 6, a.u(0.3, 0.9)).T.reshape(n, 2, 3)
    )
    return Pose(trunk, free_arms(b, trunk, reach, both(-0.7, 0.6, -0.6)), legs, gaze(a, t, a.u(-0.2, 0.7)))


def sit(actor: Actor) -> Pose:
    """Sits on a chair, a bench or the floor, with the hands doing this and that."""
    a, b = actor, actor.body
    t = performance(a, a.u(2.0, 7.0))
    n = len(t)
    trunk, legs = upright(a, t, True, a.u(-0.2, 0.7))
    if a.chance(0.3):
        low = 0.12
        trunk = trunk._replace(pelvis=trunk.pelvis * [1, 1, 0] + [0, 0, low])
        legs = Limbs(
            np.broadcast_to(both(a.u(0.3, 0.95) * b.leg, a.u(0.1, 1.2) * b.hip_width, 0.08), (n, 2, 3)),
            both(0.3, a.u(0, 1), 1),
        )
    base = both(a.u(0.1, 0.6), a.u(-0.2, 0.2), a.u(-0.7, 0.1))
    reach = base + sway(a, t, [a.u(0.02, 0.15)] * 6, a.u(0.2, 0.6)).T.reshape(n, 2, 3)
    return Pose(trunk, free_arms(b, trunk, reach, both(-0.6, 0.6, -0.7)), legs, gaze(a, t, a.u(-0.1, 0.8)))


def walk(actor: Actor) -> Pose:
    """Walks some metres."""
    a, b = actor, actor.body
    frequency = a.around(0.9, 0.15)
    t = performance(a, a.u(1.5, 4.0))
    phase = 2 * np.pi * frequency * t + a.u(0, 6)
    stride = a.u(0.18, 0.35) * b.leg
    leg = phase[:, None] + np.array([0, np.pi])
    swing = np.clip(np.mod(leg, 2 * np.pi) / np.pi - 1, 0, 1)
    pace = 4 * stride * frequency
    x = pace * t
    shift, nod, yaw = sway(a, t, [0.02, 0.03, 0.05])
    trunk = Trunk(
        vec(x, shift, b.astride(0.5 * stride) - 0.02 + 0.015 * np.cos(2 * phase)),
        orient(0.05 + nod, 0.1 * np.sin(phase)),
        orient(a.u(-0.05, 0.2) + nod, yaw - 0.1 * np.sin(phase)),
    )
    feet = both(
        x[:, None] + stride * np.cos(leg),
        a.u(0.2, 0.5) * b.hip_width,
        b.ankle + a.u(0.05, 0.12) * np.sin(np.pi * swing),
    )
    s = a.u(0.05, 0.4) * np.cos(leg)
    reach = 0.95 * both(-np.sin(s) + 0.05, a.u(0.05, 0.2), -np.cos(s))
    return Pose(trunk, free_arms(b, trunk, reach, both(-1, 0.3, -0.3)), Limbs(feet, both(1, 0.05, 0)), gaze(a, t, 0.0))


def crouch(actor: Actor) -> Pose:
    """Crouches or bends down to tie a shoe, pick something up or load a weight, and stays down for a while."""
    a, b = actor, actor.body
    t = performance(a, a.u(2.0, 5.0))
    n = len(t)
    u = ease(t / a.u(0.5, 1.2)) * ease((t[-1] - t) / a.u(0.5, 1.2)) if a.chance(0.7) else np.ones(n)
    lean = a.u(0.5, 1.4) * u
    trunk, legs = hinge(a, t, lean, a.u(0.1, 1.0) * b.shank * u)
    if a.chance(0.4):  # one knee on the floor
        legs = Limbs(both(np.array([[a.u(0.2, 0.4), -a.u(0.3, 0.5)]]), 0.5 * b.hip_width, b.ankle), both(1, 0.1, 0.1))
    sh = shoulders(b, trunk)
    reach = both(a.u(0.1, 0.6), a.u(-0.25, 0.1), -a.u(0.6, 0.9)) + sway(a, t, [0.08] * 6, 0.8).T.reshape(n, 2, 3)
    return Pose(
        trunk, Limbs(sh + b.arm * reach, np.broadcast_to(both(-0.8, 0.5, -0.2), sh.shape)), legs, gaze(a, t, lean)
    )


def lie(actor: Actor) -> Pose:
    """Lies on the back, the front or a side."""
    a, b = actor, actor.body
    t = performance(a, a.u(2.0, 5.0))
    n = len(t)
    pitch = -np.pi / 2 + a.u(-0.1, 0.15) if a.chance(0.7) else np.pi / 2
    nod, shift, roll = sway(a, t, [0.02, 0.01, 0.03], 0.3)
    roll = roll + (a.u(-1.5, 1.5) if a.chance(0.3) else 0)
    trunk = Trunk(vec(0.0, shift, np.full(n, 0.12)), orient(pitch, 0.0, roll), orient(pitch + nod, 0.0, roll))
    hip = np.abs(a.u(0, 0.9) + 0.3 * a.rng.standard_normal((1, 2))) * (pitch < 0) + sway(a, t, [0.03, 0.03]).T
    knee = np.abs(2 * hip * a.u(0.7, 1.1))
    reach = both(a.u(0.0, 0.5), a.u(0.0, 0.6), a.u(-0.9, 0.6)) + sway(a, t, [0.05] * 6, 0.4).T.reshape(n, 2, 3)
    return Pose(
        trunk,
        free_arms(b, trunk, reach, both(0.2, 0.8, -0.3)),
        free_legs(b, trunk, hip, np.clip(knee, 0, 2.2)),
        gaze(a, t, pitch),
    )


EVERYDAY = (stand, sit, walk, crouch, lie)
