from __future__ import annotations

import numpy as np
import pytest

from actrec.types import ActrecError, SkeletonSequence, checked_keypoints, checked_timestamp


def keypoints(confidence: float, x: float = 100.0) -> np.ndarray:
    array = np.full((4, 17, 3), 0.9, dtype=np.float32)
    array[..., :2] = 50.0
    array[1, 2] = (x, 50.0, confidence)
    return array


@pytest.mark.parametrize(
    ("confidence", "stored"), [(0.0, 0.0), (0.7, 0.7), (1.0, 1.0), (1.0528, 1.0), (1.1, 1.0), (-0.05, 0.0)]
)
def test_a_confidence_slightly_out_of_range_is_clipped(confidence: float, stored: float) -> None:
    given = keypoints(confidence)
    sequence = SkeletonSequence(given, 30.0, "coco17")
    assert sequence.keypoints[1, 2, 2] == pytest.approx(stored)
    assert sequence.keypoints.dtype == np.float32
    assert given[1, 2, 2] == pytest.approx(confidence)  # the caller's array is as it was


@pytest.mark.parametrize(
    ("confidence", "words"),
    [(1.3, "greatest value"), (98.0, "Divide them by 100"), (220.0, "Divide them by 255"), (-0.3, r"\(x, y\) alone")],
)
def test_a_confidence_far_out_of_range_is_refused(confidence: float, words: str) -> None:
    with pytest.raises(ActrecError, match=words):
        SkeletonSequence(keypoints(confidence), 30.0, "coco17", clip_id="a")


@pytest.mark.parametrize("x", [np.nan, np.inf, 2e5, -2e5])
def test_a_coordinate_that_no_picture_has_is_refused(x: float) -> None:
    with pytest.raises(ActrecError, match=r"^Sequence 'a' has"):
        SkeletonSequence(keypoints(0.9, x), 30.0, "coco17", clip_id="a")


def test_one_frame_is_checked_by_the_same_rule() -> None:
    with pytest.raises(ActrecError, match="The frame has confidences from"):
        checked_keypoints(keypoints(98.0)[1], "The frame")


@pytest.mark.parametrize("timestamp", [np.nan, np.inf, -np.inf, 1.79e12, 1.79e18])
def test_a_timestamp_that_is_no_number_of_seconds_is_refused(timestamp: float) -> None:
    with pytest.raises(ActrecError, match="expected"):
        checked_timestamp(timestamp)


@pytest.mark.parametrize("timestamp", [0.0, -1.5, 1.79e9])
def test_seconds_since_any_start_are_taken(timestamp: float) -> None:
    assert checked_timestamp(timestamp) == timestamp
