"""Actions with a bar: pull-ups, clean and jerk, snatch."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from actrec.data.synthetic.body import Limbs, Pose, Trunk, both, free_legs, hung, orient, shoulders, vec
from actrec.data.synthetic.motion import Actor, Times, ease, keyed, performance, repetitions, sway
from actrec.data.synthetic.standing import gaze


def pull_ups(actor: Actor) -> Pose:
    """Pulls the chin over a bar that both hands hold, with legs straight, bent or raised; some performances kip."""
    a, b = actor, actor.body
    rep = repetitions(a, 2.1, hold=0.1, rest=0.12)
    n = len(rep.t)
    bar = 2.35
    grip = b.shoulder_width * a.u(0.4, 1.05)
    hang = a.u(0.95, 0.998) * b.arm + 0.9 * b.shrug
    below = hang + rep.u * (a.u(-0.22, 0.22) * b.torso - hang)
    swing, shift, nod, tilt = sway(a, rep.t, [0.05, 0.012, 0.03, 0.02], 0.5)
    lean = -a.u(0.0, 0.3) * rep.u + a.u(-0.08, 0.08) + nod
    behind = a.u(0.0, 0.05) + a.u(0.0, 0.22) * rep.u
    kip = a.u(0.15, 0.6) * np.sin(np.pi * rep.u + a.u(0, 1.5)) if a.chance(0.25) else np.zeros(n)
    chest, hips = orient(lean - 0.3 * kip, 0.0, tilt), orient(lean + swing + 0.3 * kip, 0.0, tilt)
    height = bar - np.sqrt(np.maximum(below**2 - (0.5 * (grip - 0.5 * b.shoulder_width)) ** 2, 0.01))
    trunk = hung(b, vec(-behind + 0.5 * swing, shift, height), hips, chest)
    arms = Limbs(both(np.zeros(n), grip, bar - 0.02), both(a.u(-0.5, 0.6), a.u(0.3, 1.2), -1))
    how = a.pick({"straight": 0.55, "bent": 0.35, "raised": 0.1})
    hip_angle = {"straight": a.u(-0.1, 0.2), "bent": a.u(-0.15, 0.4), "raised": a.u(0.5, 1.4)}[how]
    knee_angle = {"straight": a.u(0.0, 0.35), "bent": a.u(0.8, 1.9), "raised": a.u(0.2, 1.4)}[how]
    loose = sway(a, rep.t, [0.06, 0.06, 0.08, 0.08], 0.6).T + a.u(0.0, 0.25) * rep.u[:, None]
    hip = hip_angle + loose[:, :2] + 0.05 * a.rng.standard_normal((1, 2)) + kip[:, None]
    knee = np.maximum(knee_angle + loose[:, 2:] + 0.08 * a.rng.standard_normal((1, 2)) + 0.8 * kip[:, None], 0)
    legs = free_legs(b, trunk, hip, knee, a.u(-0.06, 0.08))
    return Pose(trunk, arms, legs, gaze(a, rep.t, lean - a.u(-0.2, 0.5) * (1 - 0.5 * rep.u)), rep.done)


class _Lift:
    """The key times and values of a lift, which are added one after another."""

    def __init__(self) -> None:
        self.now = 0.0
        self.keys: dict[str, list[tuple[float, float]]] = {}

    def go(self, seconds: float, **values: float) -> None:
        """Moves these values to new ones within that time; the others stay."""
        for name, value in values.items():
            course = self.keys.setdefault(name, [(self.now, value)])
            course.append((self.now, course[-1][1]))
            course.append((self.now + seconds, value))
        self.now += seconds

    def at(self, t: Times, name: str) -> Times:
        """Returns a value at the times `t`."""
        return keyed(t, self.keys[name])


def _from_floor(actor: Actor, lift: _Lift, grip: float) -> None:
    """Starts bent over the bar, and lifts it until the body is upright."""
    a, b = actor, actor.body
    plate = a.u(0.2, 0.24)
    fall = np.sqrt(max((0.98 * b.arm) ** 2 - (grip - 0.5 * b.shoulder_width) ** 2, 0.09))
    shoulder_z = plate + fall
    low = float(np.clip(a.u(0.42, 0.62), 0.3, shoulder_z - 0.15 * b.torso))
    lean = float(np.arccos(np.clip((shoulder_z - low) / b.torso, 0.05, 0.98)))
    lift.go(0.0, hip=low, lean=lean, back=-a.u(0.24, 0.4), hang=1.0, rack=0.0, over=0.0, split=0.0, air=0.0)
    if a.chance(0.25):  # first bends down to the bar
        lift.keys |= {"hip": [(0.0, b.standing)], "lean": [(0.0, 0.1)], "back": [(0.0, 0.0)]}
        lift.go(a.around(1.0, 0.3), hip=low, lean=lean, back=-0.32)
    lift.go(a.around(0.5, 0.8))
    knee = a.around(0.75, 0.2)
    lift.go(knee, hip=low + 0.45 * (b.standing - low), lean=lean * a.u(0.8, 1.0), back=-0.26)
    lift.go(knee * 0.5, hip=b.standing, lean=a.u(-0.15, 0.0), back=0.0, air=a.u(0.0, 0.06))


def _caught(actor: Actor, lift: _Lift, full: float) -> None:
    """Drops under the bar into a squat, a full one with probability `full`, and stands up."""
    a, b = actor, actor.body
    deep = a.chance(full)
    bottom = b.ankle + b.shank * (a.u(0.5, 0.95) if deep else a.u(1.2, 1.75))
    lean = a.u(0.1, 0.4) if deep else a.u(0.0, 0.25)
    lift.go(a.around(0.38, 0.15), hip=bottom, lean=lean, back=-a.u(0.08, 0.22), air=0.0)
    lift.go(a.around(0.25, 0.5))
    lift.go(a.around(1.1 if deep else 0.6, 0.25), hip=b.standing, lean=0.03, back=0.0)


def clean_and_jerk(actor: Actor) -> Pose:
    """Lifts a bar from the floor to the shoulders, and from there overhead, mostly with split legs."""
    a, b = actor, actor.body
    lift, grip = _Lift(), b.shoulder_width * a.u(0.6, 1.0)
    _from_floor(a, lift, grip)
    turned = lift.now - 0.1
    _caught(a, lift, 0.5)
    lift.keys["hang"] += [(turned, 1.0), (turned + 0.38, 0.0)]
    lift.keys["rack"] += [(turned, 0.0), (turned + 0.38, 1.0)]
    lift.go(a.around(1.2, 0.7))
    lift.go(a.around(0.35, 0.2), hip=b.standing - a.u(0.08, 0.18))
    lift.go(0.2, hip=b.standing, air=0.03)
    drop = a.u(0.1, 0.32)
    split = float(a.chance(0.72))
    lift.go(a.around(0.3, 0.15), hip=b.standing - drop, rack=0.0, over=1.0, split=split, air=0.0)
    lift.go(a.around(0.4, 0.4))
    lift.go(a.around(0.9, 0.3), hip=b.standing, split=0.0)
    lift.go(a.around(0.9, 0.6))
    return _lifter(a, lift, grip, 0.05)


def snatch_weight_lifting(actor: Actor) -> Pose:
    """Lifts a bar with a wide grip from the floor overhead in one movement, and catches it in a squat."""
    a, b = actor, actor.body
    lift, grip = _Lift(), b.shoulder_width * a.u(1.05, 1.55)
    _from_floor(a, lift, grip)
    turned = lift.now - 0.1
    _caught(a, lift, 0.65)
    lift.keys["hang"] += [(turned, 1.0), (turned + 0.42, 0.0)]
    lift.keys["over"] += [(turned, 0.0), (turned + 0.42, 1.0)]
    lift.go(a.around(0.9, 0.6))
    return _lifter(a, lift, grip, 0.12)


def _lifter(actor: Actor, lift: _Lift, grip: float, fore: float) -> Pose:
    a, b = actor, actor.body
    tempo = a.around(1.0, 0.12)
    t = performance(a, lift.now * tempo)
    hip, lean, back, hang, rack, over, split, air = (
        lift.at(t / tempo, name) for name in ("hip", "lean", "back", "hang", "rack", "over", "split", "air")
    )
    wobble, shift, turn, tilt = sway(a, t, [0.02, 0.012, 0.03, 0.02])
    legs = _split(a, split, air)
    top = b.astride(np.abs(legs.ends[:, :, 0] - back[:, None]).max(1)) + air
    trunk = Trunk(
        vec(back, shift, np.minimum(hip + air, top)),
        orient(lean * a.u(0.85, 1.05) + wobble, turn),
        orient(lean * a.u(0.95, 1.12) + wobble, turn, tilt),
    )
    places: Sequence[tuple[Times, tuple[float, float, float], tuple[float, float, float]]] = (
        (hang, (0.02, grip, -0.97), (-0.5, 1, 0.2)),
        (rack, (a.u(0.12, 0.22), 0.5 * b.shoulder_width + a.u(0.02, 0.14), a.u(0.0, 0.14)), (1, 0.35, -0.5)),
        (over, (a.u(-0.06, fore), grip, 1.0), (-0.4, 1, -0.1)),
    )
    middle = shoulders(b, trunk).mean(1, keepdims=True)
    ends, poles = np.zeros((2, len(t), 2, 3))
    for weight, (x, y, z), pole in places:
        up = np.sqrt(max(1 - ((y - 0.5 * b.shoulder_width) / b.arm) ** 2, 0.1)) * b.arm if abs(z) > 0.5 else b.arm
        ends = ends + weight[:, None, None] * both(x, y, z * up)
        poles = poles + weight[:, None, None] * both(*pole)
    bow = 0.25 * np.sin(np.pi * np.clip(hang, 0, 1))  # the bar passes close to the body, with high elbows
    ends = ends + vec(0.1 * bow, 0.0, 0.0)[:, None]
    gaze_pitch = np.clip(lean * 0.35, -0.2, 0.5)
    return Pose(trunk, Limbs(middle + ends, poles), legs, gaze(a, t, gaze_pitch), t / (lift.now * tempo))


def _split(actor: Actor, split: Times, air: Times) -> Limbs:
    """Moves one foot forward and one back by `split`, and lifts both by `air`."""
    a, b = actor, actor.body
    ahead, behind = a.u(0.25, 0.45), a.u(0.3, 0.5)
    moved = np.stack([ahead * split, -behind * split], 1)
    heel = np.stack([0 * split, 0.09 * split], 1)
    if a.chance(0.4):
        moved, heel = moved[:, ::-1], heel[:, ::-1]
    half = a.u(0.6, 1.1) * 0.5 * b.hip_width + 0.04
    step = 0.05 * np.sin(np.pi * ease(split))
    ends = both(moved - 0.03, half, b.ankle + heel + (air + step)[:, None])
    return Limbs(ends, both(1, a.u(0.1, 0.6), 0.1))
