"""The articulated body: samples its proportions, and computes 17 joints in 3D from the pose of each frame.

World axes, in metres: x is forward of the body, y is its left, z is up; the floor is at z = 0. An orientation is a
(frame, 3, 3) array whose rows are the forward, left and up vectors, so that `local @ orientation` is in the world.
Elbows and knees follow from the positions of hands and feet by two-bone inverse kinematics; the positions are given in
the world, or relative to the trunk.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from numpy import ndarray

Array = Float[ndarray, "..."]
Value = Array | float | int
Orientation = Float[ndarray, "frame 3 3"]
SIDES = np.array([1.0, -1.0])  # left is +y

# Mean length in torso lengths (mid-shoulders to pelvis), and standard deviation between people. The means are those of
# annotated joints: Penn Action's training clips in which the body faces the camera, 90th percentile over frames.
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
    """The lengths of a body, in metres.

    Attributes:
        torso: From mid-shoulders to pelvis.
        neck: From mid-shoulders to the middle of the head.
        face: From the middle of the head to the nose.
        ankle: Height of the ankle above the sole.
        shrug: Height by which raised arms raise the shoulders.
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
    shrug: float = 0.1

    @staticmethod
    def sample(rng: np.random.Generator) -> Body:
        """Samples the proportions of a person."""
        size, *spread = np.clip(rng.standard_normal(1 + len(_PROPORTIONS)), -2.2, 2.2).tolist()
        torso = 0.5 * float(np.exp(0.07 * size))
        lengths = [torso * (mean + sd * z) for (mean, sd), z in zip(_PROPORTIONS.values(), spread, strict=True)]
        return replace(Body(torso, *lengths), shrug=0.2 * torso)

    def as_estimated(self, rng: np.random.Generator) -> Body:
        """Returns the body with the proportions that pose estimators give; they differ from those of annotated joints.

        On clips of squats, deadlifts, pull-ups and push-ups, the nose of YOLO, Sapiens and MoveNet is at 0.41 to 0.49
        torso lengths above the shoulders, with raised arms too, legs are 6 % longer, and the distance of the hips
        varies between models.
        """
        spread = np.clip(rng.standard_normal(5), -2.2, 2.2)
        neck, hips, legs, width, shrug = np.exp(np.array([0.16, 0.35, 0.06, 0.1, 0.4]) * spread).tolist()
        return replace(
            self,
            neck=1.35 * neck * self.neck,
            hip_width=0.9 * hips * self.hip_width,
            thigh=1.04 * legs * self.thigh,
            shank=1.07 * legs * self.shank,
            shoulder_width=1.05 * width * self.shoulder_width,
            shrug=0.35 * shrug * self.shrug,
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
        """Returns the height of the pelvis when each ankle is that far, in metres, from below its hip."""
        reach: Value = np.sqrt(np.maximum((0.985 * self.leg) ** 2 - np.square(away), (0.3 * self.leg) ** 2))
        return self.ankle + reach


class Trunk(NamedTuple):
    """Position and orientation of the trunk; the spine bends half-way between pelvis and chest."""

    pelvis: Float[ndarray, "frame 3"]
    hips: Orientation
    chest: Orientation


class Limbs(NamedTuple):
    """Ends of a pair of limbs (left, right), and for each a direction in which its middle joint points."""

    ends: Float[ndarray, "frame 2 3"]
    poles: Float[ndarray, "frame 2 3"]


class Pose(NamedTuple):
    """The pose in every frame, as an action determines it.

    Attributes:
        done: Number of complete repetitions done, with fractions; None for an action without repetitions.
    """

    trunk: Trunk
    arms: Limbs
    legs: Limbs
    head: Orientation
    done: Float[ndarray, " frame"] | None = None


def vec(x: Value, y: Value, z: Value) -> Float[ndarray, "*shape 3"]:
    """Builds vectors from coordinates, which are broadcast."""
    shape = np.broadcast_shapes(np.shape(x), np.shape(y), np.shape(z))
    out = np.empty((*shape, 3))
    out[..., 0], out[..., 1], out[..., 2] = x, y, z
    return out


def both(x: Value, y: Value, z: Value) -> Float[ndarray, "frame 2 3"]:
    """Builds mirrored vectors for left and right, with y outwards; values are per frame, or per frame and side."""

    def sided(value: Value) -> Value:
        return value[:, None] if isinstance(value, ndarray) and value.ndim == 1 else value

    out = vec(sided(x), SIDES * sided(y), sided(z))
    return out if out.ndim == 3 else out[None]


def orient(pitch: Value, yaw: Value = 0.0, roll: Value = 0.0) -> Orientation:
    """Builds orientations from angles in radians: pitch is forward, yaw to the left, roll to the right."""
    pitch, yaw, roll = np.broadcast_arrays(np.atleast_1d(pitch), yaw, roll)
    sp, cp, sy, cy, sr, cr = np.sin(pitch), np.cos(pitch), np.sin(yaw), np.cos(yaw), np.sin(roll), np.cos(roll)
    out = np.empty((len(pitch), 3, 3))
    out[:, 0] = vec(cy * cp, sy * cp, -sp)
    out[:, 1] = vec(cy * sp * sr - sy * cr, sy * sp * sr + cy * cr, cp * sr)
    out[:, 2] = vec(cy * sp * cr + sy * sr, sy * sp * cr - cy * sr, cp * cr)
    return out


def spine(body: Body, hips: Orientation, chest: Orientation) -> Float[ndarray, "frame 3"]:
    """Computes the vector from the pelvis to mid-shoulders."""
    return 0.5 * body.torso * (hips[:, 2] + chest[:, 2])


def hung(body: Body, shoulders: Float[ndarray, "frame 3"], hips: Orientation, chest: Orientation) -> Trunk:
    """Builds a trunk from the position of mid-shoulders."""
    return Trunk(shoulders - spine(body, hips, chest), hips, chest)


def shoulders(body: Body, trunk: Trunk) -> Float[ndarray, "frame 2 3"]:
    """Computes the left and right shoulder with hanging arms."""
    middle = trunk.pelvis + spine(body, trunk.hips, trunk.chest)
    return middle[:, None] + (0.5 * body.shoulder_width * SIDES)[:, None] * trunk.chest[:, 1:2]


def hips(body: Body, trunk: Trunk) -> Float[ndarray, "frame 2 3"]:
    """Computes the left and right hip."""
    return trunk.pelvis[:, None] + (0.5 * body.hip_width * SIDES)[:, None] * trunk.hips[:, 1:2]


def head_of(body: Body, trunk: Trunk, head: Orientation) -> Float[ndarray, "frame 3"]:
    """Computes the middle of the head."""
    middle = trunk.pelvis + spine(body, trunk.hips, trunk.chest)
    return middle + body.neck * (0.4 * trunk.chest[:, 2] + 0.6 * head[:, 2])


def free_arms(body: Body, trunk: Trunk, reach: Array, pole: Array) -> Limbs:
    """Places the arms; `reach` from the shoulders, in arm lengths, and `pole` are along the chest's axes."""
    return Limbs(shoulders(body, trunk) + body.arm * (reach @ trunk.chest), pole @ trunk.chest)


def free_legs(body: Body, trunk: Trunk, hip: Array, knee: Array, spread: Value = 0.05) -> Limbs:
    """Places the legs by joint angles.

    Args:
        hip: Flexion of the hips in radians, (frame, 2).
        knee: Flexion of the knees in radians, (frame, 2).
        spread: Distance outwards, in leg lengths.
    """
    shin = hip - knee
    along = body.thigh * np.sin(hip) + body.shank * np.sin(shin)
    down = body.thigh * np.cos(hip) + body.shank * np.cos(shin)
    ends = hips(body, trunk) + both(along, spread * body.leg, -down) @ trunk.hips
    pole = both(np.cos(0.5 * (hip + shin)), 0.05, np.sin(0.5 * (hip + shin)))
    return Limbs(ends, pole @ trunk.hips)


def joints(body: Body, pose: Pose) -> Float[ndarray, "frame 17 3"]:
    """Computes the COCO-17 joints of every frame, in metres.

    A wrist or ankle that is farther away than the limb is long is placed in its direction, at the limb's length.
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
    """Computes the shoulders, which move up and inwards with raised arms."""
    hanging = shoulders(body, trunk)
    up = trunk.chest[:, 2:3]
    raised = np.clip(((wrists - hanging) * up).sum(-1, keepdims=True) / body.arm, 0, 1)
    inwards = (0.06 * body.torso * SIDES)[:, None] * trunk.chest[:, 1:2]
    return hanging + raised * (body.shrug * up - inwards)


def _two_bones(
    root: Float[ndarray, "frame limb 3"],
    end: Float[ndarray, "frame limb 3"],
    pole: Float[ndarray, "frame limb 3"],
    upper: Float[ndarray, "limb 1"],
    lower: Float[ndarray, "limb 1"],
) -> tuple[Float[ndarray, "frame limb 3"], Float[ndarray, "frame limb 3"]]:
    """Computes the middle joint and the end of limbs of two bones, by the law of cosines."""
    line = end - root
    length = np.sqrt((line * line).sum(-1, keepdims=True)) + 1e-9
    line = line / length
    length = np.clip(length, np.abs(upper - lower) + 0.15 * lower, 0.998 * (upper + lower))
    along = (upper * upper - lower * lower + length * length) / (2 * length)
    aside = pole - (pole * line).sum(-1, keepdims=True) * line
    aside = aside / (np.sqrt((aside * aside).sum(-1, keepdims=True)) + 1e-9)
    middle = root + along * line + np.sqrt(np.maximum(upper * upper - along * along, 0)) * aside
    return middle, root + length * line


# Joints of the face, relative to the middle of the head, in lengths of `Body.face`: forward, left, up.
_FACE = np.array([[1.0, 0, -0.05], [0.85, 0.32, 0.25], [0.85, -0.32, 0.25], [0, 0.72, 0.1], [0, -0.72, 0.1]])
