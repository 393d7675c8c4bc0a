from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch

from actrec.evaluate import hide_random_joints
from actrec.evaluation.probabilities import clip_probabilities, decide, probabilities_at_ratios
from actrec.network.infogcn import InfoGCN
from actrec.pipeline.batching import collate
from actrec.pipeline.features import Features
from actrec.pipeline.observation import RATIOS, items_at_ratios
from actrec.pipeline.pipeline import Pipeline
from actrec.pipeline.preprocess import Preprocess
from actrec.pipeline.windows import AnchoredWindows, ResizeWindows, SlidingWindows, WindowRule
from actrec.skeleton import COCO17
from actrec.types import NetworkOutput, SkeletonSequence


def network(channels: int = 3) -> InfoGCN:
    torch.manual_seed(0)
    return InfoGCN("coco17", channels, 4, dim=8, layers=1, heads=2, graph_heads=1, horizon=1, solver="euler").eval()


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


def mixed(make_sequences: Callable[..., list[SkeletonSequence]]) -> list[SkeletonSequence]:
    """Clips shorter and longer than a window, of several rates, with joints that are unobserved now and then."""
    clips = [*make_sequences(1, 1, (1, 5)), *make_sequences(2, 1, (20, 90), seed=1)]
    clips = [
        replace(clip, keypoints=clip.keypoints.copy(), fps=fps)
        for clip, fps in zip(clips, (30.0, 25.0, 50.0), strict=True)
    ]
    for clip in clips:
        clip.keypoints[np.random.default_rng(0).random(clip.keypoints.shape[:2]) < 0.2] = 0
    return clips


WINDOWS = [
    AnchoredWindows(16),
    AnchoredWindows(100),
    ResizeWindows(16),
    *(SlidingWindows(16, 8, t) for t in ("pad", "keep", "drop")),
]


@pytest.mark.parametrize("windows", WINDOWS, ids=str)
@pytest.mark.parametrize(
    ("mode", "fps", "velocity"), [("causal", None, True), ("causal", 20, False), ("offline", None, True)]
)
@pytest.mark.parametrize("decision", ["last", "mean"])
def test_one_pass_is_ten_passes(
    windows: WindowRule,
    mode: str,
    fps: float | None,
    velocity: bool,
    decision: str,
    make_sequences: Callable[..., list[SkeletonSequence]],
) -> None:
    clips, net = mixed(make_sequences), network(5 if velocity else 3)
    pipeline = Pipeline(COCO17, Preprocess(mode, fps=fps), windows, Features(use_velocity=velocity))
    found = probabilities_at_ratios(net, pipeline, clips, 4, decision, batch_size=5)
    expected = [clip_probabilities(net, pipeline, clips, 4, ratio, decision) for ratio in RATIOS]
    np.testing.assert_allclose(found, expected, atol=1e-6)
    run = sum(len(items_at_ratios(pipeline, clip, 0, 0, causal=True)) for clip in clips)
    cut = sum(len(pipeline.evaluation_items(clip, 0, 0, ratio)) for clip in clips for ratio in RATIOS)
    assert run < 0.6 * cut if mode == "causal" else run > 0.6 * cut


def test_a_window_that_is_not_the_beginning_of_another_is_run_by_itself(
    make_sequences: Callable[..., list[SkeletonSequence]],
) -> None:
    """With offline preprocessing a clip that is seen further is another input from its first frame on."""
    (clip,) = make_sequences(1, 1, (40, 40))
    pipeline = Pipeline(COCO17, Preprocess(), AnchoredWindows(64), Features())
    items = items_at_ratios(pipeline, clip, 0, 0, causal=True)
    frames = {reading.n_frames: item.features for item, readings in items for reading in readings}
    for ratio in RATIOS:
        (own,) = pipeline.evaluation_items(clip, 0, 0, ratio)
        length = int(own.valid.sum())
        np.testing.assert_array_equal(frames[length][:length], own.features[:length])


class LooksAhead(InfoGCN):
    """A network whose logits depend on all frames of a window, which does not say that it is causal."""

    def forward(self, features: torch.Tensor, valid: torch.Tensor) -> NetworkOutput:
        output = super().forward(features, valid)
        return output._replace(logits=(output.logits * valid[..., None]).flip(1).cumsum(1).flip(1))


def test_a_network_that_looks_ahead_sees_no_frame_after_the_ratio(
    make_sequences: Callable[..., list[SkeletonSequence]],
) -> None:
    torch.manual_seed(0)
    net = LooksAhead("coco17", 3, 4, dim=8, layers=1, heads=2, graph_heads=1, horizon=1, solver="euler").eval()
    net.causal = False
    clips, pipeline = make_sequences(2, 1), Pipeline(COCO17, Preprocess("causal"), AnchoredWindows(64), Features())
    found = probabilities_at_ratios(net, pipeline, clips, 4, "mean")
    expected = [clip_probabilities(net, pipeline, clips, 4, ratio, "mean") for ratio in RATIOS]
    np.testing.assert_allclose(found, expected, atol=1e-6)
    net.causal = True  # which is wrong
    shared = probabilities_at_ratios(net, pipeline, clips, 4, "mean")
    assert not np.allclose(shared, expected, atol=1e-6)
