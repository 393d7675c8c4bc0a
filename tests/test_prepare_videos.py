"""From real videos to a store, with the real pose model of the test data, by the commands that users give."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from actrec import evaluate, prepare, train, view
from actrec.data.store.reading import read_store
from actrec.drawing.frames import write_video
from actrec.video.video import open_video
from tests.test_prepare import write_penn

pytestmark = pytest.mark.usefixtures("no_pictures")

Run = Callable[..., tuple[int, str, str]]
ROOT = Path(__file__).parents[1]
SHORT = ("squat/squat_01.mp4", "squat/squat_02.mp4", "push_ups/push_ups_01.mp4", "push_ups/push_ups_03.mp4")


@pytest.fixture(scope="module")
def pose(test_data: Path) -> str:
    return f"pose={test_data / 'models/yolov8n-pose_int8_openvino_model'}"


@pytest.fixture
def raw(test_data: Path, tmp_path: Path) -> Path:
    """Three videos each of two classes, in a path with a space and letters beyond ASCII."""
    folder = tmp_path / "Übungen und mehr"
    for number, name in enumerate((*SHORT, SHORT[0], SHORT[3])):  # two of them again, under another name
        link = folder / Path(name).parent / f"{number}.mp4"
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(test_data / "data/clips" / name)
    return folder


def test_a_folder_of_videos_is_prepared_trained_and_evaluated(
    run_command: Run, raw: Path, pose: str, tmp_path: Path
) -> None:
    store = tmp_path / "store"
    code, out, _ = run_command(prepare.run, "dataset=folder", f"raw={raw}", f"store={store}", pose, "variants=[flip]")
    assert code == 0, out
    assert "12 clips (12 without a split)" in out
    assert "12 clips written" in out
    clips = read_store(store)
    assert {clip.variant for clip in clips} == {"original", "flip"}
    assert all((clip.keypoints[..., 2] > 0).any(1).mean() > 0.9 for clip in clips)
    info = json.loads((store / "store.json").read_text())
    assert info["pose_model"] == "yolov8n-pose_int8_openvino_model"
    assert info["pose_model_version"].startswith("ultralytics 8")

    code, out, _ = run_command(prepare.run, "dataset=folder", f"raw={raw}", f"store={store}", pose, "variants=[flip]")
    assert "already complete" in out

    quick = ["experiment=penn_action", "network=tiny", "dataset=folder", f"store={store}", "epochs=1"]
    code, out, err = run_command(train.run, *quick, f"output_dir={tmp_path / 'run'}", "split.val_share=0.3")
    assert code == 0, err
    given = [f"model={tmp_path / 'run/model'}", "dataset=folder", f"store={store}", "split=all"]
    code, out, err = run_command(evaluate.run, *given, f"output_dir={tmp_path / 'evaluated'}")
    assert code == 0, err


def test_bad_files_are_listed_and_not_fatal(run_command: Run, raw: Path, pose: str, tmp_path: Path) -> None:
    whole = (raw / "squat/0.mp4").read_bytes()
    (raw / "squat/empty.mp4").write_bytes(b"")
    (raw / "squat/text.mp4").write_text("no video\n")
    (raw / "squat/cut.mp4").write_bytes(whole[: len(whole) // 2])
    write_video(raw / "squat/nobody.mp4", ((n / 25, np.zeros((48, 64, 3), dtype=np.uint8)) for n in range(9)), 25.0)
    one = next(iter(open_video(raw / "squat/0.mp4").frames()))
    write_video(raw / "squat/one.mp4", [one], 30.0)
    command = ["dataset=folder", f"raw={raw}", f"store={tmp_path / 'store'}", pose]
    code, out, err = run_command(prepare.run, *command)
    assert code == 1
    assert "4 of 11 clips could not be read" in err
    code, out, err = run_command(prepare.run, *command, "max_rejected=0.5")
    assert code == 0, err
    assert "Rejected 4" in out
    for name, reason in {
        "empty": "the file is empty (0 bytes)",
        "text": "no video at all",
        "cut": "cut short",
        "nobody": "no person was found in any of its 9 frames",
    }.items():
        assert any(f"{name}.mp4: " in line and reason in line for line in out.splitlines()), name
    assert {clip.clip_id: len(clip) for clip in read_store(tmp_path / "store")}["squat_one"] == 1


@pytest.mark.slow
def test_workers_make_one_store_together(raw: Path, pose: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "actrec.prepare", "-m", "dataset=folder", f"raw='{raw}'", pose]
    command += [f"store={tmp_path / 'store'}", "shard=0/2,1/2", "hydra/launcher=joblib"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    assert len(read_store(tmp_path / "store")) == 6
    assert not list((tmp_path / "store").glob("*.part*"))


def test_sport14_takes_what_there_is(run_command: Run, test_data: Path, pose: str, tmp_path: Path) -> None:
    for name, source in {
        "UCF-101/PushUps/v_PushUps_g01_c01.avi": "push_ups/push_ups_03.mp4",
        "UCF-101/YoYo/v_YoYo_g01_c01.avi": "push_ups/push_ups_01.mp4",
        "kinetics400/train/squat/abcdefghijk_000001_000011.mp4": "squat/squat_01.mp4",
    }.items():
        (tmp_path / "raw" / name).parent.mkdir(parents=True)
        (tmp_path / "raw" / name).symlink_to(test_data / "data/clips" / source)
    write_penn(tmp_path / "raw/Penn_Action", 2, actions=("situp", "bowl"))
    store = tmp_path / "store"
    code, out, err = run_command(prepare.run, "dataset=sport14", f"raw={tmp_path / 'raw'}", f"store={store}", pose)
    assert code == 0, err
    assert {(clip.source, clip.label, clip.split) for clip in read_store(store)} == {
        ("ucf101", "push_ups", ""),
        ("kinetics400", "squat", "train"),
        ("penn_action", "sit_ups", "test"),
    }
    assert "Left out, as the label map does not have their labels: bowl (penn_action) 1, YoYo (ucf101) 1." in out
    info = json.loads((store / "store.json").read_text())
    assert info["pose_model"] == "annotations, yolov8n-pose_int8_openvino_model"


def test_view_draws_over_a_video_and_a_store(run_command: Run, raw: Path, pose: str, tmp_path: Path) -> None:
    output = tmp_path / "seen.mp4"
    code, out, err = run_command(view.run, f"source={raw / 'squat/0.mp4'}", f"output={output}", pose, "longest=640")
    assert code == 0, err
    assert "29 frames at 30.000 a second; kept: 1 (found in 100%)" in out
    plain, drawn = open_video(raw / "squat/0.mp4"), open_video(output)
    assert (len(drawn.times), drawn.fps, drawn.width, drawn.height) == (29, 30.0, 640, 360)
    changed = [
        (np.abs(a.astype(int) - b).max(-1) > 90).mean()
        for (_, a), (_, b) in zip(plain.frames(640), drawn.frames(), strict=True)
    ]
    assert 0.002 < np.median(changed) < 0.1  # lines, and no more than lines

    store = tmp_path / "store"
    run_command(prepare.run, "dataset=folder", f"raw={raw}", f"store={store}", pose)
    code, out, err = run_command(view.run, f"source={store}", f"output={tmp_path / 'sheet.png'}")
    assert code == 0, err
    assert "clips 1 to 6 of 6" in out
    assert (tmp_path / "sheet.png").stat().st_size > 10_000


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["dataset=folder", "pose=/none.pt"], "pose=/none.pt does not exist"),
        (["dataset=folder", "pose=yolo11x"], "cannot be downloaded"),
        (["dataset=folder", "person=mian"], "person is 'mian'"),
        (["dataset=folder", "shard=3/2"], "shard=3/2 does not exist"),
        (["dataset=folder", "variants=[flop]"], "There is no variants 'flop'. Did you mean 'flip'?"),
        (["dataset=ucf101"], "There are no videos in"),
        (["dataset=penn_action_frames"], "expected frames/0001/000001.jpg"),
    ],
)
def test_mistakes(
    run_command: Run, raw: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, overrides: list[str], message: str
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    code, _, err = run_command(prepare.run, f"raw={raw}", f"store={tmp_path / 'store'}", *overrides)
    assert code == 1
    assert message in err
    assert not (tmp_path / "store/manifest.csv").exists()


@pytest.mark.parametrize(
    ("overrides", "message"),
    [([], "source has no value"), (["source=/none.mp4"], "No such file"), (["longest=3"], "longest is 3")],
)
def test_view_s_mistakes(run_command: Run, overrides: list[str], message: str) -> None:
    code, _, err = run_command(view.run, *overrides, *(["source=/x.mp4"] if "longest=3" in overrides else []))
    assert code == 1
    assert message in err
