"""The models that come with the package: found by name, complete, small, and the same with and without PyTorch."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import actrec
import actrec.export
import actrec.model.spec
from actrec.model.folder import load_model, model_card
from actrec.model.spec import find_model, load_spec, shipped_models
from actrec.online.onnx_export import export
from actrec.online.recognizer import OnlineRecognizer
from actrec.online.torch_backend import make_engine
from actrec.types import NONE, ActrecError

NAMES = shipped_models()
FILES = ["README.md", "config.json", "model.safetensors", "step.onnx"]


@pytest.fixture(scope="module")
def made(noise_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder such as the package has, with one model, 'noise'."""
    folder = tmp_path_factory.mktemp("package") / "shipped"
    export(noise_model, folder / "noise", weights=True)
    return folder


@pytest.fixture
def shipped(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """That folder as the package's own, seen from an empty one."""
    monkeypatch.setattr(actrec.model.spec, "SHIPPED", made)
    monkeypatch.setattr(actrec.export, "SHIPPED", made)
    monkeypatch.chdir(tmp_path)
    return made


def test_a_name_is_enough(shipped: Path, noise_model: Path) -> None:
    assert shipped_models() == ["noise"]
    assert find_model("noise") == find_model(Path("noise")) == shipped / "noise"
    assert actrec.load_spec("noise") == load_spec(noise_model)
    assert sum(each.numel() for each in actrec.load_model("noise").parameters())
    assert actrec.OnlineRecognizer.from_pretrained("noise").labels == ("squat", "push_ups", "pull_ups")


def test_a_model_of_that_name_here_comes_first(shipped: Path, noise_model: Path) -> None:
    Path("noise").mkdir()  # no model, so it is not meant
    assert find_model("noise") == shipped / "noise"
    shutil.copytree(noise_model, "noise/model")
    assert find_model("noise") == Path("noise/model")
    shutil.copytree(noise_model, "noise", dirs_exist_ok=True)
    assert find_model("noise") == Path("noise")


@pytest.mark.parametrize("name", ["nois", "noise/", "../shipped/noise", ""])
def test_an_unknown_name_is_answered_with_the_known_ones(name: str, shipped: Path) -> None:
    for load in (actrec.load_model, actrec.load_spec, actrec.OnlineRecognizer.from_pretrained):
        with pytest.raises(ActrecError, match=rf"'{name}' is not a model folder.* come with actrec are: noise\.$"):
            load(name)


def test_its_onnx_step_runs_without_pytorch_and_gives_the_same(shipped: Path) -> None:
    check_alike("noise")
    code = f"""import sys; sys.modules["torch"] = None
from pathlib import Path; import actrec.model.spec
actrec.model.spec.SHIPPED = Path({str(shipped)!r})
assert len(actrec.OnlineRecognizer.from_pretrained("noise").labels) == 3"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_it_is_written_by_one_command(
    shipped: Path, noise_model: Path, tmp_path: Path, run_command: Callable[..., tuple[int, str, str]]
) -> None:
    code, out, err = run_command(actrec.export.run, f"model={noise_model}", "to=other", "weights=true")
    assert (code, out.count(".onnx")) == (0, 1), err
    assert sorted(path.name for path in (tmp_path / "other").iterdir()) == FILES
    assert not list(shipped.glob("noise/onnx"))
    code, _, err = run_command(actrec.export.run, "model=noise")
    assert code == 1
    assert "'noise' comes with actrec, and has ONNX files. Give to=<folder>" in err
    assert sorted(path.name for path in (shipped / "noise").iterdir()) == FILES


def test_a_card_says_what_the_model_does_with_other_motions(noise_model: Path) -> None:
    plain = load_spec(noise_model)
    assert "any other action is recognised as one of the listed ones" in model_card(plain)
    assert "Licence" not in model_card(plain)


def check_alike(name: str) -> None:
    """Checks that the ONNX step and the weights of a model give the same for a stream in which joints are missing."""
    spec = load_spec(name)
    one, other = OnlineRecognizer.from_pretrained(name), OnlineRecognizer(spec, make_engine(load_model(name), spec))
    rng, n_joints = np.random.default_rng(0), spec.pipeline.skeleton.n_joints
    body = rng.uniform(100, 400, (n_joints, 2))
    for number in range(3 * spec.pipeline.windows.length):
        confidence = (rng.random(n_joints) > 0.2).astype(float)
        frame = np.column_stack([body + rng.normal(0, 5, (n_joints, 2)) + number, confidence])
        ours, theirs = (each.push(frame, number / 15) for each in (one, other))
        assert ours is not None
        assert theirs is not None
        np.testing.assert_allclose(ours.probabilities, theirs.probabilities, atol=1e-4)
        assert (ours.held, ours.repetitions) == (theirs.held, theirs.repetitions)
        assert (ours.phase is None) == (theirs.phase is None)


@pytest.mark.skipif(not NAMES, reason="this checkout has no trained model in actrec/model/shipped")
@pytest.mark.parametrize("name", NAMES)
class TestEveryModelOfThePackage:
    def test_it_is_complete_and_small(self, name: str) -> None:
        files = list(find_model(name).iterdir())
        assert sorted(path.name for path in files) == FILES
        assert sum(path.stat().st_size for path in files) < 3e6
        assert "Licence" in (find_model(name) / "README.md").read_text(encoding="utf-8")

    def test_it_is_for_streams_and_knows_none(self, name: str) -> None:
        spec = load_spec(name)
        assert spec.labels[-1] == NONE
        assert spec.pipeline.skeleton.name == "coco17"
        assert spec.pipeline.preprocess.fps == 15
        assert spec.network_options["phase"]

    def test_its_onnx_step_gives_what_its_weights_give(self, name: str) -> None:
        check_alike(name)
