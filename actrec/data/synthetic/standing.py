"""Actions on the feet: squat, lunges, jumping jacks, jump rope, running on a treadmill."""

from __future__ import annotations

import numpy as np

from actrec.data.synthetic.body import (
    Array,
    Limbs,
    Pose,
    Trunk,
    Value,
    both,
    free_arms,
    head_of,
    orient,
    shoulders,
    vec,
)
from actrec.data.synthetic.motion import Actor, Times, cycles, ease, repetitions, sway


def gaze(actor: Actor, t: Times, pitch: Value) -> Array:
    """Draws orientations of the head, which nods and turns slightly around that pitch."""
    nod, turn, tilt = sway(actor, t, [0.08, 0.15, 0.06])
    return orient(pitch + actor.u(-0.15, 0.2) + nod, 0.2 * actor.rng.standard_normal() + turn, tilt)


def carried(actor: Actor, t: Times, trunk: Trunk, how: str, u: Times) -> Limbs:
    """Places the arms in a squat or lunge of depth `u`, by what the hands carry."""
    a = actor
    if how == "behind_head":
        head = head_of(a.body, trunk, trunk.chest)[:, None]
        wrists = head + both(-0.06, a.u(0.02, 0.12), a.u(-0.05, 0.1)) @ trunk.chest
        return Limbs(wrists, both(a.u(-0.3, 0.5), 1, 0.2) @ trunk.chest)
    reach, pole = {
        "bar": (
            (a.u(-0.1, 0.08), a.u(0.12, 0.75) * a.varied(1.0, 0.3, 1.0), a.u(-0.02, 0.2) + a.varied(0.0, -0.35, 0.05)),
            (a.varied(-0.5, -1.0, 0.4), 0.4, -1),
        ),
        "rack": ((a.u(0.1, 0.25), a.u(-0.15, 0.15), a.u(-0.02, 0.12)), (1, 0.3, -0.6)),
        "forward": ((0.95, a.u(-0.25, 0.05), a.u(-0.1, 0.25)), (0, 0.6, -1)),
        "clasped": ((a.u(0.35, 0.55), -0.24, a.u(-0.25, 0.0)), (0.2, 0.7, -1)),
        "hips": ((a.u(0.0, 0.15), a.u(0.1, 0.25), a.u(-0.72, -0.6)), (-0.6, 1, 0)),
        "hanging": ((a.u(-0.05, 0.12), a.u(0.05, 0.2), -0.96), (-1, 0.3, 0)),
        "overhead": ((a.u(-0.1, 0.1), a.u(0.1, 0.5), 0.93), (-0.3, 1, 0)),
    }[how]
    offset = sway(a, t, [0.02, 0.02, 0.02], 0.4).T[:, None]
    ends = both(*reach) + offset + 0.04 * a.rng.standard_normal((1, 2, 3))
    if how == "forward" and a.chance(0.6):  # raised while the body goes down
        hanging = both(0.1, 0.1, -0.95)
        ends = hanging + ease(u * 1.4)[:, None, None] * (ends - hanging)
    # Relative to the world, not to the chest.
    if how in ("hanging", "overhead") or (how == "forward" and a.chance(0.5)):
        middle = shoulders(a.body, trunk)
        return Limbs(middle + a.body.arm * ends, np.broadcast_to(both(*pole), middle.shape))
    return free_arms(a.body, trunk, ends, both(*pole))


def squat(actor: Actor) -> Pose:
    """Squats with fixed feet: with a bar on the back, arms forward, a weight at the chest, and so on."""
    a, b = actor, actor.body
    rep = repetitions(a, 2.5, hold=0.06, rest=0.1)
    wobble, shift, turn, tilt = sway(a, rep.t, [0.04, 0.015, 0.04, 0.03])
    bottom = b.ankle + b.shank * a.u(0.2, 1.05)
    apart = a.u(0.7, 1.5) * b.hip_width
    top = b.astride(apart - 0.5 * b.hip_width + 0.05)
    z = top + rep.u * (bottom - top)
    back = a.u(0.1, 0.34) * rep.u
    lean = np.arcsin(np.clip((back + rep.u * a.u(-0.02, 0.12)) / b.torso, -0.2, 0.95)) + a.u(0, 0.12) + wobble
    lean = lean + a.varied(0.0, -0.1, 0.4) * rep.u
    hips, chest = orient(lean * a.u(0.8, 1.1), turn), orient(lean * a.u(0.85, 1.15), turn, tilt)
    trunk = Trunk(vec(0.03 - back, shift, z), hips, chest)
    how = a.pick({"bar": 0.5, "forward": 0.16, "behind_head": 0.08, "clasped": 0.1, "rack": 0.07, "hips": 0.05,
                  "hanging": 0.06, "overhead": 0.04})  # fmt: skip
    if a.evenness and a.chance(0.3):  # with a bar as often as in Penn Action
        how = "bar"
    toes = a.u(0.05, 0.7)
    feet = both(0.0, apart, b.ankle) + 0.02 * a.rng.standard_normal((1, 2, 3)) * [1, 1, 0]
    legs = Limbs(feet, both(1, np.tan(toes), 0.1))
    return Pose(trunk, carried(a, rep.t, trunk, how, rep.u), legs, gaze(a, rep.t, 0.4 * lean), rep.done)


def lunges(actor: Actor) -> Pose:
    """Lunges with one foot ahead: with a step forward or back and a return, on the spot, or walking."""
    a, b = actor, actor.body
    rep = repetitions(a, 2.2, hold=0.06, rest=0.08)
    kind = a.pick({"forward": 0.35, "back": 0.2, "still": 0.3, "walking": 0.15})
    stride = a.u(1.1, 1.7) * b.thigh
    lunge = ease((rep.u - 0.2) / 0.8) if kind != "still" else rep.u
    step = np.ones_like(rep.u) if kind == "still" else ease(rep.u / 0.6)
    arc = 0.12 * np.sin(np.pi * step) * (kind != "still")
    if kind == "walking":
        front = stride * np.where(rep.returning, rep.number + 1, rep.number + step)
        rear = stride * np.where(rep.returning, rep.number + 1 - step, rep.number)
    else:
        front = stride * step * (kind != "back")
        rear = -stride * step * (kind == "back")
    moving_rear = rep.returning if kind == "walking" else np.full(len(step), kind == "back")
    heel = 0.1 * lunge + 0.03 * step
    x = np.stack([front, rear + 0.04 * step], 1)
    z = b.ankle + np.stack([np.where(moving_rear, 0, arc), np.where(moving_rear, arc, 0) + heel], 1)
    number = rep.number if a.chance(0.7) and kind != "still" else 0
    swap = np.broadcast_to((number + int(a.chance(0.5))) % 2 == 1, step.shape)[:, None]
    x, z = np.where(swap, x[:, ::-1], x), np.where(swap, z[:, ::-1], z)
    wobble, shift, turn, tilt = sway(a, rep.t, [0.05, 0.02, 0.06, 0.04])
    top = b.astride(0.5 * (front - rear))
    bottom = b.ankle + b.shank * a.u(0.75, 1.3)
    lean = a.u(-0.05, 0.25) + a.u(0, 0.25) * lunge + wobble
    trunk = Trunk(
        vec(0.5 * (front + rear) + a.u(-0.05, 0.1) * step, shift, top + lunge * np.minimum(bottom - top, 0)),
        orient(0.6 * lean, turn),
        orient(lean, turn, tilt),
    )
    how = a.pick({"hips": 0.25, "hanging": 0.35, "bar": 0.2, "clasped": 0.1, "behind_head": 0.05, "overhead": 0.05})
    legs = Limbs(both(x, a.u(0.2, 0.5) * b.hip_width, z), both(1, 0.1, 0.1))
    return Pose(trunk, carried(a, rep.t, trunk, how, rep.u), legs, gaze(a, rep.t, 0.3 * lean), rep.done)


def jumping_jacks(actor: Actor) -> Pose:
    """Jumps that open and close legs and arms together; in some, the arms rise only to the shoulders."""
    a, b = actor, actor.body
    t, phase = cycles(a, a.around(1.0, 0.2), 0.9, 6.0, at_rest=0.75)
    open_ = 0.5 - 0.5 * np.cos(phase)
    air = np.sin(phase) ** 2
    arms_u = open_ + a.u(0, 0.6) * (ease(open_) - open_)
    legs_u = open_ + a.u(0.2, 1) * (ease(open_) - open_)
    lean, shift, turn, tilt = sway(a, t, [0.03, 0.02, 0.05, 0.03])
    width = a.u(0.25, 0.6) * b.hip_width + legs_u * a.u(0.35, 0.75) * b.leg * 0.6
    hop, bend = a.u(0.03, 0.18), a.u(0.01, 0.1)
    z = b.astride(width - 0.5 * b.hip_width) + hop * air - bend * (1 - air)
    lean = lean + a.u(-0.03, 0.1)
    trunk = Trunk(vec(0.0, shift, z), orient(lean, turn), orient(lean, turn, tilt))
    low, high = a.u(0.1, 0.5), np.pi * (a.u(0.82, 1.05) if a.chance(0.88) else a.u(0.5, 0.65))
    angle = low + (high - low) * arms_u
    reach = a.u(0.9, 0.98) - a.u(0, 0.3) * arms_u**2 - a.u(0, 0.12) * 4 * arms_u * (1 - arms_u)
    uneven = 1 + 0.03 * a.rng.standard_normal((1, 2))
    side = both(a.u(0.02, 0.2), (reach * np.sin(angle))[:, None] * uneven, (-reach * np.cos(angle))[:, None] * uneven)
    arms = free_arms(b, trunk, side, both(a.u(-0.6, 0.0), 1, 0.3))
    feet = both(0.0, width, b.ankle + 0.9 * hop * air + 0.03 * air)
    return Pose(trunk, arms, Limbs(feet, both(1, a.u(0.1, 0.5), 0)), gaze(a, t, lean), phase / (2 * np.pi))


def jump_rope(actor: Actor) -> Pose:
    """Jumps on the spot, on both feet or alternately, while the wrists turn a rope beside the hips."""
    a, b = actor, actor.body
    t, phase = cycles(a, a.around(1.9, 0.16), 1.8, 12.0, at_rest=0.6)
    kind = a.pick({"both": 0.72, "alternate": 0.28})
    air = np.maximum(np.sin(phase), 0) if a.chance(0.6) else 0.5 - 0.5 * np.cos(phase)
    bent = np.maximum(-np.sin(phase + 0.3), 0)
    hop, bend = a.u(0.05, 0.21), a.u(0.01, 0.08)
    lean, shift, turn, tilt = sway(a, t, [0.03, 0.02, 0.05, 0.02])
    lean = lean + a.u(-0.03, 0.13)
    z = b.ankle + 0.97 * b.leg + hop * air - bend * bent
    trunk = Trunk(vec(0.02 * np.sin(0.5 * phase), shift, z), orient(lean * 0.7, turn), orient(lean, turn, tilt))
    lift = np.full((len(t), 2), 0.02) + (0.85 * hop * air)[:, None]
    behind = (-a.u(0.0, 0.25) * air)[:, None] * np.ones(2)
    if kind == "alternate":
        kick = a.u(0.08, 0.3)
        leg = np.maximum(np.sin(0.5 * phase[:, None] + [0, np.pi]), 0)
        lift, behind = lift + kick * leg, behind + a.u(-0.25, 0.2) * leg
    feet = both(behind, a.u(0.15, 0.5) * b.hip_width, b.ankle + lift)
    size, hands = a.u(0.02, 0.12), a.u(-0.75, -0.5)
    turnover = phase + 0.2 * a.rng.standard_normal() + np.pi * a.rng.random()
    reach = both(
        a.u(0.05, 0.35) + size * np.cos(turnover), a.u(0.04, 0.36), hands + size * np.sin(turnover)
    ) + 0.03 * a.rng.standard_normal((1, 2, 3))
    arms = free_arms(b, trunk, reach, both(-1, a.u(0.1, 0.8), -0.3))
    return Pose(trunk, arms, Limbs(feet, both(1, 0.15, 0)), gaze(a, t, 0.3 * lean), phase / (2 * np.pi))


def running_on_treadmill(actor: Actor) -> Pose:
    """Runs or walks on the spot: feet move back with the belt and forward through the air, and the arms opposite."""
    a, b = actor, actor.body
    walking = a.chance(0.2)
    t, phase = cycles(a, a.around(0.95 if walking else 1.4, 0.1), 1.2, 10.0)
    leg = phase[:, None] + np.array([0, np.pi])
    swing = np.mod(leg, 2 * np.pi) / np.pi - 1  # above 0 while the foot moves forward through the air
    stride = a.u(0.25, 0.4) * b.leg if walking else a.u(0.3, 0.55) * b.leg
    kick = a.u(0.06, 0.14) if walking else a.u(0.15, 0.55)
    lift = kick * np.sin(np.pi * np.clip(swing, 0, 1) ** a.u(0.6, 0.9))
    drift_x, shift, nod, tilt = sway(a, t, [0.08, 0.04, 0.03, 0.02], 0.2)
    bob = a.u(0.01, 0.02) if walking else a.u(0.02, 0.05)
    lean = nod + a.u(0.0, 0.22)
    twist = a.u(0.05, 0.2) * np.cos(phase)
    z = b.ankle + 0.95 * b.leg + bob * np.cos(2 * phase) + (0 if walking else 0.02)
    trunk = Trunk(
        vec(drift_x, shift + 0.01 * np.sin(phase), z), orient(0.7 * lean, 0.5 * twist), orient(lean, -twist, tilt)
    )
    feet = both(drift_x[:, None] + stride * np.cos(leg) - 0.06, a.u(0.1, 0.45) * b.hip_width, b.ankle + lift)
    swung, elbow = a.u(0.3, 0.8), a.u(0.3, 0.9) if walking else a.u(1.1, 2.0)
    angle = -swung * np.cos(leg) - a.u(0.0, 0.4)
    fore = angle + elbow - 0.25 * np.cos(leg)
    upper, lower = b.upper_arm / b.arm, b.forearm / b.arm
    reach = both(
        upper * np.sin(angle) + lower * np.sin(fore), a.u(-0.1, 0.15), -upper * np.cos(angle) - lower * np.cos(fore)
    )
    arms = free_arms(b, trunk, reach, both(np.sin(angle), a.u(0.1, 0.5), -np.cos(angle)))
    return Pose(trunk, arms, Limbs(feet, both(1, 0.05, 0)), gaze(a, t, 0.4 * lean))
