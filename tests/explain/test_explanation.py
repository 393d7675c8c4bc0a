from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import actrec.evaluate
from actrec.data.store.clip_source import ClipSource
from actrec.data.store.writing import write_store
from actrec.explain.attention_summary import connection_shares, summarize_attention
from actrec.explain.explanation import explain
from actrec.model.folder import load_model, save_model
from actrec.model.network import build_network
from actrec.model.spec import ModelSpec, load_spec
from actrec.network.infogcn import InfoGCN
from actrec.pipeline.features import Features
from actrec.pipeline.pipeline import Pipeline
from actrec.pipeline.preprocess import Preprocess
from actrec.pipeline.windows import ResizeWindows
from actrec.skeleton import COCO17
from actrec.types import SkeletonSequence

Make = Callable[..., list[SkeletonSequence]]
Run = Callable[..., tuple[int, str, str]]


def save(folder: Path, network: str, stream: str = "joint") -> Path:
    torch.manual_seed(0)
    options = {"skeleton": "coco17", "in_channels": 3, "n_classes": 3, "dim": 8, "layers": 2, "heads": 2}
    pipeline = Pipeline(COCO17, Preprocess("causal"), ResizeWindows(12), Features(stream))
    spec = ModelSpec(network, options, pipeline, ("label_0", "label_1", "other"))
    made = build_network(spec)
    for parameter in made.parameters():
        nn.init.normal_(parameter, std=0.3)
    return save_model(folder / network, made, spec)


@pytest.fixture
def store(make_sequences: Make, tmp_path: Path) -> Path:
    clips = [ClipSource(c.clip_id, c.source, c.clip_id, lambda c=c: c) for c in make_sequences(2, 6)]
    write_store(tmp_path / "store", clips, {"dataset": "generated", "raw": "none"})
    return tmp_path / "store"


@pytest.mark.parametrize("network", ["InfoGCN", "Transformer"])
def test_evaluation_says_why(run_command: Run, store: Path, tmp_path: Path, network: str) -> None:
    model, out = save(tmp_path, network), tmp_path / "out"
    arguments = [f"model={model}", "dataset=csv", f"store={store}", f"output_dir={out}", "split=all", "why=true"]
    code, _, err = run_command(actrec.evaluate.run, *arguments)
    assert code == 0, err
    why = json.loads((out / "metrics.json").read_text())["why"]
    assert set(why["joint_importance"]) <= {"label_0", "label_1", "other"}
    assert all(list(values) == list(COCO17.joints) for values in why["joint_importance"].values())
    assert why["occlusion"]["hidden"] == 3
    names = {"why_joints"}
    if network == "InfoGCN":
        names |= {"why_connections", "why_time", "why_forecast"}
        assert sum(why["connections"].values()) == pytest.approx(1)
        assert len(why["forecast_error"]) == len(why["forecast_error_still"]) == 3
    page = (out / "report" / "index.html").read_text()
    assert "Checked on clips of other groups" in page
    pictures = {path.stem for path in (out / "report").glob("why_*.png")}
    assert pictures == names | {f"{name}-dark" for name in names}
    assert all(f'src="{name}.png"' in page for name in names)


def test_bones_have_no_forecast_error(make_sequences: Make, tmp_path: Path) -> None:
    model = save(tmp_path, "InfoGCN", "bone")
    why = explain(load_model(model), load_spec(model), make_sequences(2, 2))
    assert "forecast_error" not in why.figures()
    assert why.check is not None


def test_one_group_is_not_checked(make_sequences: Make, tmp_path: Path) -> None:
    model = save(tmp_path, "InfoGCN")
    why = explain(load_model(model), load_spec(model), make_sequences(1, 2))
    assert why.check is None
    assert "occlusion" not in why.figures()


def test_inside_is_the_mean_over_clips_whatever_their_padding(make_sequences: Make, tmp_path: Path) -> None:
    model = save(tmp_path, "InfoGCN")
    network, spec, clips = load_model(model), load_spec(model), make_sequences(2, 2)
    assert isinstance(network, InfoGCN)
    whole = summarize_attention(network, spec, clips)
    each = [summarize_attention(network, spec, [clip]) for clip in clips]
    np.testing.assert_allclose(whole.adjacency, np.mean([one.adjacency for one in each], axis=0), rtol=1e-4)
    np.testing.assert_allclose(whole.joints, np.mean([one.joints for one in each], axis=0), rtol=1e-4)
    np.testing.assert_allclose(whole.joints.sum(1), 1, rtol=1e-4)
    np.testing.assert_allclose(whole.time, np.mean([one.time for one in each], axis=0), rtol=1e-4)
    np.testing.assert_allclose(whole.time.sum(1), 1, rtol=1e-4)


def test_several_models_are_not_asked_why(run_command: Run, store: Path, tmp_path: Path) -> None:
    model = save(tmp_path, "InfoGCN")
    arguments = [f"models=[{model},{model}]", "dataset=csv", f"store={store}", "why=true"]
    code, _, err = run_command(actrec.evaluate.run, *arguments)
    assert code == 1
    assert "why=true is for one model" in err


def test_shares_of_connections() -> None:
    weights = np.zeros((17, 17))
    a, b = COCO17.bone_index[0]
    far = COCO17.index(["nose", "left_ankle"])
    weights[a, b], weights[b, a], weights[2, 2], weights[far[0], far[1]] = 1, -2, 3, 4
    shares = connection_shares(weights, COCO17)
    assert shares == {"itself": pytest.approx(0.3), "bones": pytest.approx(0.3), "others": pytest.approx(0.4)}
