"""Named joint layouts: the first thing in the flow and the only home of joint numbers.

Every layout lists its joints in storage order. Bones, mirror pairs, hips and shoulders are given by joint name,
so that nothing outside this file needs to know which number a joint has.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray

from actrec.types import ActrecError


@dataclass(frozen=True)
class Skeleton:
    """A joint layout.

    Attributes:
        name: What the configs call it.
        joints: Joint names in storage order.
        bones: Pairs of joint names, child first, that form a connected tree (or nearly one).
        hips: Left and right hip; their midpoint is the pelvis.
        shoulders: Left and right shoulder; from their midpoint to the pelvis is the torso.
    """

    name: str
    joints: tuple[str, ...]
    bones: tuple[tuple[str, str], ...]
    hips: tuple[str, str] = ("left_hip", "right_hip")
    shoulders: tuple[str, str] = ("left_shoulder", "right_shoulder")

    @property
    def n_joints(self) -> int:
        return len(self.joints)

    def index(self, names: Sequence[str]) -> list[int]:
        """Joint numbers of `names`."""
        return [self.joints.index(name) for name in names]

    @cached_property
    def bone_index(self) -> Int[ndarray, "bone 2"]:
        return np.array([self.index(bone) for bone in self.bones])

    @cached_property
    def mirror_pairs(self) -> tuple[tuple[str, str], ...]:
        """Pairs of (left, right) joint names."""
        lefts = [joint for joint in self.joints if joint.startswith("left_")]
        return tuple((joint, joint.replace("left_", "right_", 1)) for joint in lefts)

    @cached_property
    def mirror_index(self) -> Int[ndarray, " joint"]:
        """For each joint, the joint that takes its place in a mirror; `keypoints[:, mirror_index]` swaps sides."""
        order = np.arange(self.n_joints)
        for left, right in self.mirror_pairs:
            a, b = self.index((left, right))
            order[[a, b]] = b, a
        return order

    @cached_property
    def parents(self) -> Int[ndarray, " joint"]:
        """For each joint, the parent along its first bone; a joint that is no bone's child is its own."""
        parent = np.arange(self.n_joints)
        for child, other in self.bone_index[::-1]:  # the first bone of a child is written last
            parent[child] = other
        return parent

    def adjacency(self) -> Float[ndarray, "joint joint"]:
        """Bone adjacency with self-loops, rows summing to one (D⁻¹(A + I))."""
        matrix = np.eye(self.n_joints, dtype=np.float32)
        matrix[self.bone_index[:, 0], self.bone_index[:, 1]] = 1
        matrix[self.bone_index[:, 1], self.bone_index[:, 0]] = 1
        return matrix / matrix.sum(1, keepdims=True)


def _limb(side: str, *joints: str) -> list[tuple[str, str]]:
    names = [f"{side}_{joint}" for joint in joints]
    return list(zip(names[1:], names[:-1], strict=True))


def _both(*joints: str) -> tuple[tuple[str, str], ...]:
    return tuple(_limb("left", *joints) + _limb("right", *joints))


_BODY_12 = tuple(
    f"{side}_{joint}" for joint in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle") for side in ("left", "right")
)
_TORSO = (("left_hip", "left_shoulder"), ("right_hip", "right_shoulder"), ("left_hip", "right_hip"))
_KINECT_ARMS = ("shoulder", "elbow", "wrist", "hand")
_KINECT_LEGS = ("hip", "knee", "ankle", "foot")

COCO17 = Skeleton(
    name="coco17",
    joints=("nose", "left_eye", "right_eye", "left_ear", "right_ear", *_BODY_12),
    bones=(
        ("left_shoulder", "nose"),
        ("right_shoulder", "nose"),
        ("left_eye", "nose"),
        ("right_eye", "nose"),
        ("left_ear", "left_eye"),
        ("right_ear", "right_eye"),
        ("left_shoulder", "right_shoulder"),
        *_TORSO,
        *_both("shoulder", "elbow", "wrist"),
        *_both("hip", "knee", "ankle"),
    ),
)

PENN13 = Skeleton(
    name="penn13",
    joints=("head", *_BODY_12),
    bones=(
        ("left_shoulder", "head"),
        ("right_shoulder", "head"),
        ("left_shoulder", "right_shoulder"),
        *_TORSO,
        *_both("shoulder", "elbow", "wrist"),
        *_both("hip", "knee", "ankle"),
    ),
)

NTU25 = Skeleton(
    name="ntu25",
    joints=(
        "spine_base",
        "spine_mid",
        "neck",
        "head",
        *(f"{side}_{joint}" for side in ("left", "right") for joint in _KINECT_ARMS),
        *(f"{side}_{joint}" for side in ("left", "right") for joint in _KINECT_LEGS),
        "spine_shoulder",
        "left_hand_tip",
        "left_thumb",
        "right_hand_tip",
        "right_thumb",
    ),
    bones=(
        ("spine_mid", "spine_base"),
        ("spine_shoulder", "spine_mid"),
        ("neck", "spine_shoulder"),
        ("head", "neck"),
        ("left_shoulder", "spine_shoulder"),
        ("right_shoulder", "spine_shoulder"),
        ("left_hip", "spine_base"),
        ("right_hip", "spine_base"),
        *_both(*_KINECT_ARMS, "thumb", "hand_tip"),
        *_both(*_KINECT_LEGS),
    ),
)

NWUCLA20 = Skeleton(
    name="nwucla20",
    joints=(
        "spine_base",
        "spine_mid",
        "neck",
        "head",
        *(f"{side}_{joint}" for side in ("left", "right") for joint in _KINECT_ARMS),
        *(f"{side}_{joint}" for side in ("left", "right") for joint in _KINECT_LEGS),
    ),
    bones=(
        ("spine_mid", "spine_base"),
        ("neck", "spine_mid"),
        ("head", "neck"),
        ("left_shoulder", "neck"),
        ("right_shoulder", "neck"),
        ("left_hip", "spine_base"),
        ("right_hip", "spine_base"),
        *_both(*_KINECT_ARMS),
        *_both(*_KINECT_LEGS),
    ),
)

JHMDB15 = Skeleton(
    name="jhmdb15",
    joints=(
        "neck",
        "belly",
        "face",
        *(
            f"{side}_{joint}"
            for joint in ("shoulder", "hip", "elbow", "knee", "wrist", "ankle")
            for side in ("right", "left")
        ),
    ),
    bones=(
        ("belly", "neck"),
        ("face", "neck"),
        ("left_shoulder", "neck"),
        ("right_shoulder", "neck"),
        ("left_hip", "belly"),
        ("right_hip", "belly"),
        *_both("shoulder", "elbow", "wrist"),
        *_both("hip", "knee", "ankle"),
    ),
)

SKELETONS = {skeleton.name: skeleton for skeleton in (COCO17, PENN13, NTU25, NWUCLA20, JHMDB15)}

# Joints that stand in for one another where the name itself is absent, nearest first.
_STAND_INS = {
    "nose": ("face", "head"),
    "head": ("nose", "face"),
    "face": ("nose", "head"),
    "neck": ("spine_shoulder",),
    "belly": ("spine_mid",),
    "spine_mid": ("belly",),
}


def get_skeleton(name: str) -> Skeleton:
    """The layout called `name`.

    Raises:
        ActrecError: There is no such layout.
    """
    if name not in SKELETONS:
        raise ActrecError(f"There is no skeleton '{name}'. Choose one of: {', '.join(SKELETONS)}.")
    return SKELETONS[name]


def counterparts(source: str, target: str) -> list[int | None]:
    """For each joint of the layout `target` the number of the joint of `source` that it is, or None where it has none.

    Args:
        source: Name of a layout.
        target: Name of another.

    Raises:
        ActrecError: Either layout is unknown.
    """
    have, want = get_skeleton(source).joints, get_skeleton(target).joints
    named = ([name for name in (joint, *_STAND_INS.get(joint, ())) if name in have] for joint in want)
    return [have.index(names[0]) if names else None for names in named]


def map_keypoints(keypoints: Float[ndarray, "frame _ 3"], source: str, target: str) -> Float[ndarray, "frame _ 3"]:
    """Keypoints of one layout as those of another, by joint name.

    A joint that the source lacks (the eyes and ears of COCO-17 for Penn-13) comes out unobserved: zero position and
    zero confidence.

    Args:
        keypoints: x, y and confidence, in the layout `source`.
        source: Name of the layout that the keypoints have.
        target: Name of the layout wanted.

    Raises:
        ActrecError: Either layout is unknown, or the keypoints do not have the source's joint count.
    """
    have, want = get_skeleton(source), get_skeleton(target)
    if keypoints.shape[1] != have.n_joints:
        raise ActrecError(
            f"These keypoints have {keypoints.shape[1]} joints; skeleton '{source}' has {have.n_joints}. "
            "Name the skeleton that they were stored with."
        )
    if source == target:
        return keypoints
    mapped = np.zeros((keypoints.shape[0], want.n_joints, 3), dtype=keypoints.dtype)
    for number, counterpart in enumerate(counterparts(source, target)):
        if counterpart is not None:
            mapped[:, number] = keypoints[:, counterpart]
    return mapped
