from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from actrec.data.store.ranges import ClipRanges, measure_ranges, observed_share, ranges_line
from actrec.data.store.reading import row_of
from actrec.types import SkeletonSequence

Make = Callable[..., list[SkeletonSequence]]
Change = Callable[[np.ndarray], object]


def measured(clips: list[SkeletonSequence]) -> list[ClipRanges]:
    return [measure_ranges(clip.keypoints, row_of(clip)) for clip in clips]


def changed(clips: list[SkeletonSequence], change: Change) -> list[ClipRanges]:
    """The ranges of the clips with `change` made to their arrays, in place."""
    made = []
    for clip in clips:
        keypoints = clip.keypoints.copy()
        change(keypoints)
        made.append(replace(clip, keypoints=keypoints))
    return measured(made)


@pytest.fixture
def clips(make_sequences: Make) -> list[SkeletonSequence]:
    return make_sequences(n_labels=2, clips_per_label=4)


def test_ranges_against_a_plain_loop(clips: list[SkeletonSequence]) -> None:
    keypoints = clips[0].keypoints.copy()
    keypoints[3, :, 2] = 0
    keypoints[4, :, 2] = 0.1
    keypoints[5, 0] = 900, 9000, 0.15  # too faint to count
    found = measure_ranges(keypoints, row_of(clips[0]))
    seen = [joint for frame in keypoints for joint in frame if joint[2] >= 0.2]
    assert found.seen.sum() == len(seen)
    assert found.any == len(seen) + 18
    np.testing.assert_array_equal(found.low[:2], [min(j[0] for j in seen), min(j[1] for j in seen)])
    np.testing.assert_array_equal(found.high[:2], [max(j[0] for j in seen), max(j[1] for j in seen)])
    assert found.low[2] == np.float32(0.1)


def test_the_line_of_shares_and_of_nothing_observed(clips: list[SkeletonSequence]) -> None:
    def shrink(keypoints: np.ndarray) -> None:
        keypoints[..., :2] /= 640

    assert re.search(r"x 0\.\d\d to 0\.\d\d and y 0\.\d\d to 0\.\d\d pixels", ranges_line(changed(clips, shrink)))

    def faint(keypoints: np.ndarray) -> None:
        keypoints[..., 2] = 0.15

    line = ranges_line(changed(clips, faint))
    assert line == "No joint is observed in any clip: no confidence is above 0.15."


def test_joints_that_a_layout_lacks_do_not_count(clips: list[SkeletonSequence]) -> None:
    def penn(keypoints: np.ndarray) -> None:
        keypoints[:, 1:5] = 0  # eyes and ears
        keypoints[0, 5:] = 0

    found = changed(clips, penn)
    frames = sum(len(clip) for clip in clips)
    assert observed_share(found) == pytest.approx((frames * 13 - 8 * 12) / (frames * 13))
    assert observed_share(measured(clips)) == 1


def test_the_line(clips: list[SkeletonSequence]) -> None:
    line = ranges_line([*measured(clips[:7]), *measured([replace(clips[7], fps=29.97)])])
    xy = np.concatenate([clip.keypoints.reshape(-1, 3) for clip in clips])
    low, high = xy.min(0), xy.max(0)
    assert line == (
        f"Observed joints: x {low[0]:.0f} to {high[0]:.0f} and y {low[1]:.0f} to {high[1]:.0f} pixels (pictures 640 "
        f"wide, 480 high), confidence {low[2]:.2f} to {high[2]:.2f}; 29.97 to 30 (median 30) frames a second."
    )
    assert ranges_line(changed(clips, lambda keypoints: keypoints.fill(0))) == "No joint is observed in any clip."


def test_three_dimensions(clips: list[SkeletonSequence]) -> None:
    rng = np.random.default_rng(0)
    keypoints = np.concatenate([rng.normal(0, 1, (9, 17, 3)), np.ones((9, 17, 1))], -1).astype(np.float32)
    keypoints[0, 0] = 0
    keypoints[1, 1] = 50, 50, 50, 0.1  # too faint to count
    clip = replace(clips[0], keypoints=keypoints, width=0, height=0)
    found = measure_ranges(clip.keypoints, row_of(clip))
    seen = [joint[:3] for frame in keypoints for joint in frame if joint[3] >= 0.2]
    np.testing.assert_array_equal(found.low[:3], np.min(seen, 0))
    np.testing.assert_array_equal(found.high[:3], np.max(seen, 0))
    (x, y, z), (right, top, far) = np.min(seen, 0), np.max(seen, 0)
    assert ranges_line([found]) == (
        f"Observed joints: x {x:.2f} to {right:.2f}, y {y:.2f} to {top:.2f} and z {z:.2f} to {far:.2f} in the data's "
        "unit of length, confidence 0.10 to 1.00; 30 frames a second."
    )
