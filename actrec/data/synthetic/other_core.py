"""Other motions."""

from __future__ import annotations

import numpy as np

from actrec.data.synthetic.body import (
    Array,
    Limbs,
    Pose,
    Trunk,
    both,
    free_arms,
    free_legs,
    hung,
    orient,
    shoulders,
    vec,
)
from actrec.data.synthetic.motion import Actor, Times, cycles, ease, performance, repetitions, sway
from actrec.data.synthetic.standing import gaze


def _feet(a: Actor, apart: float, ahead: float = 0.0) -> Limbs:
    feet = both(ahead, apart, a.body.ankle) + 0.02 * a.rng.standard_normal((1, 2, 3)) * [1, 1, 0]
    return Limbs(feet, both(1, a.u(0.05, 0.5), 0.1))


def _hinge(a: Actor, rep, lean: Times, knee: Times, turn: float = 0.0) -> tuple[Trunk, Limbs]:
    """Bends at the hips by `lean` while the pelvis goes down by `knee` metres and back over fixed feet."""
    b = a.body
    wobble, shift, yaw, tilt = sway(a, rep.t, [0.03, 0.012, 0.03, 0.02])
    apart = a.u(0.7, 1.6) * b.hip_width * 0.6
    back = (0.2 * b.torso + a.u(0.0, 0.25) * b.thigh) * np.sin(np.clip(lean, 0, 1.6))
    top = b.astride(abs(apart - 0.5 * b.hip_width) + 0.5 * float(np.max(back)) * 0 + 0.03)
    z = np.minimum(top - knee, b.astride(back))
    curve = a.u(-0.05, 0.3) * np.clip(lean, 0, 1.6)
    trunk = Trunk(
        vec(0.03 - back, shift, z), orient(lean - curve + wobble, yaw), orient(lean + curve + wobble, yaw + turn, tilt)
    )
    return trunk, _feet(a, apart)


def _hanging(a: Actor, t: Times, trunk: Trunk, grip: float, forward: float = 0.05, reach: float = 0.97) -> Limbs:
    """Lets straight arms hang from the shoulders."""
    sh = shoulders(a.body, trunk)
    off = both(forward, (grip - 0.5 * a.body.shoulder_width) / a.body.arm, -reach) * a.body.arm
    noise = sway(a, t, [0.015, 0.015, 0.01], 0.4).T[:, None]
    return Limbs(sh + off + noise, np.broadcast_to(both(-1, 0.5, 0.2), sh.shape))


def deadlift(actor: Actor) -> Pose:
    """Lifts a weight from the floor to the hips with straight arms."""
    a, b = actor, actor.body
    rep = repetitions(a, 2.6, hold=0.1, rest=0.12)
    u = rep.u if a.chance(0.6) else 1 - rep.u  # begins upright, or at the floor
    lean = a.u(0.9, 1.45) * u
    knee = a.u(0.1, 0.55) * b.shank * u
    trunk, legs = _hinge(a, rep, lean - a.u(0, 0.1) * (1 - u), knee)
    grip = b.shoulder_width * a.u(0.3, 0.75)
    return Pose(trunk, _hanging(a, rep.t, trunk, grip, a.u(-0.05, 0.15)), legs, gaze(a, rep.t, lean * a.u(0.2, 0.9)))


def romanian_deadlift(actor: Actor) -> Pose:
    """Bends at the hips with nearly straight knees and a weight in the hands."""
    a, b = actor, actor.body
    rep = repetitions(a, 2.8, hold=0.06, rest=0.1)
    lean = a.u(0.7, 1.5) * rep.u
    trunk, legs = _hinge(a, rep, lean, a.u(0.0, 0.12) * b.shank * rep.u)
    return Pose(
        trunk, _hanging(a, rep.t, trunk, b.shoulder_width * a.u(0.3, 0.8)), legs, gaze(a, rep.t, lean * a.u(0.3, 1.0))
    )


def good_morning(actor: Actor) -> Pose:
    """Bends at the hips with a bar on the back, or hands at the head."""
    a, b = actor, actor.body
    rep = repetitions(a, 2.6, hold=0.06, rest=0.1)
    lean = a.u(0.6, 1.4) * rep.u
    trunk, legs = _hinge(a, rep, lean, a.u(0.0, 0.12) * b.shank * rep.u)
    reach = both(a.u(-0.1, 0.08), a.u(0.12, 0.7), a.u(-0.02, 0.25)) + 0.03 * a.rng.standard_normal((1, 2, 3))
    arms = free_arms(b, trunk, np.broadcast_to(reach, (len(rep.t), 2, 3)), both(-0.5, 0.4, -1))
    return Pose(trunk, arms, legs, gaze(a, rep.t, lean * a.u(0.3, 1.0)))


def bent_over_row(actor: Actor) -> Pose:
    """Pulls a weight to the belly, bent over; with both arms or one."""
    a, b = actor, actor.body
    rep = repetitions(a, 1.7, hold=0.08, rest=0.1)
    lean = np.full(len(rep.t), a.u(0.6, 1.45)) + 0.08 * rep.u * a.u(-1, 1)
    trunk, legs = _hinge(a, rep, lean, np.full(len(rep.t), a.u(0.0, 0.35) * b.shank))
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
    rep = type("R", (), {"t": t})
    lean = a.u(0.7, 1.2) * u
    trunk, legs = _hinge(a, rep, lean, a.u(0.05, 0.3) * b.shank * u)
    angle = (-0.5 + (a.u(1.5, 2.0) if a.chance(0.7) else a.u(2.6, 3.0)) * (1 - u)) + 0.5
    sh = shoulders(b, trunk)
    ends = (
        both(0.97 * np.sin(angle - 0.6 * u), -0.35 * b.shoulder_width / b.arm * 0.9, -0.97 * np.cos(angle - 0.6 * u))
        * b.arm
    )
    return Pose(trunk, Limbs(sh + ends, np.broadcast_to(both(0.2, 1, -0.5), sh.shape)), legs, gaze(a, t, 0.5 * lean))


def _upright(a: Actor, t: Times, seated: bool = False, lean: float | Times = 0.0) -> tuple[Trunk, Limbs]:
    b = a.body
    wobble, shift, yaw, tilt = sway(a, t, [0.03, 0.012, 0.03, 0.02])
    if seated:
        height = a.u(0.4, 0.55)
        trunk = Trunk(
            vec(0.0, shift, np.full(len(t), height)),
            orient(a.u(-0.25, 0.1) + wobble, yaw),
            orient(a.u(-0.3, 0.15) + lean + wobble, yaw, tilt),
        )
        ahead = a.u(0.5, 1.0) * b.thigh + a.u(0, 0.3)
        return trunk, Limbs(
            both(ahead, a.u(0.3, 1.1) * b.hip_width, b.ankle) + 0.03 * a.rng.standard_normal((1, 2, 3)) * [1, 1, 0],
            both(0.6, a.u(0, 0.4), 1),
        )
    apart = a.u(0.15, 1.2) * b.hip_width
    trunk = Trunk(
        vec(0.02, shift, b.astride(abs(apart - 0.5 * b.hip_width) + 0.04) - a.u(0, 0.03)),
        orient(0.4 * (a.u(-0.08, 0.12) + lean) + wobble, yaw),
        orient(a.u(-0.1, 0.15) + lean + wobble, yaw, tilt),
    )
    return trunk, _feet(a, apart)


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
    trunk, legs = _upright(a, rep.t, a.chance(seated), a.u(-1, 1) * lean * rep.u)
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
    trunk, legs = _upright(a, t)
    size = a.u(0.1, 0.4) if a.chance(0.5) else a.u(0.8, 1.0)
    offset = np.array([0, np.pi * a.chance(0.3)])
    p = phase[:, None] + offset
    side = 0.95 * (1 - size * 0.8)
    reach = both(size * np.cos(p), side + 0.1, size * np.sin(p))
    reach = 0.95 * reach / np.linalg.norm(reach, axis=-1, keepdims=True)
    return Pose(trunk, free_arms(b, trunk, reach, both(-0.5, 0.3, -0.6)), legs, gaze(a, t, 0.0))


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
        _hanging(a, rep.t, trunk, b.shoulder_width * a.u(0.5, 0.7)),
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
        _feet(a, a.u(0.4, 1.0) * b.hip_width),
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


def lying_legs(actor: Actor) -> Pose:
    """Lies on the back and raises, bends or cycles the legs, or lifts the hips."""
    a, b = actor, actor.body
    rep = repetitions(a, 2.0, hold=0.1, rest=0.1)
    kind = a.pick({"raise": 0.35, "bicycle": 0.25, "flutter": 0.15, "bridge": 0.25})
    n, lying = len(rep.t), -np.pi / 2 + a.u(-0.05, 0.12)
    nod, shift, yaw, wob = sway(a, rep.t, [0.03, 0.01, 0.02, 0.03])
    crunch = (a.u(0.2, 0.6) if kind == "bicycle" else a.u(0.0, 0.15)) + nod
    twist = 0.4 * np.sin(np.pi * rep.t / 0.9) if kind == "bicycle" else 0 * rep.t
    lift = a.u(0.12, 0.3) * rep.u if kind == "bridge" else 0 * rep.t
    trunk = Trunk(
        vec(0.0, shift, 0.11 + lift), orient(lying - 1.4 * lift), orient(lying + crunch - 0.5 * lift, 0.0, twist)
    )
    if kind == "bridge":
        legs = Limbs(both(a.u(0.5, 0.9) * b.leg * 0.75, a.u(0.3, 0.8) * b.hip_width, 0.06), both(0.3, 0.1, 1))
    else:
        alt = np.stack([np.sin(np.pi * rep.t / a.u(0.4, 1.0)), -np.sin(np.pi * rep.t / a.u(0.4, 1.0))], 1)
        hip = {
            "raise": np.stack([rep.u] * 2, 1) * a.u(0.9, 1.7) + 0.1,
            "bicycle": 1.0 + 0.55 * alt,
            "flutter": 0.4 + 0.2 * alt,
        }[kind]
        knee = {"raise": np.full((n, 2), a.u(0, 0.4)), "bicycle": 1.1 + 0.9 * alt, "flutter": np.full((n, 2), 0.05)}[
            kind
        ]
        legs = free_legs(b, trunk, hip, np.maximum(knee, 0))
    if kind == "bicycle":
        ends = trunk.pelvis[:, None] + (b.torso + b.neck) * trunk.chest[:, None, 2] + both(-0.04, 0.1, 0) @ trunk.chest
        arms = Limbs(ends, both(0.5, 1, 0.2) @ trunk.chest)
    else:
        arms = free_arms(b, trunk, np.broadcast_to(both(0.0, a.u(0.05, 0.5), -0.93), (n, 2, 3)), both(0.2, 1, 0))
    return Pose(trunk, arms, legs, gaze(a, rep.t, lying + a.u(0, 0.5)))


def russian_twist(actor: Actor) -> Pose:
    """Sits leaning back and turns the trunk from side to side, with feet on the floor or raised."""
    a, b = actor, actor.body
    t, phase = cycles(a, a.around(0.7, 0.35), 1.0, 6.0)
    n = len(t)
    turn = a.u(0.35, 1.0) * np.sin(phase)
    lean = -a.u(0.25, 0.95)
    wobble, shift, yaw, tilt = sway(a, t, [0.04, 0.01, 0.03, 0.03])
    trunk = Trunk(
        vec(0.0, shift, np.full(n, 0.12)), orient(lean + wobble, 0.25 * turn), orient(lean + 0.2 + wobble, turn, tilt)
    )
    knee_up = a.chance(0.5)
    heel = a.u(0.15, 0.5) if knee_up else 0.06
    feet = both(a.u(0.45, 0.75) * b.leg, a.u(0.15, 0.6) * b.hip_width, heel)
    reach = both(a.u(0.25, 0.6), -0.27, a.u(-0.45, -0.1)) + (0.25 * np.sin(phase))[:, None, None] * np.array(
        [0, 1.0, -0.3]
    )
    return Pose(
        trunk,
        free_arms(b, trunk, reach, both(-0.2, 0.8, -0.8)),
        Limbs(np.broadcast_to(feet, (n, 2, 3)), both(0.4, 0.1, 1)),
        gaze(a, t, 0.2 + 0 * lean),
    )


def plank(actor: Actor) -> Pose:
    """Holds a plank on hands, forearms or one side, still or with small movements of a limb."""
    a, b = actor, actor.body
    kind = a.pick({"hands": 0.4, "forearms": 0.35, "side": 0.25})
    rep = repetitions(a, 2.0, hold=0.2, rest=0.3)
    n = len(rep.t)
    wobble, bend, shift, tilt = sway(a, rep.t, [0.012, 0.03, 0.01, 0.03], 0.4)
    reach = {"hands": 0.96 * b.arm, "forearms": b.upper_arm + 0.03, "side": (0.96 if a.chance(0.4) else 0.58) * b.arm}[
        kind
    ]
    length = 0.99 * b.leg + b.torso
    foot_z = a.u(0.08, 0.14)
    rise = np.arcsin(np.clip((reach - foot_z + 0.04) / length, -0.2, 0.7)) + wobble * 0.3
    pike = a.u(-0.06, 0.12) + (a.u(0.0, 0.5) * rep.u if a.chance(0.25) else 0) + 0.5 * bend
    pitch = np.pi / 2 - rise
    sh = vec(length * np.cos(rise) * 0.995, shift, foot_z + length * np.sin(rise))
    roll = (1 if a.chance(0.5) else -1) * np.pi / 2 * a.u(0.8, 1.05) if kind == "side" else 0.0
    trunk = hung(b, sh, orient(pitch + pike, 0.0, roll), orient(pitch - pike, 0.0, roll + tilt))
    legs = Limbs(
        both(np.zeros(n), a.u(0.1, 0.8) * b.hip_width if kind != "side" else 0.05, np.full((n, 2), foot_z)),
        np.broadcast_to(trunk.hips[:, None, 0] + 0.0, (n, 2, 3)),
    )
    x = sh[:, 0] + a.u(-0.1, 0.1)
    grip = b.shoulder_width * a.u(0.4, 0.7)
    if kind == "hands":
        arms = Limbs(both(x, grip, np.full(n, 0.05)), both(-0.5, 0.6, 0.2))
    elif kind == "forearms":
        arms = Limbs(
            both(x + 0.95 * b.forearm * a.u(0.8, 1.0), grip * a.u(0.3, 1.0), np.full(n, 0.05)), both(-0.6, 0.1, -1)
        )
    else:
        free = both(0.0, 0.0, 0.93) if a.chance(0.6) else both(0.1, 0.1, -0.6)
        ends = shoulders(b, trunk)
        low = ends * [1, 1, 0] + [0, 0, 0.05]
        high = ends + b.arm * np.broadcast_to(free[:, :1], ends.shape)
        below = ends[..., 2:] < ends[..., 2:].mean(1, keepdims=True)
        arms = Limbs(np.where(below, low, high), np.broadcast_to(both(-0.6, 0.2, 0.1), ends.shape))
    if a.chance(0.2) and kind == "hands":  # shoulder taps, raised arms
        left = (rep.number % 2 == 0)[:, None] == np.array([[True, False]])
        up = (left * rep.u[:, None])[..., None]
        arms = Limbs(arms.ends + up * np.array([-0.05, 0, 0.4 * b.arm]), arms.poles)
    return Pose(trunk, arms, legs, gaze(a, rep.t, pitch - a.u(-0.1, 0.7)))


def mountain_climber(actor: Actor) -> Pose:
    """Pulls the knees to the chest in turn, in a plank on the hands."""
    a, b = actor, actor.body
    t, phase = cycles(a, a.around(1.1, 0.4), 1.0, 8.0)
    n = len(t)
    wobble, bend, shift, tilt = sway(a, t, [0.02, 0.03, 0.01, 0.03], 0.5)
    length = 0.99 * b.leg + b.torso
    rise = np.arcsin((0.95 * b.arm - 0.05) / length) + 0.3 * wobble + a.u(0, 0.08)
    pike = a.u(0.0, 0.25) + bend
    pitch = np.pi / 2 - rise
    sh = vec(length * np.cos(rise), shift, 0.1 + length * np.sin(rise))
    trunk = hung(b, sh, orient(pitch + pike), orient(pitch - 0.5 * pike, 0.0, tilt))
    leg = np.clip(0.5 + 0.8 * np.sin(phase[:, None] + np.array([0, np.pi])), 0, 1)
    hip, knee = -pike[:, None] * 0.5 + leg * a.u(1.2, 1.9), leg * a.u(1.2, 2.2) + 0.05
    arms = Limbs(both(sh[:, 0], b.shoulder_width * 0.55, np.full(n, 0.05)), both(-0.5, 0.6, 0.2))
    return Pose(trunk, arms, free_legs(b, trunk, hip, knee), gaze(a, t, pitch - a.u(0, 0.7)))


def kneeling_floor(actor: Actor) -> Pose:
    """Kneels on all fours and moves the back, an arm or a leg: cat and cow, bird dog, donkey kick."""
    a, b = actor, actor.body
    rep = repetitions(a, 2.5, hold=0.15, rest=0.1)
    n = len(rep.t)
    shift, nod, wob = sway(a, rep.t, [0.01, 0.03, 0.03])
    arch = a.u(0.0, 0.5) * rep.u if a.chance(0.4) else 0.0 * rep.u
    pitch = np.pi / 2 - a.u(-0.15, 0.1)
    pelvis = vec(-b.torso, shift, np.full(n, b.thigh * a.u(0.85, 0.98)))
    trunk = Trunk(pelvis, orient(pitch + arch + nod), orient(pitch - arch, 0.0, wob))
    one = np.array([1.0, 0.0]) if a.chance(0.5) else np.array([0.0, 1.0])
    limb = rep.u[:, None] * one * a.chance(0.6)
    hip = 1.5 - limb * a.u(1.0, 1.7)
    knee = np.full((n, 2), 1.5) - limb * a.u(0.0, 1.4)
    sh = shoulders(b, trunk)
    floor = sh * [1, 1, 0] + [0.02, 0, 0.05]
    ends = floor + (limb[:, ::-1] * a.chance(0.6))[..., None] * np.array([0.8 * b.arm, 0, 0.9 * b.arm])
    return Pose(
        trunk,
        Limbs(ends, np.broadcast_to(both(-0.5, 0.6, 0.1), (n, 2, 3))),
        free_legs(b, trunk, hip, knee),
        gaze(a, rep.t, pitch - a.u(0, 0.6)),
    )


def dip(actor: Actor) -> Pose:
    """Lowers the body between two bars or in front of a bench by bending the arms, and pushes it up."""
    a, b = actor, actor.body
    rep = repetitions(a, 1.8, hold=0.06, rest=0.1)
    bench = a.chance(0.4)
    n = len(rep.t)
    hands = a.u(0.4, 0.5) if bench else a.u(1.0, 1.3)
    grip = b.shoulder_width * a.u(0.5, 0.75)
    drop = a.u(0.35, 0.6) * b.upper_arm
    lean = a.u(-0.05, 0.15) + a.u(0.0, 0.5) * rep.u * (not bench)
    shift, wob, tilt = sway(a, rep.t, [0.01, 0.02, 0.02])
    x = a.u(0.0, 0.12) + 0.1 * rep.u * (not bench)
    trunk = hung(
        b, vec(x, shift, hands + 0.96 * b.arm - drop * rep.u), orient(lean + wob), orient(lean + wob, 0.0, tilt)
    )
    arms = Limbs(both(np.full(n, 0.0 if not bench else -0.05), grip, np.full(n, hands)), both(-1, a.u(0.0, 0.5), 0.1))
    if bench:
        legs = Limbs(
            np.broadcast_to(both(a.u(0.6, 0.95) * b.leg, a.u(0.2, 0.6) * b.hip_width, b.ankle), (n, 2, 3)),
            both(0.3, 0.1, 1),
        )
    else:
        hip = a.u(-0.3, 0.4) + 0.2 * rep.u[:, None] + np.zeros((1, 2))
        legs = free_legs(b, trunk, hip, np.full((n, 2), a.u(0.0, 1.7)))
    return Pose(trunk, arms, legs, gaze(a, rep.t, lean))


def hang(actor: Actor) -> Pose:
    """Hangs from a bar without pulling up, still, swinging, or raising the legs."""
    a, b = actor, actor.body
    rep = repetitions(a, 2.0, hold=0.1, rest=0.2)
    n = len(rep.t)
    swing, shift, tilt = sway(a, rep.t, [a.u(0.02, 0.12), 0.02, 0.03], 0.5)
    grip = b.shoulder_width * a.u(0.4, 0.95)
    top = vec(0.3 * swing, shift, np.full(n, 2.35 - 0.97 * b.arm - 0.15 * b.torso))
    trunk = hung(b, top, orient(swing), orient(0.5 * swing, 0.0, tilt))
    raised = rep.u * (a.u(0.8, 1.9) if a.chance(0.5) else 0.0)
    hip = raised[:, None] + 0.05 * a.rng.standard_normal((1, 2))
    knee = np.abs(raised[:, None] * a.u(0, 1.2) + a.u(0, 0.4) + np.zeros((1, 2)))
    arms = Limbs(both(np.zeros(n), grip, np.full(n, 2.33)), both(-0.3, 0.6, -1))
    return Pose(trunk, arms, free_legs(b, trunk, hip, knee), gaze(a, rep.t, a.u(-0.3, 0.2)))


def lying_arms(actor: Actor) -> Pose:
    """Lies on a bench or the floor and flies, extends the elbows, pulls over, or only holds the weight."""
    a, b = actor, actor.body
    rep = repetitions(a, 2.3, hold=0.1, rest=0.1)
    n = len(rep.t)
    kind = a.pick({"fly": 0.35, "skull": 0.25, "over": 0.2, "hold": 0.2})
    height = a.u(0.4, 0.52) if a.chance(0.8) else 0.02
    lying = -np.pi / 2 + a.u(-0.05, 0.3)
    arch, shift, wob = sway(a, rep.t, [0.02, 0.008, 0.02])
    trunk = Trunk(
        vec(0.0, shift, np.full(n, height + 0.1)), orient(lying + arch), orient(lying + a.u(-0.1, 0.1) + arch, 0.0, wob)
    )
    top = both(0.95, a.u(-0.2, 0.15), a.u(-0.1, 0.15))
    low = {
        "fly": both(a.u(0.0, 0.3), 0.85, 0.05),
        "skull": both(0.45, -0.1, a.u(0.3, 0.6)),
        "over": both(a.u(-0.2, 0.3), -0.1, 0.9),
        "hold": top + 0.0,
    }[kind]
    u = rep.u[:, None, None]
    pole = both(0.2, 0.3, 1) if kind == "skull" else both(-0.2, 0.6, -1)
    feet = both(a.u(0.7, 1.15) * b.thigh, a.u(0.5, 1.0) * b.hip_width, b.ankle)
    return Pose(
        trunk,
        free_arms(b, trunk, top + u * (low - top), pole),
        Limbs(np.broadcast_to(feet, (n, 2, 3)), both(0.4, 0.3, 1)),
        gaze(a, rep.t, lying),
    )


def hip_thrust(actor: Actor) -> Pose:
    """Lifts the hips with the shoulders on a bench."""
    a, b = actor, actor.body
    rep = repetitions(a, 2.0, hold=0.12, rest=0.1)
    n = len(rep.t)
    low, high = a.u(0.15, 0.25), a.u(0.4, 0.52)
    z = low + (high - low) * rep.u
    lift = np.arcsin(np.clip((0.45 - z) / b.torso, -0.5, 0.9))
    pitch = -np.pi / 2 + lift
    nod, shift = sway(a, rep.t, [0.03, 0.008])
    trunk = Trunk(vec(0.0, shift, z), orient(pitch), orient(pitch + 0.15 + nod))
    feet = both(a.u(0.85, 1.1) * b.thigh, a.u(0.3, 0.9) * b.hip_width, b.ankle)
    reach = both(a.u(0.2, 0.4), a.u(0.0, 0.3), -0.8)
    return Pose(
        trunk,
        free_arms(b, trunk, np.broadcast_to(reach, (n, 2, 3)), both(-0.3, 1, 0)),
        Limbs(np.broadcast_to(feet, (n, 2, 3)), both(0.3, 0.1, 1)),
        gaze(a, rep.t, pitch + a.u(0.2, 1.0)),
    )


def leg_machine(actor: Actor) -> Pose:
    """Straightens the knees or pushes with the legs, seated; or cycles."""
    a, b = actor, actor.body
    t, phase = cycles(a, a.around(0.8, 0.4), 1.0, 8.0)
    n = len(t)
    both_legs = a.chance(0.5)
    alt = 0.5 + 0.5 * np.sin(phase[:, None] + np.array([0, 0 if both_legs else np.pi]))
    lean = -a.u(0.0, 0.7) if a.chance(0.6) else a.u(0.2, 0.8)
    wob, shift, yaw = sway(a, t, [0.02, 0.01, 0.02])
    trunk = Trunk(vec(0.0, shift, np.full(n, a.u(0.45, 0.95))), orient(lean + wob), orient(lean + 0.1 + wob, yaw))
    hip, knee = a.u(1.0, 1.6) + 0 * alt - a.u(0, 0.5) * alt, a.u(1.2, 1.8) * (1 - alt) + 0.1
    reach = both(a.u(0.1, 0.7), a.u(-0.05, 0.2), a.u(-0.75, -0.3))
    return Pose(
        trunk,
        free_arms(b, trunk, np.broadcast_to(reach, (n, 2, 3)), both(-0.6, 0.5, -0.6)),
        free_legs(b, trunk, hip + 0.4 * lean, knee),
        gaze(a, t, 0.0),
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


def swing_tool(actor: Actor) -> Pose:
    """Swings a bat, a club or a racket, or throws, with a turn of the trunk."""
    a, b = actor, actor.body
    rep = repetitions(a, 1.6, hold=0.0, rest=0.5, out=0.6)
    wind = np.where(rep.returning, rep.u, rep.u) * np.where(rep.returning, 1.0, 1.0)
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


def stand(actor: Actor) -> Pose:
    """Stands, with arms hanging, crossed, on the hips, at the face, or gesturing."""
    a, b = actor, actor.body
    t = performance(a, a.u(2.0, 7.0))
    n = len(t)
    trunk, legs = _upright(a, t)
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
    trunk, legs = _upright(a, t, True, a.u(-0.2, 0.7))
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
    rep = type("R", (), {"t": t})
    trunk, legs = _hinge(a, rep, lean, a.u(0.1, 1.0) * b.shank * u)
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


CORE = (
    deadlift,
    romanian_deadlift,
    good_morning,
    bent_over_row,
    kettlebell_swing,
    curl,
    overhead_press,
    lateral_raise,
    upright_row,
    triceps_extension,
    lat_pull_down,
    seated_row,
    chest_press_machine,
    arm_circles,
    high_knees,
    kick,
    punch,
    step_up,
    sit_to_stand,
    vertical_jump,
    burpee,
    lying_legs,
    russian_twist,
    plank,
    mountain_climber,
    kneeling_floor,
    dip,
    hang,
    lying_arms,
    hip_thrust,
    leg_machine,
    dance,
    random_motion,
    swing_tool,
)
REST = (stand, sit, walk, crouch, lie)
