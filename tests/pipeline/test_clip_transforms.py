from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actrec.pipeline.clip_transforms import JointDropout, TemporalCrop, TemporalResample
from actrec.pipeline.transform import Transform
from actrec.skeleton import COCO17
from tests.pipeline.sequences import random_clip, random_sequence

few = settings(max_examples=25, deadline=None)
CLIP = [JointDropout(1, max_joints=3, limb=0.5), TemporalCrop(1)]


@pytest.mark.parametrize("transform", CLIP, ids=str)
def test_stored_clips_stay_and_the_same_generator_gives_the_same(transform: Transform) -> None:
    clip = random_clip()
    before = clip.keypoints.copy()
    one, other = (transform(clip, COCO17, np.random.default_rng(7)) for _ in range(2))
    np.testing.assert_array_equal(clip.keypoints, before)
    np.testing.assert_array_equal(one.keypoints, other.keypoints)
    assert not np.array_equal(one.keypoints, before)
    assert one.clip_id == "a"


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
