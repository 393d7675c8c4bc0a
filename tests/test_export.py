from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import actrec.export
import actrec.online.onnx_export
from actrec.model.folder import save_model
from actrec.model.network import build_network
from actrec.model.spec import ModelSpec
from actrec.network.published import OPTIONS
from actrec.online.recognizer import OnlineRecognizer
from actrec.pipeline.features import Features
from actrec.pipeline.pipeline import Pipeline
from actrec.pipeline.preprocess import Preprocess
from actrec.pipeline.windows import AnchoredWindows
from actrec.skeleton import COCO17
from actrec.types import ActrecError

Run = Callable[..., tuple[int, str, str]]
TINY: dict[str, Any] = {"skeleton": "coco17", "in_channels": 5, "n_classes": 3, "dim": 8, "layers": 1, "heads": 2}
SMALL: dict[str, Any] = {**TINY, "graph_heads": 2, "attention_dim": 4, "horizon": 1, "solver": "euler"}
PUBLISHED = {**SMALL, **OPTIONS, "solver": "euler", "window": 8}


def make_model(folder: Path, network: str, options: dict[str, Any], mode: str = "causal") -> Path:
    torch.manual_seed(0)
    pipeline = Pipeline(COCO17, Preprocess(mode), AnchoredWindows(8), Features(use_velocity=True))
    spec = ModelSpec(network, options, pipeline, ("a", "b", "c"))
    made = build_network(spec)
    for parameter in made.parameters():
        nn.init.normal_(parameter, std=0.3)
    return save_model(folder, made, spec)


STREAM = np.random.default_rng(0).uniform((0, 0, 0.1), (640, 480, 1), size=(20, 17, 3)).astype(np.float32)


def test_odds_of_classes_can_be_weighed(tmp_path: Path, run_command: Run) -> None:
    model = make_model(tmp_path / "model", "actrec.network.infogcn.InfoGCN", SMALL)
    export = actrec.online.onnx_export.export
    code, _, err = run_command(
        actrec.export.run, f"model={model}", f"to={tmp_path / 'weighed'}", "weights=true", "weigh={c: 0.2}"
    )
    assert code == 0, err
    before, after = (OnlineRecognizer.from_pretrained(folder) for folder in (model, tmp_path / "weighed"))
    for t, frame in enumerate(STREAM):
        one, two = before.push(frame, t / 30), after.push(frame, t / 30)
        if one and two:
            expected = one.probabilities * np.array([1, 1, 0.2])
            np.testing.assert_allclose(two.probabilities, expected / expected.sum(), atol=1e-4)
    for wrong in ({"d": 0.2}, {"c": 0.0}, {"c": "much"}):
        with pytest.raises(ActrecError, match="expected a positive factor of one of a, b, c"):
            export(model, tmp_path / "wrong", weights=True, weigh=wrong)
    with pytest.raises(ActrecError, match="weights=true"):
        export(model, tmp_path / "wrong", weigh={"c": 0.2})
    assert not (tmp_path / "wrong").exists()


def check_alike(exported: Path, model: Path) -> None:
    one, two = OnlineRecognizer.from_pretrained(exported), OnlineRecognizer.from_pretrained(model)
    for t, frame in enumerate(STREAM):
        people = {"anna": frame, "ben": STREAM[-t]} if t > 3 else {"anna": frame}
        ours, theirs = one.push_all(people, t / 30), two.push_all(people, t / 30)
        for person in people:
            np.testing.assert_allclose(ours[person].probabilities, theirs[person].probabilities, atol=1e-4)
            np.testing.assert_allclose(ours[person].forecast, theirs[person].forecast, rtol=1e-3, atol=0.1)


@pytest.mark.parametrize(
    ("network", "options", "mode", "files"),
    [
        ("InfoGCN", SMALL, "causal", ["step.onnx", "window.onnx"]),
        ("InfoGCN", PUBLISHED, "causal", ["step.onnx", "window.onnx"]),
        ("InfoGCN", SMALL, "offline", ["window.onnx"]),
        ("InfoGCN", {**SMALL, "causal": False}, "causal", ["window.onnx"]),
        ("Transformer", TINY, "causal", ["window.onnx"]),
        ("Transformer", {**TINY, "causal": False}, "causal", ["window.onnx"]),
    ],
)
def test_onnx_runtime_gives_what_pytorch_gives(
    network: str, options: dict[str, Any], mode: str, files: list[str], tmp_path: Path, run_command: Run
) -> None:
    model = make_model(tmp_path / "model", network, options, mode)
    code, out, err = run_command(actrec.export.run, f"model={model}")
    assert code == 0, err
    assert sorted(file.name for file in (model / "onnx").glob("*.onnx")) == files
    for file in files:
        assert f"{model / 'onnx' / file}: differs from PyTorch by at most" in out
    check_alike(model / "onnx", model)
    if mode == "offline":
        return
    script = (
        "import sys, numpy as np; from actrec.online.recognizer import OnlineRecognizer\n"
        f"r = OnlineRecognizer.from_pretrained({str(model / 'onnx')!r})\n"
        "p = r.push(np.ones((17, 3), np.float32), 0.0)\n"
        "assert p.probabilities.shape == (3,); sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


def test_what_differs_is_not_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = make_model(tmp_path / "model", "Transformer", TINY)
    monkeypatch.setattr(actrec.online.onnx_export, "TOLERANCE", -1.0)
    with pytest.raises(ActrecError, match=r"differs from PyTorch by .* for window.onnx"):
        actrec.export.export(model, tmp_path / "onnx")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model"]


def test_bad_input_is_told(tmp_path: Path, run_command: Run) -> None:
    code, _, err = run_command(actrec.export.run, f"model={tmp_path}")
    assert code == 1
    assert "is not a model folder" in err
    model = make_model(tmp_path / "model", "Transformer", TINY)
    (model / "step.onnx").write_text("no graph")
    with pytest.raises(ActrecError, match=r"step.onnx' cannot be read .* Export the model again"):
        OnlineRecognizer.from_pretrained(model)


@pytest.mark.parametrize("network", ["InfoGCN", "Transformer"])
def test_files_of_another_model_are_refused(network: str, tmp_path: Path) -> None:
    options = SMALL if network == "InfoGCN" else TINY
    model = make_model(tmp_path / "model", network, options)
    actrec.export.export(model, tmp_path / "onnx")
    config = json.loads((tmp_path / "onnx/config.json").read_text(encoding="utf-8"))
    for change, message in (
        ({"labels": ["a", "b"], "network": {**config["network"], "n_classes": 2}}, r"logits are \(\d, 3\), expected"),
        ({"windows": {**config["windows"], "length": 16}}, "windows have .* frames, expected 16"),
        (
            {"skeleton": "penn13", "network": {**config["network"], "skeleton": "penn13"}},
            "does not fit the config.json",
        ),
    ):
        (tmp_path / "onnx/config.json").write_text(json.dumps({**config, **change}), encoding="utf-8")
        with pytest.raises(ActrecError, match=message):
            OnlineRecognizer.from_pretrained(tmp_path / "onnx")
    (tmp_path / "onnx/config.json").write_text(json.dumps(config), encoding="utf-8")
    (tmp_path / "onnx/step.onnx").write_bytes((tmp_path / "onnx/window.onnx").read_bytes())
    with pytest.raises(ActrecError, match=r"step\.onnx' does not fit the config.json"):
        OnlineRecognizer.from_pretrained(tmp_path / "onnx")
