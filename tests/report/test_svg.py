from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest

from actrec.report.svg import pose_row
from actrec.types import SkeletonSequence

Make = Callable[..., list[SkeletonSequence]]


@pytest.fixture
def clip(make_sequences: Make) -> SkeletonSequence:
    return make_sequences(n_labels=1, clips_per_label=1, frames=(40, 40))[0]


def test_eight_poses_from_the_first_frame_to_the_last(clip: SkeletonSequence) -> None:
    drawing = ElementTree.fromstring(pose_row(clip))
    times = [text.text for text in drawing.iter("text")]
    assert (times[0], times[-1], len(times)) == ("0.00 s", "1.30 s", 8)


def test_limbs_have_their_sides_and_unobserved_joints_are_omitted(clip: SkeletonSequence) -> None:
    keypoints = clip.keypoints.copy()
    keypoints[:, 9] = 0  # the left wrist, the end of one bone
    whole, less = pose_row(clip), pose_row(replace(clip, keypoints=keypoints))

    def bones(text: str, side: str) -> int:
        return sum(path.count("M") for path in re.findall(rf'class="{side}" d="([^"]*)"', text))

    assert bones(whole, "left") - bones(less, "left") == 8
    assert bones(whole, "right") == bones(less, "right")


def test_frames_about_a_jump_keep_their_places(clip: SkeletonSequence) -> None:
    keypoints = clip.keypoints.copy()
    keypoints[20:, :, 0] += 200

    def middles(text: str) -> list[float]:
        dots = re.findall(r'class="joints" d="([^"]*)"', text)
        return [float(np.mean([float(x) for x in re.findall(r"M(-?[\d.]+)", each)])) for each in dots]

    jumped = middles(pose_row(replace(clip, keypoints=keypoints), around=20))
    assert max(abs(a - b) for a, b in itertools.pairwise(jumped[:4])) < 3
    assert jumped[4] - jumped[3] > 20
    assert 'class="marked">0.67 s' in pose_row(clip, around=20)


def test_nobody_is_observed(clip: SkeletonSequence) -> None:
    assert "No joint is observed" in pose_row(replace(clip, keypoints=np.zeros_like(clip.keypoints)))
