from __future__ import annotations

from copy import deepcopy
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actrec.pipeline.clip_transforms import TemporalResample
from actrec.pipeline.transform import Transform
from actrec.pipeline.window_transforms import Jitter, Mirror, Rotation, Scaling, SwapSides, Translation
from actrec.skeleton import COCO17
from actrec.types import NormalizedSequence
from tests.pipeline.sequences import NEVER, random_sequence, same

few = settings(max_examples=25, deadline=None)
SPATIAL = [
    Rotation(1, 30.0),
    Rotation(1, 30.0, per_frame=True),
    Scaling(1, (0.8, 1.2)),
    Scaling(1, (0.8, 1.2), aspect=(0.9, 1.1)),
    Translation(1, 0.3),
    Mirror(1),
    Jitter(1, 0.05),
]


@pytest.mark.parametrize("transform", [*SPATIAL, TemporalResample(1)], ids=str)
def test_input_stays_and_the_same_generator_gives_the_same(transform: Transform) -> None:
    sequence = random_sequence()
    before = deepcopy(sequence)
    one = transform(sequence, COCO17, np.random.default_rng(7))
    other = transform(sequence, COCO17, np.random.default_rng(7))
    assert same(sequence, before)
    assert same(one, other)
    assert not same(one, sequence)
    assert one.keypoints.dtype == np.float32
    assert one.keypoints.shape[1:] == (17, 3)
    assert one.observed.shape == one.keypoints.shape[:2]


@pytest.mark.parametrize("transform", SPATIAL, ids=str)
def test_a_joint_never_observed_stays_zero(transform: Transform) -> None:
    sequence = random_sequence()
    mirrored = COCO17.mirror_index[NEVER] if isinstance(transform, Mirror) else NEVER
    for seed in range(10):
        result = transform(sequence, COCO17, np.random.default_rng(seed))
        np.testing.assert_array_equal(result.keypoints[:, mirrored], 0)
        assert not result.observed[:, mirrored].any()


@pytest.mark.parametrize("transform", SPATIAL[:-1], ids=str)
def test_shape_confidence_and_observation_stay(transform: Transform) -> None:
    sequence = random_sequence()
    result = transform(sequence, COCO17, np.random.default_rng(0))
    order = COCO17.mirror_index if isinstance(transform, Mirror) else np.arange(17)
    np.testing.assert_array_equal(result.keypoints[..., 2], sequence.keypoints[:, order, 2])
    np.testing.assert_array_equal(result.observed, sequence.observed[:, order])
    np.testing.assert_array_equal(result.known, sequence.known[:, order])


def test_a_known_joint_in_the_origin_moves_with_the_body() -> None:
    sequence = random_sequence()
    sequence.keypoints[:, 9, :2] = 0  # known, and by chance at zero
    moved = Translation(1, 0.3)(sequence, COCO17, np.random.default_rng(0))
    shift = moved.keypoints[0, 10, :2] - sequence.keypoints[0, 10, :2]
    np.testing.assert_allclose(moved.keypoints[:, 9, :2], np.broadcast_to(shift, (20, 2)), atol=1e-6)


@given(seed=st.integers(0, 999))
@few
def test_mirror_twice_is_identity(seed: int) -> None:
    sequence, rng = random_sequence(seed=seed), np.random.default_rng(seed)
    assert same(Mirror(1)(Mirror(1)(sequence, COCO17, rng), COCO17, rng), sequence)


def test_swapped_sides_are_where_the_others_were() -> None:
    sequence = random_sequence()
    result = SwapSides(1)(sequence, COCO17, np.random.default_rng(0))
    for left, right in (("left_wrist", "right_wrist"), ("right_knee", "left_knee"), ("nose", "nose")):
        here, there = COCO17.joints.index(left), COCO17.joints.index(right)
        np.testing.assert_array_equal(result.keypoints[:, here], sequence.keypoints[:, there])
        np.testing.assert_array_equal(result.observed[:, here], sequence.observed[:, there])


def test_mirror_swaps_left_and_right() -> None:
    sequence = random_sequence()
    result = Mirror(1)(sequence, COCO17, np.random.default_rng(0))
    for left, right in (("left_wrist", "right_wrist"), ("right_knee", "left_knee"), ("nose", "nose")):
        here, there = COCO17.joints.index(left), COCO17.joints.index(right)
        np.testing.assert_array_equal(result.keypoints[:, here, 0], -sequence.keypoints[:, there, 0])
        np.testing.assert_array_equal(result.keypoints[:, here, 1:], sequence.keypoints[:, there, 1:])
        np.testing.assert_array_equal(result.observed[:, here], sequence.observed[:, there])


def known(sequence: NormalizedSequence) -> np.ndarray:
    return np.delete(sequence.keypoints[..., :2], NEVER, axis=1).reshape(-1, 2).astype(np.float64)


def centroid(sequence: NormalizedSequence) -> np.ndarray:
    points = [sequence.keypoints[t, v, :2] for t in range(20) for v in range(17) if sequence.observed[t, v]]
    return np.mean(points, axis=0, dtype=np.float64)


@given(seed=st.integers(0, 999))
@few
def test_rotation_is_rigid_about_the_centroid_and_within_its_range(seed: int) -> None:
    sequence = random_sequence(seed=seed)
    result = Rotation(1, 20.0)(sequence, COCO17, np.random.default_rng(seed))
    before, after = (known(one) - centroid(sequence) for one in (sequence, result))
    np.testing.assert_allclose(centroid(result), centroid(sequence), atol=1e-5)
    turns = (after @ [1, 1j]) / (before @ [1, 1j])
    np.testing.assert_allclose(turns, turns[0], rtol=1e-3, atol=1e-3)
    assert abs(np.abs(turns[0]) - 1) < 1e-3
    assert abs(np.degrees(np.angle(turns[0]))) <= 20.1


def test_rotation_per_frame_keeps_each_frames_centroid() -> None:
    sequence = random_sequence()
    result = Rotation(1, 90.0, per_frame=True)(sequence, COCO17, np.random.default_rng(0))
    for t in range(20):
        seen = sequence.observed[t]
        np.testing.assert_allclose(
            result.keypoints[t, seen, :2].mean(0), sequence.keypoints[t, seen, :2].mean(0), atol=1e-5
        )


@given(seed=st.integers(0, 999))
@few
def test_scaling_is_one_factor_about_the_centroid(seed: int) -> None:
    sequence = random_sequence(seed=seed)
    result = Scaling(1, (0.8, 1.3))(sequence, COCO17, np.random.default_rng(seed))
    before, after = (known(one) - centroid(sequence) for one in (sequence, result))
    factor = np.linalg.norm(after) / np.linalg.norm(before)
    np.testing.assert_allclose(after, factor * before, rtol=1e-3, atol=1e-4)
    assert 0.799 <= factor <= 1.301


def test_aspect_changes_the_proportions() -> None:
    sequence = random_sequence()
    result = Scaling(1, (1.0, 1.0), aspect=(2.0, 2.0))(sequence, COCO17, np.random.default_rng(0))
    ratio = np.ptp(known(result), axis=0) / np.ptp(known(sequence), axis=0)
    np.testing.assert_allclose(ratio, [2, 1], rtol=1e-4)


def test_translation_is_one_offset() -> None:
    sequence = random_sequence()
    result = Translation(1, 0.3)(sequence, COCO17, np.random.default_rng(0))
    offset = known(result) - known(sequence)
    np.testing.assert_allclose(offset, offset[:1].repeat(len(offset), 0), atol=1e-6)
    assert 0 < np.abs(offset[0]).max() <= 0.3


def test_jitter_has_its_deviation_and_no_pattern() -> None:
    sequence = random_sequence()
    noise = known(Jitter(1, 0.05)(sequence, COCO17, np.random.default_rng(0))) - known(sequence)
    assert noise.std() == pytest.approx(0.05, rel=0.1)
    assert abs(noise.mean()) < 0.01


def held_window_moves() -> NormalizedSequence:
    sequence = random_sequence()
    observed = sequence.observed.copy()
    observed[:, 9] = False  # seen before the window, and held since
    return replace(sequence, observed=observed)


@pytest.mark.parametrize("transform", [Rotation(1, 30.0), Scaling(1, (1.5, 1.5)), Translation(1)], ids=str)
def test_a_joint_held_throughout_moves_with_the_body(transform: Transform) -> None:
    sequence = held_window_moves()
    result = transform(sequence, COCO17, np.random.default_rng(0))
    assert (result.keypoints[:, 9, :2] != sequence.keypoints[:, 9, :2]).all()
