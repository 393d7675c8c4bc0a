"""What the other motions share: stages of a motion, courses through places, and a pelvis that the feet can carry."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from actrec.data.synthetic.body import Array, Body, Limbs, Orientation, Pose, Trunk, Value, both, vec
from actrec.data.synthetic.motion import Actor, Times, cycles, keyed, sway


def stages(actor: Actor, seconds: float, most: float = 3.0) -> tuple[Times, Times, Times]:
    """Draws the seconds, the share of the current repetition that is over (0 to 1), and the repetition's number.

    Args:
        seconds: Usual duration of a repetition, with the rest after it.
        most: Number of repetitions that a clip rarely exceeds.
    """
    t, phase = cycles(actor, 1 / actor.around(seconds, 0.25), 1.0, most, at_rest=0.75)
    turns = phase / (2 * np.pi)
    return t, np.mod(turns, 1.0), np.floor(turns)


def course(actor: Actor, u: Times, *keys: tuple[float | int, ...], size: float = 0.05) -> Float[ndarray, "frame value"]:
    """Moves through keys (time, values ...), each of which is drawn around its place with that standard deviation.

    The first and the last key are moved alike, so that a course that is closed stays closed.
    """
    table = np.array(keys)
    noise = size * actor.rng.standard_normal((len(keys), table.shape[1] - 1))
    noise[-1] = noise[0]
    places = table[:, 1:] + noise
    return np.stack([keyed(u, list(zip(table[:, 0], values, strict=True))) for values in places.T], 1)


def planted(actor: Actor, apart: float, ahead: Value = 0.0) -> Limbs:
    """Places the feet on the floor, each `apart` metres from the middle; the knees point forward and outwards."""
    feet = both(ahead, apart, actor.body.ankle) + 0.02 * actor.rng.standard_normal((1, 2, 3)) * [1, 1, 0]
    return Limbs(feet, both(1, actor.u(0.05, 0.5), 0.1))


def carried_by(body: Body, x: Value, y: Value, feet: Array, drop: Value = 0.0) -> Float[ndarray, "frame 3"]:
    """Returns the pelvis over (x, y), as high as both legs reach their feet, less `drop` metres."""
    away = feet[..., :2] - vec(x, y, 0.0)[..., None, :2] - both(0.0, 0.5 * body.hip_width, 0.0)[..., :2]
    longest = (0.985 * body.leg) ** 2
    reach = np.sqrt(np.maximum(longest - (away * away).sum(-1), 0.15 * longest))
    return vec(x, y, (feet[..., 2] + reach).min(-1) - drop)


def unsteady(actor: Actor, t: Times) -> tuple[Times, Times, Times, Times]:
    """Draws the small movements of somebody who stands: nod, shift to the left, turn, tilt."""
    nod, shift, turn, tilt = sway(actor, t, [0.03, 0.012, 0.04, 0.02])
    return nod, shift, turn, tilt


def pair(left: Array, right: Array) -> Array:
    """Joins values of a left and a right limb, along a second axis."""
    return np.stack(np.broadcast_arrays(left, right), 1)


def mirrored(pose: Pose) -> Pose:
    """Returns the mirror image: what the left side did, the right side does."""
    flip = np.array([1.0, -1.0, 1.0])
    turned = np.array([[1.0], [-1.0], [1.0]]) * flip  # the vector to the left is turned round as well

    def orientation(old: Orientation) -> Orientation:
        return old * turned

    def limbs(old: Limbs) -> Limbs:
        return Limbs(old.ends[:, ::-1] * flip, old.poles[:, ::-1] * flip)

    trunk = Trunk(pose.trunk.pelvis * flip, orientation(pose.trunk.hips), orientation(pose.trunk.chest))
    return pose._replace(trunk=trunk, arms=limbs(pose.arms), legs=limbs(pose.legs), head=orientation(pose.head))


def either(actor: Actor, pose: Pose) -> Pose:
    """Returns the pose or its mirror image."""
    return mirrored(pose) if actor.chance(0.5) else pose
