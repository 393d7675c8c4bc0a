from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from actrec.evaluation.online import evaluate_online, frames_to_decision, stream_clips
from actrec.evaluation.probabilities import clip_probabilities
from actrec.model.network import build_network
from actrec.model.spec import ModelSpec
from actrec.online.hysteresis import Hysteresis
from actrec.online.recognizer import OnlineRecognizer
from actrec.online.torch_backend import make_engine
from actrec.pipeline.features import Features
from actrec.pipeline.observation import RATIOS
from actrec.pipeline.pipeline import Pipeline
from actrec.pipeline.preprocess import Preprocess
from actrec.pipeline.windows import AnchoredWindows
from actrec.skeleton import COCO17
from actrec.types import ActrecError, SkeletonSequence

Make = Callable[..., list[SkeletonSequence]]


@given(held=st.lists(st.integers(-2, 1), min_size=1, max_size=8))
def test_frames_to_a_right_decision_that_is_kept(held: list[int]) -> None:
    expected = math.inf
    for needed in range(len(held), 0, -1):
        if all(each == 1 for each in held[needed - 1 :]):
            expected = needed
    assert frames_to_decision(np.array(held), 1) == expected


@pytest.mark.parametrize("fps", [None, 15.0])
def test_streaming_judges_as_evaluation_does(fps: float | None, make_sequences: Make) -> None:
    torch.manual_seed(0)
    options = {"skeleton": "coco17", "in_channels": 3, "n_classes": 3, "dim": 8, "layers": 1, "heads": 2}
    pipeline = Pipeline(COCO17, Preprocess("causal", fps=fps), AnchoredWindows(16), Features())
    clips = make_sequences(3, 4, (20, 50))
    labels = tuple(sorted({clip.label for clip in clips}))
    spec = ModelSpec("InfoGCN", {**options, "graph_heads": 1, "attention_dim": 4}, pipeline, labels)
    network = build_network(spec).eval()
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    recognizer = OnlineRecognizer(spec, make_engine(network, spec), Hysteresis(enter=0.0, frames=1, leave=0.0))
    figures = evaluate_online(recognizer, clips)
    wanted = np.array([labels.index(clip.label) for clip in clips])
    for ratio in RATIOS:
        expected = clip_probabilities(network, pipeline, clips, 3, ratio).argmax(1) == wanted
        assert figures["accuracy"][str(ratio)] == pytest.approx(expected.mean())
        assert figures["held_accuracy"][str(ratio)] == pytest.approx(expected.mean())  # every label is taken up at once
        assert figures["held_wrong"][str(ratio)] == pytest.approx(1 - expected.mean())
    assert recognizer.people == []
    streamed = stream_clips(recognizer, clips)
    needed = [frames_to_decision(each.held, int(label)) for each, label in zip(streamed, wanted, strict=True)]
    median = np.median(needed) if np.isfinite(np.median(needed)) else None
    assert figures["frames_to_decision"] == {"median": median, "decided": np.isfinite(needed).mean()}
    assert np.isfinite(needed).any()
    with pytest.raises(ActrecError, match="does not know: other"):
        evaluate_online(recognizer, [replace(clips[0], label="other")])
    with pytest.raises(ActrecError, match="no clips"):
        evaluate_online(recognizer, [])
