from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from actrec.drawing.moving import RATE, moving_clips
from actrec.drawing.projection import TURN


def test_a_field_for_each_clip_and_no_joint_outside_it(make_sequences: Callable[..., Any], lift: Any) -> None:
    first, second = (lift(clip) for clip in make_sequences(2, 1))
    unseen = replace(second, keypoints=np.zeros_like(second.keypoints))
    pictures = [(time, picture) for time, picture in moving_clips([first, unseen])]
    assert len(pictures) == TURN * RATE
    assert pictures[0][1].shape == (266, 480, 3)
    background = pictures[0][1][0, 0]
    drawn = [(picture != background).any(-1)[:240] for _, picture in pictures]
    assert all(each[10:230, 10:230].any() for each in drawn)
    assert not any(each[:, 240:].any() for each in drawn)
    assert not any(each[:10].any() or each[:, :10].any() for each in drawn)


def test_bodies_turn_in_three_dimensions_alone(make_sequences: Callable[..., Any], lift: Any) -> None:
    clip = make_sequences(1, 1)[0]
    still = replace(clip, keypoints=clip.keypoints[:1])
    flat, solid = ([picture for _, picture in moving_clips([each])] for each in (still, lift(still)))
    assert all((picture == flat[0]).all() for picture in flat)
    assert (solid[40] != solid[0]).any()
