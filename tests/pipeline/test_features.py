from __future__ import annotations

import numpy as np
import pytest

from actrec.pipeline.features import Features
from actrec.pipeline.windows import SlidingWindows
from actrec.skeleton import COCO17, Skeleton, get_skeleton
from actrec.types import ActrecError, NormalizedSequence, Window
from tests.pipeline.sequences import all_known, growing_sequence


def padded_window() -> Window:
    return SlidingWindows(8, 4).evaluate(growing_sequence(5), 5)[0]


def test_joint_features_are_the_keypoints() -> None:
    window = padded_window()
    features = Features()(window, COCO17)
    np.testing.assert_array_equal(features, window.keypoints)
    assert features.dtype == np.float32
    assert Features().n_channels() == 3
    assert Features(use_velocity=True).n_channels(3) == 7


def test_bone_features_point_from_the_parent() -> None:
    window = padded_window()
    before = window.keypoints.copy()
    features = Features("bone")(window, COCO17)
    wrist, elbow, nose = COCO17.index(["left_wrist", "left_elbow", "nose"])
    np.testing.assert_allclose(features[:, wrist, :2], before[:, wrist, :2] - before[:, elbow, :2], rtol=1e-6)
    eye = COCO17.index(["right_eye"])[0]  # known from the fifth frame on, the nose from the first
    np.testing.assert_array_equal(features[:4, eye, :2], 0)
    np.testing.assert_allclose(features[4:, eye, :2], before[4:, eye, :2] - before[4:, nose, :2], rtol=1e-6)
    np.testing.assert_array_equal(features[:, wrist, 2], before[:, [wrist, elbow], 2].min(1))
    np.testing.assert_array_equal(features[:, nose, :2], 0)
    np.testing.assert_array_equal(window.keypoints, before)


@pytest.mark.parametrize("stream", ["joint", "bone"])
def test_velocity_looks_back_one_frame(stream: str) -> None:
    window, options = (
        SlidingWindows(8, 4).evaluate(all_known(growing_sequence(5).keypoints), 5)[0],
        Features(stream, True),
    )
    features = options(window, COCO17)
    assert features.shape[-1] == options.n_channels() == 5
    assert features.dtype == np.float32
    np.testing.assert_array_equal(features[..., :3], Features(stream)(window, COCO17))
    for t in range(8):
        moved = features[t, :, :2] - features[t - 1, :, :2] if 0 < t < 5 else np.zeros((17, 2))
        np.testing.assert_allclose(features[t, :, 3:], moved, rtol=1e-6)


@pytest.mark.parametrize("stream", ["joint", "bone", "velocity"])
def test_a_velocity_scale_multiplies_the_velocities_alone(stream: str) -> None:
    window, added = padded_window(), stream != "velocity"
    plain = Features(stream, added)(window, COCO17)
    scaled = Features(stream, added, velocity_scale=5)(window, COCO17)
    velocities = [3, 4] if added else [0, 1]
    others = [channel for channel in range(plain.shape[-1]) if channel not in velocities]
    np.testing.assert_allclose(scaled[..., velocities], 5 * plain[..., velocities], rtol=1e-6)
    np.testing.assert_array_equal(scaled[..., others], plain[..., others])
    assert plain[..., velocities].any()
    assert scaled.dtype == np.float32
    np.testing.assert_array_equal(
        Features(stream, added, velocity_scale=5).observed(window, COCO17),
        Features(stream, added).observed(window, COCO17),
    )


@pytest.mark.parametrize("scale", [0, -1.0, float("nan"), float("inf"), 1e4])
def test_a_velocity_scale_out_of_range_is_an_error(scale: float) -> None:
    with pytest.raises(ActrecError, match=r"features\.velocity_scale is .*; expected more than 0, up to 1000"):
        Features(use_velocity=True, velocity_scale=scale)


def test_the_velocity_stream_is_the_velocity_and_the_confidence() -> None:
    window = padded_window()
    both, stream = Features(use_velocity=True)(window, COCO17), Features("velocity")
    assert stream.n_channels() == 3
    np.testing.assert_array_equal(stream(window, COCO17), both[..., [3, 4, 2]])
    with pytest.raises(ActrecError, match="use_velocity=false"):
        Features("velocity", use_velocity=True)


def test_a_joint_that_comes_into_sight_has_no_velocity() -> None:
    window = padded_window()
    features = Features(use_velocity=True)(window, COCO17)
    joint = 1  # known from the third frame on
    np.testing.assert_array_equal(features[:3, joint, 3:], 0)
    moved = window.keypoints[3:5, joint, :2] - window.keypoints[2:4, joint, :2]
    np.testing.assert_allclose(features[3:5, joint, 3:], moved, rtol=1e-6)


@pytest.mark.parametrize("use_velocity", [False, True])
@pytest.mark.parametrize("stream", ["joint", "bone", "velocity"])
@pytest.mark.parametrize("layout", [COCO17, get_skeleton("penn13")])
def test_a_streams_value_is_observed_where_all_that_it_is_made_of_was(
    stream: str, use_velocity: bool, layout: Skeleton
) -> None:
    sequence = growing_sequence(6)
    sequence = NormalizedSequence(
        *(part[:, : layout.n_joints] for part in (sequence.keypoints, sequence.observed, sequence.known))
    )
    window = SlidingWindows(9, 4).evaluate(sequence, 6)[0]
    parent = {child: above for child, above in reversed([tuple(bone) for bone in layout.bone_index.tolist()])}
    expected = np.zeros((9, layout.n_joints), dtype=bool)
    for t in range(6):
        for joint in range(layout.n_joints):
            frames, joints = [t], [joint]
            if stream == "velocity":
                frames.append(t - 1)
            if stream == "bone":
                joints.append(parent.get(joint, -1))
            inside = min(frames) >= 0 and min(joints) >= 0
            expected[t, joint] = inside and all(sequence.observed[f, j] for f in frames for j in joints)
    options = Features(stream, use_velocity and stream != "velocity")
    np.testing.assert_array_equal(options.observed(window, layout), expected)
    assert expected.any()
    if stream != "joint":
        assert (expected <= window.observed).all()
        assert (expected != window.observed).any()


def test_a_value_that_was_not_measured_is_not_observed() -> None:
    # Zeros that stand for nothing (no parent, an end not known, a first frame) are no targets of the forecast.
    window = padded_window()
    for stream in ("bone", "velocity"):
        options = Features(stream)
        nothing = (options(window, COCO17)[..., :2] == 0).all(-1)
        assert (nothing & window.observed).any()
        assert not (nothing & options.observed(window, COCO17)).any()


def test_unknown_stream_is_named() -> None:
    with pytest.raises(ActrecError, match="'motion'"):
        Features("motion")
