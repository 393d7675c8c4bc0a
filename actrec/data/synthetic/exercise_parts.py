"""Parts of the bodies of other motions: feet that stand, bent hips, hanging arms, an upright trunk."""

from __future__ import annotations

import numpy as np

from actrec.data.synthetic.body import Limbs, Trunk, both, orient, shoulders, vec
from actrec.data.synthetic.motion import Actor, Times, sway


def planted_feet(a: Actor, apart: float, ahead: float = 0.0) -> Limbs:
    feet = both(ahead, apart, a.body.ankle) + 0.02 * a.rng.standard_normal((1, 2, 3)) * [1, 1, 0]
    return Limbs(feet, both(1, a.u(0.05, 0.5), 0.1))


def hinge(a: Actor, t: Times, lean: Times, knee: Times, turn: float = 0.0) -> tuple[Trunk, Limbs]:
    """Bends at the hips by `lean` while the pelvis goes down by `knee` metres and back over fixed feet."""
    b = a.body
    wobble, shift, yaw, tilt = sway(a, t, [0.03, 0.012, 0.03, 0.02])
    apart = a.u(0.7, 1.6) * b.hip_width * 0.6
    back = (0.2 * b.torso + a.u(0.0, 0.25) * b.thigh) * np.sin(np.clip(lean, 0, 1.6))
    top = b.astride(abs(apart - 0.5 * b.hip_width) + 0.03)
    z = np.minimum(top - knee, b.astride(back))
    curve = a.u(-0.05, 0.3) * np.clip(lean, 0, 1.6)
    trunk = Trunk(
        vec(0.03 - back, shift, z), orient(lean - curve + wobble, yaw), orient(lean + curve + wobble, yaw + turn, tilt)
    )
    return trunk, planted_feet(a, apart)


def hanging_arms(a: Actor, t: Times, trunk: Trunk, grip: float, forward: float = 0.05, reach: float = 0.97) -> Limbs:
    """Lets straight arms hang from the shoulders."""
    sh = shoulders(a.body, trunk)
    off = both(forward, (grip - 0.5 * a.body.shoulder_width) / a.body.arm, -reach) * a.body.arm
    noise = sway(a, t, [0.015, 0.015, 0.01], 0.4).T[:, None]
    return Limbs(sh + off + noise, np.broadcast_to(both(-1, 0.5, 0.2), sh.shape))


def upright(a: Actor, t: Times, seated: bool = False, lean: float | Times = 0.0) -> tuple[Trunk, Limbs]:
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
    return trunk, planted_feet(a, apart)
