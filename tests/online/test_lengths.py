"""Windows of every length, and stream against evaluation at every rate."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from actrec.evaluation.probabilities import clip_probabilities
from actrec.model.folder import save_model
from actrec.model.network import build_network
from actrec.model.spec import ModelSpec
from actrec.online.engine import Engine
from actrec.online.onnx_backend import load_engine
from actrec.online.onnx_export import export
from actrec.online.recognizer import OnlineRecognizer
from actrec.online.step_engine import StepEngine
from actrec.online.torch_backend import make_engine
from actrec.pipeline.features import Features
from actrec.pipeline.pipeline import Pipeline
from actrec.pipeline.preprocess import Preprocess
from actrec.pipeline.windows import AnchoredWindows
from actrec.skeleton import COCO17
from actrec.types import SkeletonSequence, Window

LABELS = ("a", "b", "c")
OPTIONS: dict[str, Any] = {"dim": 4, "layers": 1, "heads": 2, "graph_heads": 1, "attention_dim": 2, "horizon": 1}
SHAPE: dict[str, Any] = {"skeleton": "coco17", "in_channels": 5, "n_classes": 3}
AROUND = [*range(1, 12), 31, 32, 33, 65]


def make_model(length: int, preprocess: Preprocess) -> tuple[ModelSpec, nn.Module]:
    torch.manual_seed(0)
    pipeline = Pipeline(COCO17, preprocess, AnchoredWindows(length), Features(use_velocity=True))
    spec = ModelSpec("InfoGCN", {**SHAPE, **OPTIONS}, pipeline, LABELS)
    network = build_network(spec).eval()
    for parameter in network.parameters():
        nn.init.normal_(parameter, std=0.4)
    return spec, network


def make_stream(n_frames: int, missing: float = 0.1, seed: int = 0) -> np.ndarray:
    """A body that moves smoothly in 17 joints, some of which are not observed."""
    rng = np.random.default_rng(seed)
    place, phase = rng.uniform(100, 400, (17, 2)), rng.uniform(0, 6, (17, 2))
    seconds = np.arange(n_frames)[:, None, None] / 30
    confidence = np.where(rng.random((n_frames, 17, 1)) < missing, 0, 0.9)
    confidence[0] = 0.9
    return np.concatenate([place + 40 * np.sin(3 * seconds + phase), confidence], -1).astype(np.float32)


@torch.no_grad()
def check_stream(spec: ModelSpec, network: nn.Module, engine: Engine, n_frames: int, atol: float = 1e-4) -> None:
    """Every frame's answer is that of the batch forward over the frames since the anchor."""
    frames, windows = make_stream(n_frames), spec.pipeline.windows
    recognizer = OnlineRecognizer(spec, engine)
    given = [recognizer.push(frame, t / 30) for t, frame in enumerate(frames)]
    anchors = [windows.start(t + 1) for t in range(n_frames)]
    for anchor in sorted(set(anchors)):  # causal: one forward answers all frames until the next anchor
        answered = [t for t in range(n_frames) if anchors[t] == anchor]
        since = frames[anchor : answered[-1] + 1]
        sequence = spec.pipeline.preprocess(since, COCO17, 30.0)
        valid = np.ones(len(since), dtype=bool)
        window = Window(sequence.keypoints, sequence.observed, sequence.known, valid)
        features = torch.from_numpy(spec.pipeline.features(window, COCO17))[None]
        expected = network(features, torch.from_numpy(valid)[None]).logits[0].softmax(-1).numpy()
        for t in answered:
            assert given[t] is not None
            np.testing.assert_allclose(given[t].probabilities, expected[t - anchor], atol=atol)


@pytest.mark.parametrize("length", AROUND)
def test_a_window_of_any_length_is_stepped_as_the_batch_forward_goes(length: int) -> None:
    spec, network = make_model(length, Preprocess("causal"))
    engine = make_engine(network, spec)
    assert isinstance(engine, StepEngine)
    check_stream(spec, network, engine, 2 * length + 4)


@pytest.mark.slow
@pytest.mark.parametrize("length", sorted({*range(1, 129)} - {*AROUND}))
def test_a_window_of_every_length(length: int) -> None:
    spec, network = make_model(length, Preprocess("causal"))
    check_stream(spec, network, make_engine(network, spec), 2 * length + 4)


@pytest.mark.parametrize("length", [5, *(pytest.param(length, marks=pytest.mark.slow) for length in (1, 2, 33))])
def test_a_window_of_any_length_is_stepped_by_onnx_runtime(length: int, tmp_path: Path) -> None:
    spec, network = make_model(length, Preprocess("causal"))
    export(save_model(tmp_path / "model", network, spec), tmp_path / "onnx")
    engine = load_engine(tmp_path / "onnx", spec)
    assert isinstance(engine, StepEngine)
    check_stream(spec, network, engine, 3 * length + 4)


@pytest.mark.parametrize("mode", ["offline", "causal"])
@pytest.mark.parametrize(
    ("native", "missing", "atol"), [(15, 0.2, 1e-4), (25, 0.2, 1e-4), (29.97, 0, 2e-2), (60, 0.2, 1e-4)]
)
def test_a_stream_and_evaluation_agree_at_any_native_rate(
    mode: str, native: float, missing: float, atol: float
) -> None:
    """At 29.97 the stream takes the frame that is a hundredth of a frame away, and evaluation interpolates there."""
    spec, network = make_model(7, Preprocess(mode, fps=15.0))
    frames = make_stream(int(1.6 * native), missing)
    recognizer = OnlineRecognizer(spec, make_engine(network, spec))
    clip, different = SkeletonSequence(frames, float(native), "coco17"), set[int]()
    for t, frame in enumerate(frames):
        prediction = recognizer.push(frame, t / native)
        assert prediction is not None
        different.add(prediction.n_frames)
        if t % 7 == 0 or t == len(frames) - 1:
            seen = replace(clip, keypoints=frames[: t + 1])
            expected = clip_probabilities(network, spec.pipeline, [seen], len(LABELS))[0]
            np.testing.assert_allclose(prediction.probabilities, expected, atol=atol)
    assert different == set(range(1, 25))
