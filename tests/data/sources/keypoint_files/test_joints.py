from __future__ import annotations

import numpy as np
import pytest

from actrec.data.sources.keypoint_files.detections import Detections, Person, Told, detections
from actrec.data.sources.keypoint_files.joints import arranged, plain
from actrec.data.sources.keypoint_files.numbering import by_picture, clip_name, frame_number
from actrec.skeleton import BUILT_IN, counterparts, get_skeleton
from actrec.types import ActrecError


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (("left_shoulder", "LShoulder", "LEFT_SHOULDER", "shoulder.left", "Left Shoulder", "lshoulder", "leftshoulder",
          "L_Shoulder", "leftShoulder", "shoulder_l"), "left shoulder"),
        (("right_big_toe", "RBigToe", "rightbigtoe", "right_toe"), "right bigtoe"),
        (("pelvis", "MidHip", "hip", "root", "mid_hip", "Hips"), "pelvis"),
        (("left_hip", "LHip", "l_hip"), "left hip"),
        (("neck", "upper_neck", "Neck"), "neck"),
        (("head_top", "HeadTop", "top_head"), "headtop"),
        (("left_mouth", "mouth_left"), "left mouth"),
        (("left_foot_index", "LEFT_FOOT_INDEX", "leftFootIndex"), "left footindex"),
        (("left_ear", "lear", "LEar"), "left ear"),
        (("nose", "Nose"), "nose"),
    ],
)  # fmt: skip
def test_spellings_of_a_joint(names: tuple[str, ...], expected: str) -> None:
    assert {plain(name) for name in names} == {expected}


@pytest.mark.parametrize("layout", BUILT_IN)
def test_the_joints_of_a_layout_stay_apart(layout: str) -> None:
    joints = get_skeleton(layout).joints
    assert len({plain(joint) for joint in joints}) == len(joints)


def of(joints: tuple[str, ...]) -> Detections:
    points = np.arange(1, 3 * len(joints) + 1).reshape(-1, 3) / 100
    return detections({0: [Person(points)]}, Told(joints=joints))


@pytest.mark.parametrize("layout", BUILT_IN)
def test_a_layout_is_found_by_its_joints_names_in_any_order(layout: str) -> None:
    joints = get_skeleton(layout).joints[::-1]
    found = of(joints)
    name, keypoints = arranged(found, None, "coco17")
    assert name == layout
    np.testing.assert_array_equal(keypoints[0], found.keypoints[0, ::-1])


def test_joints_that_no_layout_has_are_left_out_and_missing_ones_unobserved() -> None:
    joints = tuple(joint for joint in get_skeleton("coco17").joints if joint != "left_wrist")
    found = of((*joints, "racket"))
    name, keypoints = arranged(found, None, "coco17")
    assert name == "coco17"
    np.testing.assert_array_equal(
        keypoints[0, [number for number in range(17) if number != 9]], found.keypoints[0, :16]
    )
    assert (keypoints[0, 9] == 0).all()


def test_joints_without_hips() -> None:
    with pytest.raises(ActrecError, match="it has no left_hip and no right_hip"):
        arranged(of(("nose", "left_shoulder", "right_shoulder", "left_wrist")), None, "coco17")


def test_the_store_s_layout_decides_between_layouts_of_as_many_joints() -> None:
    found = detections({0: [Person(np.ones((17, 3)))]})
    assert arranged(found, None, "coco17")[0] == "coco17"
    assert arranged(found, None, "h36m17")[0] == "h36m17"
    assert arranged(found, None, "ntu25")[0] == "coco17"
    assert arranged(found, "h36m17", "coco17")[0] == "h36m17"


@pytest.mark.parametrize(
    ("source", "missing"),
    [
        ("body25", set()),
        ("openpose18", set()),
        ("halpe26", set()),
        ("blazepose33", set()),
        ("wholebody133", set()),
        ("mpii16", {"left_eye", "right_eye", "left_ear", "right_ear"}),
        ("h36m17", {"left_eye", "right_eye", "left_ear", "right_ear"}),
    ],
)
def test_the_layouts_map_to_coco(source: str, missing: set[str]) -> None:
    """Each joint has the same name in both layouts; MPII's head top stands in for the nose."""
    coco, other = get_skeleton("coco17").joints, get_skeleton(source).joints
    for joint, number in zip(coco, counterparts(source, "coco17"), strict=True):
        if joint in missing:
            assert number is None
        else:
            assert number is not None
            assert other[number] == joint or (source, joint, other[number]) == ("mpii16", "nose", "head_top")


@pytest.mark.parametrize(
    ("layout", "places"),
    [
        # By the tools' documentation: the numbers of some joints.
        ("body25", {"neck": 1, "right_wrist": 4, "pelvis": 8, "left_ankle": 14, "left_eye": 16, "right_heel": 24}),
        ("openpose18", {"neck": 1, "right_hip": 8, "left_ankle": 13, "right_eye": 14, "left_ear": 17}),
        ("halpe26", {"left_ankle": 15, "head": 17, "neck": 18, "pelvis": 19, "left_big_toe": 20, "right_heel": 25}),
        ("blazepose33", {"left_ear": 7, "left_shoulder": 11, "right_wrist": 16, "left_hip": 23, "left_foot_index": 31}),
        ("wholebody133", {"right_ankle": 16, "left_big_toe": 17, "right_heel": 22, "face_8": 31, "left_hand_root": 91,
                          "left_pinky_finger4": 111, "right_hand_root": 112, "right_pinky_finger4": 132}),
        ("mpii16", {"right_ankle": 0, "left_hip": 3, "pelvis": 6, "head_top": 9, "right_wrist": 10, "left_wrist": 15}),
        ("h36m17", {"pelvis": 0, "right_hip": 1, "left_ankle": 6, "thorax": 8, "left_shoulder": 11, "right_wrist": 16}),
    ],
)  # fmt: skip
def test_the_numbers_of_joints(layout: str, places: dict[str, int]) -> None:
    joints = get_skeleton(layout).joints
    assert {joint: joints.index(joint) for joint in places} == places


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("squat_1_000000000012_keypoints", ("squat_1_", 12)),
        ("frame_012", ("frame_", 12)),
        ("0", ("", 0)),
        ("squat_1_7", ("squat_1_", 7)),
        ("frame_012_rgb", ("frame__rgb", 12)),
        ("squat", ("squat", None)),
        ("squat_keypoints", ("squat", None)),
    ],
)
def test_frame_numbers(name: str, expected: tuple[str, int | None]) -> None:
    assert frame_number(name) == expected


def test_clips_of_pictures() -> None:
    assert by_picture(["0.jpg", "1.jpg"]) == [("", 0), ("", 1)]
    assert by_picture(["squat_1_05.png", "squat_1_06.png"]) == [("", 5), ("", 6)]
    assert by_picture(["a/squat_1_05.png", "a\\lunge_2_06.png"]) == [("squat_1", 5), ("lunge_2", 6)]
    assert [clip_name(prefix) for prefix in ("frame_", "IMG-", "squat_1_", "")] == ["", "", "squat_1", ""]
