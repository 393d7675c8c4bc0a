from collections.abc import Callable

import numpy as np
import torch

from actrec.evaluate import hide_random_joints
from actrec.evaluation.probabilities import clip_probabilities, decide
from actrec.network.infogcn import InfoGCN
from actrec.pipeline.batching import collate
from actrec.pipeline.features import Features
from actrec.pipeline.pipeline import Pipeline
from actrec.pipeline.preprocess import Preprocess
from actrec.pipeline.windows import ResizeWindows, SlidingWindows
from actrec.skeleton import COCO17
from actrec.types import SkeletonSequence


def network() -> InfoGCN:
    torch.manual_seed(0)
    return InfoGCN("coco17", 3, 4, dim=8, layers=1, heads=2, graph_heads=1, horizon=1, solver="euler").eval()


def test_decisions_are_loops() -> None:
    logits = torch.randn(3, 5, 4)
    valid = torch.tensor([[True] * 5, [True, True, False, False, False], [True, False, True, False, False]])
    last, mean = decide(logits, valid, "last"), decide(logits, valid, "mean")
    for b, frames in enumerate(([0, 1, 2, 3, 4], [0, 1], [0, 2])):
        torch.testing.assert_close(last[b], logits[b, frames[-1]].softmax(0))
        torch.testing.assert_close(mean[b], logits[b, frames].mean(0).softmax(0))


def test_a_clips_windows_are_averaged(make_sequences: Callable[..., list[SkeletonSequence]]) -> None:
    clips, net = make_sequences(2, 2, (20, 50)), network()
    pipeline = Pipeline(COCO17, Preprocess(), SlidingWindows(16, 8), Features())
    found = clip_probabilities(net, pipeline, clips, 4, ratio=0.8, batch_size=3)
    for clip, row in zip(clips, found, strict=True):
        windows = []
        for item in pipeline.evaluation_items(clip, 0, 0, 0.8):
            batch = collate([item])
            length = int(batch.valid.sum())
            with torch.no_grad():  # without its padding
                logits = net(batch.features[:, :length], batch.valid[:, :length]).logits[0, -1]
            windows.append(logits.softmax(0).numpy())
        np.testing.assert_allclose(row, np.mean(windows, axis=0), atol=1e-5)


def test_hidden_joints_are_that_many_and_differ_by_clip(make_sequences: Callable[..., list[SkeletonSequence]]) -> None:
    clips = make_sequences(2, 4)
    hidden = hide_random_joints(clips, 4, seed=0)
    gone = [tuple(np.flatnonzero((clip.keypoints == 0).all((0, 2)))) for clip in hidden]
    assert {len(joints) for joints in gone} == {4}
    assert len(set(gone)) > 1
    assert all((clip.keypoints[..., 2] > 0).all() for clip in clips)
    again = hide_random_joints(clips, 4, seed=0)
    assert all(np.array_equal(a.keypoints, b.keypoints) for a, b in zip(hidden, again, strict=True))


def test_resized_prefixes_have_the_whole_clips_grid(make_sequences: Callable[..., list[SkeletonSequence]]) -> None:
    pipeline = Pipeline(COCO17, Preprocess("causal"), ResizeWindows(10, p_interval_val=(1.0,)), Features())
    clip = make_sequences(1, 1, (19, 19))[0]
    (whole,) = pipeline.evaluation_items(clip, 0, 0)
    (half,) = pipeline.evaluation_items(clip, 0, 0, 0.5)  # frames 0 to 9 of 19; the grid is every second frame
    assert half.valid.tolist() == [True] * 5 + [False] * 5
    np.testing.assert_array_equal(half.features[:5], whole.features[:5])
