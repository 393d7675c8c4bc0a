"""Other motions on the feet: lifts from the floor, exercises of the trunk, calves and shoulders, ropes, wall sit."""

from __future__ import annotations

import numpy as np

from actrec.data.synthetic.body import Array, Limbs, Pose, Trunk, both, free_arms, head_of, hips, orient, shoulders, vec
from actrec.data.synthetic.motion import Actor, cycles, ease, performance, repetitions, sway
from actrec.data.synthetic.other_courses import carried_by, either, pair, planted, unsteady
from actrec.data.synthetic.standing import carried, gaze


def _lifted(actor: Actor, apart: float, low: float, grip: float) -> Pose:
    """Lifts a weight with straight arms: the hips rise first, then the trunk; the weight stays over the feet."""
    a, b = actor, actor.body
    rep = repetitions(a, 2.6, hold=0.12, rest=0.12)
    down = rep.u if a.chance(0.5) else 1 - rep.u  # begins upright, or at the floor
    nod, shift, turn, tilt = unsteady(a, rep.t)
    fall = np.sqrt(max((0.975 * b.arm) ** 2 - (grip - 0.5 * b.shoulder_width) ** 2, 0.09))
    bar = a.u(0.18, 0.26) if a.chance(0.8) else a.u(0.3, 0.5)  # from the floor, or from blocks
    low = float(np.clip(low + bar - 0.22, 0.3, bar + fall - 0.15 * b.torso))
    deepest = float(np.arccos(np.clip((bar + fall - low) / b.torso, 0.05, 0.98)))
    lean = deepest * down ** a.u(0.7, 1.0) + a.u(-0.08, 0.04) * (1 - down)
    over = a.u(0.02, 0.12) * down
    legs = planted(a, apart)
    pelvis = carried_by(b, over - b.torso * np.sin(lean), shift, legs.ends)
    pelvis[:, 2] += down ** a.u(1.0, 1.4) * np.minimum(low - pelvis[:, 2], 0)
    curve = a.u(-0.05, 0.2) * lean
    trunk = Trunk(pelvis, orient(lean - curve + 0.5 * nod, turn), orient(lean + curve + nod, turn, tilt))
    off = both(a.u(-0.02, 0.06), grip - 0.5 * b.shoulder_width, -fall)
    hands = shoulders(b, trunk) + off + sway(a, rep.t, [0.012, 0.012, 0.008], 0.4).T[:, None]
    arms = Limbs(hands, both(-1, 0.5, 0.2))
    return Pose(trunk, arms, legs, gaze(a, rep.t, lean * a.u(0.1, 0.9)))


def barbell_deadlift(actor: Actor) -> Pose:
    """Lifts a bar or two dumbbells from the floor until the body is upright, and lowers it again."""
    a, b = actor, actor.body
    return _lifted(a, a.u(0.35, 0.8) * b.hip_width, a.u(0.42, 0.68), b.shoulder_width * a.u(0.45, 0.75))


def sumo_deadlift(actor: Actor) -> Pose:
    """Lifts a weight from between feet that stand far apart, with low hips and a steep trunk."""
    a, b = actor, actor.body
    pose = _lifted(a, a.u(0.95, 1.7) * b.hip_width, a.u(0.36, 0.52), b.shoulder_width * a.u(0.05, 0.5))
    return pose._replace(legs=pose.legs._replace(poles=both(1, a.u(0.7, 1.4), 0.1)))


def single_leg_deadlift(actor: Actor) -> Pose:
    """Bends forward on one leg while the other rises behind."""
    a, b = actor, actor.body
    rep = repetitions(a, 2.8, hold=0.1, rest=0.1)
    nod, shift, turn, tilt = unsteady(a, rep.t)
    lean = a.u(0.8, 1.5) * rep.u
    side = 0.5 * b.hip_width * a.u(0.4, 0.9) * (1 if a.chance(0.4) else ease(rep.u * 3))
    foot = vec(0.02, 0.5 * b.hip_width, np.full(len(rep.t), b.ankle))
    x = 0.02 - 0.16 * np.sin(lean) * b.torso
    pelvis = carried_by(b, x, side + 0.5 * shift, pair(foot, foot * [1, -1, 1])[:, :1], a.u(0.0, 0.05) * rep.u)
    trunk = Trunk(pelvis, orient(0.9 * lean, turn, 0.5 * tilt), orient(1.05 * lean + nod, turn, tilt))
    raised = lean * a.u(0.6, 1.1)
    behind = hips(b, trunk)[:, 1] - b.leg * a.u(0.9, 0.98) * vec(np.sin(raised), 0.0, np.cos(raised))
    behind[:, 2] = np.maximum(behind[:, 2], b.ankle + 0.01)
    legs = Limbs(pair(foot, behind), both(1, 0.1, -0.2))
    reach = both(a.u(-0.05, 0.15), a.u(-0.1, 0.2), -0.95) + 0.05 * a.rng.standard_normal((1, 2, 3))
    if a.chance(0.3):  # the arm of the standing leg is spread
        reach = np.where(np.array([[[1.0], [0.0]]]), both(0.1, 0.9, 0.2), reach)
    arms = Limbs(shoulders(b, trunk) + b.arm * reach, both(-1, 0.5, 0.2))
    return either(a, Pose(trunk, arms, legs, gaze(a, rep.t, lean * a.u(0.4, 1.0))))


def calf_raise(actor: Actor) -> Pose:
    """Rises onto the toes, on both feet or one after the other."""
    a, b = actor, actor.body
    rep = repetitions(a, 1.5, hold=0.15, rest=0.15)
    nod, shift, turn, tilt = unsteady(a, rep.t)
    high = a.u(0.04, 0.12) * rep.u
    feet = both(0.01 * rep.u, a.u(0.2, 0.8) * b.hip_width, b.ankle + high)
    pelvis = carried_by(b, 0.03 + 0.03 * rep.u, shift, feet, a.u(0.0, 0.02))
    lean = a.u(-0.05, 0.12) + nod
    trunk = Trunk(pelvis, orient(0.5 * lean, turn), orient(lean, turn, tilt))
    how = a.pick({"hips": 0.2, "hanging": 0.4, "bar": 0.2, "clasped": 0.1, "forward": 0.1})
    arms = carried(a, rep.t, trunk, how, np.ones_like(rep.u))
    return Pose(trunk, arms, Limbs(feet, both(1, a.u(0, 0.3), 0)), gaze(a, rep.t, lean))


def side_bend(actor: Actor) -> Pose:
    """Bends the trunk to one side or to both in turn, with a weight, a hand at the head or the arms overhead."""
    a, b = actor, actor.body
    rep = repetitions(a, 2.2, hold=0.1, rest=0.08)
    nod, shift, turn, _ = unsteady(a, rep.t)
    way = np.where(rep.number % 2, -1.0, 1.0) if a.chance(0.5) else np.ones(len(rep.t))
    bend = a.u(0.3, 0.75) * rep.u * way  # to the right
    legs = planted(a, a.u(0.3, 1.3) * b.hip_width)
    pelvis = carried_by(b, 0.02, shift + 0.06 * bend, legs.ends, 0.01)
    trunk = Trunk(pelvis, orient(0.0, turn, a.u(0.05, 0.3) * bend), orient(a.u(-0.05, 0.15) + nod, turn, 1.4 * bend))
    hanging = shoulders(b, trunk) + b.arm * both(0.05, 0.08, -0.95)
    head = head_of(b, trunk, trunk.chest)[:, None] + both(-0.05, 0.1, 0.02) @ trunk.chest
    above = shoulders(b, trunk) + b.arm * (both(0.0, a.u(-0.15, 0.2), 0.93) @ trunk.chest)
    waist = hips(b, trunk) + both(0.05, 0.08, 0.15)
    places = {"hanging": hanging, "head": head, "above": above, "waist": waist}
    left = a.pick({"hanging": 0.3, "head": 0.3, "above": 0.3, "waist": 0.1})
    right = left if a.chance(0.4) else a.pick({"hanging": 0.7, "waist": 0.3})
    pole = pair(*(both(-0.3, 1.0, 0.1)[:, side] for side in (0, 1))) @ trunk.chest
    arms = Limbs(pair(places[left][:, 0], places[right][:, 1]), pole)
    return either(a, Pose(trunk, arms, legs, gaze(a, rep.t, 0.0)))


def standing_twist(actor: Actor) -> Pose:
    """Turns the trunk from side to side; both hands draw across the body, level or from low to high."""
    a, b = actor, actor.body
    rep = repetitions(a, 1.9, hold=0.08, rest=0.08)
    nod, shift, turn, tilt = unsteady(a, rep.t)
    across = 2 * rep.u - 1 if a.chance(0.7) else rep.u
    yaw = a.u(0.4, 1.1) * across + turn
    slope = a.u(-0.9, 0.9) if a.chance(0.65) else 0.0  # how much higher or lower the hands end
    lean = a.u(0.0, 0.2) + nod + 0.3 * np.abs(slope) * (0.5 - 0.5 * across * np.sign(slope))
    legs = planted(a, a.u(0.5, 1.3) * b.hip_width)
    pelvis = carried_by(b, -0.1 * lean, shift + 0.03 * across, legs.ends, a.u(0.0, 0.1) + 0.1 * lean)
    trunk = Trunk(pelvis, orient(0.6 * lean, a.u(0.2, 0.6) * yaw), orient(lean, yaw, tilt))
    middle = (0.5 * b.shoulder_width / b.arm) * a.u(0.6, 1.05)
    reach = both(a.u(0.45, 0.85), -middle, a.u(-0.45, 0.0) + 0.5 * slope * across)
    reach = reach + vec(0.0, a.u(0.0, 0.25) * across, 0.0)[:, None]
    arms = free_arms(b, trunk, reach, both(0.1, 1, -0.8))
    return either(a, Pose(trunk, arms, legs, gaze(a, rep.t, lean)))


def reverse_fly(actor: Actor) -> Pose:
    """Spreads nearly straight arms from before the chest to the sides, bent forward or upright with a band."""
    a, b = actor, actor.body
    rep = repetitions(a, 1.9, hold=0.08, rest=0.1)
    nod, shift, turn, tilt = unsteady(a, rep.t)
    lean = (a.u(0.7, 1.4) if a.chance(0.65) else a.u(-0.05, 0.15)) + nod - a.u(0.0, 0.1) * rep.u
    legs = planted(a, a.u(0.3, 1.1) * b.hip_width)
    back = 0.35 * b.torso * np.sin(lean)
    trunk = Trunk(carried_by(b, 0.02 - back, shift, legs.ends, a.u(0.0, 0.12)), orient(0.95 * lean, turn),
                  orient(lean, turn, tilt))  # fmt: skip
    angle = a.u(-0.1, 0.15) + rep.u * a.u(1.2, 1.7)
    length = a.u(0.8, 0.96)
    reach = length * both(np.cos(angle), np.sin(angle) - a.u(0.0, 0.2), a.u(-0.1, 0.2) * np.ones(len(rep.t)))
    arms = free_arms(b, trunk, reach + 0.03 * a.rng.standard_normal((1, 2, 3)), both(-0.4, 0.6, a.u(-0.6, 0.4)))
    return Pose(trunk, arms, legs, gaze(a, rep.t, lean * a.u(0.2, 0.9)))


def battle_ropes(actor: Actor) -> Pose:
    """Whips two ropes up and down, with both arms together or in turn, standing with bent knees."""
    a, b = actor, actor.body
    t, phase = cycles(a, a.around(1.8, 0.25), 2.0, 14.0)
    nod, shift, turn, tilt = unsteady(a, t)
    together = a.chance(0.4)
    wave = np.sin(phase[:, None] + np.array([0, 0 if together else np.pi]))
    beat = wave.mean(1) if together else 0.3 * np.cos(2 * phase)
    lean = a.u(0.2, 0.7) + nod - a.u(0.02, 0.15) * beat
    legs = planted(a, a.u(0.6, 1.3) * b.hip_width)
    drop = a.u(0.05, 0.3) - a.u(0.0, 0.05) * beat
    trunk = Trunk(carried_by(b, -0.45 * b.torso * np.sin(lean), shift, legs.ends, drop), orient(0.9 * lean, turn),
                  orient(lean, turn + (0 if together else 0.12 * wave[:, 0]), tilt))  # fmt: skip
    reach = both(a.u(0.45, 0.7), a.u(-0.2, 0.25), a.u(-0.5, -0.2) + a.u(0.12, 0.4) * wave)
    arms = Limbs(shoulders(b, trunk) + b.arm * reach, both(-0.6, 0.6, -0.8))
    return Pose(trunk, arms, legs, gaze(a, t, 0.4 * lean))


def wall_sit(actor: Actor) -> Pose:
    """Sits against a wall without a chair, and stays."""
    a, b = actor, actor.body
    t = performance(a, a.u(3.0, 9.0))
    nod, shift, turn, tilt = unsteady(a, t)
    thigh = a.u(-0.25, 0.5)  # below level
    ahead, shin = b.thigh * np.cos(thigh), a.u(-0.15, 0.2)
    height = b.ankle + b.shank * np.cos(shin) + b.thigh * np.sin(thigh) + 0.3 * shift
    feet = both(ahead + b.shank * np.sin(shin), a.u(0.3, 1.0) * b.hip_width, b.ankle)
    steep = a.u(-0.12, 0.05)
    trunk = Trunk(vec(0.0, 0.4 * shift, height), orient(steep, 0.3 * turn), orient(steep + 0.4 * nod, 0.3 * turn, tilt))
    how = a.pick({"hips": 0.15, "forward": 0.25, "clasped": 0.2, "overhead": 0.08, "thighs": 0.32})
    if how == "thighs":
        hands: Array = both(a.u(0.2, 0.8) * b.thigh, a.u(0.3, 0.6) * b.hip_width, 0.1 - a.u(0.0, 0.1))
        arms = Limbs(trunk.pelvis[:, None] + hands, both(-0.6, 0.8, -0.2))
    else:
        arms = carried(a, t, trunk, how, np.ones(len(t)))
    return Pose(trunk, arms, Limbs(feet, both(0.7, a.u(0, 0.4), 1)), gaze(a, t, steep))


LIFTS = (
    barbell_deadlift,
    sumo_deadlift,
    single_leg_deadlift,
    calf_raise,
    side_bend,
    standing_twist,
    reverse_fly,
    battle_ropes,
    wall_sit,
)
