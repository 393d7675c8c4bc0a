import json
import sys
from dataclasses import replace
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
import torch

import actrec
from actrec.model.folder import load_model, save_model
from actrec.model.network import build_network
from actrec.model.spec import ModelSpec, load_spec
from actrec.pipeline.features import Features
from actrec.pipeline.pipeline import Pipeline
from actrec.pipeline.preprocess import Preprocess
from actrec.pipeline.windows import ResizeWindows, SlidingWindows
from actrec.skeleton import SKELETONS, add_skeleton, get_skeleton
from actrec.types import ActrecError

OPTIONS = {"n_classes": 3, "in_channels": 3, "dim": 8, "layers": 1, "heads": 2, "graph_heads": 1, "horizon": 1}


def spec(skeleton: str = "coco17", sliding: bool = False) -> ModelSpec:
    windows = SlidingWindows(16, 8) if sliding else ResizeWindows(16, (0.6, 1.0), (1.0,))
    pipeline = Pipeline(get_skeleton(skeleton), Preprocess("causal", fps=25.0), windows, Features(use_velocity=False))
    return ModelSpec("InfoGCN", {"skeleton": skeleton, **OPTIONS}, pipeline, ("a", "b", "c"), "mean", 29.97, "yolo")


@pytest.mark.parametrize("sliding", [False, True])
def test_a_model_comes_back_as_it_was(sliding: bool, tmp_path: Path) -> None:
    made = spec(sliding=sliding)
    network = build_network(made).eval()
    save_model(tmp_path / "model", network, made)
    modes = {(tmp_path / "model" / name).stat().st_mode for name in ("config.json", "model.safetensors")}
    assert len(modes) == 1  # whoever may read the one may read the other
    x, valid = torch.randn(2, 16, 17, 3), torch.ones(2, 16, dtype=torch.bool)
    loaded = actrec.load_model(tmp_path / "model")
    assert not loaded.training
    assert torch.equal(loaded(x, valid).logits, network(x, valid).logits)
    back = actrec.load_spec(tmp_path / "model")
    assert json.dumps(back.to_json()) == json.dumps(made.to_json())
    assert type(back.pipeline.windows) is type(made.pipeline.windows)
    assert sorted(file.name for file in (tmp_path / "model").iterdir()) == [
        "README.md",
        "config.json",
        "model.safetensors",
    ]
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_metrics_are_in_config_and_card(tmp_path: Path) -> None:
    made = replace(spec(), metrics={"accuracy": 0.875})
    folder = save_model(tmp_path / "model", build_network(made), made)
    assert load_spec(folder).metrics == {"accuracy": 0.875}
    assert "| accuracy | 0.8750 |" in (folder / "README.md").read_text()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"decision": "lats"}, "decision is 'lats'"),
        ({"network": "GCN"}, "no network 'GCN'"),
        ({"network_options": {"skeleton": "coco17", **OPTIONS, "heads": 3}}, "network.heads=3 divides"),
        ({"network_options": {"skeleton": "coco17", **OPTIONS, "head": "foo"}}, "head=foo"),
        ({"network_options": {"skeleton": "coco17", **OPTIONS, "norm": "foo"}}, "no norm 'foo'"),
        ({"network_options": {"skeleton": "coco17", **OPTIONS, "solver": "foo"}}, "no solver 'foo'"),
        ({"network_options": {"skeleton": "coco17", **OPTIONS, "widht": 3}}, "widht"),
    ],
)
def test_options_that_make_no_network(change: dict, message: str) -> None:
    with pytest.raises(ActrecError, match=message):
        build_network(replace(spec(), **change))


def test_a_save_that_fails_leaves_the_old_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = save_model(tmp_path / "model", build_network(spec()), spec())
    before = (folder / "model.safetensors").read_bytes()
    monkeypatch.setattr("actrec.model.folder.model_card", lambda spec: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        save_model(folder, build_network(spec()), spec())
    assert (folder / "model.safetensors").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_weights_of_another_skeleton(tmp_path: Path) -> None:
    folder = save_model(tmp_path / "model", build_network(spec()), spec())
    config = json.loads((folder / "config.json").read_text())
    config["skeleton"] = config["network"]["skeleton"] = "penn13"
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(
        ActrecError, match=r"another network or skeleton: 'joint_code' is \(17, 8\), expected \(13, 8\)"
    ):
        load_model(folder)


def test_weights_that_are_too_many(tmp_path: Path) -> None:
    folder = save_model(tmp_path / "model", build_network(spec()), spec())
    config = json.loads((folder / "config.json").read_text())
    config["network"]["head_segments"] = 2
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(ActrecError, match=r"'head\.classifiers\.1\.weight' is nothing"):
        load_model(folder)


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("config.json", "{", "is damaged"),
        ("config.json", "{}", "is damaged"),
        ("config.json", '{"format": 99}', "has format 99"),
        ("model.safetensors", "nothing of the kind", "cannot be read"),
    ],
)
def test_damage_is_told(file: str, content: str, message: str, tmp_path: Path) -> None:
    folder = save_model(tmp_path / "model", build_network(spec()), spec())
    (folder / file).write_text(content)
    with pytest.raises(ActrecError, match=message):
        load_model(folder)


def test_a_folder_that_is_no_model(tmp_path: Path) -> None:
    with pytest.raises(ActrecError, match="is not a model folder"):
        load_spec(tmp_path)
    folder = save_model(tmp_path / "model", build_network(spec()), spec())
    (folder / "model.safetensors").unlink()
    with pytest.raises(ActrecError, match=r"model\.safetensors' cannot be read"):
        load_model(folder)


class TestTrust:
    """A network of another package is imported only where the caller allows it."""

    @pytest.fixture
    def folder(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        code = "from actrec.network.infogcn import InfoGCN\nclass Mine(InfoGCN): pass\nprint('imported')\nother = 3\n"
        (tmp_path / "my_nets.py").write_text(code)
        monkeypatch.syspath_prepend(str(tmp_path))
        monkeypatch.delitem(sys.modules, "my_nets", raising=False)
        made = replace(spec(), network="my_nets.Mine")
        return save_model(tmp_path / "model", build_network(spec()), made)

    def test_it_is_not_imported_without(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        for trust in ((), "my", ["actrec", "my_nets.Min"]):
            with pytest.raises(ActrecError, match=r"load_model\(folder, trust='my_nets'\) in Python, trust=my_nets"):
                load_model(folder, trust=trust)
        assert load_spec(folder).network_name == "Mine"
        assert capsys.readouterr().out == ""

    @pytest.mark.parametrize("trust", ["my_nets", ["other", "my_nets"], "my_nets.Mine"])
    def test_it_is_loaded_with(self, trust: str | list[str], folder: Path) -> None:
        assert type(load_model(folder, trust=trust)).__name__ == "Mine"
        assert 'trust="my_nets"' in (folder / "README.md").read_text()

    def test_an_installed_package_can_allow_its_own(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        entry = EntryPoint("mine", "my_nets:Mine", "actrec.networks")
        monkeypatch.setattr("actrec.model.network.entry_points", lambda group: [entry])
        assert type(load_model(folder)).__name__ == "Mine"

    @pytest.mark.parametrize(("path", "message"), [("my_nets.other", "no class"), ("my_nets.No", "cannot be imported")])
    def test_what_is_no_network(self, path: str, message: str, folder: Path) -> None:
        with pytest.raises(ActrecError, match=message):
            build_network(replace(spec(), network=path), trust="my_nets")


def test_class_names_of_older_folders_are_known(tmp_path: Path) -> None:
    folder = save_model(tmp_path / "model", build_network(spec()), spec())
    config = json.loads((folder / "config.json").read_text())
    assert config["network"]["class"] == "actrec.network.infogcn.InfoGCN"
    config["network"]["class"] = "InfoGCN"
    (folder / "config.json").write_text(json.dumps(config))
    assert type(load_model(folder)).__name__ == "InfoGCN"


def test_the_model_is_found_in_a_run_s_folder(tmp_path: Path) -> None:
    save_model(tmp_path / "run" / "model", build_network(spec()), spec())
    assert load_spec(tmp_path / "run") == load_spec(tmp_path / "run/model")
    assert type(load_model(tmp_path / "run")).__name__ == "InfoGCN"
    assert actrec.OnlineRecognizer.from_pretrained(tmp_path / "run").labels == ("a", "b", "c")


def test_a_skeleton_of_the_user_is_kept_in_the_folder(tmp_path: Path) -> None:
    layout = {"name": "bird", "joints": ["left_hip", "right_hip", "left_shoulder", "right_shoulder", "beak"]}
    add_skeleton({**layout, "bones": [["left_shoulder", "left_hip"], ["beak", "left_shoulder"]]})
    try:
        save_model(tmp_path, build_network(spec("bird")), spec("bird"))
        bird = SKELETONS.pop("bird")
        load_model(tmp_path)
        assert get_skeleton("bird") == bird
        with pytest.raises(ActrecError, match="two different skeletons 'bird'"):
            add_skeleton({**layout, "bones": [["beak", "left_hip"]]})
    finally:
        SKELETONS.pop("bird", None)
