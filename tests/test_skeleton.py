from __future__ import annotations

import numpy as np
import pytest

from actrec.skeleton import SKELETONS, add_skeleton, get_skeleton, map_keypoints
from actrec.types import ActrecError

ALL = pytest.mark.parametrize("name", list(SKELETONS))


@ALL
def test_mirror_twice_is_identity_and_swaps_names(name: str) -> None:
    skeleton = get_skeleton(name)
    mirror = skeleton.mirror_index
    assert (mirror[mirror] == np.arange(skeleton.n_joints)).all()
    for joint, other in zip(skeleton.joints, mirror, strict=True):
        side, _, part = joint.partition("_")
        opposite = {"left": f"right_{part}", "right": f"left_{part}"}
        assert skeleton.joints[other] == opposite.get(side, joint)


@ALL
def test_bones_connect_all_joints(name: str) -> None:
    skeleton = get_skeleton(name)
    reached = {skeleton.joints[0]}
    for _ in skeleton.joints:
        reached |= {end for bone in skeleton.bones if set(bone) & reached for end in bone}
    assert reached == set(skeleton.joints)


@ALL
def test_bones_are_distinct_and_mirror_onto_bones(name: str) -> None:
    skeleton = get_skeleton(name)
    bones = {frozenset(bone) for bone in skeleton.bone_index.tolist()}
    assert len(bones) == len(skeleton.bones)
    assert {frozenset(skeleton.mirror_index[list(bone)].tolist()) for bone in bones} == bones


@ALL
def test_adjacency_rows_sum_to_one_over_the_joint_and_its_neighbours(name: str) -> None:
    skeleton = get_skeleton(name)
    adjacency = skeleton.adjacency()
    np.testing.assert_allclose(adjacency.sum(1), 1, rtol=1e-6)
    for row, joint in enumerate(skeleton.joints):
        neighbours = {end for bone in skeleton.bones if joint in bone for end in bone} | {joint}
        assert {skeleton.joints[column] for column in np.flatnonzero(adjacency[row])} == neighbours


@pytest.mark.parametrize("name", SKELETONS)
def test_parents_form_a_tree_of_bones(name: str) -> None:
    skeleton = SKELETONS[name]
    bones = {tuple(bone) for bone in skeleton.bone_index.tolist()}
    roots = [joint for joint, other in enumerate(skeleton.parents) if joint == other]
    assert len(roots) == 1
    for joint in range(skeleton.n_joints):
        assert joint in roots or (joint, skeleton.parents[joint]) in bones
        steps = 0
        while joint not in roots:
            joint, steps = skeleton.parents[joint], steps + 1
            assert steps <= skeleton.n_joints


def test_penn_to_coco_by_name_with_eyes_and_ears_unobserved() -> None:
    keypoints = np.random.default_rng(0).random((5, 13, 3)).astype(np.float32) + 0.1
    mapped = map_keypoints(keypoints, "penn13", "coco17")
    np.testing.assert_array_equal(mapped[:, 0], keypoints[:, 0])
    np.testing.assert_array_equal(mapped[:, 1:5], 0)
    np.testing.assert_array_equal(mapped[:, 5:], keypoints[:, 1:])


def test_mapping_to_the_same_skeleton_changes_nothing() -> None:
    keypoints = np.random.default_rng(0).random((5, 25, 3))
    np.testing.assert_array_equal(map_keypoints(keypoints, "ntu25", "ntu25"), keypoints)


def test_mapping_names_a_wrong_joint_count() -> None:
    with pytest.raises(ActrecError, match=r"25 joints; skeleton 'coco17' has 17"):
        map_keypoints(np.zeros((2, 25, 3)), "coco17", "penn13")


def test_unknown_skeleton_lists_those_there_are() -> None:
    with pytest.raises(ActrecError, match=r"no skeleton 'coco18'.*coco17"):
        get_skeleton("coco18")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"bones": [["left_hip", "tail"]]}, "has no joint 'tail'"),
        (
            {"joints": ["left_hip", "right_hip", "left_shoulder", "right_shoulder", "left_toe"]},
            "no joint 'right_toe'",
        ),
        ({"joints": ["left_hip", "right_hip", "left_shoulder", "right_shoulder"] * 2}, "each joint only once"),
        ({"hips": ["left_pelvis", "right_pelvis"]}, "has no joint 'left_pelvis'"),
        ({"bones": [["left_hip"]]}, "expected a list of 2 joint names"),
        ({"joints": "left_hip"}, "expected a list of joint names"),
        ({"name": None}, "its name is missing"),
        ({"colour": ["red"]}, "colour"),
    ],
)
def test_a_layout_that_is_wrong(change: dict[str, object], message: str) -> None:
    joints = ["left_hip", "right_hip", "left_shoulder", "right_shoulder"]
    layout = {"name": "mine", "joints": joints, "bones": [["left_shoulder", "left_hip"]]}
    with pytest.raises(ActrecError, match=message):
        add_skeleton({**layout, **change})
