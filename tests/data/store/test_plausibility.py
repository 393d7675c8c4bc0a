from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from actrec.data.store.plausibility import ClipMeasure, findings, measure, observed_share
from actrec.data.store.plausibility_text import plausibility_line, warning
from actrec.data.store.reading import row_of
from actrec.data.synthetic.clips import Synthetic
from actrec.types import SkeletonSequence

Make = Callable[..., list[SkeletonSequence]]
Change = Callable[[np.ndarray], object]


def measured(clips: list[SkeletonSequence]) -> list[ClipMeasure]:
    return [measure(clip.keypoints, row_of(clip)) for clip in clips]


def changed(clips: list[SkeletonSequence], change: Change, **values: object) -> list[ClipMeasure]:
    """The clips with `change` made to their arrays, in place, and other values."""
    made = []
    for clip in clips:
        keypoints = clip.keypoints.copy()
        change(keypoints)
        made.append(replace(clip, keypoints=keypoints, **values))
    return measured(made)


@pytest.fixture
def clips(make_sequences: Make) -> list[SkeletonSequence]:
    return make_sequences(n_labels=2, clips_per_label=4)


def kinds(clips: list[ClipMeasure]) -> dict[str, int]:
    return {finding.kind: len(finding.clips) for finding in findings(clips)}


def test_sound_clips_have_no_findings(clips: list[SkeletonSequence]) -> None:
    assert findings(measured(clips)) == []
    assert findings(measured(Synthetic(n_clips=28).clips())) == []


def test_a_measure_against_a_plain_loop(clips: list[SkeletonSequence]) -> None:
    keypoints = clips[0].keypoints.copy()
    keypoints[3, :, 2] = 0
    keypoints[4, :, 2] = 0.1
    keypoints[5, 0] = 900, 9000, 0.15  # too faint to count
    found = measure(keypoints, row_of(clips[0]))
    seen = [joint for frame in keypoints for joint in frame if joint[2] >= 0.2]
    assert found.seen.sum() == len(seen)
    assert found.any == len(seen) + 18
    np.testing.assert_array_equal(found.low[:2], [min(j[0] for j in seen), min(j[1] for j in seen)])
    np.testing.assert_array_equal(found.high[:2], [max(j[0] for j in seen), max(j[1] for j in seen)])
    assert found.low[2] == np.float32(0.1)
    assert found.torsos == len(keypoints) - 2


def shrink(keypoints: np.ndarray) -> None:
    keypoints[..., :2] /= 640


def upside_down(keypoints: np.ndarray) -> None:
    keypoints[..., 1] = 480 - keypoints[..., 1]


def double(keypoints: np.ndarray) -> None:
    keypoints[..., :2] = keypoints[..., :2] * 3 + 300


def hide(keypoints: np.ndarray) -> None:
    keypoints[1:, :, 2] = 0.0


def depth(keypoints: np.ndarray) -> None:
    keypoints[..., 2] = np.abs(np.random.default_rng(0).normal(0, 0.15, keypoints.shape[:2]))


def always(keypoints: np.ndarray) -> None:
    keypoints[..., 2] = 0.9


def swap(keypoints: np.ndarray) -> None:
    keypoints[..., :2] = keypoints[..., 1::-1].copy()


def mark(keypoints: np.ndarray) -> None:
    keypoints[::2, 9, :2] = 0
    keypoints[1::2, 10, :2] = -1


@pytest.mark.parametrize(
    ("change", "values", "expected", "says"),
    [
        (swap, {}, {"lying": 0}, "in 100% of frames the body lies with its head to the left. Are x and y swapped"),
        (mark, {}, {"marked": 0}, "6% of the observed joints are at exactly .0, 0. or .-1, -1."),
        (shrink, {}, {"small": 8}, "8 of 8 clips .* have a body of less than 10 pixels: are x and y shares of the"),
        (upside_down, {}, {"inverted": 0}, "in 100% of frames the hips are above the shoulders. Does y grow upwards"),
        (double, {}, {"outside": 8}, "most joints outside the picture: are width and height"),
        (hide, {}, {"hardly": 8}, "hardly a joint with a confidence of 0.2 or more"),
        (depth, {}, {"faint": 0}, "8.% of the confidences above 0 are below 0.2.*Is the third value a confidence, and"),
        (always, {}, {"constant": 0}, "every joint of every frame has the confidence 0.9"),
        (len, {"fps": 1.0}, {"rate": 8}, "fewer than 5 or more than 240 frames a second"),
        (len, {"fps": 1000.0}, {"rate": 8}, "fewer than 5 or more than 240 frames a second"),
    ],
)
def test_what_looks_wrong_is_found(
    clips: list[SkeletonSequence], change: Change, values: dict[str, object], expected: dict[str, int], says: str
) -> None:
    found = changed(clips, change, **values)
    assert kinds(found) == expected
    assert re.search(says, warning(findings(found)[0]))


def test_one_exercise_that_is_done_lying_is_sound(clips: list[SkeletonSequence]) -> None:
    assert kinds(changed(clips[:4], swap)) == {}  # all of one label, by one camera


def test_the_line_of_shares_and_of_nothing_observed(clips: list[SkeletonSequence]) -> None:
    assert re.search(r"x 0\.\d\d to 0\.\d\d and y 0\.\d\d to 0\.\d\d pixels", plausibility_line(changed(clips, shrink)))

    def faint(keypoints: np.ndarray) -> None:
        keypoints[..., 2] = 0.15

    line = plausibility_line(changed(clips, faint))
    assert line == "No joint is observed in any clip: no confidence is above 0.15."


def test_clips_of_one_frame(clips: list[SkeletonSequence]) -> None:
    found = measured([*clips[1:], replace(clips[0], keypoints=clips[0].keypoints[:1])])
    assert kinds(found) == {"single": 1}
    assert "1 of 8 clips (label_0_clip_00) has one frame" in warning(findings(found)[0])


def test_the_same_keypoints_under_two_labels_or_in_two_groups(clips: list[SkeletonSequence]) -> None:
    twin = replace(clips[0], clip_id="twin")
    assert kinds(measured([*clips, twin])) == {}
    assert kinds(measured([*clips, replace(twin, group="another")])) == {"two_groups": 2}
    assert kinds(measured([*clips, replace(twin, label="another")])) == {"two_labels": 2}


def test_joints_that_a_layout_lacks_do_not_count(clips: list[SkeletonSequence]) -> None:
    def penn(keypoints: np.ndarray) -> None:
        keypoints[:, 1:5] = 0  # eyes and ears
        keypoints[0, 5:] = 0

    found = changed(clips, penn)
    frames = sum(len(clip) for clip in clips)
    assert observed_share(found) == pytest.approx((frames * 13 - 8 * 12) / (frames * 13))
    assert observed_share(measured(clips)) == 1


def test_the_line(clips: list[SkeletonSequence]) -> None:
    line = plausibility_line([*measured(clips[:7]), *measured([replace(clips[7], fps=29.97)])])
    xy = np.concatenate([clip.keypoints.reshape(-1, 3) for clip in clips])
    low, high = xy.min(0), xy.max(0)
    assert line == (
        f"Observed joints: x {low[0]:.0f} to {high[0]:.0f} and y {low[1]:.0f} to {high[1]:.0f} pixels (pictures 640 "
        f"wide, 480 high), confidence {low[2]:.2f} to {high[2]:.2f}; 29.97 to 30 (median 30) frames a second."
    )
    assert plausibility_line(changed(clips, lambda keypoints: keypoints.fill(0))) == (
        "No joint is observed in any clip."
    )
