from __future__ import annotations

import numpy as np

from actrec.report.stretches import longest_stretches, typical_frame
from actrec.types import Segment, SkeletonSequence


def session(*segments: Segment) -> SkeletonSequence:
    return SkeletonSequence(np.ones((100, 17, 3), np.float32), 30.0, "coco17", segments=segments)


def test_stretches_are_segments_and_what_is_between() -> None:
    clip = session(Segment("a", 10, 30), Segment("b", 30, 90, 4))
    whole = [Segment("none", 0, 10), Segment("a", 10, 30), Segment("b", 30, 90, 4), Segment("none", 90, 100)]
    assert longest_stretches(clip, 6) == whole
    assert longest_stretches(clip, 2) == whole[1:3]
    assert longest_stretches(session(Segment("a", 0, 100)), 6) == [Segment("a", 0, 100)]


def test_stretches_in_which_nobody_is_seen_are_left_out() -> None:
    clip = session(Segment("a", 10, 30), Segment("b", 30, 90))
    clip.keypoints[30:90] = 0
    clip.keypoints[18:22] = 0
    assert [each.label for each in longest_stretches(clip, 6)] == ["none", "a", "none"]
    assert typical_frame(clip, Segment("a", 10, 30)) in (17, 22)
