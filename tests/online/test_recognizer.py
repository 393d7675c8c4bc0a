from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from actrec.model.folder import save_model
from actrec.model.spec import ModelSpec
from actrec.network.infogcn import InfoGCN
from actrec.network.published import OPTIONS
from actrec.network.transformer import Transformer
from actrec.online.hysteresis import Hysteresis
from actrec.online.prediction import Prediction
from actrec.online.recognizer import OnlineRecognizer
from actrec.online.step_engine import StepEngine
from actrec.online.torch_backend import make_engine
from actrec.online.window_engine import WindowEngine
from actrec.pipeline.features import Features
from actrec.pipeline.pipeline import Pipeline
from actrec.pipeline.preprocess import Preprocess
from actrec.pipeline.windows import AnchoredWindows
from actrec.skeleton import COCO17
from actrec.types import ActrecError, Window

LENGTH = 8
TINY: dict[str, Any] = {"dim": 8, "layers": 2, "heads": 2, "graph_heads": 2, "attention_dim": 4}
LABELS = ("a", "b", "c")


@dataclass(frozen=True)
class Model:
    spec: ModelSpec
    network: nn.Module

    def recognizer(self, **options: Any) -> OnlineRecognizer:
        return OnlineRecognizer(self.spec, make_engine(self.network, self.spec), **options)


def make_model(mode: str = "causal", velocity: bool = True, fps: float | None = None, **options: Any) -> Model:
    torch.manual_seed(0)
    features = Features(use_velocity=velocity, velocity_scale=options.pop("velocity_scale", 1.0))
    transformer = options.pop("transformer", False)
    shape = {"skeleton": "coco17", "in_channels": features.n_channels(), "n_classes": len(LABELS)}
    options = {"dim": 8, "layers": 2, "heads": 2} if transformer else {**TINY, **options}
    network: nn.Module = (Transformer if transformer else InfoGCN)(**shape, **options)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm1d):
            module.running_mean.normal_(0, 0.3)  # type: ignore[union-attr, operator]
            module.running_var.uniform_(0.5, 2)  # type: ignore[union-attr, operator]
    for name, parameter in network.named_parameters():
        if "norm" in name or "field.out" in name or "bias" in name:
            nn.init.normal_(parameter, 0.3, std=0.3)
    pipeline = Pipeline(COCO17, Preprocess(mode, fps=fps), AnchoredWindows(LENGTH), features)
    name = "Transformer" if transformer else "InfoGCN"
    return Model(ModelSpec(name, {**shape, **options}, pipeline, LABELS), network.eval())


MODELS = {
    "infogcnpp": make_model(),
    "layer norm": make_model(norm="layer", velocity=False),
    "gcn": make_model(dynamics="gcn", head="gcn", solver="midpoint", dynamics_norm="batch"),
    "published": make_model(**{**OPTIONS, "window": LENGTH}),
    "horizon 0": make_model(horizon=0),
    "linear": make_model(solver="linear"),
    "offline": make_model("offline"),
    "transformer": make_model(transformer=True),
    "not causal": make_model(causal=False),
    "fast": make_model(velocity_scale=5.0),
}
STEPPED = ["infogcnpp", "layer norm", "gcn", "published", "horizon 0", "fast"]


def make_stream(n_frames: int, seed: int, dropped: float = 0.2, unseen: float = 0.1) -> np.ndarray:
    """A body that moves in 17 joints of 640 by 480 pixels, with joints and whole frames not observed."""
    rng = np.random.default_rng(seed)
    place = rng.uniform((100, 100), (500, 400), size=(17, 2))
    path = place + np.cumsum(rng.normal(0, 4, size=(n_frames, 17, 2)), 0)
    confidence = rng.uniform(0.3, 1, size=(n_frames, 17))
    confidence[rng.random((n_frames, 17)) < dropped] = 0
    confidence[1:][rng.random(n_frames - 1) < unseen] = 0
    confidence[0, 0] = 0.9
    keypoints = np.concatenate([path, confidence[..., None]], -1).astype(np.float32)
    keypoints[confidence == 0] = 0
    return keypoints


@torch.no_grad()
def by_batch(model: Model, frames: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities and forecasts after the last frame: the network over all frames since the anchor, from scratch."""
    held: list[np.ndarray] = []
    for frame in frames:
        held = held[LENGTH - LENGTH // 2 :] if len(held) == LENGTH else held
        held.append(frame)
    pipeline, since = model.spec.pipeline, np.stack(held)
    fps = pipeline.preprocess.fps or model.spec.fps
    sequence = pipeline.preprocess(since, COCO17, fps)
    valid = np.ones(len(since), dtype=bool)
    features = pipeline.features(Window(sequence.keypoints, sequence.observed, sequence.known, valid), COCO17)
    output = model.network(torch.from_numpy(features)[None], torch.ones(1, len(since), dtype=torch.bool))
    pose = output.pose_forecasts[:, 0, -1, :, :2].double().numpy()
    # Back to pixels by the line through two joints that moved apart: pixels = a · torso lengths + b.
    observed = np.flatnonzero(sequence.observed[-1])
    pixels = np.full_like(pose, np.nan)
    if len(observed) > 2:
        x, y = sequence.keypoints[-1, observed, :2].astype(np.float64), since[-1, observed, :2].astype(np.float64)
        scale = np.sqrt(((y - y.mean(0)) ** 2).sum() / ((x - x.mean(0)) ** 2).sum())
        pixels = np.where(sequence.known[-1][:, None], pose * scale + y.mean(0) - scale * x.mean(0), np.nan)
    return output.logits[0, -1].softmax(-1).numpy(), pixels


def check(model: Model, prediction: Prediction, frames: np.ndarray) -> None:
    probabilities, pixels = by_batch(model, frames)
    np.testing.assert_allclose(prediction.probabilities, probabilities, atol=1e-5)
    assert prediction.label == LABELS[int(probabilities.argmax())]
    assert prediction.n_frames == len(frames)
    if not np.isnan(pixels).all():
        scale = 1e-5 * np.nanmax(np.abs(pixels), initial=100)  # float32, in pixels
        np.testing.assert_allclose(prediction.forecast, pixels, rtol=1e-4, atol=10 * scale)


@pytest.mark.parametrize("name", MODELS)
def test_every_frame_equals_the_batch_forward_since_the_anchor(name: str) -> None:
    model, frames = MODELS[name], make_stream(3 * LENGTH + 3, 1)
    recognizer = model.recognizer()
    for t, frame in enumerate(frames):
        prediction = recognizer.push(frame, t / 30)
        assert prediction is not None
        assert prediction.timestamp == t / 30
        check(model, prediction, frames[: t + 1])


@given(seed=st.integers(0, 10**6), n_people=st.integers(1, 3), name=st.sampled_from(STEPPED), data=st.data())
@settings(max_examples=15, deadline=None)
def test_streams_with_dropped_joints_gaps_and_people_who_come_and_go(
    seed: int, n_people: int, name: str, data: st.DataObject
) -> None:
    model = MODELS[name]
    recognizer = model.recognizer(max_gap=0.25)
    streams = {f"p{i}": make_stream(30, seed + i, unseen=0.2) for i in range(n_people)}
    starts = {person: data.draw(st.integers(0, 15)) for person in streams}
    there: dict[str, list[np.ndarray]] = {}
    last_seen: dict[str, float] = {}
    for t in range(30):
        people: dict[str, np.ndarray | None] = {p: s[t] for p, s in streams.items() if t >= starts[p]}
        gone = data.draw(st.sampled_from([None, None, None, *streams]))
        people.pop(gone, None)  # type: ignore[arg-type]
        predictions = recognizer.push_all(people, t / 30)
        for person in set(there) | set(people):
            frame = people.get(person)
            frame = np.zeros((17, 3), dtype=np.float32) if frame is None else frame
            seen = bool((frame[:, 2] >= 0.2).any())
            if person in there and t / 30 - last_seen[person] > 0.25:
                del there[person]
            if person in there or seen:
                there.setdefault(person, []).append(frame)
                last_seen[person] = t / 30 if seen else last_seen[person]
        assert set(predictions) == set(there) == set(recognizer.people)
        for person, prediction in predictions.items():
            check(model, prediction, np.stack(there[person]))
            assert prediction.seen == (last_seen[person] == t / 30)


@pytest.mark.parametrize("name", MODELS)
def test_models_that_can_step_frame_by_frame_do(name: str) -> None:
    engine = make_engine(MODELS[name].network, MODELS[name].spec)
    assert isinstance(engine, StepEngine if name in STEPPED else WindowEngine)


@pytest.mark.parametrize("name", ["infogcnpp", "offline", "not causal"])
def test_nothing_after_a_frame_changes_what_was_given_for_it(name: str) -> None:
    one, two = make_stream(20, 2), make_stream(20, 2)
    two[12:] = make_stream(20, 3)[12:]
    runs = []
    for stream in (one, two):
        recognizer = MODELS[name].recognizer()
        runs.append([recognizer.push(frame, t / 30) for t, frame in enumerate(stream)])
    same = [np.array_equal(first.probabilities, second.probabilities) for first, second in zip(*runs, strict=True)]
    assert all(same[:12])
    assert not all(same[12:])


def test_a_saved_state_goes_on_where_it_was(tmp_path: Path) -> None:
    for name in ("infogcnpp", "offline"):
        frames, model = make_stream(30, 4), MODELS[name]
        recognizer = model.recognizer()
        for t in range(13):
            recognizer.push(frames[t], t / 30, "anna")
            recognizer.push(frames[t + 5], t / 30, "ben")
        np.savez(tmp_path / "anna.npz", **recognizer.state("anna"))
        size = {name: value.nbytes for name, value in recognizer.state("anna").items()}
        other = model.recognizer()
        other.push(frames[3], 0.0, "carl")
        with np.load(tmp_path / "anna.npz") as state:
            other.restore("anna again", dict(state))
        for t in range(13, 30):
            a, b = recognizer.push(frames[t], t / 30, "anna"), other.push(frames[t], t / 30, "anna again")
            assert a is not None
            assert b is not None
            np.testing.assert_array_equal(a.probabilities, b.probabilities)
            np.testing.assert_array_equal(a.forecast, b.forecast)
            assert (a.held, a.n_frames) == (b.held, b.n_frames)
        assert {name: value.nbytes for name, value in recognizer.state("anna").items()} == size


def test_a_state_of_another_model_is_refused() -> None:
    recognizer = MODELS["infogcnpp"].recognizer()
    recognizer.push(make_stream(1, 0)[0], 0.0)
    with pytest.raises(ActrecError, match="does not fit this model"):
        make_model(layers=1).recognizer().restore("x", recognizer.state(""))
    with pytest.raises(ActrecError, match="no person 'x'"):
        recognizer.state("x")


@pytest.mark.parametrize("camera", [60.0, 30.0, 24.0, 15.0])
def test_any_camera_is_resampled_to_the_models_rate(camera: float) -> None:
    model = make_model(fps=30.0)
    recognizer = model.recognizer()
    stream = make_stream(40, 5, unseen=0)
    resampled, _ = model.spec.pipeline.preprocess.at_rate(stream, camera)
    for t, frame in enumerate(stream):
        prediction = recognizer.push(frame, 100 + t / camera)
        assert prediction is not None
        n_due = int(t / camera * 30 + 1e-6) + 1
        assert prediction.n_frames == n_due
        assert prediction.timestamp == pytest.approx(100 + (n_due - 1) / 30)
        check(model, prediction, resampled[:n_due])


def test_a_cameras_jitter_does_not_cost_a_frame() -> None:
    recognizer, rng = make_model(fps=30.0).recognizer(), np.random.default_rng(0)
    for t, frame in enumerate(make_stream(60, 6)):
        prediction = recognizer.push(frame, round(t / 30 + rng.uniform(-0.002, 0.002), 3))
        assert prediction is not None
        assert prediction.n_frames == t + 1


def test_who_is_lost_starts_anew() -> None:
    recognizer = MODELS["infogcnpp"].recognizer(max_gap=0.5)
    frames = make_stream(60, 7, unseen=0)
    assert recognizer.push(None, 0.0) is None
    for t in range(10):
        recognizer.push(frames[t], 1 + t / 30)
    bridged = recognizer.push(None, 1.5)
    assert bridged is not None
    assert not bridged.seen
    assert recognizer.push(None, 2.0) is None
    assert recognizer.people == []
    again = recognizer.push(frames[0], 2.1)
    assert again is not None
    assert again.n_frames == 1
    again = recognizer.push(frames[1], 60.0)
    assert again is not None
    assert again.n_frames == 1


def test_other_layouts_are_mapped_to_the_models(make_sequences: Callable[..., Any]) -> None:
    clip = make_sequences(1, 1, skeleton="penn13")[0]
    recognizer = MODELS["infogcnpp"].recognizer(skeleton="penn13")
    prediction = recognizer.push(clip.keypoints[0], 0.0)
    assert prediction is not None
    assert prediction.forecast.shape == (3, 17, 2)
    assert np.isnan(prediction.forecast[:, 1:5]).all()
    assert np.isfinite(prediction.forecast[:, 5:]).all()


GOOD = make_stream(1, 0)[0]


@pytest.mark.parametrize(
    ("keypoints", "timestamp", "message"),
    [
        (GOOD[:13], 1.0, r"shape \(13, 3\) and type float32; expected 17 joints of"),
        (GOOD.astype(str), 1.0, "type <U32; expected 17 joints"),
        (np.where(GOOD == 0, np.nan, GOOD), 1.0, "NaN or infinite"),
        (GOOD + np.inf, 1.0, "NaN or infinite"),
        (np.full_like(GOOD, 1e30), 1.0, "a coordinate of 1e\\+30; expected x and y in pixels"),
        (GOOD * np.float32([1, 1, 98]), 1.0, "person 'anna' has confidences .* Are they per cent"),
        (GOOD * np.float32([1, 1, -1]), 1.0, "Is the third value z"),
        (np.full((17, 3), np.iinfo(np.int64).min), 1.0, "a coordinate of 9.22337e\\+18"),
        (GOOD.astype(complex), 1.0, "type complex128; expected 17 joints"),
        (GOOD, float("nan"), "timestamp is nan"),
        (GOOD, 1.8e12, "milliseconds or nanoseconds since 1970"),
        (GOOD, 1e17, "at most 1e\\+10"),
        (GOOD, 0.5, r"timestamp is 0.5 s after 0.5 s"),
        (GOOD, 0.2, r"expected seconds that ascend"),
    ],
)
def test_bad_input_is_told_and_changes_nothing(keypoints: np.ndarray, timestamp: float, message: str) -> None:
    model = MODELS["infogcnpp"]
    recognizer, untouched = model.recognizer(), model.recognizer()
    for each in (recognizer, untouched):
        each.push(GOOD, 0.5, "anna")
        each.push(GOOD, 0.5, "ben")
    with pytest.raises(ActrecError, match=message):
        recognizer.push_all({"ben": GOOD, "anna": keypoints}, timestamp)
    for person in ("anna", "ben"):
        for name, value in recognizer.state(person).items():
            np.testing.assert_array_equal(value, untouched.state(person)[name])


def test_a_bad_setting_is_told() -> None:
    for gap in (0.0, float("nan"), float("inf")):
        with pytest.raises(ActrecError, match=f"max_gap is {gap}"):
            MODELS["infogcnpp"].recognizer(max_gap=gap)
    with pytest.raises(ActrecError, match=r"3e\+10 frames at the model's 30 a second, .* 33\.3 seconds"):
        make_model(fps=30.0).recognizer(max_gap=1e9)
    with pytest.raises(ActrecError, match="max_people is 0"):
        MODELS["infogcnpp"].recognizer(max_people=0)
    with pytest.raises(ActrecError, match=r"enter=0\.1"):
        Hysteresis(enter=0.1)


def test_from_a_model_folder(tmp_path: Path) -> None:
    model = MODELS["infogcnpp"]
    folder = save_model(tmp_path / "model", model.network, model.spec)
    frames, recognizer, other = make_stream(12, 8), OnlineRecognizer.from_pretrained(folder), model.recognizer()
    for t, frame in enumerate(frames):
        one, two = recognizer.push(frame, t / 30), other.push(frame, t / 30)
        assert one is not None
        assert two is not None
        np.testing.assert_array_equal(one.probabilities, two.probabilities)
    with pytest.raises(ActrecError, match="not a model folder"):
        OnlineRecognizer.from_pretrained(tmp_path / "other")


def test_importing_it_imports_no_torch() -> None:
    code = "import sys, actrec.online.recognizer, actrec.online.engine; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
