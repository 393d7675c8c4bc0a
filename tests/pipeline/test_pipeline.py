import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch

from actrec.pipeline.batching import collate
from actrec.pipeline.features import Features
from actrec.pipeline.pipeline import Pipeline
from actrec.pipeline.preprocess import Preprocess
from actrec.pipeline.windows import AnchoredWindows, ResizeWindows, SlidingWindows
from actrec.skeleton import COCO17
from actrec.training.losses import pose_forecast_loss
from actrec.types import ActrecError, SkeletonSequence

WINDOWS = [ResizeWindows(16, p_interval_val=(1.0,)), ResizeWindows(16), SlidingWindows(16, 8), AnchoredWindows(16)]


@pytest.mark.parametrize("mode", ["offline", "causal"])
@pytest.mark.parametrize("windows", WINDOWS)
@pytest.mark.parametrize("ratio", [0.1, 0.3, 0.7])
def test_nothing_of_the_unseen_frames_shows(
    mode: str, windows: ResizeWindows, ratio: float, make_sequences: Callable[..., list[SkeletonSequence]]
) -> None:
    pipeline = Pipeline(COCO17, Preprocess(mode), windows, Features(use_velocity=True))
    clip = make_sequences(1, 1, (31, 31))[0]
    clip.keypoints[:3, 5] = 0
    seen = math.ceil(ratio * 31)
    changed = clip.keypoints.copy()
    changed[seen:] = (7, 7, 1)
    one = collate(pipeline.evaluation_items(clip, 2, 3, ratio))
    two = collate(pipeline.evaluation_items(replace(clip, keypoints=changed), 2, 3, ratio))
    for a, b in zip(one, two, strict=True):
        np.testing.assert_array_equal(a, b)
    assert one.label.tolist() == [2] * len(one.label)
    assert one.clip.tolist() == [3] * len(one.clip)
    assert one.valid.any(1).all()


def test_the_last_frame_seen_is_the_right_one(make_sequences: Callable[..., list[SkeletonSequence]]) -> None:
    pipeline = Pipeline(COCO17, Preprocess("causal"), SlidingWindows(64, 32), Features())
    clip = make_sequences(1, 1, (30, 30))[0]
    whole = pipeline.normalize(clip).keypoints
    for ratio, seen in ((0.1, 3), (0.3, 9), (0.35, 11), (1.0, 30)):
        (item,) = pipeline.evaluation_items(clip, 0, 0, ratio)
        assert item.valid.sum() == seen
        np.testing.assert_array_equal(item.features[:seen], whole[:seen])


@pytest.mark.parametrize("stream", ["joint", "bone", "velocity"])
def test_forecasts_are_held_against_what_the_stream_was_seen_to_be(
    stream: str, make_sequences: Callable[..., list[SkeletonSequence]]
) -> None:
    pipeline = Pipeline(COCO17, Preprocess("causal"), AnchoredWindows(16), Features(stream))
    clip = make_sequences(1, 1, (12, 12))[0]
    elbow, wrist, nose = COCO17.index(["left_elbow", "left_wrist", "nose"])
    clip.keypoints[4:6, elbow] = 0
    batch = pipeline.batch(clip)
    expected = np.ones((12, 17), dtype=bool)
    expected[4:6, elbow] = False
    if stream == "bone":
        expected[4:6, wrist] = False  # its other end is the elbow
        expected[:, nose] = False  # it has no parent
    if stream == "velocity":
        expected[0] = False
        expected[6, elbow] = False
    np.testing.assert_array_equal(batch.observed[0], expected)
    # The loss falls to zero on a forecast that is right wherever it was observed, whatever it says elsewhere.
    forecasts = np.full((1, 1, 12, 17, 2), 9.0, dtype=np.float32)
    forecasts[0, 0, :-1][expected[1:]] = batch.features[0, 1:, :, :2].numpy()[expected[1:]]
    assert pose_forecast_loss(torch.from_numpy(forecasts), batch.features[..., :2], batch.valid, batch.observed) == 0


def test_a_trimmed_batch_ends_with_its_longest_window(make_sequences: Callable[..., list[SkeletonSequence]]) -> None:
    pipeline = Pipeline(COCO17, Preprocess("causal"), AnchoredWindows(16), Features())
    items = [pipeline.evaluation_items(clip, 1, 0)[0] for clip in make_sequences(1, 3, (4, 9))]
    batch, whole = collate(items), [np.stack(part) for part in zip(*items, strict=True)]
    length = max(int(item.valid.sum()) for item in items)
    assert length < 16
    for part, wanted in zip(batch[:3], whole[:3], strict=True):
        np.testing.assert_array_equal(part, wanted[:, :length])
    assert not whole[1][:, length:].any()
    assert batch.label.tolist() == [1, 1, 1]


def test_clips_of_another_layout_are_mapped_where_they_enter(make_sequences: Callable) -> None:
    pipeline = Pipeline(COCO17, Preprocess(), WINDOWS[0], Features())
    clip = make_sequences(1, 1, skeleton="penn13")[0]
    for batch in (pipeline.batch(clip), collate(pipeline.evaluation_items(pipeline.to_skeleton(clip), 0, 0))):
        assert batch.features.shape == (1, 16, 17, 3)
        assert not batch.observed[..., 1:5].any()
        assert batch.observed[..., 5:].all()
    for entry in (pipeline.normalize, pipeline.evaluation_windows):
        with pytest.raises(ActrecError, match=r"'penn13'.*takes 'coco17'.*to_skeleton"):
            entry(clip)


@pytest.mark.parametrize("fps", [None, 60.0])
def test_an_anchored_window_knows_nothing_from_before_its_anchor(
    fps: float | None, make_sequences: Callable[..., list[SkeletonSequence]]
) -> None:
    pipeline = Pipeline(COCO17, Preprocess("causal", fps=fps), AnchoredWindows(16), Features(use_velocity=True))
    clip = make_sequences(1, 1, (31, 31))[0]
    every, n_frames = (1, 31) if fps is None else (2, 61)
    anchor = AnchoredWindows(16).start(n_frames) // every
    changed = clip.keypoints.copy()
    changed[:anchor] = (7, 7, 1)
    (one,), (two,) = (pipeline.evaluation_items(c, 0, 0) for c in (clip, replace(clip, keypoints=changed)))
    np.testing.assert_array_equal(one.features, two.features)
    changed[anchor, :, :2] += 1
    (two,) = pipeline.evaluation_items(replace(clip, keypoints=changed), 0, 0)
    assert (one.features != two.features).any()
