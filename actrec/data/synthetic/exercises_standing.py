"""Other motions on the feet: steps, jumps, kicks, punches, swings, and random ones."""

from __future__ import annotations

import numpy as np

from actrec.data.synthetic.body import Limbs, Pose, Trunk, both, free_arms, free_legs, orient, shoulders, vec
from actrec.data.synthetic.exercise_parts import hanging_arms, planted_feet
from actrec.data.synthetic.motion import Actor, cycles, ease, performance, repetitions, sway
from actrec.data.synthetic.standing import gaze


def high_knees(actor: Actor) -> Pose:
    """Raises the knees to the hips on the spot, in turn; marches or hops."""
    a, b = actor, actor.body
    t, phase = cycles(a, a.around(1.2, 0.3), 1.0, 10.0)
    leg = np.maximum(np.sin(phase[:, None] + np.array([0, np.pi])), 0) ** a.u(0.6, 1.2)
    hip = a.u(1.2, 1.75) * leg
    knee = hip * a.u(0.9, 1.3)
    wobble, shift, yaw, tilt = sway(a, t, [0.04, 0.02, 0.05, 0.02])
    hop = a.u(0.0, 0.06) * np.abs(np.sin(phase))
    trunk = Trunk(
        vec(0.0, shift, b.standing + hop),
        orient(a.u(-0.1, 0.15) + wobble, yaw),
        orient(a.u(-0.1, 0.15) + wobble, yaw, tilt),
    )
    legs = free_legs(b, trunk, hip, knee)
    how = a.pick({"run": 0.5, "front": 0.25, "hips": 0.25})
    if how == "run":
        s = a.u(0.3, 0.9) * np.sin(phase[:, None] + np.array([np.pi, 0]))
        reach = both(0.35 + 0.4 * s, a.u(0, 0.2), -0.55 + 0.3 * s)
    else:
        reach = np.broadcast_to(both(*((0.6, -0.05, -0.35) if how == "front" else (0.05, 0.2, -0.65))), (len(t), 2, 3))
    return Pose(trunk, free_arms(b, trunk, reach, both(-1, 0.3, -0.5)), legs, gaze(a, t, 0.0))


def kick(actor: Actor) -> Pose:
    """Kicks to the front, the side, or in a circle, with a guard."""
    a, b = actor, actor.body
    rep = repetitions(a, 1.3, hold=0.03, rest=0.5)
    wobble, shift, yaw, tilt = sway(a, rep.t, [0.05, 0.02, 0.1, 0.03])
    side = a.u(0.0, 0.8)
    one = np.array([1.0, 0.0]) if a.chance(0.5) else np.array([0.0, 1.0])
    hip = a.u(0.8, 1.9) * rep.u[:, None] * one
    knee = a.u(0.6, 2.0) * np.sin(np.pi * rep.u)[:, None] * one + 0.05
    trunk = Trunk(
        vec(0.0, shift, np.full(len(rep.t), b.standing - 0.03)),
        orient(-0.3 * rep.u + wobble, yaw),
        orient(-0.3 * rep.u + wobble, yaw, tilt),
    )
    legs = free_legs(b, trunk, hip, knee, 0.05 + side * 0.5 * rep.u[:, None] * one)
    guard = both(a.u(0.2, 0.45), a.u(-0.2, 0.1), a.u(-0.25, 0.2)) + sway(a, rep.t, [0.05] * 3, 0.8).T[:, None]
    return Pose(trunk, free_arms(b, trunk, guard, both(0.2, 0.4, -1)), legs, gaze(a, rep.t, 0.0))


def punch(actor: Actor) -> Pose:
    """Boxes: straight punches and hooks in turn from a guard."""
    a, b = actor, actor.body
    rep = repetitions(a, 0.6, hold=0.0, rest=0.2)
    wobble, shift, yaw, tilt = sway(a, rep.t, [0.05, 0.03, 0.15, 0.03], 0.8)
    left = (rep.number + a.chance(0.5)) % 2 == 0
    u = np.where(left[:, None] == np.array([[True, False]]), rep.u[:, None], 0)[..., None]
    guard = both(a.u(0.2, 0.4), a.u(-0.2, 0.05), a.u(-0.2, 0.2))
    target = both(a.u(0.7, 0.95), a.u(-0.35, 0.1), a.u(-0.2, 0.3))
    twist = 0.5 * rep.u * np.where(left, -1, 1)
    stagger = a.u(0.1, 0.3)
    trunk = Trunk(
        vec(0.02 * np.sin(6 * rep.t), shift, b.astride(stagger) - 0.05),
        orient(0.1 + wobble, yaw + 0.4 * twist),
        orient(0.15 + wobble, yaw + twist, tilt),
    )
    x = np.array([[stagger, -stagger]])
    return Pose(
        trunk,
        free_arms(b, trunk, guard + u * (target - guard), both(-0.2, 0.8, -0.6)),
        Limbs(both(x, 0.14, b.ankle + np.array([[0, 0.05]])), both(1, 0.1, 0.1)),
        gaze(a, rep.t, 0.0),
    )


def step_up(actor: Actor) -> Pose:
    """Steps onto a box and down again, one leg after the other."""
    a, b = actor, actor.body
    rep = repetitions(a, 2.2, hold=0.1, rest=0.1)
    height, ahead = a.u(0.2, 0.5), a.u(0.3, 0.5)
    first, second = ease(rep.u / 0.5), ease((rep.u - 0.5) / 0.5)
    sw = (np.broadcast_to(rep.number + int(a.chance(0.5)), first.shape) % 2 == 1)[:, None]
    x = ahead * np.stack([first, second], 1)
    z = b.ankle + height * np.stack([ease(first * 1.6), ease(second * 1.6)], 1)
    x, z = np.where(sw, x[:, ::-1], x), np.where(sw, z[:, ::-1], z)
    wobble, shift, yaw, tilt = sway(a, rep.t, [0.04, 0.02, 0.05, 0.03])
    lean = a.u(0.1, 0.5) * np.sin(np.pi * rep.u) + wobble
    pelvis = b.standing - 0.02 + height * second - 0.04 * np.sin(np.pi * first)
    trunk = Trunk(
        vec(ahead * (0.5 * first + 0.5 * second) - 0.05, shift, pelvis),
        orient(0.6 * lean, yaw),
        orient(lean, yaw, tilt),
    )
    return Pose(
        trunk,
        hanging_arms(a, rep.t, trunk, b.shoulder_width * a.u(0.5, 0.7)),
        Limbs(both(x, a.u(0.3, 0.6) * b.hip_width, z), both(1, 0.1, 0.1)),
        gaze(a, rep.t, 0.3 * lean),
    )


def sit_to_stand(actor: Actor) -> Pose:
    """Sits down on a chair or the floor's edge, and stands up."""
    a, b = actor, actor.body
    rep = repetitions(a, 3.0, hold=0.6, rest=0.4)
    seat = a.u(0.38, 0.55)
    lean = a.u(0.4, 0.9) * np.sin(np.pi * rep.u) + a.u(-0.2, 0.3) * rep.u
    back = a.u(0.3, 0.5) * rep.u
    wobble, shift, yaw, tilt = sway(a, rep.t, [0.03, 0.012, 0.04, 0.02])
    trunk = Trunk(
        vec(-back, shift, b.standing - 0.02 + rep.u * (seat - b.standing)),
        orient(0.6 * lean + wobble, yaw),
        orient(lean + wobble, yaw, tilt),
    )
    reach = both(a.u(0.05, 0.35), a.u(-0.1, 0.15), -0.9) + (rep.u[:, None] * a.u(0, 0.35))[..., None] * np.array(
        [1.0, 0, 0.6]
    )
    return Pose(
        trunk,
        free_arms(b, trunk, reach, both(-1, 0.4, -0.2)),
        planted_feet(a, a.u(0.4, 1.0) * b.hip_width),
        gaze(a, rep.t, 0.5 * lean),
    )


def vertical_jump(actor: Actor) -> Pose:
    """Jumps up once in a while, with a swing of the arms."""
    a, b = actor, actor.body
    rep = repetitions(a, 1.3, hold=0.0, rest=0.8)
    dip = np.where(rep.returning, 0, np.sin(np.pi * np.clip(rep.u, 0, 1)))
    air = np.where(rep.returning, np.sin(np.pi * rep.u), 0) * a.u(0.15, 0.45)
    wobble, shift, yaw, tilt = sway(a, rep.t, [0.03, 0.012, 0.04, 0.02])
    lean = 0.6 * dip + wobble
    trunk = Trunk(
        vec(-0.1 * dip, shift, b.standing - a.u(0.2, 0.4) * dip + air), orient(lean, yaw), orient(lean, yaw, tilt)
    )
    angle = -0.8 * dip + a.u(1.5, 3.0) * (air > 0) * np.sin(np.pi * rep.u)
    reach = 0.9 * both(np.sin(angle), 0.15, -np.cos(angle))
    feet = both(0.0, a.u(0.4, 0.8) * b.hip_width, b.ankle + air)
    return Pose(
        trunk, free_arms(b, trunk, reach, both(-1, 0.2, -0.5)), Limbs(feet, both(1, 0.1, 0)), gaze(a, rep.t, lean)
    )


def burpee(actor: Actor) -> Pose:
    """Crouches, puts the feet back to a plank, and comes back with a jump."""
    a, b = actor, actor.body
    rep = repetitions(a, 2.8, hold=0.1, rest=0.1)
    down, out = ease(rep.u / 0.5), ease((rep.u - 0.5) / 0.5)
    length = 0.98 * b.leg + b.torso
    low = 0.35 * b.leg
    lean = 1.1 * down + out * 0.3
    air = np.where(rep.returning & (rep.u < 0.15), np.sin(np.pi * np.clip(rep.u / 0.15, 0, 1)), 0) * a.u(0.0, 0.25)
    hand_x = 0.55 * b.torso + 0.1
    pelvis = vec(
        -0.15 * down - out * (0.5 * length - 0.2),
        sway(a, rep.t, [0.01], 0.5)[0],
        b.standing + down * (low - b.standing) + out * 0.1 + air,
    )
    trunk = Trunk(pelvis, orient(lean), orient(lean + 0.1 * down))
    sh = shoulders(b, trunk)
    hang = sh + b.arm * both(0.1, 0.1, -0.93)
    floor = np.concatenate(
        [np.full((len(rep.t), 2, 1), hand_x), sh[..., 1:2] * 1.05, np.full((len(rep.t), 2, 1), 0.05)], -1
    )
    w = ease(np.clip(down * 1.3 - 0.3, 0, 1))[:, None, None]
    feet = both(-out * length * 0.62, a.u(0.3, 0.7) * b.hip_width, b.ankle + air + 0.05 * out)
    return Pose(
        trunk,
        Limbs(hang + w * (floor - hang), np.broadcast_to(both(-0.5, 0.6, 0.2), sh.shape)),
        Limbs(feet, both(1, 0.3, 0.2)),
        gaze(a, rep.t, 0.6 * lean),
    )


def swing_tool(actor: Actor) -> Pose:
    """Swings a bat, a club or a racket, or throws, with a turn of the trunk."""
    a, b = actor, actor.body
    rep = repetitions(a, 1.6, hold=0.0, rest=0.5, out=0.6)
    wind = rep.u
    turn = (1 if a.chance(0.5) else -1) * (
        a.u(0.5, 1.1) * wind - np.where(rep.returning, a.u(0.5, 1.2) * (1 - rep.u), 0)
    )
    lean = a.u(0.0, 0.7) + sway(a, rep.t, [0.05], 0.5)[0]
    stance = a.u(0.15, 0.4)
    trunk = Trunk(vec(0.02, 0.1 * turn, b.astride(stance) - 0.05), orient(0.5 * lean, 0.4 * turn), orient(lean, turn))
    low, high = both(a.u(0.3, 0.8), -0.27, a.u(-0.9, -0.2)), both(a.u(0.0, 0.5), -0.2, a.u(0.0, 0.7))
    one = np.array([[[1.0], [1.0]]]) if a.chance(0.6) else np.array([[[1.0], [a.u(0, 0.4)]]])
    reach = low + wind[:, None, None] * one * (high - low)
    x = np.array([[0.0, 0.0]])
    feet = both(x, 0.5 * b.hip_width + 0.5 * stance, b.ankle)
    return Pose(
        trunk,
        free_arms(b, trunk, reach, both(-0.3, 0.8, -0.5)),
        Limbs(feet, both(1, 0.3, 0.1)),
        gaze(a, rep.t, lean * 0.6),
    )


def dance(actor: Actor) -> Pose:
    """Moves trunk, arms and legs smoothly at random, standing."""
    a, b = actor, actor.body
    t = performance(a, a.u(3.0, 9.0))
    n, rate = len(t), a.u(0.25, 0.8)
    p, q, r, s, x, y, dip = sway(a, t, [0.2, 0.3, 0.12, 0.3, 0.1, 0.1, 0.08], rate)
    trunk = Trunk(vec(x, y, b.standing - 0.04 - np.abs(dip)), orient(0.4 * p, q, r), orient(p, q + s, 1.5 * r))
    arms = sway(a, t, [0.45] * 6, rate).T.reshape(n, 2, 3) + both(a.u(0.0, 0.5), a.u(0.1, 0.5), a.u(-0.7, 0.5))
    arms = arms / np.maximum(np.linalg.norm(arms, axis=-1, keepdims=True), 1.0) * 0.96
    step = sway(a, t, [0.1] * 4, rate).T.reshape(n, 2, 2)
    lift = np.maximum(sway(a, t, [0.12] * 2, rate).T - 0.05, 0)
    feet = np.concatenate(
        [
            vec(x, y, 0)[:, None, :2] + step + both(0, a.u(0.4, 1.0) * b.hip_width, 0)[..., :2],
            (b.ankle + lift)[..., None],
        ],
        -1,
    )
    return Pose(
        trunk, free_arms(b, trunk, arms, both(-0.6, 0.6, -0.6)), Limbs(feet, both(1, 0.2, 0.1)), gaze(a, t, 0.5 * p)
    )


def random_motion(actor: Actor) -> Pose:
    """Moves every joint smoothly at random, in any orientation of the trunk."""
    a, b = actor, actor.body
    t = performance(a, a.u(3.0, 8.0))
    n, rate = len(t), a.u(0.2, 0.8)
    p, q, r, s, x, y, z = sway(a, t, [0.3, 0.3, 0.2, 0.3, 0.1, 0.1, 0.1], rate)
    pitch = a.u(-np.pi / 2, np.pi) if a.chance(0.7) else 0.0
    trunk = Trunk(vec(x, y, a.u(0.4, 0.95) + z), orient(pitch + 0.5 * p, q, r), orient(pitch + p, q + s, r))
    arms = sway(a, t, [0.4] * 6, rate).T.reshape(n, 2, 3) + both(a.u(-0.2, 0.9), a.u(-0.1, 0.7), a.u(-0.9, 0.9))
    arms = arms / np.maximum(np.linalg.norm(arms, axis=-1, keepdims=True), 1.0) * 0.97
    hip = a.u(-0.2, 1.6) + 0.4 * a.rng.standard_normal((1, 2)) + sway(a, t, [0.35, 0.35], rate).T
    knee = np.abs(a.u(0.0, 1.8) + 0.3 * a.rng.standard_normal((1, 2)) + sway(a, t, [0.4, 0.4], rate).T)
    return Pose(
        trunk,
        free_arms(b, trunk, arms, both(-0.6, 0.6, -0.6)),
        free_legs(b, trunk, hip, np.clip(knee, 0, 2.4)),
        gaze(a, t, pitch),
    )


STANDING = (high_knees, kick, punch, step_up, sit_to_stand, vertical_jump, burpee, swing_tool, dance, random_motion)
