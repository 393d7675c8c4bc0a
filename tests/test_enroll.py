"""The command that adds a class to a model from a few clips."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

import actrec.enroll
import actrec.model.copies
import actrec.model.spec
import actrec.online.enrolment
from actrec.data.store.writing import write_store
from actrec.online.recognizer import OnlineRecognizer
from actrec.types import SkeletonSequence

Run = Callable[..., tuple[int, str, str]]
Make = Callable[..., list[SkeletonSequence]]


@pytest.fixture(autouse=True)
def short_background(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two short generated sessions, because the test model is not worth more."""
    sessions = {"n_clips": 2, "seed": 1, "seconds": (3, 3), "test_share": 0.0}
    monkeypatch.setattr(actrec.online.enrolment, "_SESSIONS", sessions)
    monkeypatch.setattr(actrec.online.enrolment, "_SECONDS", 3)


@pytest.fixture(scope="module")
def shipped(noise_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder such as the package has, with one model, 'noise'."""
    folder = tmp_path_factory.mktemp("package") / "shipped"
    shutil.copytree(noise_model, folder / "noise")
    return folder


@pytest.fixture
def here(shipped: Path, tmp_path: Path, make_sequences: Make, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty folder to work in but for arrays of three clips; the package comes with the model 'noise'."""
    for module in (actrec.model.spec, actrec.model.copies, actrec.enroll):
        monkeypatch.setattr(module, "SHIPPED", shipped)
    monkeypatch.chdir(tmp_path)
    Path("wave").mkdir()
    for number, clip in enumerate(make_sequences(1, 3, skeleton="coco17")):
        array = clip.keypoints if number else clip.keypoints[..., :2]
        np.save(f"wave/{number}.npy", array)
    yield tmp_path
    assert not list(shipped.glob("*/enrolled.npz"))  # the package's own folder is never written


def test_a_model_that_comes_with_the_package_is_copied_and_then_found_by_its_name(here: Path, run_command: Run) -> None:
    code, out, err = run_command(actrec.enroll.run, "model=noise", "clips=wave", "label=wave")
    assert code == 0, err
    assert "wave: 3 clips of" in out + err
    assert "noise comes with actrec and stays as it is. Its copy ./noise is what model=noise means here." in out + err
    assert OnlineRecognizer.from_pretrained("noise").labels[3:] == ("wave",)
    files = sorted(path.name for path in Path("noise").iterdir())
    assert files == ["README.md", "config.json", "enrolled.npz", "model.safetensors"]
    code, _, err = run_command(actrec.enroll.run, "model=noise", "clips=wave/0.npy", "label=bow")
    assert code == 0, err
    assert OnlineRecognizer.from_pretrained("noise").labels[3:] == ("wave", "bow")
    code, _, err = run_command(actrec.enroll.run, "model=noise", "label=wave", "remove=true")
    assert code == 0, err
    assert OnlineRecognizer.from_pretrained("noise").labels[3:] == ("bow",)
    code, _, err = run_command(actrec.enroll.run, "model=noise", "label=wave", "remove=true")
    assert (code, err.count("'wave' is not an enrolled class. Enrolled are: bow.")) == (1, 1)


def test_clips_of_a_store_are_those_of_the_label(here: Path, noise_model: Path, run_command: Run) -> None:
    shutil.copytree(noise_model, "mine")
    from actrec.data.synthetic.clips import Synthetic

    generated = Synthetic(n_clips=28, seed=5)
    info = {"dataset": "synthetic", "raw": None, "skeleton": "coco17", "pose_model": "", "pose_model_version": ""}
    write_store(here / "store", generated(), info | {"options": {}}, lambda clip: clip, 0.0)
    code, out, err = run_command(actrec.enroll.run, "model=mine", "clips=store", "label=lunges", "to=other")
    assert code == 0, err
    assert "lunges: 2 clips of" in out + err
    assert OnlineRecognizer.from_pretrained("other").labels[3:] == ("lunges",)
    assert OnlineRecognizer.from_pretrained("mine").labels[3:] == ()
    code, _, err = run_command(actrec.enroll.run, "model=mine", "clips=store", "label=wave")
    assert (code, err.count("The store store has no clips of 'wave'. Its labels are: bench_press, clean_and_jerk")) == (
        1,
        1,
    )


def test_a_video_goes_through_the_pose_model(here: Path, test_data: Path, shipped: Path, run_command: Run) -> None:
    video = sorted((test_data / "data" / "clips").rglob("*.mp4"))[0]
    pose = test_data / "models" / "yolov8n-pose.pt"
    if not pose.is_file():
        pytest.skip(f"there is no pose model {pose}")
    code, out, err = run_command(actrec.enroll.run, "model=noise", f"clips={video}", "label=wave", f"pose={pose}")
    assert code == 0, err
    assert "wave: 1 clip of" in out + err


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (["clips=nowhere"], "clips=nowhere does not exist"),
        (["clips=empty"], "There are no videos and no arrays (.npy, .npz) in empty"),
        (["clips=broken"], "cannot be read as a numpy array"),
        (
            ["clips=wave", "skeleton=ntu25"],
            "It has 17 joints; skeleton 'ntu25' has 25. Name the one that it has: skeleton=",
        ),
        (["clips=wave", "label=squat"], "There is a class 'squat' already"),
        (["clips=wave", "to=wave"], "'wave' exists already. Give to="),
        (["clips=wave", "model=wave"], "'wave' is not a model folder"),
        ([], "clips, label have no value"),
    ],
)
def test_a_users_mistake_is_one_sentence_and_nothing_is_written(
    here: Path, run_command: Run, given: list[str], reason: str
) -> None:
    Path("empty").mkdir()
    Path("broken").mkdir()
    Path("broken/a.npz").write_bytes(b"PK\x03\x04 no archive")
    given = given if any(each.startswith("label=") for each in given) else [*given, "label=wave"]
    code, _, err = run_command(actrec.enroll.run, "model=noise", *given)
    assert code == 1
    assert err.startswith("error: ")
    assert reason in err
    assert not list(here.rglob("enrolled.npz"))
    assert not Path("noise").exists()
