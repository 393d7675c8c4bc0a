from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from actrec.data.check.poses import TIMES
from actrec.data.check.traits import measure
from actrec.types import SkeletonSequence

Make = Callable[..., list[SkeletonSequence]]


@pytest.fixture
def clip(make_sequences: Make) -> SkeletonSequence:
    return make_sequences(n_labels=1, clips_per_label=1)[0]


def changed(clip: SkeletonSequence, change: Callable[[np.ndarray], object], **values: object) -> SkeletonSequence:
    keypoints = clip.keypoints.copy()
    change(keypoints)
    return replace(clip, keypoints=keypoints, **values)


def test_poses_are_those_of_evenly_spread_moments(clip: SkeletonSequence) -> None:
    clip = replace(clip, keypoints=clip.keypoints[:15])  # of 15 frames every second one
    poses = measure(clip).poses
    assert len(poses) == TIMES
    np.testing.assert_allclose(poses, clip.keypoints[::2, :, :2], rtol=1e-6)


def test_poses_are_interpolated_and_unknown_joints_are_nan(clip: SkeletonSequence) -> None:
    def hide(keypoints: np.ndarray) -> None:
        keypoints[:, 3] = 0
        keypoints[2, 9, 2] = 0.1
        keypoints[2, 9, :2] = 7000

    clip = replace(clip, keypoints=clip.keypoints[:15])
    poses = measure(changed(clip, hide)).poses
    assert np.isnan(poses[:, 3]).all()
    np.testing.assert_allclose(poses[1, 9], (clip.keypoints[1, 9, :2] + clip.keypoints[3, 9, :2]) / 2, rtol=1e-5)


def test_the_scale_is_the_torso(clip: SkeletonSequence) -> None:
    mid = clip.keypoints[:, [5, 6], :2].mean(1) - clip.keypoints[:, [11, 12], :2].mean(1)
    assert measure(clip).scale == pytest.approx(np.median(np.linalg.norm(mid, axis=1)), rel=0.02)


def test_directions_of_the_torso(clip: SkeletonSequence) -> None:
    def fall(keypoints: np.ndarray) -> None:
        keypoints[:5, :, 1] *= -1  # head down
        keypoints[5:9, :, :2] = keypoints[5:9, :, 1::-1].copy()  # head to the left
        keypoints[9:12, :, :2] = -keypoints[9:12, :, 1::-1].copy()  # to the right

    assert measure(changed(clip, fall)).torsos.tolist() == [len(clip) - 12, 5, 4, 3]


def test_jumps_gaps_and_repetitions(clip: SkeletonSequence) -> None:
    def disturb(keypoints: np.ndarray) -> None:
        keypoints[8:, :, 0] += 300
        keypoints[12:16] = 0
        keypoints[17:19] = keypoints[16]

    found = measure(changed(clip, disturb))
    assert found.jumps.tolist() == [8]
    assert found.gap == (12, 4)
    assert found.repeated == pytest.approx(2 / (len(clip) - 1))


def test_an_array_in_another_order_moves_less_in_its_own(clip: SkeletonSequence) -> None:
    assert measure(clip).reordered == 1
    mixed = clip.keypoints.transpose(1, 0, 2).reshape(clip.keypoints.shape)
    assert measure(replace(clip, keypoints=mixed.copy())).reordered < 0.3


def test_frames_without_order(clip: SkeletonSequence) -> None:
    def walk(keypoints: np.ndarray) -> None:
        keypoints[..., 0] += 20 * np.arange(len(keypoints))[:, None]

    clip, order = changed(clip, walk), np.random.default_rng(0).permutation(len(clip))
    assert measure(clip).shuffled < 0.2
    assert measure(replace(clip, keypoints=clip.keypoints[order])).shuffled > 0.7


def test_hashes_ignore_place_and_size(clip: SkeletonSequence) -> None:
    def move(keypoints: np.ndarray) -> None:
        keypoints[..., :2] = keypoints[..., :2] * 2 + 50

    one, two = measure(clip).frame_hashes, measure(changed(clip, move)).frame_hashes
    assert (one == two).mean() > 0.9
    assert len(set(one.tolist())) == len(clip)


def test_a_clip_without_joints(clip: SkeletonSequence) -> None:
    found = measure(changed(clip, lambda keypoints: keypoints.fill(0)))
    assert np.isnan(found.scale)
    assert (found.ranges.any, found.torsos.sum(), found.gap) == (0, 0, (0, len(clip)))


def test_one_frame(clip: SkeletonSequence) -> None:
    assert measure(replace(clip, keypoints=clip.keypoints[:1])).n_frames == 1
