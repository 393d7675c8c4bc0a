"""Other motions on bars, benches and machines: dips, hangs, flies, hip thrusts, leg machines."""

from __future__ import annotations

import numpy as np

from actrec.data.synthetic.body import Limbs, Pose, Trunk, both, free_arms, free_legs, hung, orient, vec
from actrec.data.synthetic.motion import Actor, cycles, repetitions, sway
from actrec.data.synthetic.standing import gaze


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


BENCH = (dip, hang, lying_arms, hip_thrust, leg_machine)
