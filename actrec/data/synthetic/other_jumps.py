"""Other motions with jumps or with the hands on the floor: jumps forward, sideways and onto a box; the inchworm."""

from __future__ import annotations

import numpy as np

from actrec.data.synthetic.body import Limbs, Pose, Trunk, both, free_arms, orient, shoulders, vec
from actrec.data.synthetic.motion import Actor, Times, cycles, ease, repetitions
from actrec.data.synthetic.other_courses import carried_by, course, stages, unsteady
from actrec.data.synthetic.standing import gaze

_TAKE_OFF, _LANDING = 0.36, 0.54  # shares of a repetition


def _jump(actor: Actor, t: Times, u: Times, x: Times, floor: Times, high: float) -> Pose:
    """Jumps with both feet after a dip: arms back, then up or forward, and knees that bend again at the landing.

    Args:
        t: Seconds.
        u: Share of the repetition that is over.
        x: Place of the feet along the way.
        floor: Height on which the body would stand.
        high: How far the feet rise above it.
    """
    a, b = actor, actor.body
    nod, shift, turn, tilt = unsteady(a, t)
    deep, land = a.u(0.12, 0.42), a.u(0.05, 0.35)
    bend = course(a, u, (0.06, 0.0), (0.27, deep), (_TAKE_OFF, 0.0), (0.5, 0.08), (0.6, land), (0.74, 0.0), size=0.0)[
        :, 0
    ]
    flight = np.clip((u - _TAKE_OFF) / (_LANDING - _TAKE_OFF), 0, 1)
    air = high * 4 * flight * (1 - flight)
    tuck = a.u(0.0, 0.25) * 4 * flight * (1 - flight)
    feet = both(x, a.u(0.3, 0.8) * b.hip_width, b.ankle + floor + air + tuck)
    lean = bend * a.u(1.2, 2.6) + a.u(0.0, 0.1) + nod
    pelvis = carried_by(b, x + 0.02 - 0.25 * np.sin(lean), shift, feet, bend + tuck)
    trunk = Trunk(pelvis, orient(0.8 * lean, turn), orient(lean, turn, tilt))
    up, back = (a.u(1.4, 3.0), -a.u(0.3, 1.1)) if a.chance(0.8) else (0.6, 0.3)
    angle = course(a, u, (0.06, 0.1), (0.26, back), (0.4, up), (0.52, 0.6 * up), (0.64, 0.3), (0.8, 0.1), size=0.0)[
        :, 0
    ]
    reach = a.u(0.75, 0.95) * both(np.sin(angle), a.u(0.05, 0.3), -np.cos(angle))
    arms = Limbs(shoulders(b, trunk) + b.arm * reach, both(-0.8, 0.4, -0.3))
    return Pose(trunk, arms, Limbs(feet, both(1, a.u(0.1, 0.4), 0.1)), gaze(a, t, 0.3 * lean))


def jump_forward(actor: Actor) -> Pose:
    """Jumps forward with both feet, once or several times in a row."""
    a = actor
    t, u, number = stages(a, 2.0)
    flight = np.clip((u - _TAKE_OFF) / (_LANDING - _TAKE_OFF), 0, 1)
    far = a.u(0.3, 1.6)
    way = -1 if a.chance(0.1) else 1  # some backwards
    return _jump(a, t, u, way * far * (number + flight), np.zeros(len(t)), a.u(0.05, 0.3))


def box_jump(actor: Actor) -> Pose:
    """Jumps onto a box with both feet, and steps or hops down backwards."""
    a = actor
    t, u, _ = stages(a, 2.8)
    flight = ease((u - _TAKE_OFF) / (_LANDING - _TAKE_OFF))
    down = ease((u - 0.8) / 0.12)
    height, ahead = a.u(0.2, 0.6), a.u(0.4, 0.7)
    return _jump(a, t, u, ahead * (flight - down), height * (flight - ease((u - 0.84) / 0.1)), a.u(0.05, 0.15))


def skater_jump(actor: Actor) -> Pose:
    """Jumps from one foot to the other, sideways, while the free leg crosses behind."""
    a, b = actor, actor.body
    t, phase = cycles(a, a.around(0.6, 0.25), 1.0, 6.0, at_rest=0.3)
    left = 0.5 + 0.5 * np.tanh(a.u(1.5, 3.0) * np.cos(phase))  # how far the weight is on the left foot
    move = 4 * left * (1 - left)
    nod, shift, turn, tilt = unsteady(a, t)
    wide, hop = a.u(0.2, 0.65), a.u(0.02, 0.16)
    y = wide * (2 * left - 1)
    behind, crossed, lifted = -a.u(0.1, 0.45), a.u(0.0, 0.3), a.u(0.02, 0.25)
    side = np.array([1.0, -1.0])
    weight = np.stack([left, 1 - left], 1)
    feet = vec(
        behind * (1 - weight),
        y[:, None] + side * (0.08 - (0.08 + crossed) * (1 - weight)),
        b.ankle + hop * move[:, None] + lifted * (1 - weight),
    )
    bend = a.u(0.06, 0.3) * (1 - move)
    lean = a.u(0.1, 0.9) * (1 - 0.4 * move) + nod
    carrying = y + side[0] * 0.04 * (2 * left - 1) + 0.3 * shift
    height = b.ankle + 0.97 * b.leg + hop * move - bend
    trunk = Trunk(vec(-0.25 * np.sin(lean), carrying, height), orient(0.8 * lean, turn, -0.1 * y),
                  orient(lean, turn + 0.3 * (2 * left - 1), tilt))  # fmt: skip
    swung = a.u(0.2, 1.0) * (2 * left - 1)[:, None] * -side  # the arm of the free leg comes forward
    reach = both(0.3 + 0.45 * swung, 0.15 - 0.15 * swung, -0.6 + 0.15 * swung)
    arms = free_arms(b, trunk, reach, both(-1, 0.5, -0.3))
    return Pose(trunk, arms, Limbs(feet, both(1, 0.2, 0.1)), gaze(a, t, 0.4 * lean))


def inchworm(actor: Actor) -> Pose:
    """Bends until the hands are on the floor, walks them out to a plank, and back to the feet."""
    a, b = actor, actor.body
    rep = repetitions(a, 7.0, hold=0.06, rest=0.08, spread=0.18)
    nod, shift, _, tilt = unsteady(a, rep.t)
    share = a.u(0.3, 0.45)
    bent, out = ease(rep.u / share), ease((rep.u - share) / (1 - share))
    slack = a.u(0.9, 0.98)  # of legs that are not quite straight
    plank = 0.5 * np.pi - (0.94 * b.arm - 0.06) / (b.leg + b.torso) + a.u(-0.12, 0.02)
    angle = -0.18 * bent + (plank + 0.18) * out
    leg = b.leg * (0.985 + (slack - 0.985) * bent * (1 - out))
    pelvis = vec(leg * np.sin(angle), shift * (1 - 0.7 * bent), b.ankle + 0.03 * out + leg * np.cos(angle))
    high = 0.05 + a.u(0.88, 0.96) * b.arm  # of the shoulders over the floor
    folded = np.arccos(np.clip((high - pelvis[:, 2]) / b.torso, -0.98, 0.98))
    pitch = folded * bent + nod * (1 - bent)
    trunk = Trunk(pelvis, orient(pitch), orient(pitch, 0.0, tilt * (1 - bent)))
    over = shoulders(b, trunk)
    steps = a.u(1.5, 3.0) * 2 * np.pi * out
    pace = np.sin(steps[:, None] + np.array([0, np.pi])) * (out * (1 - out) * 4)[:, None]
    walked = vec(over[..., 0] + 0.1 * pace + 0.02, 1.05 * over[..., 1], 0.05 + 0.06 * np.maximum(pace, 0))
    hang = over + b.arm * both(0.1, 0.05, -0.95)
    hands = hang + ease(bent * 1.4 - 0.4)[:, None, None] * (walked - hang)
    feet = both(0.0 * out, a.u(0.2, 0.8) * b.hip_width, b.ankle + 0.03 * out)
    return Pose(trunk, Limbs(hands, both(-0.6, 0.6, 0.1)), Limbs(feet, both(1, 0.1, 0.1)), gaze(a, rep.t, 0.8 * pitch))


JUMPS = (jump_forward, box_jump, skater_jump, inchworm)
