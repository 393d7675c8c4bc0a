"""Named joint layouts, and the mapping of keypoints from one to another.

A layout lists its joints in storage order. Bones, mirror pairs, hips and shoulders are given by joint name, so that no
other module needs joint numbers. The built-in layouts are in `actrec/skeletons/`; layouts of users are added by
`add_skeleton`, or as YAML files (docs/extend.md).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray

from actrec.types import ActrecError


@dataclass(frozen=True)
class Skeleton:
    """A joint layout.

    Attributes:
        name: Name of the layout in configs and stores.
        joints: Joint names in storage order; those of the sides begin with `left_` and `right_`.
        bones: Pairs of joint names, child first.
        hips: Left and right hip; their midpoint is the pelvis.
        shoulders: Left and right shoulder; from their midpoint to the pelvis is the torso.

    Raises:
        ActrecError: A joint is named twice, or a bone, a hip, a shoulder or a mirror image is not among the joints.
    """

    name: str
    joints: tuple[str, ...]
    bones: tuple[tuple[str, str], ...]
    hips: tuple[str, str] = ("left_hip", "right_hip")
    shoulders: tuple[str, str] = ("left_shoulder", "right_shoulder")

    def __post_init__(self) -> None:
        named = {*self.hips, *self.shoulders, *(joint for bone in self.bones for joint in bone)}
        named |= {joint.replace("left_", "right_", 1) for joint in self.joints if joint.startswith("left_")}
        if unknown := sorted(named - set(self.joints)):
            raise ActrecError(
                f"Skeleton '{self.name}' has no joint '{unknown[0]}', which its bones, hips, shoulders or mirror pairs "
                f"need. Its joints are: {', '.join(self.joints)}."
            )
        if len(set(self.joints)) != len(self.joints) or not self.bones:
            raise ActrecError(f"Skeleton '{self.name}' must have at least one bone, and each joint only once.")

    def to_json(self) -> str | dict[str, Any]:
        """Returns the layout as plain data for `add_skeleton`: of a built-in one, the name is enough."""
        return self.name if self.name in BUILT_IN else asdict(self)

    @property
    def n_joints(self) -> int:
        return len(self.joints)

    def index(self, names: Sequence[str]) -> list[int]:
        """Returns the numbers of joints."""
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
        """The number of each joint's mirror image; `keypoints[:, mirror_index]` swaps the sides."""
        order = np.arange(self.n_joints)
        for left, right in self.mirror_pairs:
            a, b = self.index((left, right))
            order[[a, b]] = b, a
        return order

    @cached_property
    def parents(self) -> Int[ndarray, " joint"]:
        """The number of each joint's parent along its first bone; a joint that is no bone's child is its own."""
        parent = np.arange(self.n_joints)
        for child, other in self.bone_index[::-1]:  # the first bone of a child is written last
            parent[child] = other
        return parent

    def adjacency(self) -> Float[ndarray, "joint joint"]:
        """Computes the bone adjacency with self-loops, with rows that sum to one: D⁻¹(A + I)."""
        matrix = np.eye(self.n_joints, dtype=np.float32)
        matrix[self.bone_index[:, 0], self.bone_index[:, 1]] = 1
        matrix[self.bone_index[:, 1], self.bone_index[:, 0]] = 1
        return matrix / matrix.sum(1, keepdims=True)


# Names of about the same joint, which are used where the joint itself is absent, nearest first.
_STAND_INS = {
    "nose": ("face", "head", "head_top"),
    "head": ("head_top", "nose", "face"),
    "head_top": ("head",),
    "face": ("nose", "head"),
    "neck": ("spine_shoulder", "thorax"),
    "thorax": ("spine_shoulder", "neck"),
    "spine_shoulder": ("thorax",),
    "pelvis": ("spine_base",),
    "spine_base": ("pelvis",),
    "belly": ("spine_mid",),
    "spine_mid": ("belly",),
    **{
        f"{side}_{joint}": tuple(f"{side}_{other}" for other in ("big_toe", "foot_index", "foot") if other != joint)
        for side in ("left", "right")
        for joint in ("big_toe", "foot_index", "foot")
    },
}


def get_skeleton(name: str) -> Skeleton:
    """Returns the layout of a name.

    Raises:
        ActrecError: There is no such layout.
    """
    if name not in SKELETONS:
        raise ActrecError(
            f"There is no skeleton '{name}'. Choose one of: {', '.join(SKELETONS)}; or put your own as "
            f"skeletons/{name}.yaml into a folder and give --config-dir=<that folder>."
        )
    return SKELETONS[name]


def add_skeleton(layout: Mapping[str, Any]) -> Skeleton:
    """Makes a layout known by its name in this process.

    Args:
        layout: The attributes of a `Skeleton`, as from a YAML or JSON file.

    Raises:
        ActrecError: The attributes make no layout, or a different layout has that name.
    """
    name = layout.get("name")
    try:
        if not isinstance(name, str):
            raise TypeError("its name is missing")
        given = {key: _names(value) for key, value in layout.items() if key not in ("name", "bones")}
        skeleton = Skeleton(name=name, bones=tuple(_names(bone, 2) for bone in layout["bones"]), **given)
    except (KeyError, TypeError) as error:
        raise ActrecError(
            f"Skeleton '{name}' cannot be made ({error}). Give joints: [left_hip, …], bones: [[left_knee, left_hip], …]"
            " and, if they have other names, hips and shoulders."
        ) from None
    if SKELETONS.setdefault(skeleton.name, skeleton) != skeleton:
        raise ActrecError(f"There are two different skeletons '{skeleton.name}'. Give yours another name.")
    return skeleton


def _names(value: Any, count: int | None = None) -> Any:
    is_list = isinstance(value, Sequence) and not isinstance(value, str)
    if not is_list or not all(isinstance(each, str) for each in value) or len(value) != (count or len(value)):
        raise TypeError(f"expected a list of {count or ''} joint names, got {str(value)[:60]}".replace("  ", " "))
    return tuple(value)


SKELETONS: dict[str, Skeleton] = {}


def _built_in(name: str) -> Skeleton:
    file = Path(__file__).parent / "skeletons" / f"{name}.json"
    return add_skeleton(json.loads(file.read_text(encoding="utf-8")))


BUILT_IN = (
    *("coco17", "penn13", "ntu25", "nwucla20", "jhmdb15"),
    *("body25", "openpose18", "halpe26", "blazepose33", "wholebody133", "mpii16", "h36m17"),
)
COCO17, PENN13, NTU25, NWUCLA20, JHMDB15, *_ = map(_built_in, BUILT_IN)


def counterparts(source: str, target: str) -> list[int | None]:
    """Returns for each joint of the layout `target` the number of the same joint in `source`, or None."""
    have, want = get_skeleton(source).joints, get_skeleton(target).joints
    named = ([name for name in (joint, *_STAND_INS.get(joint, ())) if name in have] for joint in want)
    return [have.index(names[0]) if names else None for names in named]


def map_keypoints(
    keypoints: Float[ndarray, "frame _ value"], source: str, target: str
) -> Float[ndarray, "frame _ value"]:
    """Maps keypoints (two or three coordinates and confidence) of the layout `source` to `target` by joint name.

    A joint that the source lacks becomes unobserved: zero position and zero confidence.

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
    mapped = np.zeros((keypoints.shape[0], want.n_joints, keypoints.shape[2]), dtype=keypoints.dtype)
    for number, counterpart in enumerate(counterparts(source, target)):
        if counterpart is not None:
            mapped[:, number] = keypoints[:, counterpart]
    return mapped
