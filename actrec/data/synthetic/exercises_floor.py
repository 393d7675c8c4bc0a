"""Other motions on the floor: planks, twists, leg raises, on all fours."""

from __future__ import annotations

import numpy as np

from actrec.data.synthetic.body import Limbs, Pose, Trunk, both, free_arms, free_legs, hung, orient, shoulders, vec
from actrec.data.synthetic.motion import Actor, cycles, repetitions, sway
from actrec.data.synthetic.standing import gaze


def lying_legs(actor: Actor) -> Pose:
    """Lies on the back and raises, bends or cycles the legs, or lifts the hips."""
    a, b = actor, actor.body
    rep = repetitions(a, 2.0, hold=0.1, rest=0.1)
    kind = a.pick({"raise": 0.35, "bicycle": 0.25, "flutter": 0.15, "bridge": 0.25})
    n, lying = len(rep.t), -np.pi / 2 + a.u(-0.05, 0.12)
    nod, shift = sway(a, rep.t, [0.03, 0.01])
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
    wobble, shift, tilt = sway(a, t, [0.04, 0.01, 0.03])
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


FLOOR = (lying_legs, russian_twist, plank, mountain_climber, kneeling_floor)
