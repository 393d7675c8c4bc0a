"""Labels for real videos, with the real pose model of the test data, by the command that users give."""

from __future__ import annotations

import csv
import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from actrec import predict
from actrec.drawing.frames import write_video
from actrec.live.tracking import TrackedPerson, TrackingRecognizer
from actrec.video.camera import Camera
from actrec.video.people import People
from actrec.video.video import open_video

Run = Callable[..., tuple[int, str, str]]
LABELS = ("squat", "push_ups", "pull_ups")


@pytest.fixture(scope="module")
def clip(test_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """12 frames of a squat."""
    video = open_video(test_data / "data/clips/squat/squat_02.mp4")
    frames = [frame for frame, _ in zip(video.frames(480), range(12), strict=False)]
    file = tmp_path_factory.mktemp("clips") / "Kniebeuge 1.mp4"
    write_video(file, iter(frames), video.fps)
    return file


@pytest.fixture
def arguments(noise_model: Path, test_data: Path, tmp_path: Path) -> list[str]:
    pose = test_data / "models/yolov8n-pose_int8_openvino_model"
    return [f"model={noise_model}", f"pose={pose}", f"output_dir={tmp_path / 'out'}"]


def read(folder: Path) -> list[dict]:
    return [json.loads(line) for line in (folder / "predictions.jsonl").read_text(encoding="utf-8").splitlines()]


def test_every_frame_of_a_video_has_its_lines_and_its_picture(
    run_command: Run, arguments: list[str], clip: Path, tmp_path: Path
) -> None:
    code, out, err = run_command(predict.run, *arguments, f"source='{clip}'", "hysteresis.shortest=0")
    assert code == 0, err
    folder = tmp_path / "out" / "Kniebeuge 1"
    lines, video, before = read(folder), open_video(folder / "annotated.mp4"), open_video(clip)
    assert sorted(file.name for file in folder.iterdir()) == ["annotated.mp4", "predictions.jsonl", "sets.csv"]
    assert sorted({line["frame"] for line in lines}) == list(range(12))
    np.testing.assert_allclose(video.times, before.times, atol=1e-3)
    seen = [line["held"] or "no action" for line in lines if line["person"]]
    most = max(seen, key=seen.count)
    assert f"12 frames; held labels, by share of detections: {most} {seen.count(most) / len(seen):.0%}" in out
    people = [line for line in lines if line["person"] == "1"]
    assert len(people) >= 10
    with (folder / "sets.csv").open() as file:
        sets = [row for row in csv.DictReader(file) if row["person"] == "1"]
    told = {(line["set"]["label"], line["set"]["start"]) for line in people if line["set"]}
    assert {(row["label"], float(row["start"])) for row in sets} == told
    assert {line["held"] for line in people} - {None} == {row["label"] for row in sets}
    assert {row["repetitions"] for row in sets} <= {""}  # the model has no phase
    for line in people:
        assert line["time"] == pytest.approx(before.times[line["frame"]], abs=1e-5)
        assert set(line["probabilities"]) == set(LABELS)
        assert line["label"] == max(line["probabilities"], key=line["probabilities"].__getitem__)
        left, top, right, bottom = line["box"]
        assert 0 <= left < right <= before.width
        assert 0 <= top < bottom <= before.height
    for (_, drawn), (_, plain) in zip(video.frames(), before.frames(), strict=True):
        changed = np.abs(drawn.astype(int) - plain).max(-1) > 60
        assert 0.003 < changed.mean() < 0.4


def test_a_folder_of_videos_goes_on_past_one_that_is_damaged(
    run_command: Run, arguments: list[str], clip: Path, tmp_path: Path
) -> None:
    (tmp_path / "in" / "deep").mkdir(parents=True)
    (tmp_path / "in" / "a.mp4").write_bytes(b"no video")
    (tmp_path / "in" / "deep" / "b.mp4").symlink_to(clip)
    code, out, err = run_command(predict.run, *arguments, f"source={tmp_path / 'in'}", "video=false")
    assert code == 1
    assert "1 of 2 videos could not be read" in err
    assert "a.mp4" in out + err
    written = sorted(str(file.relative_to(tmp_path / "out")) for file in (tmp_path / "out").rglob("*.*"))
    assert written == ["deep/b/predictions.jsonl", "deep/b/sets.csv"]
    assert not (tmp_path / "out/deep/b/annotated.mp4").exists()
    assert read(tmp_path / "out/deep/b")[-1]["frame"] == 11


def test_ctrl_c_leaves_whole_files(arguments: list[str], test_data: Path, tmp_path: Path) -> None:
    source = test_data / "data/clips/multi_person/multi_person_01.avi"
    folder, deadline = tmp_path / "out/multi_person_01", time.monotonic() + 120
    command = [sys.executable, "-m", "actrec.predict", *arguments, f"source={source}"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        while not any(file.stat().st_size > 20_000 for file in folder.glob("*.jsonl*")):
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert sorted(file.name for file in folder.iterdir()) == ["annotated.mp4", "predictions.jsonl", "sets.csv"]
    seen = read(folder)[-1]["frame"] + 1
    assert 0 < seen < 393
    assert len(list(open_video(folder / "annotated.mp4").frames())) == seen


def test_a_stream_gives_its_newest_frames(run_command: Run, arguments: list[str], clip: Path, tmp_path: Path) -> None:
    link = tmp_path / "clip.mp4"
    link.symlink_to(clip)
    camera = Camera(f"file://{link}")
    times = []
    for moment, picture in camera.frames():
        times.append(moment)
        assert picture.shape == (camera.height, camera.width, 3)
        time.sleep(0.05)
    assert 1 <= len(times) <= 12
    assert times == sorted(set(times))
    code, _, err = run_command(predict.run, *arguments, f"source=file://{link}")
    assert code == 0, err
    (folder,) = (tmp_path / "out").iterdir()
    assert len(list(open_video(folder / "annotated.mp4").frames())) == read(folder)[-1]["frame"] + 1


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("nowhere.mp4", "nowhere.mp4: it cannot be read: No such file"),
        ("camera:front", "expected camera: and a number"),
        ("camera:99", "camera:99 cannot be opened"),
    ],
)
def test_a_bad_source_is_told(
    run_command: Run, arguments: list[str], source: str, message: str, tmp_path: Path
) -> None:
    code, _, err = run_command(predict.run, *arguments, f"source={source}")
    assert code == 1
    assert message in err
    assert not (tmp_path / "out").exists() or not any((tmp_path / "out").iterdir())


def test_files_of_one_stem_have_a_folder_each_and_what_is_passed_over_is_said(
    run_command: Run, arguments: list[str], clip: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    for name in ("IMG_0001.mp4", "IMG_0001.MOV"):
        (folder / name).symlink_to(clip)
    (folder / "._IMG_0001.mp4").write_bytes(b"x")
    (folder / "notes.txt").write_text("x")
    code, out, err = run_command(predict.run, *arguments, f"source={folder}", "video=false")
    assert code == 0, err
    assert sorted(file.parent.name for file in (tmp_path / "out").rglob("*.jsonl")) == ["IMG_0001.MOV", "IMG_0001.mp4"]
    assert f"Skipped in {folder}: 1 .txt, 1 hidden." in out + err


def test_an_unforeseen_exception_ends_one_video_and_is_named(
    run_command: Run, arguments: list[str], clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "in").mkdir()
    for name in ("a.mp4", "b.mp4"):
        (tmp_path / "in" / name).symlink_to(clip)
    whole, calls = TrackingRecognizer.__call__, []

    def broken(self: TrackingRecognizer, people: People, time: float) -> list[TrackedPerson]:
        calls.append(time)
        if len(calls) == 5:  # in the midst of the first
            raise ZeroDivisionError("nobody foresaw it")
        return whole(self, people, time)

    monkeypatch.setattr(TrackingRecognizer, "__call__", broken)
    code, out, err = run_command(predict.run, *arguments, f"source={tmp_path / 'in'}")
    assert code == 1
    assert "1 of 2 videos could not be read:\n" in err
    assert f"{tmp_path / 'in' / 'a.mp4'}: ZeroDivisionError: nobody foresaw it" in err
    assert "Traceback" not in out + err
    assert [file.name for file in (tmp_path / "out").iterdir()] == ["b"]
    assert sorted(file.name for file in (tmp_path / "out/b").iterdir()) == [
        "annotated.mp4",
        "predictions.jsonl",
        "sets.csv",
    ]


def test_an_interrupt_before_the_first_frame_leaves_nothing(
    run_command: Run, arguments: list[str], clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> list[People]:
        signal.raise_signal(signal.SIGINT)
        nobody = People(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros((0, 17, 3), np.float32))
        return [nobody] * 8

    monkeypatch.setattr("actrec.video.pose.PoseModel.__call__", interrupted)
    code, out, err = run_command(predict.run, *arguments, f"source={clip}")
    assert (code, err) == (130, "interrupted\n")
    assert "Traceback" not in out
    assert not (tmp_path / "out").exists()


def test_a_video_of_which_no_frame_decodes_is_told(
    run_command: Run, arguments: list[str], clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("actrec.video.video.Video.frames", lambda *_: iter(()))
    code, _, err = run_command(predict.run, *arguments, f"source={clip}")
    assert (code, err) == (1, f"error: {clip}: not one frame of it can be decoded.\n")
    assert not (tmp_path / "out").exists()


def test_a_model_that_is_not_for_streams_is_said_to_be_none(
    run_command: Run, arguments: list[str], clip: Path, noise_model: Path, tmp_path: Path
) -> None:
    folder = shutil.copytree(noise_model, tmp_path / "model")
    config = json.loads((folder / "config.json").read_text())
    config["decision"] = "mean"
    (folder / "config.json").write_text(json.dumps(config))
    code, out, err = run_command(predict.run, *arguments, f"model={folder}", f"source={clip}", "video=false")
    assert code == 0, err
    assert (out + err).count("Train one for streams with:") == 1
