"""Other motions of sports: throws and strokes, kicks and boxing; and picking something up."""

from __future__ import annotations

import numpy as np

from actrec.data.synthetic.body import Array, Limbs, Pose, Trunk, both, free_arms, hips, orient, shoulders, vec
from actrec.data.synthetic.motion import Actor, Times, cycles, ease, repetitions, sway
from actrec.data.synthetic.other_courses import carried_by, course, either, pair, planted, stages, unsteady
from actrec.data.synthetic.standing import gaze


def _swing(
    actor: Actor, t: Times, trunk: Trunk, feet: Array, left: Array, right: Array, look: Times | float = 0.0
) -> Pose:
    """Builds a pose from feet and from hands that are given from the shoulders, in arm lengths; either-handed."""
    legs = Limbs(feet, both(1, actor.u(0.1, 0.5), 0.1))
    arms = free_arms(actor.body, trunk, pair(left, right), both(-0.4, 0.7, -0.6))
    return either(actor, Pose(trunk, arms, legs, gaze(actor, t, look)))


def throw(actor: Actor) -> Pose:
    """Throws a ball or a javelin overarm: turns away with a knee raised, steps forward, and whips the arm over."""
    a, b = actor, actor.body
    t, u, _ = stages(a, 3.0)
    nod, shift, _, tilt = unsteady(a, t)
    lift, step = a.u(0.05, 0.6) if a.chance(0.7) else 0.05, a.u(0.3, 0.7)
    yaw = course(a, u, (0.08, -0.4), (0.35, -1.2), (0.5, -0.9), (0.6, 0.5), (0.72, 0.6), (0.95, -0.4), size=0.15)[:, 0]
    lean = course(a, u, (0.08, 0.1), (0.4, -0.15), (0.55, 0.1), (0.68, 0.8), (0.95, 0.1), size=0.08)[:, 0] + nod
    out = b.hip_width * 0.5
    ahead = course(
        a,
        u,
        (0.1, 0.15, 0),
        (0.3, 0.1, lift),
        (0.48, step, 0),
        (0.8, step, 0),
        (0.87, 0.5 * step, 0.06),
        (0.95, 0.15, 0),
        size=0.0,
    )
    drag = course(a, u, (0.5, -0.15, 0), (0.7, 0.0, a.u(0.05, 0.35)), (0.95, -0.15, 0), size=0.0)
    feet = pair(
        vec(ahead[:, 0], out, b.ankle + ahead[:, 1]),
        vec(drag[:, 0], -out, b.ankle + drag[:, 1]),
    )
    middle = course(a, u, (0.1, 0.0), (0.35, -0.05), (0.6, 0.6 * step), (0.8, 0.5 * step), (0.95, 0.0), size=0.0)[:, 0]
    trunk = Trunk(carried_by(b, middle, shift, feet, 0.03), orient(0.6 * lean, 0.6 * yaw), orient(lean, yaw, tilt))
    right = course(a, u, (0.08, 0.4, 0.2, -0.3), (0.3, 0.3, 0.1, -0.2), (0.48, -0.35, -0.7, 0.25),
                   (0.58, 0.35, -0.4, 0.8), (0.68, 0.6, 0.3, -0.6), (0.95, 0.4, 0.2, -0.3))  # fmt: skip
    left = course(a, u, (0.08, 0.4, -0.2, -0.3), (0.3, 0.4, -0.1, -0.2), (0.47, 0.3, 0.85, 0.1), (0.6, 0.3, 0.1, -0.3),
                  (0.95, 0.4, -0.2, -0.3))  # fmt: skip
    return _swing(a, t, trunk, feet, left, right)


def bat_swing(actor: Actor) -> Pose:
    """Swings a bat with both hands, level, from over one shoulder round to the other."""
    a, b = actor, actor.body
    t, u, _ = stages(a, 2.8)
    nod, shift, _, tilt = unsteady(a, t)
    yaw = course(a, u, (0.2, -0.3), (0.4, -0.7), (0.55, 0.6), (0.65, 1.2), (0.95, -0.3), size=0.12)[:, 0]
    lean = a.u(0.1, 0.45) + nod
    width = a.u(0.25, 0.45)
    step = course(
        a, u, (0.25, 0.0, 0.0), (0.36, -0.08, 0.08), (0.46, 0.1, 0.0), (0.75, 0.1, 0.0), (0.95, 0.0, 0.0), size=0.0
    )
    feet = pair(vec(0.0, width + step[:, 0], b.ankle + step[:, 1]), vec(0.0, -width, np.full(len(t), b.ankle)))
    trunk = Trunk(carried_by(b, -0.12 * lean, shift + 0.08 * yaw, feet, a.u(0.02, 0.12)),
                  orient(0.7 * lean, 0.6 * yaw), orient(lean, yaw, tilt))  # fmt: skip
    hands = course(a, u, (0.25, 0.25, -0.45, 0.05), (0.4, 0.1, -0.55, 0.1), (0.52, 0.75, -0.1, -0.25),
                   (0.65, 0.35, 0.6, 0.1), (0.95, 0.25, -0.45, 0.05))  # fmt: skip
    half = 0.5 * b.shoulder_width / b.arm
    return _swing(a, t, trunk, feet, hands + vec(0, -half, -0.04), hands + vec(0, half, 0.04))


def golf_swing(actor: Actor) -> Pose:
    """Swings a club with both hands, bent forward, from the ball up over one shoulder, down, and up to the other."""
    a, b = actor, actor.body
    t, u, _ = stages(a, 4.0, 2.0)
    nod, shift, _, tilt = unsteady(a, t)
    size = a.u(0.35, 1.0)  # from a putt or a chip to a full swing
    yaw = (
        size
        * course(a, u, (0.25, 0.0), (0.48, -1.3), (0.58, 0.1), (0.7, 1.4), (0.78, 1.4), (0.95, 0.0), size=0.08)[:, 0]
    )
    bent = a.u(0.35, 0.8)
    lean = bent - 0.6 * bent * np.clip(yaw, 0, 1.4) / 1.4 + 0.5 * nod
    turned = ease(np.clip(yaw, 0, 1.4) / 1.4)
    feet = pair(
        vec(0.0, 0.22, np.full(len(t), b.ankle)), vec(0.03 * turned, -0.22 + 0.06 * turned, b.ankle + 0.1 * turned)
    )
    trunk = Trunk(carried_by(b, -0.3 * b.torso * np.sin(lean), shift + 0.07 * turned, feet, a.u(0.02, 0.08)),
                  orient(0.9 * lean, 0.5 * yaw), orient(lean, yaw, tilt))  # fmt: skip
    up = (
        size
        * course(a, u, (0.25, 0.0), (0.48, 1.0), (0.58, 0.0), (0.7, 1.0), (0.78, 1.0), (0.95, 0.0), size=0.04)[:, 0]
    )
    hands = vec(0.5 - 0.1 * up, 0.3 * np.clip(yaw, -1.3, 1.4), -0.8 + up * a.u(0.8, 1.2))
    half = 0.5 * b.shoulder_width / b.arm
    return _swing(a, t, trunk, feet, hands + vec(0, -half, 0), hands + vec(0, half, 0.04), 0.5 * bent)


def tennis_stroke(actor: Actor) -> Pose:
    """Hits a ball with a racket: a forehand, a backhand, or a serve from above."""
    a, b = actor, actor.body
    t, u, _ = stages(a, 2.6)
    nod, shift, _, tilt = unsteady(a, t)
    kind = a.pick({"forehand": 0.4, "backhand": 0.25, "serve": 0.35})
    rest = (0.45, 0.15, -0.35)
    places = {
        "forehand": ((-0.2, -0.75, -0.1), (0.7, -0.4, -0.2), (0.4, 0.55, 0.25)),
        "backhand": ((0.1, 0.6, -0.3), (0.75, -0.1, -0.25), (0.2, -0.85, 0.3)),
        "serve": ((-0.3, -0.45, 0.25), (0.25, -0.2, 0.93), (0.6, 0.35, -0.5)),
    }[kind]
    way = -1 if kind == "backhand" else 1
    keys = zip((0.12, 0.4, 0.54, 0.66, 0.95), (rest, *places, rest), strict=True)
    right = course(a, u, *((time, *place) for time, place in keys))
    left = course(a, u, (0.12, 0.4, -0.1, -0.35), (0.38, *((0.3, 0.1, 0.93) if kind == "serve" else (0.6, 0.4, 0.0))),
                  (0.56, 0.3, 0.1, -0.3), (0.95, 0.4, -0.1, -0.35))  # fmt: skip
    if kind == "backhand" and a.chance(0.5):  # with both hands
        left = right - vec(0, b.shoulder_width / b.arm, 0.05)
    yaw = way * course(a, u, (0.12, 0.0), (0.38, -0.9), (0.55, 0.2), (0.68, 0.7), (0.95, 0.0), size=0.12)[:, 0]
    lean = course(a, u, (0.12, 0.2), (0.4, -0.1 if kind == "serve" else 0.2), (0.65, 0.4), (0.95, 0.2), size=0.06)[:, 0]
    rise = (a.u(0.0, 0.2) if kind == "serve" else a.u(0.0, 0.06)) * np.sin(np.pi * np.clip((u - 0.46) / 0.2, 0, 1))
    ahead = a.u(0.0, 0.3)
    feet = pair(vec(ahead, 0.22, b.ankle + rise), vec(-ahead, -0.22, b.ankle + rise))
    bend = course(a, u, (0.12, 0.05), (0.4, a.u(0.05, 0.2)), (0.5, 0.02), (0.65, 0.06), (0.95, 0.05), size=0.0)[:, 0]
    trunk = Trunk(carried_by(b, -0.05 * lean, shift, feet, bend), orient(0.5 * lean, 0.5 * yaw),
                  orient(lean + nod, yaw, tilt))  # fmt: skip
    return _swing(a, t, trunk, feet, left, right, -0.3 if kind == "serve" else 0.0)


def bowl(actor: Actor) -> Pose:
    """Bowls a ball along the floor: one arm swings back and forward while the other side's foot slides ahead."""
    a, b = actor, actor.body
    t, u, _ = stages(a, 3.2, 2.0)
    nod, shift, turn, tilt = unsteady(a, t)
    low, slide = a.u(0.1, 0.35), a.u(0.35, 0.65)
    down = course(a, u, (0.15, 0.0), (0.55, 1.0), (0.75, 0.9), (0.95, 0.0), size=0.0)[:, 0]
    front = course(a, u, (0.2, 0.0, 0.0), (0.35, 0.5 * slide, 0.06), (0.5, slide, 0.0), (0.78, slide, 0.0),
                   (0.88, 0.5 * slide, 0.05), (0.97, 0.0, 0.0), size=0.0)  # fmt: skip
    cross = a.u(0.0, 0.3) * down
    feet = pair(vec(front[:, 0], 0.1, b.ankle + front[:, 1]), vec(-0.3 * down, -0.1 + cross, b.ankle + 0.1 * down))
    lean = a.u(0.0, 0.2) + a.u(0.5, 1.0) * down + nod
    trunk = Trunk(carried_by(b, 0.7 * front[:, 0] - 0.1 * down, shift + 0.03 * down, feet, low * down),
                  orient(0.7 * lean, turn), orient(lean, turn - 0.3 * down, tilt))  # fmt: skip
    angle = (
        course(a, u, (0.15, 1.1), (0.25, 0.9), (0.43, -1.2), (0.58, 0.7), (0.7, 2.2), (0.95, 1.1), size=0.1)[:, 0]
        - lean
    )
    held = a.u(0.6, 0.95)
    length = 0.96 - (0.96 - held) * np.clip(1 - u / 0.25, 0, 1)
    right = vec(length * np.sin(angle + lean), -0.05, -length * np.cos(angle + lean))
    left = course(a, u, (0.15, 0.5, -0.2, -0.3), (0.4, 0.2, 0.7, -0.3), (0.7, 0.0, 0.85, 0.0), (0.95, 0.5, -0.2, -0.3))
    return _swing(a, t, trunk, feet, left, right)


def roundhouse_kick(actor: Actor) -> Pose:
    """Kicks round or to the side: draws the knee up, turns on the other foot, and stretches the leg."""
    a, b = actor, actor.body
    t, u, _ = stages(a, 1.8)
    nod, shift, _, tilt = unsteady(a, t)
    gone = course(a, u, (0.2, 0.0), (0.5, 1.0), (0.58, 1.0), (0.9, 0.0), size=0.0)[:, 0]
    yaw, roll = a.u(0.5, 1.5) * gone, -a.u(0.2, 0.7) * gone  # the trunk leans away from the kick
    stance = a.u(0.1, 0.25)
    foot = vec(stance * (1 - gone), 0.12, np.full(len(t), b.ankle))
    trunk = Trunk(carried_by(b, 0.0, 0.1 * gone + shift, foot[:, None] * [[1, 1, 1]], 0.02 + 0.03 * gone),
                  orient(-0.1 * gone, yaw, 0.7 * roll), orient(0.1 + nod, 0.8 * yaw, roll + tilt))  # fmt: skip
    high, side = a.u(-0.35, 0.5), a.u(-0.9, -0.3)
    kicked = course(a, u, (0.2, 0.0, 0.0, 0.0), (0.38, 0.35, -0.45, 0.45), (0.5, 0.65, side, 0.95 + high),
                    (0.58, 0.6, side, 0.9 + high), (0.7, 0.25, -0.4, 0.4), (0.9, 0.0, 0.0, 0.0), size=0.0)  # fmt: skip
    floor = vec(-stance, -0.12, np.full(len(t), b.ankle))
    ankle = floor + b.leg * kicked
    ankle[:, 2] = np.maximum(ankle[:, 2], b.ankle)
    legs = Limbs(pair(foot, ankle), pair(vec(1, 0.1, 0), vec(1, -0.6 * gone, 0.5 * gone)))
    guard = both(a.u(0.2, 0.45), a.u(-0.2, 0.1), a.u(-0.25, 0.2)) + sway(a, t, [0.05] * 3, 0.8).T[:, None]
    drop = both(-0.1, 0.3, -0.5) * np.array([[[0.0], [1.0]]]) * gone[:, None, None]
    arms = free_arms(b, trunk, guard + a.u(0, 1) * drop, both(0.0, 0.5, -1))
    return either(a, Pose(trunk, arms, legs, gaze(a, t, 0.0)))


def boxing_footwork(actor: Actor) -> Pose:
    """Bounces on the balls of the feet with hands up, moves about, slips with the head, and jabs now and then."""
    a, b = actor, actor.body
    t, phase = cycles(a, a.around(1.9, 0.2), 2.0, 14.0)
    x, y = sway(a, t, [0.15, 0.12], 0.4)
    nod, slip, turn, late = sway(a, t, [0.08, 0.15, 0.2, 0.03], 0.7)
    hop = a.u(0.0, 0.06) * np.maximum(np.sin(phase), 0)
    apart, wide = a.u(0.12, 0.25), a.u(0.1, 0.2)
    gait = a.u(0.0, 0.05) * np.maximum(np.sin(0.5 * phase[:, None] + [0, np.pi]), 0)
    front = vec(x + apart + late, y + wide, b.ankle + hop + gait[:, 0])
    rear = vec(x - apart - late, y - wide, b.ankle + 0.04 + hop + gait[:, 1])
    feet = pair(front, rear)
    bend = a.u(0.02, 0.1) + 0.02 * np.cos(phase)
    side = a.u(-0.9, -0.2)
    trunk = Trunk(carried_by(b, x, y + 0.2 * slip, feet, bend + 0.1 * np.abs(slip)),
                  orient(0.1 + 0.4 * nod, side + 0.3 * turn),
                  orient(a.u(0.05, 0.25) + nod, 0.7 * side + turn, slip + 0.05))  # fmt: skip
    jab = np.clip(3 * sway(a, t, [0.5], 0.9)[0] - a.u(1.0, 2.5), 0, 1)
    guard = both(a.u(0.15, 0.4), a.u(-0.2, 0.05), a.u(-0.2, 0.2)) + sway(a, t, [0.04] * 3, 1.0).T[:, None]
    struck = both(0.9, -0.1, 0.1) - guard
    arms = free_arms(b, trunk, guard + struck * pair(jab, 0 * jab)[..., None], both(-0.1, 0.5, -1))
    return either(a, Pose(trunk, arms, Limbs(feet, both(1, 0.2, 0.1)), gaze(a, t, 0.0)))


def pick_up(actor: Actor) -> Pose:
    """Bends or crouches to something on the floor, takes it with one or both hands, and puts it elsewhere."""
    a, b = actor, actor.body
    rep = repetitions(a, 3.0, hold=0.12, rest=0.25)
    nod, shift, turn, tilt = unsteady(a, rep.t)
    crouched = a.u(0.0, 1.0)
    lean = (a.u(1.5, 1.9) - crouched * a.u(0.4, 0.9)) * rep.u
    legs = planted(a, a.u(0.3, 0.9) * b.hip_width, np.array([[0.0, a.u(-0.3, 0.1) * (1 - crouched)]]))
    legs = legs._replace(poles=both(1, a.u(0.05, 0.6), 0.8))
    aside = a.u(-0.5, 0.5) * rep.u
    back = (0.35 * b.torso - 0.1 * crouched) * np.sin(lean)
    pelvis = carried_by(b, 0.02 - back, shift, legs.ends)
    low = b.ankle + b.shank * (1.4 - 0.9 * crouched)
    pelvis[:, 2] += ease(rep.u) * np.minimum(low - pelvis[:, 2], 0)
    trunk = Trunk(pelvis, orient(0.85 * lean, 0.3 * aside + turn), orient(lean + nod, aside + turn, tilt))
    holding = rep.returning * (1 - rep.u) * ease(3 * rep.u) * a.chance(0.7)  # on the way up
    carry = both(a.u(0.3, 0.6), a.u(-0.3, 0.0), a.u(-0.6, -0.2))
    hang = both(a.u(0.0, 0.15), a.u(0.05, 0.2), -0.95)
    up = shoulders(b, trunk) + b.arm * (hang + holding[:, None, None] * (carry - hang))
    floor = shoulders(b, trunk) * [1, 1, 0] + both(0.08, -0.1, 0.1)
    hands = up + ease(rep.u * 1.2 - 0.2)[:, None, None] * (floor - up)
    if a.chance(0.45):  # the other hand rests at the hip or knee
        rest = hips(b, trunk)[:, 1] + vec(0.2 * rep.u, -0.08, 0.1 - 0.35 * rep.u)
        rest[:, 2] = np.maximum(rest[:, 2], 0.15)
        hands = pair(hands[:, 0], rest)
    return either(a, Pose(trunk, Limbs(hands, both(-0.6, 0.6, 0.0)), legs, gaze(a, rep.t, lean * 0.8)))


SPORTS = (
    throw,
    bat_swing,
    golf_swing,
    tennis_stroke,
    bowl,
    roundhouse_kick,
    boxing_footwork,
    pick_up,
)
