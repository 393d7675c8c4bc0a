"""A model folder whose parts contradict one another, or hold what no model has, is refused in one sentence."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from actrec.model.folder import load_model
from actrec.model.spec import ModelSpec, load_spec
from actrec.types import ActrecError

Change = Callable[[dict[str, Any]], Any]


@pytest.fixture
def folder(noise_model: Path, tmp_path: Path) -> Path:
    for file in noise_model.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    return tmp_path


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c["labels"].append("jump"), "network.n_classes is 3, but the number of labels is 4"),
        (lambda c: c.update(labels=["squat", "squat", "run"]), "labels is 'squat' twice"),
        (lambda c: c.update(labels=["squat", 3, "run"]), "labels is 3; expected names"),
        (lambda c: c.update(labels=["squat", "", "run"]), "expected names"),
        (lambda c: c.update(labels="abc"), "'labels' is 'abc', expected list"),
        (lambda c: c.update(labels=[]), "labels is none"),
        (lambda c: c.update(skeleton="coco17"), "network.skeleton is 'penn13', but the skeleton is 'coco17'"),
        (lambda c: c.update(skeleton="octopus"), "octopus"),
        (lambda c: c["network"].update(in_channels=5), "network.in_channels is 5"),
        (lambda c: c["network"].update(head_segments=4, window=64), "network.window is 64, but windows.length is 8"),
        (lambda c: c["network"].pop("class"), "'class' is missing"),
        (lambda c: c.update(decision="lats"), "decision is 'lats'"),
        (lambda c: c.update(fps=0), "fps is 0"),
        (lambda c: c.update(fps=-30.0), "fps is -30"),
        (lambda c: c.update(fps="thirty"), "'fps' is 'thirty', expected float"),
        (lambda c: c.update(fps=float("nan")), "'fps' is nan, expected a finite number"),
        (lambda c: c["preprocess"].update(fps=float("inf")), r"'preprocess\.fps' is inf"),
        (lambda c: c["preprocess"].update(fps="15"), r"'preprocess\.fps' is '15'"),
        (lambda c: c["preprocess"].update(confidence_threshold=float("nan")), "confidence_threshold' is nan"),
        (lambda c: c["preprocess"].update(mode="online"), "'online'"),
        (lambda c: c["preprocess"].update(speed=2), "'preprocess' has the unknown key 'speed'"),
        (lambda c: c["preprocess"].update(view="y"), r"preprocess\.view=y turns bodies of three dimensions"),
        (lambda c: c["preprocess"].update(view="up"), r"preprocess\.view is 'up'"),
        (lambda c: c.update(n_coordinates=4), "'n_coordinates' is 4, expected 2 or 3"),
        (lambda c: c.update(n_coordinates=3), "network.in_channels is 3, but"),
        (
            lambda c: (c.update(n_coordinates=3), c["network"].update(in_channels=4, coordinates=None)),
            "network.coordinates is 2, but joints have 3 coordinates",
        ),
        (lambda c: c["windows"].update(length=0), "windows.length is 0"),
        (lambda c: c["windows"].update(length=8.5), r"'windows\.length' is '8\.5'"),
        (lambda c: c["windows"].update({"class": "Doors"}), r"'windows\.class' is 'Doors', expected one of"),
        (lambda c: c["features"].update(use_velocity="yes"), r"'features\.use_velocity' is 'yes'"),
        (lambda c: c.pop("labels"), "'labels' is missing"),
        (lambda c: c.update(uncounted=["run", [3]]), r"uncounted labels is 'run'|\[3\], which is not among the labels"),
        (lambda c: c.update(uncounted="run"), "'uncounted' is 'run', expected list"),
        (lambda c: c.update(colour="red"), "'colour' is an unknown key"),
        (lambda c: c.update(network=[1]), "'network' is .* expected dict"),
        (lambda c: c.update(format="1"), "'format' is '1', expected int"),
    ],
)
def test_a_configuration_that_contradicts_itself(change: Change, message: str, folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    change(config)
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    with pytest.raises(ActrecError, match=message) as error:
        load_spec(folder)
    assert str(folder / "config.json") in str(error.value)
    assert "\n" not in str(error.value)


def test_actions_without_repetitions_are_kept_and_older_folders_have_none(folder: Path) -> None:
    path = folder / "config.json"
    config = json.loads(path.read_text(encoding="utf-8"))
    older = load_spec(folder)
    assert older.uncounted == ()
    assert "uncounted" not in older.to_json()  # earlier versions read it as before
    for names in ([], older.labels[1:]):
        path.write_text(json.dumps({**config, "uncounted": list(names)}), encoding="utf-8")
        spec = load_spec(folder)
        assert spec.uncounted == tuple(names)
        assert ModelSpec.from_json(spec.to_json()) == spec


@pytest.mark.parametrize("content", [b"\xff\xfe", b"[1]", b"[" * 100_000, b'"x"', b""])
def test_a_configuration_that_is_none(content: bytes, folder: Path) -> None:
    (folder / "config.json").write_bytes(content)
    with pytest.raises(ActrecError, match=r"config\.json' is damaged"):
        load_spec(folder)


def test_figures_that_were_never_measured_and_other_scripts_are_no_damage(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    config.update(metrics={"auc": float("nan")}, labels=["深蹲", "отжимания", "pull_ups"])
    (folder / "config.json").write_text(json.dumps(config, ensure_ascii=False), encoding="utf-8")
    assert load_spec(folder).labels == ("深蹲", "отжимания", "pull_ups")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda value: value * float("nan"), "no trained network has"),
        (lambda value: value / 0, "no trained network has"),
        (lambda value: value.half(), r"torch.float16, expected torch.float32"),
        (lambda value: value.long(), r"torch.int64, expected torch.float32"),
        (lambda value: value[:5].clone(), r"'joint_code' is \(5, 8\), expected \(13, 8\)"),
    ],
)
def test_weights_that_are_no_models(change: Callable[[torch.Tensor], torch.Tensor], message: str, folder: Path) -> None:
    weights = load_file(folder / "model.safetensors")
    weights["joint_code"] = change(weights["joint_code"])
    save_file(weights, folder / "model.safetensors")
    with pytest.raises(ActrecError, match=message) as error:
        load_model(folder)
    assert str(folder / "model.safetensors") in str(error.value)


def test_a_variance_below_zero_and_half_a_file(folder: Path) -> None:
    file = folder / "model.safetensors"
    whole = file.read_bytes()
    weights = load_file(file)
    name = next(name for name in weights if name.endswith("running_var"))
    save_file({**weights, name: -torch.ones_like(weights[name])}, file)
    with pytest.raises(ActrecError, match="a negative variance"):
        load_model(folder)
    file.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ActrecError, match=r"model\.safetensors' cannot be read"):
        load_model(folder)
