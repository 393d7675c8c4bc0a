"""Online recognition in three dimensions: engines, view, forecasts, saved states and bad input."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation as Turn
from torch import nn

from actrec.model.folder import save_model
from actrec.model.spec import ModelSpec, load_spec
from actrec.network.infogcn import InfoGCN
from actrec.network.transformer import Transformer
from actrec.online.onnx_backend import load_engine
from actrec.online.onnx_export import export
from actrec.online.recognizer import OnlineRecognizer
from actrec.online.step_engine import StepEngine
from actrec.online.torch_backend import TorchWindow, make_engine
from actrec.online.window_engine import WindowEngine
from actrec.pipeline.features import Features
from actrec.pipeline.pipeline import Pipeline
from actrec.pipeline.preprocess import Preprocess
from actrec.pipeline.view import VIEWS
from actrec.pipeline.windows import AnchoredWindows
from actrec.skeleton import NWUCLA20
from actrec.types import ActrecError, SkeletonSequence, Window

LENGTH, N_JOINTS = 8, NWUCLA20.n_joints
TINY: dict[str, Any] = {"dim": 8, "layers": 2, "heads": 2, "graph_heads": 2, "attention_dim": 4}
LABELS = ("a", "b", "c")


@dataclass(frozen=True)
class Model:
    spec: ModelSpec
    network: InfoGCN

    def recognizer(self, **options: Any) -> OnlineRecognizer:
        return OnlineRecognizer(self.spec, make_engine(self.network, self.spec), **options)

    def by_windows(self) -> OnlineRecognizer:
        engine = WindowEngine(self.spec.pipeline, TorchWindow(self.network), self.spec.fps)
        return OnlineRecognizer(self.spec, engine)


def make_model(view: str = "camera", n_coordinates: int = 3, stream: str = "joint", mode: str = "causal") -> Model:
    torch.manual_seed(0)
    features = Features(stream, use_velocity=stream == "joint", velocity_scale=5.0)
    preprocess = Preprocess(mode, view=view)
    pipeline = Pipeline(NWUCLA20, preprocess, AnchoredWindows(LENGTH), features, n_coordinates)
    options = {"skeleton": "nwucla20", "in_channels": pipeline.n_channels, "n_classes": len(LABELS), **TINY}
    options["coordinates"] = n_coordinates
    network = InfoGCN(**options)
    for name, parameter in network.named_parameters():
        if "norm" in name or "field.out" in name or "bias" in name:
            nn.init.normal_(parameter, 0.3, std=0.3)
    return Model(ModelSpec("InfoGCN", options, pipeline, LABELS), network.eval())


MODELS = {view: make_model(view) for view in VIEWS}


def make_stream(n_frames: int, seed: int, dropped: float = 0.2) -> np.ndarray:
    """A body that moves in metres, with joints and whole frames that are not observed."""
    rng = np.random.default_rng(seed)
    body = rng.normal(0, 0.4, (N_JOINTS, 3)) + np.array([0.3, 0.2, 2.7])
    left, right = NWUCLA20.index(NWUCLA20.shoulders)
    body[left] = body[right] + Turn.random(random_state=seed % 1000).apply([0.35, 0, 0])
    places = body + rng.normal(0, 0.02, (n_frames, N_JOINTS, 3)).cumsum(0)
    confidence = rng.uniform(0.3, 1, (n_frames, N_JOINTS))
    confidence[rng.random(confidence.shape) < dropped] = 0
    confidence[1:][rng.random(n_frames - 1) < 0.1] = 0
    confidence[0, 0] = 0.9
    keypoints = np.concatenate([places, confidence[..., None]], -1).astype(np.float32)
    keypoints[confidence == 0] = 0
    return keypoints


def since_anchor(frames: np.ndarray) -> np.ndarray:
    """The frames of the present window: those since the anchor, which moves by half a window."""
    held: list[np.ndarray] = []
    for frame in frames:
        held = held[LENGTH - LENGTH // 2 :] if len(held) == LENGTH else held
        held.append(frame)
    return np.stack(held)


@torch.no_grad()
def by_batch(model: Model, frames: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities and forecasts after the last frame, by the network over all frames since the anchor.

    The forecasts are moved back by the rigid motion and scale that fit the observed joints best.
    """
    pipeline, since = model.spec.pipeline, since_anchor(frames)
    sequence = pipeline.preprocess(since, NWUCLA20, 30.0)
    valid = np.ones(len(since), dtype=bool)
    features = pipeline.features(Window(sequence.keypoints, sequence.observed, sequence.known, valid), NWUCLA20)
    output = model.network(torch.from_numpy(features)[None], torch.from_numpy(valid)[None])
    forecast = output.pose_forecasts[:, 0, -1].double().numpy()
    seen = np.flatnonzero(sequence.observed[-1])
    places = np.full_like(forecast, np.nan)
    if len(seen) > 4:
        there = sequence.keypoints[-1, seen, :3].astype(float)
        here = since[-1, seen, :3].astype(float)
        middle, goal = there.mean(0), here.mean(0)
        turn, _ = Turn.align_vectors(here - goal, there - middle)
        scale = np.sqrt(((here - goal) ** 2).sum() / ((there - middle) ** 2).sum())
        flat = turn.apply((forecast - middle).reshape(-1, 3)).reshape(forecast.shape)
        places = np.where(sequence.known[-1][:, None], flat * scale + goal, np.nan)
    return output.logits[0, -1].softmax(-1).numpy(), places


@pytest.mark.parametrize("view", VIEWS)
def test_both_engines_equal_the_batch_forward_since_the_anchor(view: str) -> None:
    model, frames = MODELS[view], make_stream(3 * LENGTH + 3, 1)
    stepping, rolling = model.recognizer(), model.by_windows()
    assert isinstance(stepping._engine, StepEngine)
    compared = 0
    for t, frame in enumerate(frames):
        probabilities, forecast = by_batch(model, frames[: t + 1])
        for recognizer in (stepping, rolling):
            found = recognizer.push(frame, t / 30)
            assert found is not None
            np.testing.assert_allclose(found.probabilities, probabilities, atol=1e-5)
            assert found.forecast.shape == (3, N_JOINTS, 3)
            if not np.isnan(forecast).all():
                compared += 1
                np.testing.assert_allclose(found.forecast, forecast, rtol=1e-4, atol=1e-4)
    assert compared > 2 * LENGTH


@given(seed=st.integers(0, 10**6), view=st.sampled_from(VIEWS))
@settings(max_examples=10, deadline=None)
def test_people_who_come_and_go_do_not_disturb_one_another(seed: int, view: str) -> None:
    model, n_frames = MODELS[view], 20
    streams = {name: make_stream(n_frames, seed + number) for number, name in enumerate(("anna", "ben", "carl"))}
    starts, ends = {"anna": 0, "ben": 3, "carl": 6}, {"anna": 9, "ben": n_frames, "carl": n_frames}
    together, alone = model.recognizer(), {name: model.recognizer() for name in streams}
    for t in range(n_frames):
        there = {name: stream[t] for name, stream in streams.items() if starts[name] <= t < ends[name]}
        if t == ends["anna"]:
            together.forget("anna")
        for name, found in together.push_all(there, t / 30).items():
            expected = alone[name].push(there[name], t / 30)
            assert expected is not None
            np.testing.assert_allclose(found.probabilities, expected.probabilities, atol=1e-5)
            np.testing.assert_allclose(found.forecast, expected.forecast, rtol=1e-4, atol=1e-4)


@given(seed=st.integers(0, 10**6), view=st.sampled_from(["y", "body"]))
@settings(max_examples=10, deadline=None)
def test_a_turned_camera_turns_the_forecasts_and_changes_no_probability(seed: int, view: str) -> None:
    frames = make_stream(20, seed, dropped=0.0)
    turn = Turn.random(random_state=seed) if view == "body" else Turn.from_euler("y", seed % 360, degrees=True)
    shift = np.array([0.5, -0.2, 1.0])
    moved = frames.copy()
    places = turn.apply(frames[..., :3].reshape(-1, 3)).reshape(frames[..., :3].shape)
    moved[..., :3] = np.where(frames[..., 3:] > 0, 1000 * (places + shift), 0)  # in millimetres
    here, there = MODELS[view].recognizer(), MODELS[view].recognizer()
    for t in range(len(frames)):
        one, two = here.push(frames[t], t / 30), there.push(moved[t], t / 30)
        assert one is not None
        assert two is not None
        np.testing.assert_allclose(two.probabilities, one.probabilities, atol=2e-3)
        expected = 1000 * (turn.apply(one.forecast.reshape(-1, 3)).reshape(one.forecast.shape) + shift)
        size = float(np.abs(expected).max())  # an untrained network forecasts poses of any size
        np.testing.assert_allclose(two.forecast, expected, atol=5 + 1e-4 * size)


def flattened(model: Model) -> Model:
    """A model of two dimensions with the weights of one of three, without the columns of z."""
    flat = make_model(n_coordinates=2)
    kept = [0, 1, 3, 4, 5]  # x, y, confidence, and the velocities of x and y
    weights = dict(model.network.state_dict())
    for name, value in flat.network.state_dict().items():
        given = weights[name]
        if given.shape != value.shape:
            axis = next(axis for axis in range(given.dim()) if given.shape[axis] != value.shape[axis])
            index = kept if given.shape[axis] == model.spec.pipeline.n_channels else [0, 1]
            weights[name] = given.index_select(axis, torch.tensor(index))
    flat.network.load_state_dict(weights)
    return flat


def test_with_z_zero_a_model_gives_what_one_of_two_dimensions_gives() -> None:
    solid = MODELS["camera"]
    one, two = solid.recognizer(), flattened(solid).recognizer()
    for t, frame in enumerate(make_stream(3 * LENGTH, 2)):
        frame[:, 2] = 0
        a, b = one.push(frame, t / 30), two.push(frame[:, [0, 1, 3]], t / 30)
        assert a is not None
        assert b is not None
        np.testing.assert_allclose(a.probabilities, b.probabilities, atol=1e-5)
        np.testing.assert_allclose(a.forecast[..., :2], b.forecast, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("view", ["camera", "y", "body"])
def test_a_saved_state_goes_on_where_it_was(view: str, tmp_path: Path) -> None:
    frames, model = make_stream(30, 4), MODELS[view]
    for recognizer, other in ((model.recognizer(), model.recognizer()), (model.by_windows(), model.by_windows())):
        for t in range(13):
            recognizer.push(frames[t], t / 30, "anna")
        np.savez(tmp_path / "anna.npz", **recognizer.state("anna"))
        with np.load(tmp_path / "anna.npz") as state:
            other.restore("anna", dict(state))
        for t in range(13, 30):
            a, b = recognizer.push(frames[t], t / 30, "anna"), other.push(frames[t], t / 30, "anna")
            assert a is not None
            assert b is not None
            np.testing.assert_array_equal(a.probabilities, b.probabilities)
            np.testing.assert_array_equal(a.forecast, b.forecast)


DAMAGE: dict[str, Any] = {
    "directions": lambda value: value + 1e9,
    "n_directions": lambda value: value + 100,
    "turn": lambda value: -value,
    "place": lambda value: value * np.nan,
    "frames": lambda value: value[..., :3],
}


@pytest.mark.parametrize("name", DAMAGE)
def test_a_damaged_state_is_refused_and_changes_nothing(name: str) -> None:
    recognizer, frames = MODELS["y"].recognizer(), make_stream(12, 5)
    for t, frame in enumerate(frames):
        recognizer.push(frame, t / 30, "anna")
    state = recognizer.state("anna")
    damaged = state | {f"engine.{name}": DAMAGE[name](state[f"engine.{name}"])}
    with pytest.raises(ActrecError, match="does not fit this model"):
        recognizer.restore("anna", damaged)
    for each, value in recognizer.state("anna").items():
        np.testing.assert_array_equal(value, state[each])
    with pytest.raises(ActrecError, match="does not fit this model"):
        make_model("y", mode="offline").recognizer().restore("anna", state)
    with pytest.raises(ActrecError, match="does not fit this model"):
        MODELS["body"].recognizer().restore("anna", state)  # the rotations are others


def test_a_state_in_which_no_shoulder_was_seen_is_taken() -> None:
    recognizer, frames = MODELS["y"].recognizer(), make_stream(5, 6)
    frames[:, NWUCLA20.index(NWUCLA20.shoulders)] = 0
    for t, frame in enumerate(frames):
        recognizer.push(frame, t / 30)
    recognizer.restore("again", recognizer.state(""))
    assert recognizer.people == ["", "again"]


@pytest.mark.parametrize("mode", ["causal", "offline"])
def test_onnx_runtime_equals_pytorch(mode: str, tmp_path: Path) -> None:
    model = make_model("body", mode=mode)
    folder = save_model(tmp_path / "model", model.network, model.spec)
    assert load_spec(folder) == replace(model.spec, network="actrec.network.infogcn.InfoGCN")
    export(folder, tmp_path / "onnx")
    assert (tmp_path / "onnx" / "step.onnx").is_file() == (mode == "causal")
    one, two = OnlineRecognizer.from_pretrained(folder), OnlineRecognizer.from_pretrained(tmp_path / "onnx")
    for t, frame in enumerate(make_stream(2 * LENGTH, 7)):
        a, b = one.push(frame, t / 30), two.push(frame, t / 30)
        assert a is not None
        assert b is not None
        np.testing.assert_allclose(a.probabilities, b.probabilities, atol=1e-4)
        np.testing.assert_allclose(a.forecast, b.forecast, rtol=1e-3, atol=1e-3)
    with pytest.raises(ActrecError, match=r"does not fit the config\.json"):
        load_engine(tmp_path / "onnx", make_model("camera", n_coordinates=2).spec)


@pytest.mark.parametrize("stream", ["bone", "velocity", "bone_velocity"])
def test_the_other_streams_forecast_no_poses(stream: str) -> None:
    model = make_model("y", stream=stream)
    one, two = model.recognizer(), model.by_windows()
    for t, frame in enumerate(make_stream(LENGTH + 2, 8)):
        a, b = one.push(frame, t / 30), two.push(frame, t / 30)
        assert a is not None
        assert b is not None
        assert a.forecast.shape == b.forecast.shape == (0, N_JOINTS, 3)
        np.testing.assert_allclose(a.probabilities, b.probabilities, atol=1e-5)


def test_a_network_without_forecasts_recognises() -> None:
    torch.manual_seed(0)
    spec = MODELS["y"].spec
    options = {"skeleton": "nwucla20", "in_channels": spec.pipeline.n_channels, "n_classes": 3, "dim": 8, "layers": 1}
    spec = replace(spec, network="Transformer", network_options=options | {"heads": 2})
    recognizer = OnlineRecognizer(spec, make_engine(Transformer(**spec.network_options).eval(), spec))
    found = recognizer.push(make_stream(1, 3)[0], 0.0)
    assert found is not None
    assert found.forecast.shape == (0, N_JOINTS, 3)


def test_keypoints_of_the_other_dimensions_are_refused_in_a_sentence() -> None:
    solid, flat = MODELS["camera"].recognizer(), make_model(n_coordinates=2).recognizer()
    frame = make_stream(1, 0)[0]
    with pytest.raises(ActrecError, match=r"\(20, 3\).*x, y, z and confidence\. This model takes three dimensions"):
        solid.push(frame[:, [0, 1, 3]], 0.0, "anna")
    with pytest.raises(ActrecError, match=r"\(20, 4\).*x, y and confidence\. This model takes two dimensions"):
        flat.push(frame, 0.0, "anna")
    assert solid.people == flat.people == []
    with pytest.raises(ActrecError, match=r"a coordinate of 3e\+06; expected x, y and z of at most 100000"):
        solid.push(frame * [1e6, 1e6, 0, 1] + [0, 0, 3e6, 0], 0.0)


def test_no_class_is_enrolled_into_a_model_of_three_dimensions() -> None:
    clip = SkeletonSequence(make_stream(30, 9), 30.0, "nwucla20", clip_id="wave 1")
    recognizer = MODELS["camera"].recognizer()
    assert not recognizer.gives_embeddings()
    with pytest.raises(ActrecError, match="cannot be enrolled into a model of three dimensions"):
        recognizer.enroll("wave", [clip])
    with pytest.raises(ActrecError, match="Clip 'wave 1' has 3 coordinates for each joint; this model or run takes 2"):
        make_model(n_coordinates=2).recognizer().enroll("wave", [clip])


def test_a_network_that_forecasts_too_few_coordinates_is_refused() -> None:
    spec = MODELS["camera"].spec
    with pytest.raises(ActrecError, match=r"network\.coordinates is 2, but joints have 3 coordinates"):
        replace(spec, network_options=spec.network_options | {"coordinates": 2})
