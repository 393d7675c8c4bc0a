"""The articulated body: sampled proportions, and from what an action says of every frame to 17 joints in 3D.

World axes in metres: x is where the body faces, y is its left, z is up; the floor is z = 0. An orientation is a
(frame, 3, 3) array whose rows are the forward, left and up vectors, so that `local @ orientation` is in the world.
Where a hand or foot is placed, elbow and knee follow by two-bone inverse kinematics; where it is free, the action
places it relative to the trunk.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from numpy import ndarray

Array = Float[ndarray, "..."]
Value = Array | float | int
Orientation = Float[ndarray, "frame 3 3"]
SIDES = np.array([1.0, -1.0])  # left is +y

# Mean length in torso lengths (mid-shoulders to pelvis), and its spread between people. Means are those of joints as
# people annotate them: Penn Action's training clips in which the body faces the camera, 90th percentile over frames.
_PROPORTIONS = {
    "shoulder_width": (0.60, 0.07),
    "hip_width": (0.42, 0.06),
    "upper_arm": (0.56, 0.04),
    "forearm": (0.49, 0.04),
    "thigh": (0.86, 0.07),
    "shank": (0.75, 0.06),
    "neck": (0.30, 0.04),
    "face": (0.17, 0.03),
}


@dataclass(frozen=True)
class Body:
    """Lengths of a body, in metres.

    Attributes:
        torso: Mid-shoulders to pelvis.
        neck: Mid-shoulders to the middle of the head.
        face: From the middle of the head to the nose.
        ankle: Height of the ankle above the sole.
    """

    torso: float
    shoulder_width: float
    hip_width: float
    upper_arm: float
    forearm: float
    thigh: float
    shank: float
    neck: float
    face: float
    ankle: float = 0.08

    @staticmethod
    def sample(rng: np.random.Generator) -> Body:
        """Somebody."""
        size, *spread = np.clip(rng.standard_normal(1 + len(_PROPORTIONS)), -2.2, 2.2).tolist()
        torso = 0.5 * float(np.exp(0.07 * size))
        return Body(
            torso, *(torso * (mean + sd * z) for (mean, sd), z in zip(_PROPORTIONS.values(), spread, strict=True))
        )

    @property
    def arm(self) -> float:
        """Length of a straight arm, to the wrist."""
        return self.upper_arm + self.forearm

    @property
    def leg(self) -> float:
        """Length of a straight leg, to the ankle."""
        return self.thigh + self.shank

    @property
    def standing(self) -> float:
        """Height of the pelvis when standing."""
        return self.ankle + 0.985 * self.leg

    def astride(self, away: Value) -> Value:
        """Height of the pelvis when standing with each ankle that far from under its hip, in metres."""
        reach: Value = np.sqrt(np.maximum((0.985 * self.leg) ** 2 - np.square(away), (0.3 * self.leg) ** 2))
        return self.ankle + reach


class Trunk(NamedTuple):
    """Where the trunk is: the spine bends half-way, between pelvis and chest."""

    pelvis: Float[ndarray, "frame 3"]
    hips: Orientation
    chest: Orientation


class Limbs(NamedTuple):
    """Ends of a pair of limbs (left, right) and, for each, a direction in which its middle joint points."""

    ends: Float[ndarray, "frame 2 3"]
    poles: Float[ndarray, "frame 2 3"]


class Pose(NamedTuple):
    """What an action says of every frame."""

    trunk: Trunk
    arms: Limbs
    legs: Limbs
    head: Orientation


def vec(x: Value, y: Value, z: Value) -> Float[ndarray, "*shape 3"]:
    """Vectors from their coordinates, which are broadcast."""
    shape = np.broadcast_shapes(np.shape(x), np.shape(y), np.shape(z))
    out = np.empty((*shape, 3))
    out[..., 0], out[..., 1], out[..., 2] = x, y, z
    return out


def both(x: Value, y: Value, z: Value) -> Float[ndarray, "frame 2 3"]:
    """Mirrored vectors for left and right: y is outwards; per frame, or per frame and side."""

    def sided(value: Value) -> Value:
        return value[:, None] if isinstance(value, ndarray) and value.ndim == 1 else value

    out = vec(sided(x), SIDES * sided(y), sided(z))
    return out if out.ndim == 3 else out[None]


def orient(pitch: Value, yaw: Value = 0.0, roll: Value = 0.0) -> Orientation:
    """Orientations from angles in radians: pitch bows forward, yaw turns left, roll leans to the right."""
    pitch, yaw, roll = np.broadcast_arrays(np.atleast_1d(pitch), yaw, roll)
    sp, cp, sy, cy, sr, cr = np.sin(pitch), np.cos(pitch), np.sin(yaw), np.cos(yaw), np.sin(roll), np.cos(roll)
    out = np.empty((len(pitch), 3, 3))
    out[:, 0] = vec(cy * cp, sy * cp, -sp)
    out[:, 1] = vec(cy * sp * sr - sy * cr, sy * sp * sr + cy * cr, cp * sr)
    out[:, 2] = vec(cy * sp * cr + sy * sr, sy * sp * cr - cy * sr, cp * cr)
    return out


def spine(body: Body, hips: Orientation, chest: Orientation) -> Float[ndarray, "frame 3"]:
    """From the pelvis to between the shoulders."""
    return 0.5 * body.torso * (hips[:, 2] + chest[:, 2])


def hung(body: Body, shoulders: Float[ndarray, "frame 3"], hips: Orientation, chest: Orientation) -> Trunk:
    """A trunk from where the middle of the shoulders is."""
    return Trunk(shoulders - spine(body, hips, chest), hips, chest)


def shoulders(body: Body, trunk: Trunk) -> Float[ndarray, "frame 2 3"]:
    """Left and right shoulder, arms hanging."""
    middle = trunk.pelvis + spine(body, trunk.hips, trunk.chest)
    return middle[:, None] + (0.5 * body.shoulder_width * SIDES)[:, None] * trunk.chest[:, 1:2]


def hips(body: Body, trunk: Trunk) -> Float[ndarray, "frame 2 3"]:
    """Left and right hip."""
    return trunk.pelvis[:, None] + (0.5 * body.hip_width * SIDES)[:, None] * trunk.hips[:, 1:2]


def head_of(body: Body, trunk: Trunk, head: Orientation) -> Float[ndarray, "frame 3"]:
    """The middle of the head."""
    middle = trunk.pelvis + spine(body, trunk.hips, trunk.chest)
    return middle + body.neck * (0.4 * trunk.chest[:, 2] + 0.6 * head[:, 2])


def free_arms(body: Body, trunk: Trunk, reach: Array, pole: Array) -> Limbs:
    """Arms placed relative to the chest.

    Args:
        body: Whose.
        trunk: Its trunk.
        reach: From shoulder to wrist, in arm lengths along the chest's axes (frame or 1, 2, 3).
        pole: Which way the elbows point, along the chest's axes.
    """
    return Limbs(shoulders(body, trunk) + body.arm * (reach @ trunk.chest), pole @ trunk.chest)


def free_legs(body: Body, trunk: Trunk, hip: Array, knee: Array, spread: Value = 0.05) -> Limbs:
    """Legs placed by joint angles.

    Args:
        body: Whose.
        trunk: Its trunk.
        hip: Flexion of the hips in radians, (frame, 2).
        knee: Flexion of the knees in radians, (frame, 2).
        spread: How far outwards, in leg lengths.
    """
    shin = hip - knee
    along = body.thigh * np.sin(hip) + body.shank * np.sin(shin)
    down = body.thigh * np.cos(hip) + body.shank * np.cos(shin)
    ends = hips(body, trunk) + both(along, spread * body.leg, -down) @ trunk.hips
    pole = both(np.cos(0.5 * (hip + shin)), 0.05, np.sin(0.5 * (hip + shin)))
    return Limbs(ends, pole @ trunk.hips)


def joints(body: Body, pose: Pose) -> Float[ndarray, "frame 17 3"]:
    """COCO-17 joints of every frame, in metres.

    A wrist or ankle that is farther than the limb is long ends up on the way to its place.
    """
    trunk = pose.trunk
    roots = np.concatenate([_raised(body, trunk, pose.arms.ends), hips(body, trunk)], 1)
    both_pairs = (len(trunk.pelvis), 2, 3)
    ends, poles = (
        np.concatenate([np.broadcast_to(getattr(limbs, part), both_pairs) for limbs in (pose.arms, pose.legs)], 1)
        for part in ("ends", "poles")
    )
    upper = np.array([body.upper_arm, body.upper_arm, body.thigh, body.thigh])[:, None]
    lower = np.array([body.forearm, body.forearm, body.shank, body.shank])[:, None]
    middles, ends = _two_bones(roots, ends, poles, upper, lower)
    face = body.face * _FACE @ pose.head + head_of(body, trunk, pose.head)[:, None]
    return np.concatenate(
        [face, roots[:, :2], middles[:, :2], ends[:, :2], roots[:, 2:], middles[:, 2:], ends[:, 2:]], 1
    )


def _raised(body: Body, trunk: Trunk, wrists: Float[ndarray, "frame 2 3"]) -> Float[ndarray, "frame 2 3"]:
    """The shoulders, which go up and in with arms that are raised."""
    hanging = shoulders(body, trunk)
    up = trunk.chest[:, 2:3]
    raised = np.clip(((wrists - hanging) * up).sum(-1, keepdims=True) / body.arm, 0, 1)
    inwards = (0.06 * body.torso * SIDES)[:, None] * trunk.chest[:, 1:2]
    return hanging + raised * (0.2 * body.torso * up - inwards)


def _two_bones(
    root: Float[ndarray, "frame limb 3"],
    end: Float[ndarray, "frame limb 3"],
    pole: Float[ndarray, "frame limb 3"],
    upper: Float[ndarray, "limb 1"],
    lower: Float[ndarray, "limb 1"],
) -> tuple[Float[ndarray, "frame limb 3"], Float[ndarray, "frame limb 3"]]:
    """Middle joint and end of limbs of two bones, by the law of cosines."""
    line = end - root
    length = np.sqrt((line * line).sum(-1, keepdims=True)) + 1e-9
    line = line / length
    length = np.clip(length, np.abs(upper - lower) + 0.15 * lower, 0.998 * (upper + lower))
    along = (upper * upper - lower * lower + length * length) / (2 * length)
    aside = pole - (pole * line).sum(-1, keepdims=True) * line
    aside = aside / (np.sqrt((aside * aside).sum(-1, keepdims=True)) + 1e-9)
    middle = root + along * line + np.sqrt(np.maximum(upper * upper - along * along, 0)) * aside
    return middle, root + length * line


# The face in lengths from the middle of the head to the nose: forward, left, up.
_FACE = np.array([[1.0, 0, -0.05], [0.85, 0.32, 0.25], [0.85, -0.32, 0.25], [0, 0.72, 0.1], [0, -0.72, 0.1]])
