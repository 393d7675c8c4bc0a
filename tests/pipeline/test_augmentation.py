from __future__ import annotations

from copy import deepcopy
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actrec.pipeline.augmentation import Augmentation
from actrec.pipeline.clip_transforms import JointDropout, TemporalCrop, TemporalResample
from actrec.pipeline.offline import interpolate_missing
from actrec.pipeline.transform import Transform
from actrec.pipeline.window_transforms import Jitter, Mirror, Rotation, Scaling, SwapSides, Translation
from actrec.pipeline.windows import SlidingWindows
from actrec.skeleton import COCO17
from actrec.types import ActrecError, NormalizedSequence, SkeletonSequence, Window

NEVER = 4  # a joint that these sequences never observe
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
CLIP = [JointDropout(1, max_joints=3, limb=0.5), TemporalCrop(1)]


def random_clip(n_frames: int = 20, seed: int = 0) -> SkeletonSequence:
    """A clip as stored, every joint observed."""
    rng = np.random.default_rng(seed)
    keypoints = rng.uniform(100, 400, (n_frames, 17, 3)).astype(np.float32)
    keypoints[..., 2] = rng.uniform(0.3, 1, (n_frames, 17))
    return SkeletonSequence(keypoints, 30.0, "coco17", clip_id="a")


def random_sequence(n_frames: int = 20, seed: int = 0) -> NormalizedSequence:
    """Keypoints as preprocessing leaves them: all known but `NEVER`, which is zero throughout."""
    rng = np.random.default_rng(seed)
    keypoints = rng.normal(size=(n_frames, 17, 3)).astype(np.float32)
    keypoints[..., 2] = rng.uniform(0, 1, (n_frames, 17))
    keypoints[:, NEVER] = 0
    observed = keypoints[..., 2] >= 0.2
    known = np.broadcast_to(observed.any(0), observed.shape)
    return NormalizedSequence(interpolate_missing(keypoints, observed), observed, known)


def same(one: NormalizedSequence | Window, other: NormalizedSequence | Window) -> bool:
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in ("keypoints", "observed", "known"))


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


@pytest.mark.parametrize("transform", CLIP, ids=str)
def test_stored_clips_stay_and_the_same_generator_gives_the_same(transform: Transform) -> None:
    clip = random_clip()
    before = clip.keypoints.copy()
    one, other = (transform(clip, COCO17, np.random.default_rng(7)) for _ in range(2))
    np.testing.assert_array_equal(clip.keypoints, before)
    np.testing.assert_array_equal(one.keypoints, other.keypoints)
    assert not np.array_equal(one.keypoints, before)
    assert one.clip_id == "a"


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


@pytest.mark.parametrize("p", [0, 0.0, None, False])
def test_probability_nought_is_never(p: float | None) -> None:
    sequence, rng = random_sequence(), np.random.default_rng(0)
    assert all(Rotation(p)(sequence, COCO17, rng) is sequence for _ in range(50))


def test_probability_is_a_frequency() -> None:
    sequence, rng = random_sequence(2), np.random.default_rng(0)
    applied = sum(Mirror(0.3)(sequence, COCO17, rng) is not sequence for _ in range(1000))
    assert 250 < applied < 350
    assert all(Mirror(True)(sequence, COCO17, rng) is not sequence for _ in range(50))


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


@given(seed=st.integers(0, 999))
@few
def test_dropout_takes_joints_away_for_a_stretch(seed: int) -> None:
    clip = random_clip(seed=seed)
    dropout = JointDropout(1, max_joints=3, share=(0.2, 0.6), whole=0.0, limb=0.0)
    result = dropout(clip, COCO17, np.random.default_rng(seed)).keypoints
    lost = (result != clip.keypoints).any(2)
    np.testing.assert_array_equal(result[lost], 0)
    assert 1 <= lost.any(0).sum() <= 3
    for joint in np.flatnonzero(lost.any(0)):
        frames = np.flatnonzero(lost[:, joint])
        assert 4 <= len(frames) <= 12
        np.testing.assert_array_equal(frames, np.arange(frames[0], frames[0] + len(frames)))


def test_dropout_for_the_whole_clip() -> None:
    clip = random_clip()
    result = JointDropout(1, max_joints=1, whole=1.0, limb=0.0)(clip, COCO17, np.random.default_rng(0)).keypoints
    (joint,) = np.flatnonzero((result != clip.keypoints).any((0, 2)))
    np.testing.assert_array_equal(result[:, joint], 0)


def test_dropout_of_a_limb_takes_what_hangs_on_the_joint() -> None:
    dropout = JointDropout(1, max_joints=1, whole=1.0, limb=1.0)
    dropped = set()
    for seed in range(200):
        unseen = (dropout(random_clip(), COCO17, np.random.default_rng(seed)).keypoints == 0).all((0, 2))
        dropped.add(tuple(COCO17.joints[joint] for joint in np.flatnonzero(unseen)))
    assert {("left_elbow", "left_wrist"), ("right_wrist",), ("right_hip", "right_knee", "right_ankle")} <= dropped
    assert all("left_wrist" in names for names in dropped if "left_elbow" in names)


@given(seed=st.integers(0, 999), n_frames=st.integers(1, 40))
@few
def test_temporal_crop_is_a_stretch_of_the_clip(seed: int, n_frames: int) -> None:
    clip = random_clip(n_frames, seed)
    result = TemporalCrop(1, (0.5, 0.9))(clip, COCO17, np.random.default_rng(seed)).keypoints
    assert max(1, round(0.5 * n_frames)) <= len(result) <= max(1, round(0.9 * n_frames))
    starts = range(n_frames - len(result) + 1)
    assert any(np.array_equal(result, clip.keypoints[s : s + len(result)]) for s in starts)


@given(seed=st.integers(0, 999), n_frames=st.integers(1, 40), rate=st.floats(0.5, 2))
@few
def test_temporal_resample_keeps_confidence_with_its_frame(seed: int, n_frames: int, rate: float) -> None:
    sequence = random_sequence(n_frames, seed)
    result = TemporalResample(1, (rate, rate))(sequence, COCO17, np.random.default_rng(seed))
    assert abs(len(result) - ((n_frames - 1) / rate + 1)) <= 1
    for joint in range(17):
        for channel in range(3):
            expected = np.interp(
                rate * np.arange(len(result)), np.arange(n_frames), sequence.keypoints[:, joint, channel]
            )
            np.testing.assert_allclose(result.keypoints[:, joint, channel], expected, rtol=1e-3, atol=1e-4)


def test_pipeline_leaves_out_what_is_none() -> None:
    window = SlidingWindows(16, 8).evaluate(random_sequence(), 20)[0]
    rng = np.random.default_rng(0)
    assert same(Augmentation().window(window, COCO17, rng), window)
    sequence = random_sequence()
    assert Augmentation(mirror=Mirror(1)).sequence(sequence, COCO17, rng) is sequence


def test_pipeline_augments_what_is_valid_and_holds_it() -> None:
    window = SlidingWindows(16, 8).evaluate(random_sequence(10), 10)[0]
    before = window.keypoints.copy()
    augmentation = Augmentation(
        mirror=Mirror(1),
        rotation=Rotation(1, 30.0),
        scaling=Scaling(1),
        translation=Translation(1),
        jitter=Jitter(1),
    )
    result = augmentation.window(window, COCO17, np.random.default_rng(0))
    np.testing.assert_array_equal(window.keypoints, before)
    np.testing.assert_array_equal(result.valid, window.valid)
    np.testing.assert_array_equal(result.keypoints[10:], result.keypoints[9:10].repeat(6, axis=0))
    assert not result.observed[10:].any()
    assert not same(result, window)


def test_pipeline_changes_a_clips_length() -> None:
    augmentation = Augmentation(
        temporal_crop=TemporalCrop(1, (0.5, 0.5)), temporal_resample=TemporalResample(1, (2.0, 2.0))
    )
    rng = np.random.default_rng(0)
    assert len(augmentation.clip(random_clip(40), COCO17, rng)) == 20
    assert len(augmentation.sequence(random_sequence(40), COCO17, rng)) == 20


def test_pipeline_gives_back_the_very_clip_that_it_left_alone() -> None:
    clip = random_clip()
    assert Augmentation(joint_dropout=JointDropout(0)).clip(clip, COCO17, np.random.default_rng(0)) is clip


@pytest.mark.parametrize(
    ("kind", "options", "message"),
    [
        (Rotation, {"p": 1.5}, "p of Rotation is 1.5"),
        (Scaling, {"range": (1.1, 0.9)}, "range of Scaling"),
        (TemporalCrop, {"share": (0.5, 1.5)}, "share of TemporalCrop"),
        (TemporalResample, {"rate": (0.0, 1.0)}, "rate of TemporalResample"),
        (JointDropout, {"max_joints": 0}, "max_joints=0"),
    ],
)
def test_bad_options_are_named(kind: type[Transform], options: dict, message: str) -> None:
    with pytest.raises(ActrecError, match=message):
        kind(**options)
