from __future__ import annotations

import numpy as np
import pytest

from actrec.pipeline.augmentation import Augmentation
from actrec.pipeline.clip_transforms import JointDropout, TemporalCrop, TemporalResample
from actrec.pipeline.transform import Transform
from actrec.pipeline.window_transforms import Jitter, Mirror, Rotation, Scaling, Translation
from actrec.pipeline.windows import SlidingWindows
from actrec.skeleton import COCO17
from actrec.types import ActrecError
from tests.pipeline.sequences import random_clip, random_sequence, same


@pytest.mark.parametrize("p", [0, 0.0, None, False])
def test_probability_nought_is_never(p: float | None) -> None:
    sequence, rng = random_sequence(), np.random.default_rng(0)
    assert all(Rotation(p)(sequence, COCO17, rng) is sequence for _ in range(50))


def test_probability_is_a_frequency() -> None:
    sequence, rng = random_sequence(2), np.random.default_rng(0)
    applied = sum(Mirror(0.3)(sequence, COCO17, rng) is not sequence for _ in range(1000))
    assert 250 < applied < 350
    assert all(Mirror(True)(sequence, COCO17, rng) is not sequence for _ in range(50))


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
