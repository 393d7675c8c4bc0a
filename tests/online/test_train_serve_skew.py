from __future__ import annotations

from typing import Any

import pytest

from actrec.model.spec import ModelSpec
from actrec.online.train_serve_skew import streaming_mismatches, streaming_warning, training_mismatches
from actrec.pipeline.features import Features
from actrec.pipeline.pipeline import Pipeline
from actrec.pipeline.preprocess import Preprocess
from actrec.pipeline.windows import AnchoredWindows, ResizeWindows, SlidingWindows, WindowRule
from actrec.skeleton import COCO17


def make_spec(windows: WindowRule, preprocess: Preprocess, **options: Any) -> ModelSpec:
    network = {"skeleton": "coco17", "in_channels": 3, "n_classes": 2}
    labels = options.pop("labels", ("a", "b"))
    return ModelSpec("InfoGCN", network, Pipeline(COCO17, preprocess, windows, Features()), labels, **options)


CAUSAL, OFFLINE = Preprocess("causal", fps=15), Preprocess("offline", fps=15)


@pytest.mark.parametrize(
    ("windows", "preprocess", "options", "reasons"),
    [
        (AnchoredWindows(64), CAUSAL, {}, []),
        (ResizeWindows(20), CAUSAL, {}, ["resampled to 20 frames (windows=resize)"]),
        (SlidingWindows(64), CAUSAL, {}, ["windows=sliding"]),
        (AnchoredWindows(64), OFFLINE, {}, ["preprocess=offline"]),
        (AnchoredWindows(64), Preprocess("causal"), {"fps": 25.0}, ["clips of 25 frames a second"]),
        (AnchoredWindows(64), CAUSAL, {"decision": "mean"}, ["decision=mean"]),
        (
            ResizeWindows(64),
            Preprocess("offline"),
            {"decision": "mean"},
            ["windows=resize", "preprocess=offline", "preprocess.fps=null", "decision=mean"],
        ),
    ],
)
def test_each_way_in_which_a_stream_differs_is_named(
    windows: WindowRule, preprocess: Preprocess, options: dict[str, Any], reasons: list[str]
) -> None:
    spec = make_spec(windows, preprocess, **options, labels=("squat", "none"))
    found = streaming_mismatches(spec)
    assert len(found) == len(reasons)
    assert all(reason in sentence for reason, sentence in zip(reasons, found, strict=True))
    warning = streaming_warning(spec)
    assert (warning is None) == (not reasons)
    assert warning is None or all(sentence in warning for sentence in found)


@pytest.mark.parametrize(
    ("dataset", "advice"),
    [
        ("penn_action", "experiment=penn_online"),
        ("synthetic", "experiment=live"),
        ("folder", "experiment=mine judge=stream store="),
        ("", "experiment=mine judge=stream store="),
    ],
)
def test_the_warning_says_what_to_train_instead(dataset: str, advice: str) -> None:
    warning = streaming_warning(make_spec(ResizeWindows(64), CAUSAL, dataset=dataset))
    assert warning is not None
    assert advice in warning


def test_a_model_without_the_class_none_says_so() -> None:
    streaming = make_spec(AnchoredWindows(64), CAUSAL)
    warning = streaming_warning(streaming)
    assert warning is not None
    assert "no class 'none'" in warning
    assert "not trained for streams" not in warning


@pytest.mark.parametrize(
    ("lengths", "crop", "parts"),
    [
        ([30, 64, 90], 0.6, []),
        ([30, 64, 90], 0.0, ["1 of 3 clips are longer than windows.length=64"]),
        ([30, 50], 0.6, ["the longest has 50 frames", "windows.length=50 or less"]),
        ([30, 50], 0.0, ["0 of 2 clips", "Set windows.length=50"]),
    ],
)
def test_anchored_training_that_stays_in_the_first_window_is_named(
    lengths: list[int], crop: float, parts: list[str]
) -> None:
    pipeline = make_spec(AnchoredWindows(64), CAUSAL).pipeline
    found = " ".join(training_mismatches(pipeline, lengths, crop))
    assert all(part in found for part in parts)
    assert bool(found) == bool(parts)
    resized = make_spec(ResizeWindows(64), CAUSAL).pipeline
    assert training_mismatches(resized, lengths, crop) == []
