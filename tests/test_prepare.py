from __future__ import annotations

import csv
import json
import os
import pickle
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import scipy.io

from actrec.data.store.reading import read_store
from actrec.prepare import run

Run = Callable[..., tuple[int, str, str]]
SPORT14 = [
    "bench_press",
    "squat",
    "clean_and_jerk",
    "handstand_pushups",
    "handstand_walking",
    "jumping_jacks",
    "jump_rope",
    "lunges",
    "pull_ups",
    "push_ups",
    "running_on_treadmill",
    "sit_ups",
    "snatch_weight_lifting",
    "wall_pushups",
]


@pytest.fixture
def prepare(run_command: Run) -> Callable[..., tuple[int, str, str]]:
    return lambda *overrides: run_command(run, *overrides)


def write_penn(folder: Path, n: int, actions: tuple[str, ...] = ("squat", "pushup")) -> Path:
    (folder / "labels").mkdir(parents=True)
    rng = np.random.default_rng(0)
    for number in range(n):
        content = {
            "action": actions[number % len(actions)],
            "x": rng.uniform(2, 300, (6, 13)),
            "y": rng.uniform(2, 200, (6, 13)),
            "visibility": rng.integers(0, 2, (6, 13), dtype=np.uint8),
            "train": 1 if number % 3 else -1,
            "dimensions": [[240, 320, 6]],
        }
        scipy.io.savemat(folder / f"labels/{number + 1:04d}.mat", content)
    return folder


def contents(store: Path) -> dict[str, bytes]:
    return {str(file.relative_to(store)): file.read_bytes() for file in store.rglob("*") if file.is_file()}


def test_all_of_penn_action(prepare: Run, test_data: Path, tmp_path: Path) -> None:
    raw, store = test_data / "data/Penn_Action", tmp_path / "store"
    start = time.process_time()
    code, out, _ = prepare("dataset=penn_action", f"raw={raw}", f"store={store}")
    assert code == 0
    assert time.process_time() - start < 30  # 10 without the type checks of tests
    clips = read_store(store)
    assert Counter(clip.label for clip in clips) == {
        "squat": 231, "push_ups": 211, "pull_ups": 199, "bench_press": 140, "jumping_jacks": 112, "sit_ups": 100,
        "clean_and_jerk": 88, "jump_rope": 82, "bowl": 220, "tennis_serve": 186, "baseball_swing": 173,
        "baseball_pitch": 167, "golf_swing": 166, "tennis_forehand": 157, "strum_guitar": 94,
    }  # fmt: skip
    assert Counter(clip.split for clip in clips) == {"train": 1258, "test": 1068}
    assert sum(len(clip) for clip in clips) == 163841
    assert {clip.skeleton for clip in clips} == {"penn13"}
    assert "78.0% of joints observed" in out

    code, out, _ = prepare("dataset=penn_action", f"raw={raw}", f"store={store}")
    assert code == 0
    assert "already complete" in out


@pytest.fixture
def some_of_penn(test_data: Path, tmp_path: Path) -> Path:
    """Forty real annotations, of all labels."""
    folder = tmp_path / "Penn_Action" / "labels"
    folder.mkdir(parents=True)
    for file in sorted((test_data / "data/Penn_Action/labels").glob("*.mat"))[::58][:40]:
        (folder / file.name).symlink_to(file)
    return tmp_path


def test_sport14_of_penn_alone(prepare: Run, some_of_penn: Path, tmp_path: Path) -> None:
    code, out, _ = prepare("dataset=sport14", f"raw={some_of_penn}", f"store={tmp_path / 'store'}")
    assert code == 0
    clips = read_store(tmp_path / "store")
    assert {clip.label for clip in clips} < set(SPORT14)
    assert {clip.skeleton for clip in clips} == {"coco17"}
    assert not any(clip.keypoints[:, 1:5].any() for clip in clips)  # Penn has neither eyes nor ears
    assert out.startswith(f"penn_action: {some_of_penn / 'Penn_Action' / 'labels'}")
    assert [line.split()[0] for line in out.splitlines()[2:16]] == SPORT14
    assert "Sources that are absent: ucf101, kinetics400." in out
    assert "handstand_walking, lunges, running_on_treadmill, snatch_weight_lifting, wall_pushups" in out
    assert "Left out, as the label map does not have their labels: baseball_pitch (penn_action)" in out


def test_sport14_of_all_sources(prepare: Run, tmp_path: Path) -> None:
    write_penn(tmp_path / "Penn_Action", 3, actions=("situp", "bowl", "pullup"))
    people = {"keypoint": np.ones((1, 5, 17, 2)), "keypoint_score": np.ones((1, 5, 17)), "img_shape": (240, 320)}
    names = {
        "ucf101_hrnet.pkl": [
            ("v_BodyWeightSquats_g01_c01", 14),
            ("v_YoYo_g01_c01", 100),
            ("v_HandStandPushups_g02_c01", 36),
        ],
        "k400_hrnet.pkl": [("aaa", 183), ("bbb", 0), ("ccc", 281), ("ddd", 318)],
    }
    for file, clips in names.items():
        content = {
            "split": {"train": [], "val": [name for name, _ in clips]},
            "annotations": [{"frame_dir": name, "label": label, **people} for name, label in clips],
        }
        (tmp_path / file).write_bytes(pickle.dumps(content))
    code, out, _ = prepare("dataset=sport14", f"raw={tmp_path}", f"store={tmp_path / 'store'}")
    assert code == 0
    assert "absent" not in out
    found = {(clip.clip_id, clip.source, clip.label, clip.fps) for clip in read_store(tmp_path / "store")}
    assert found == {
        ("0001", "penn_action", "sit_ups", 30.0),
        ("0003", "penn_action", "pull_ups", 30.0),
        ("v_BodyWeightSquats_g01_c01", "ucf101", "squat", 25.0),
        ("v_HandStandPushups_g02_c01", "ucf101", "handstand_pushups", 25.0),
        ("aaa", "kinetics400", "lunges", 30.0),
        ("ccc", "kinetics400", "running_on_treadmill", 30.0),
        ("ddd", "kinetics400", "snatch_weight_lifting", 30.0),
    }


def test_one_s_own_csv(prepare: Run, tmp_path: Path) -> None:
    for name in "ab":
        np.save(tmp_path / f"{name}.npy", np.ones((4, 25, 3)))
    (tmp_path / "mine.csv").write_text("file,label\na.npy,wave\nb.npy,jump\n")
    store = tmp_path / "store"
    overrides = ("dataset=csv", f"raw={tmp_path}", f"store={store}", f"csv={tmp_path / 'mine.csv'}")
    code, _, err = prepare(*overrides)
    assert code == 1
    assert "25 joints; skeleton 'coco17' has 17" in err
    assert prepare(*overrides, "dataset.skeleton=ntu25")[0] == 0
    assert [clip.label for clip in read_store(store)] == ["wave", "jump"]


def test_generated_clips_need_no_raw(prepare: Run, tmp_path: Path) -> None:
    store, given = tmp_path / "store", ("dataset=synthetic", "dataset.importer.n_clips=42")
    code, out, err = prepare(*given, f"store={store}")
    assert code == 0, err
    assert [line.split()[0] for line in out.splitlines()[1:15]] == SPORT14
    assert Counter(clip.label for clip in read_store(store)) == dict.fromkeys(SPORT14, 3)
    assert json.loads((store / "store.json").read_text())["raw"] is None
    assert "already complete" in prepare(*given, f"store={store}")[1]
    code, _, err = prepare(*given, f"store={store}", f"raw={tmp_path}")
    assert code == 1
    assert "Leave it out" in err


def test_the_store_s_place_is_data_and_the_name(prepare: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert prepare("dataset=penn_action", f"raw={write_penn(tmp_path / 'raw', 4)}")[0] == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "raw"]
    assert len(read_store("data/penn_action")) == 4


@pytest.mark.parametrize("dataset", ["penn_action", "sport14", "csv", "pyskl"])
def test_an_empty_folder(prepare: Run, tmp_path: Path, dataset: str) -> None:
    (tmp_path / "raw").mkdir()
    code, _, err = prepare(f"dataset={dataset}", f"raw={tmp_path / 'raw'}", f"store={tmp_path / 'store'}")
    assert code == 1
    assert err.startswith("error: ")
    assert str(tmp_path / "raw") in err
    assert not (tmp_path / "store").exists()


def test_a_mat_that_is_cut_short_is_listed(prepare: Run, tmp_path: Path) -> None:
    raw, store = write_penn(tmp_path / "raw", 30), tmp_path / "store"
    bad = raw / "labels/0002.mat"
    bad.write_bytes(bad.read_bytes()[:300])
    code, out, _ = prepare("dataset=penn_action", f"raw={raw}", f"store={store}")
    assert code == 0
    assert len(read_store(store)) == 29
    assert f"Rejected 1, listed in {store / 'rejected.csv'}" in out
    with (store / "rejected.csv").open() as stream:
        (row,) = csv.DictReader(stream)
    assert row["file"] == str(bad)
    assert "cut short" in row["reason"]

    for number in (3, 4):
        (raw / f"labels/000{number}.mat").write_bytes(b"")
    shutil.rmtree(store)
    code, _, err = prepare("dataset=penn_action", f"raw={raw}", f"store={store}")
    assert code == 1
    assert "3 of 30 clips could not be read" in err
    assert not (store / "manifest.csv").exists()


def test_an_unseen_clip_and_one_listed_twice(prepare: Run, tmp_path: Path) -> None:
    for number in range(3):
        np.save(tmp_path / f"{number}.npy", np.full((4, 17, 3), number, dtype=np.float32))
    rows = [f"{number}.npy,wave" for number in range(3)]
    given = ["dataset=csv", f"raw={tmp_path}", f"store={tmp_path / 'store'}", "max_rejected=0.5"]
    (tmp_path / "labels.csv").write_text("\n".join(["file,label", *rows]) + "\n")
    code, out, _ = prepare(*given)
    assert code == 0
    assert "Clips without an observed joint, which are kept: 0." in out
    (tmp_path / "labels.csv").write_text("\n".join(["file,label", *rows, rows[1]]) + "\n")
    code, _, err = prepare(*given)
    assert code == 1
    assert "1.npy is listed twice" in err


def test_a_label_that_is_not_in_the_map(prepare: Run, tmp_path: Path) -> None:
    raw, store = write_penn(tmp_path / "raw", 4, actions=("squat", "yoga")), tmp_path / "store"
    overrides = ("dataset=penn_action", f"raw={raw}", f"store={store}")
    code, _, err = prepare(*overrides)
    assert code == 1
    assert "Label 'yoga' of source 'penn_action' is not in the label map" in err
    assert not (store / "manifest.csv").exists()
    assert prepare(*overrides, "dataset.label_map.unmapped=skip")[0] == 0
    assert {clip.label for clip in read_store(store)} == {"squat"}


def test_another_data_set_s_store(prepare: Run, tmp_path: Path) -> None:
    raw, store = write_penn(tmp_path / "raw", 4), tmp_path / "store"
    assert prepare("dataset=penn_action", f"raw={raw}", f"store={store}")[0] == 0
    before = contents(store)
    code, _, err = prepare("dataset=sport14", f"raw={raw}", f"store={store}")
    assert code == 1
    assert "its dataset is 'penn_action', and now 'sport14' is wanted" in err
    assert contents(store) == before


def wait_for(path: Path, n: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while len(list(path.glob("*.npz"))) < n:
        assert process.poll() is None, "it ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.002)


@pytest.fixture
def killed(tmp_path: Path) -> Path:
    """A store whose making was ended by SIGKILL."""
    raw, store = write_penn(tmp_path / "raw", 1200), tmp_path / "store"
    command = [sys.executable, "-m", "actrec.prepare", "dataset=penn_action", f"raw={raw}", f"store={store}"]
    root = Path(__file__).parents[1]
    with subprocess.Popen(command, cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(root)}) as process:
        try:
            wait_for(store / "clips", 100, process)
        finally:
            process.send_signal(signal.SIGKILL)
    return store


def test_kill_9_loses_nothing_and_does_nothing_twice(prepare: Run, killed: Path, tmp_path: Path) -> None:
    assert not (killed / "manifest.csv").exists()
    before = {file: file.stat().st_mtime_ns for file in (killed / "clips").glob("*.npz")}
    assert 100 <= len(before) < 1200
    code, out, _ = prepare("dataset=penn_action", f"raw={tmp_path / 'raw'}", f"store={killed}")
    assert code == 0
    assert f"{1200 - len(before)} clips written" in out
    assert {file: file.stat().st_mtime_ns for file in before} == before
    prepare("dataset=penn_action", f"raw={tmp_path / 'raw'}", f"store={tmp_path / 'clean'}")
    assert contents(killed) == contents(tmp_path / "clean")


@pytest.mark.parametrize("value", ["much", "-1", "2"])
def test_a_share_that_is_none(prepare: Run, tmp_path: Path, value: str) -> None:
    code, _, err = prepare("dataset=penn_action", f"raw={tmp_path}", f"max_rejected={value}")
    assert code == 1
    assert "expected a share from 0 to 1" in err
