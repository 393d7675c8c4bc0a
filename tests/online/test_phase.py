"""The phase of every engine is that of the batch forward, and what comes of it in a recogniser."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from actrec.export import export
from actrec.model.folder import save_model
from actrec.model.spec import ModelSpec
from actrec.network.infogcn import InfoGCN
from actrec.online.engine import Engine, EngineOutput
from actrec.online.hysteresis import Hysteresis
from actrec.online.onnx_backend import load_engine
from actrec.online.prediction import Prediction
from actrec.online.recognizer import OnlineRecognizer
from actrec.online.set_list import SetList
from actrec.online.torch_backend import make_engine
from actrec.pipeline.features import Features
from actrec.pipeline.pipeline import Pipeline
from actrec.pipeline.preprocess import Preprocess
from actrec.pipeline.windows import AnchoredWindows
from actrec.skeleton import COCO17
from actrec.types import ActrecError, Window

LENGTH, LABELS = 8, ("squat", "running", "none")
SHAPE: dict[str, Any] = {"skeleton": "coco17", "in_channels": 5, "n_classes": len(LABELS), "phase": True}
TINY: dict[str, Any] = {"dim": 8, "layers": 1, "heads": 2, "graph_heads": 2, "attention_dim": 4, "horizon": 1}


def make_model(mode: str = "causal", **options: Any) -> tuple[ModelSpec, nn.Module]:
    torch.manual_seed(0)
    options = {**SHAPE, **TINY, "solver": "euler", **options}
    network = InfoGCN(**options)
    for parameter in network.parameters():
        nn.init.normal_(parameter, std=0.3)
    pipeline = Pipeline(COCO17, Preprocess(mode), AnchoredWindows(LENGTH), Features(use_velocity=True))
    return ModelSpec("InfoGCN", options, pipeline, LABELS), network.eval()


def make_stream(n_frames: int) -> np.ndarray:
    rng = np.random.default_rng(1)
    place = rng.uniform((100, 100), (500, 400), size=(17, 2)) + np.cumsum(rng.normal(0, 4, (n_frames, 17, 2)), 0)
    return np.concatenate([place, rng.uniform(0.1, 1, (n_frames, 17, 1))], -1).astype(np.float32)


@torch.no_grad()
def batch_phases(spec: ModelSpec, network: nn.Module, frames: np.ndarray) -> np.ndarray:
    """The phase of every frame, each by the network over all frames since the anchor."""
    held, phases = list[np.ndarray](), list[np.ndarray]()
    for frame in frames:
        held = [*(held[LENGTH - LENGTH // 2 :] if len(held) == LENGTH else held), frame]
        sequence = spec.pipeline.preprocess(np.stack(held), COCO17, 30.0)
        valid = np.ones(len(held), dtype=bool)
        window = Window(sequence.keypoints, sequence.observed, sequence.known, valid)
        features = torch.from_numpy(spec.pipeline.features(window, COCO17))
        phases.append(network(features[None], torch.from_numpy(valid)[None]).phase[0, -1].numpy())
    return np.stack(phases)


def check_phases(engine: Engine, spec: ModelSpec, network: nn.Module) -> None:
    frames = make_stream(12 * LENGTH + 3)
    expected = batch_phases(spec, network, frames)
    assert expected.std(0).min() > 0.01
    found = [output.phase for frame in frames if (output := engine.push(["anna"], frame[None])).phase is not None]
    np.testing.assert_allclose(np.concatenate(found), expected, atol=1e-5)


@pytest.mark.parametrize("options", [{}, {"mode": "offline"}, {"solver": "linear"}, {"head_segments": 2, "window": 8}])
def test_the_phase_of_every_frame_is_that_of_the_batch_forward(options: dict[str, Any]) -> None:
    spec, network = make_model(**options)
    check_phases(make_engine(network, spec), spec, network)


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    spec, network = make_model()
    folder = tmp_path_factory.mktemp("phase")
    assert max(export(save_model(folder / "model", network, spec), folder / "onnx").values()) < 1e-5
    return folder / "onnx"


@pytest.mark.parametrize("file", ["step.onnx", "window.onnx"])
def test_onnx_runtime_gives_the_phase_too(file: str, exported: Path, tmp_path: Path) -> None:
    spec, network = make_model()
    (tmp_path / file).write_bytes((exported / file).read_bytes())
    check_phases(load_engine(tmp_path, spec), spec, network)
    older = replace(spec, network_options={**spec.network_options, "phase": False})
    with pytest.raises(ActrecError, match=rf"{file}' does not fit .*its phase is \(\d, 2\), expected none"):
        load_engine(tmp_path, older)


def test_of_several_people_each_has_the_own_phase() -> None:
    spec, network = make_model()
    frames = make_stream(40)
    one, two = batch_phases(spec, network, frames[:20]), batch_phases(spec, network, frames[20:])
    recognizer = OnlineRecognizer(spec, make_engine(network, spec))
    for t in range(20):
        people = recognizer.push_all({"anna": frames[t], "ben": frames[20 + t]}, t / 30)
        for person, expected in (("anna", one), ("ben", two)):
            phase = people[person].phase
            assert phase is not None
            assert 0 <= phase < 2 * np.pi
            unit = expected[t] / np.hypot(*expected[t])
            np.testing.assert_allclose([np.sin(phase), np.cos(phase)], unit, atol=1e-4)
            assert people[person].action == pytest.approx(1 - people[person].probabilities[2])


class Scripted:
    """An engine whose outputs are read from the first joint: x is 100 times the share of a repetition, y the class."""

    def push(self, people: list[str], frames: np.ndarray) -> EngineOutput:
        angle, label = 2 * np.pi * frames[:, 0, 0] / 100, frames[:, 0, 1].astype(int)
        phase = np.stack([np.sin(angle), np.cos(angle)], 1).astype(np.float32)
        return EngineOutput(4 * np.eye(3, dtype=np.float32)[label], np.zeros((len(people), 0, 17, 2)), phase)

    def forget(self, person: str) -> None: ...

    def fresh(self) -> Engine:
        return Scripted()

    def state(self, person: str) -> dict[str, np.ndarray]:
        return {}

    def restore(self, person: str, state: Mapping[str, np.ndarray]) -> None: ...


def scripted(max_gap: float = 1.0, fps: float | None = 15.0) -> OnlineRecognizer:
    pipeline = Pipeline(COCO17, Preprocess("causal", fps=fps), AnchoredWindows(LENGTH), Features())
    spec = ModelSpec("InfoGCN", {}, pipeline, LABELS, uncounted=("running",))
    return OnlineRecognizer(spec, Scripted(), Hysteresis(), max_gap)


def pose(share: float, label: str = "squat") -> np.ndarray:
    keypoints = np.full((17, 3), 1.0, dtype=np.float32)
    keypoints[0, :2] = 100 * share, LABELS.index(label)
    return keypoints


def play(recognizer: OnlineRecognizer, shares: np.ndarray, start: float, fps: float = 15.0) -> list[Prediction]:
    made = [recognizer.push(pose(float(share)), start + t / fps) for t, share in enumerate(shares)]
    return [prediction for prediction in made if prediction is not None]


@pytest.mark.parametrize("empty", [True, False])
def test_who_leaves_in_a_repetition_and_comes_back_goes_on_or_begins_anew(empty: bool) -> None:
    for away, counts in ((0.8, [2]), (1.5, [1, 0])):
        recognizer = scripted()
        found = play(recognizer, np.linspace(0, 1.6, 37), 0.0)  # until the way back of the second repetition
        for t in range(int(away * 15)) if empty else ():
            prediction = recognizer.push(None, 37 / 15 + t / 15)
            found += [prediction] if prediction else []
        found += play(recognizer, np.linspace(1.6, 2.3, 16), 37 / 15 + away)
        collected = SetList()
        collected.update(found)
        sets = [each for _, each in collected.sets]
        assert [each.repetitions for each in sets] == counts
        assert found[-1].repetitions == counts[-1]


def test_repetitions_are_ints_until_the_next_set_and_none_where_there_are_none() -> None:
    recognizer, shown = scripted(), []
    script = [("none", 20), ("squat", 45), ("none", 40), ("running", 40), ("none", 40), ("squat", 22)]
    t = 0
    for label, n_frames in script:
        for frame in range(n_frames):
            prediction = recognizer.push(pose(frame / 22, label), t / 15)
            assert prediction is not None
            t += 1
        shown.append((prediction.held, prediction.repetitions, prediction.set and prediction.set.label))
    assert shown == [
        (None, 0, None),
        ("squat", 2, "squat"),
        (None, 2, "squat"),
        ("running", None, "running"),
        (None, None, "running"),
        ("squat", 1, "squat"),
    ]


def test_a_saved_state_goes_on_in_the_middle_of_a_repetition(tmp_path: Path) -> None:
    whole = np.linspace(0, 3, 80)
    for cut in range(1, 80, 6):
        one, two = scripted(), scripted()
        play(one, whole[:cut], 0.0)
        np.savez(tmp_path / "state.npz", **one.state(""))
        with np.load(tmp_path / "state.npz") as state:
            two.restore("", dict(state))
        for a, b in zip(play(one, whole[cut:], cut / 15), play(two, whole[cut:], cut / 15), strict=True):
            assert (a.held, a.set, a.repetitions, a.phase) == (b.held, b.set, b.repetitions, b.phase)
        assert a.repetitions == 3
    older = one.state("")
    del older["set"]  # as versions without sets wrote it
    two.restore("older", older)
    again = [two.push(pose(share), 6 + t / 15, "older") for t, share in enumerate(np.linspace(0, 1, 24))]
    assert again[-1] is not None
    assert again[-1].repetitions == 1


@pytest.mark.parametrize("fps", [30.0, 15.0, 10.0, None])
def test_any_camera_counts_alike(fps: float | None) -> None:
    rate = fps or 20.0
    recognizer = scripted(fps=None if fps is None else 15.0)
    found = play(recognizer, np.arange(0, 5.05, 0.8 / rate), 100.0, rate)
    assert found[-1].repetitions == 5
    assert found[-1].set == replace(found[-1].set, label="squat", start=100.0, repetitions=5)  # type: ignore[type-var]
