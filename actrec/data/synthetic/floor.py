"""Actions with hands or back on the floor, a wall or a bench: push-ups, wall push-ups, sit-ups, bench press, handstand
push-ups and handstand walking."""

from __future__ import annotations

import numpy as np

from actrec.data.synthetic.body import Array, Limbs, Pose, Trunk, both, free_arms, free_legs, head_of, hung, orient, vec
from actrec.data.synthetic.motion import Actor, Repetitions, cycles, ease, repetitions, sway
from actrec.data.synthetic.standing import gaze

_WRIST = 0.05  # height of the wrist over what the hand rests on, in metres


def _plank(
    actor: Actor, rep: Repetitions, length: float, foot: Array, hand: Array, reach: Array, grip: float
) -> tuple[Trunk, Limbs]:
    """Computes a stiff body between fixed hands and feet while the arms bend.

    Args:
        length: From the foot to the shoulders, along the body.
        foot: Position (x, z) of the feet, or of the knees if they are on the floor.
        hand: Position (x, z) of the hands.
        reach: From hand to shoulder, in each frame.
        grip: Half the distance between the hands.
    """
    a, b = actor, actor.body
    wobble, bend, shift, tilt = sway(a, rep.t, [0.015, 0.04, 0.01, 0.03])
    reach = np.sqrt(np.maximum(reach**2 - (grip - 0.5 * b.shoulder_width) ** 2, (0.3 * reach) ** 2)) + wobble * b.arm
    line = hand - foot
    apart = float(np.hypot(*line))
    along = np.clip((length**2 - reach**2 + apart**2) / (2 * apart), -length, length)  # two circles meet
    aside = np.sqrt(np.maximum(length**2 - along**2, 0))
    x = foot[0] + (along * line[0] - aside * line[1]) / apart
    z = foot[1] + (along * line[1] + aside * line[0]) / apart
    pitch = np.arctan2(x - foot[0], z - foot[1])
    sag = a.u(-0.12, 0.12) + bend + a.u(-0.1, 0.1) * rep.u
    trunk = hung(b, vec(x, shift, z), orient(pitch - sag), orient(pitch + sag, 0.0, tilt))
    flare = a.u(0.2, 1.5)
    arms = Limbs(both(hand[0], grip, hand[1]), both(-np.cos(flare), np.sin(flare), 0.2))
    return trunk, Limbs(np.broadcast_to(arms.ends, (len(rep.t), 2, 3)), arms.poles)


def push_ups(actor: Actor) -> Pose:
    """Bends and straightens the arms face down, on feet or knees, some with feet or hands on a bench."""
    a, b = actor, actor.body
    rep = repetitions(a, 1.5, hold=0.05, rest=0.08)
    kind = a.pick({"floor": 0.74, "knees": 0.12, "feet_up": 0.07, "hands_up": 0.07})
    length = b.thigh + b.torso if kind == "knees" else 0.99 * b.leg + b.torso
    foot = np.array([0.0, {"knees": 0.06, "feet_up": a.u(0.3, 0.55)}.get(kind, 0.12)])
    straight, bent = a.u(0.9, 0.985) * b.arm, a.u(0.22, 0.52) * b.arm
    hand_z = _WRIST + (a.u(0.1, 0.45) if kind == "hands_up" else 0)
    top = hand_z + 0.97 * straight
    shoulder_x = np.sqrt(max(length**2 - (top - foot[1]) ** 2, 0.01))
    hand = np.array([shoulder_x + a.u(-0.12, 0.1), hand_z])
    grip = b.shoulder_width * a.u(0.35, 1.05)
    trunk, arms = _plank(a, rep, length, foot, hand, straight + (bent - straight) * rep.u, grip)
    if kind == "knees":
        legs = free_legs(b, trunk, np.zeros((len(rep.t), 2)), np.full((len(rep.t), 2), a.u(0.5, 1.9)))
    else:
        legs = Limbs(both(foot[0], a.u(0.15, 0.9) * b.hip_width, foot[1]), trunk.hips[:, None, 0] + 0.0)
    pitch = np.arctan2(trunk.chest[:, 2, 0], trunk.chest[:, 2, 2])
    return Pose(trunk, arms, legs, gaze(a, rep.t, pitch - a.u(-0.1, 0.7)), rep.done)


def wall_pushups(actor: Actor) -> Pose:
    """Leans towards a wall and back, standing, with both hands on the wall."""
    a, b = actor, actor.body
    rep = repetitions(a, 2.0, hold=0.08, rest=0.1)
    length = 0.99 * b.leg + b.torso
    foot = np.array([0.0, b.ankle + a.u(0.0, 0.05)])
    hand = np.array([a.u(0.65, 1.15) * b.leg, (b.standing + b.torso) * a.u(0.78, 1.05)])
    straight, bent = a.u(0.9, 0.985) * b.arm, a.u(0.35, 0.65) * b.arm
    grip = b.shoulder_width * a.u(0.35, 0.9)
    trunk, arms = _plank(a, rep, length, foot, hand, straight + (bent - straight) * rep.u, grip)
    arms = Limbs(arms.ends, both(a.u(-0.4, 0.1), a.u(0.3, 1.2), -1))
    legs = Limbs(both(0.0, a.u(0.2, 0.9) * b.hip_width, foot[1]), both(1, 0.1, 0))
    pitch = np.arctan2(trunk.chest[:, 2, 0], trunk.chest[:, 2, 2])
    return Pose(trunk, arms, legs, gaze(a, rep.t, a.u(0.0, 1.0) * pitch), rep.done)


def sit_ups(actor: Actor) -> Pose:
    """Raises and lowers the chest from lying on the back; hands are at the head, crossed, or reach forward."""
    a, b = actor, actor.body
    rep = repetitions(a, 2.4, hold=0.05, rest=0.06)
    how = a.pick({"behind_head": 0.34, "crossed": 0.4, "forward": 0.18, "overhead": 0.08})
    lying = -np.pi / 2 + a.u(-0.1, 0.15)
    risen = a.u(-0.35, 0.5) if a.chance(0.86) else a.u(-1.05, -0.5)  # crunches
    nod, shift, turn, wobble = sway(a, rep.t, [0.03, 0.01, 0.03, 0.03])
    chest_pitch = lying + ease(0.15 + 0.85 * rep.u**0.85) * (risen - lying) * rep.u**0.15 + nod
    hips_pitch = lying + a.u(0.2, 0.65) * (risen - lying) * rep.u**1.4
    trunk = Trunk(
        vec(0.0, shift, 0.11), orient(hips_pitch), orient(chest_pitch, turn, (a.chance(0.1) * 0.5) * rep.u + wobble)
    )
    if how == "behind_head":
        middle = head_of(b, trunk, trunk.chest)[:, None]
        ends = middle + both(a.u(-0.08, 0.04), a.u(0.03, 0.13), a.u(-0.06, 0.06)) @ trunk.chest
        arms = Limbs(ends, both(a.u(-0.2, 1.6), 1, 0.2) @ trunk.chest)
    else:
        down = ease(rep.u * 1.3)[:, None, None] if how == "overhead" else 1.0
        low = both(0.3, -0.42, -0.25) if how == "crossed" else both(a.u(0.6, 0.9), a.u(-0.2, 0.0), a.u(-0.5, -0.1))
        reach = (1 - down) * both(0.1, 0.1, 0.95) + down * low
        reach = reach + 0.04 * a.rng.standard_normal((1, 2, 3)) + sway(a, rep.t, [0.02] * 3).T[:, None]
        arms = free_arms(b, trunk, reach, both(-0.2, 1, -0.7))
    knee = a.u(1.35, 2.35) if a.chance(0.9) else a.u(0.1, 0.6)
    apart = np.sqrt(b.thigh**2 + b.shank**2 + 2 * b.thigh * b.shank * np.cos(knee))
    heel = a.u(0.04, 0.1) if a.chance(0.88) else a.u(0.2, 0.6)  # or hooked up on a bench
    slide = sway(a, rep.t, [0.015], 0.3)[0]
    ankles = both(np.sqrt(max(apart**2 - (heel - 0.11) ** 2, 0.01)) + slide, a.u(0.2, 0.8) * b.hip_width, heel)
    lifted = a.chance(0.12) * 0.25 * rep.u
    ankles = ankles + vec(-0.4 * lifted, 0.0, lifted)[:, None]
    return Pose(trunk, arms, Limbs(ankles, both(0.3, 0.1, 1)), gaze(a, rep.t, chest_pitch + a.u(-0.1, 0.5)), rep.done)


def bench_press(actor: Actor) -> Pose:
    """Presses a bar or dumbbells up from the chest, lying on a bench; hips and feet do not move."""
    a, b = actor, actor.body
    rep = repetitions(a, 2.3, hold=0.06, rest=0.1)
    height = a.u(0.4, 0.52)
    incline = 0.35 if a.evenness else 0.1
    lying = -np.pi / 2 + (a.u(0.4, 0.9) if a.chance(incline) else a.u(-0.05, 0.12))
    arch, shift, wobble, push = sway(a, rep.t, [0.02, 0.008, 0.015, 0.015])
    n = len(rep.t)
    hips = orient(lying - a.u(0.0, 0.15) + arch)
    trunk = Trunk(vec(0.0, shift, np.full(n, height + 0.1)), hips, orient(lying + a.u(-0.1, 0.2) + arch))
    middle = trunk.pelvis + 0.5 * b.torso * (trunk.hips[:, 2] + trunk.chest[:, 2])
    straight = a.u(0.93, 0.99)
    grip = b.shoulder_width * a.u(0.55, 1.25)
    narrow = a.u(0.35, 0.8) if a.chance(0.18) else 1.0  # dumbbells meet at the top
    rise = np.sqrt(max((straight * b.arm) ** 2 - (narrow * grip - 0.5 * b.shoulder_width) ** 2, 0.04))
    low_x, low_z = a.u(0.05, 0.5) * b.torso, a.u(0.1, 0.24)
    path = rep.u ** a.u(0.7, 1.3)
    x = middle[:, 0] + a.u(-0.06, 0.05) + path * low_x + push
    z = middle[:, 2] + rise + rep.u * (low_z - rise)
    tilt = (a.u(-0.03, 0.03) + wobble)[:, None] * np.array([1, -1])
    ends = both(x, grip * (narrow + (1 - narrow) * rep.u), z[:, None] + tilt)
    arms = Limbs(ends, both(a.u(-0.1, 0.8), 1, -1.0))
    on_bench = a.chance(0.08)
    forward = a.u(0.7, 1.15) * b.thigh if not on_bench else 0.6 * b.thigh
    apart = a.u(0.8, 1.9) * a.varied(1.0, 0.9, 1.6)
    feet = both(forward, apart * 0.5 * b.hip_width + (0 if on_bench else 0.08), height if on_bench else b.ankle)
    feet = feet + 0.03 * a.rng.standard_normal((1, 2, 3)) * [1, 1, 0]
    legs = Limbs(feet, both(0.4, a.u(0.1, 0.6), 1))
    return Pose(trunk, arms, legs, gaze(a, rep.t, lying + 0.1), rep.done)


def handstand_pushups(actor: Actor) -> Pose:
    """Bends and straightens the arms in a handstand, free or at a wall; some performances kip with the legs."""
    a, b = actor, actor.body
    rep = repetitions(a, 1.8, hold=0.06, rest=0.12)
    straight, bent = a.u(0.93, 0.99) * b.arm, a.u(0.42, 0.68) * b.arm
    grip = b.shoulder_width * a.u(0.45, 0.95)
    lean, shift, bend, tilt = sway(a, rep.t, [0.025, 0.01, 0.04, 0.02])
    wall = a.u(-0.25, 0.25)  # leaning towards a wall, on either side
    pitch = np.pi + wall + lean
    reach = straight + (bent - straight) * rep.u
    z = _WRIST + np.sqrt(np.maximum(reach**2 - (grip - 0.5 * b.shoulder_width) ** 2, 0.02))
    x = a.u(-0.05, 0.05) + a.u(-0.15, 0.1) * rep.u
    arch = a.u(-0.2, 0.2) + bend
    trunk = hung(b, vec(x, shift, z), orient(pitch - arch), orient(pitch + arch, 0.0, tilt))
    n = len(rep.t)
    kip = rep.u**3 if a.chance(0.25) else np.zeros(n)
    hip = (a.u(-0.2, 0.25) + bend)[:, None] + 0.05 * a.rng.standard_normal((1, 2)) + 1.6 * kip[:, None]
    knee = a.u(0.02, 0.35) + np.abs(0.08 * a.rng.standard_normal((1, 2))) + 1.7 * kip[:, None]
    arms = Limbs(both(np.zeros(n), grip, _WRIST), both(a.u(-1.0, 0.6), 1, 0.1))
    legs = free_legs(b, trunk, hip, np.broadcast_to(knee, hip.shape), a.u(0.0, 0.12))
    return Pose(trunk, arms, legs, gaze(a, rep.t, pitch - a.u(-0.1, 0.6)), rep.done)


def handstand_walking(actor: Actor) -> Pose:
    """Walks on the hands, with legs bent over or split for balance."""
    a, b = actor, actor.body
    t, phase = cycles(a, a.around(0.9, 0.22), 1.2, 7.0)
    n = len(t)
    stride, lift = a.u(0.06, 0.2), a.u(0.04, 0.14)
    hand = phase[:, None] + np.array([0, np.pi])
    pace = a.u(0.75, 1.1) * stride * (phase[-1] - phase[0]) / (t[-1] - t[0] + 1e-6) / np.pi * 2
    ahead = pace * t
    swing = np.clip(np.mod(hand, 2 * np.pi) / np.pi - 1, 0, 1)
    ends = both(
        ahead[:, None] + stride * np.cos(hand), a.u(0.4, 0.75) * b.shoulder_width, _WRIST + lift * np.sin(np.pi * swing)
    )
    lean, shift, bend, turn = sway(a, t, [0.06, 0.02, 0.08, 0.1])
    roll = a.u(0.03, 0.14) * np.sin(phase)
    pitch = np.pi - a.u(-0.05, 0.25) + lean
    arch = a.u(0.0, 0.35) + 0.3 * bend
    bob = 0.02 * np.cos(2 * phase)
    top = _WRIST + 0.94 * b.arm + bob
    trunk = hung(
        b,
        vec(ahead + a.u(-0.05, 0.1), shift + 0.04 * np.sin(phase), top),
        orient(pitch - arch, turn, roll),
        orient(pitch + 0.5 * arch, turn, roll),
    )
    paddle = a.u(0.0, 0.3) * np.sin(phase[:, None] + np.array([0, np.pi]) + a.u(0, 6))
    hip = a.u(-0.5, 0.3) + a.u(0, 0.4) * np.array([[1, -1]]) * (1 if a.chance(0.5) else 0) + paddle + bend[:, None]
    knee = np.broadcast_to(a.u(0.05, 1.2) * (0.6 + 0.4 * a.rng.random((1, 2))), (n, 2)) + 0.5 * np.maximum(paddle, 0)
    legs = free_legs(b, trunk, hip, knee, a.u(0.0, 0.2))
    return Pose(trunk, Limbs(ends, both(a.u(-0.5, 0.5), 1, 0)), legs, gaze(a, t, pitch - a.u(0.0, 0.7)))
