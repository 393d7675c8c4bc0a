"""`python -m actrec.prepare dataset=keypoints`, on real files and on a folder that changes."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from actrec.data.store.reading import read_store
from actrec.prepare import run
from tests.data.sources.keypoint_files import tools
from tests.data.sources.keypoint_files.tools import motion

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def prepare(run_command: Run) -> Run:
    return lambda *overrides: run_command(run, "dataset=keypoints", *overrides)


def test_real_files_without_an_option(prepare: Run, test_data: Path, tmp_path: Path) -> None:
    """Files that MMPose, MoveNet and MediaPipe wrote; the keypoints are compared with what json reads."""
    raw = test_data / "data/keypoint_files"
    code, out, _ = prepare(f"raw={raw}", f"store={tmp_path / 'store'}")
    assert code == 0
    for line in ("MMPose: 48 files, 2 clips.", "MoveNet: 2 files.", "MediaPipe: 2 files."):
        assert line in out
    assert "bench_press 1, push_ups 4, squat 1." in out
    clips = {clip.clip_id: clip for clip in read_store(tmp_path / "store")}
    assert {clip_id: (clip.label, clip.group, len(clip)) for clip_id, clip in clips.items()} == {
        "mediapipe_json_push_ups_20": ("push_ups", "push_ups_20", 75),
        "mediapipe_json_push_ups_3": ("push_ups", "push_ups_3", 52),
        "mmpose_json_bench_press_1": ("bench_press", "bench_press_1", 47),
        "mmpose_json_squat_1": ("squat", "squat_1", 47),
        "movenet_json_push_ups_20": ("push_ups", "push_ups_20", 75),
        "movenet_json_push_ups_3": ("push_ups", "push_ups_3", 52),
    }
    squat = clips["mmpose_json_squat_1"].keypoints
    assert not squat[1::2].any()
    instance = json.loads((raw / "mmpose_json/squat_1/frame_010.json").read_text())["instance_info"][0]
    np.testing.assert_allclose(squat[10, :, :2], instance["keypoints"], atol=1e-3)
    frame = json.loads((raw / "movenet_json/push_ups_3.json").read_text())[7]["keypoints"]
    wanted = [[point["x"], point["y"], point["score"]] for point in frame]
    np.testing.assert_allclose(clips["movenet_json_push_ups_3"].keypoints[7], wanted, atol=1e-3)
    frame = json.loads((raw / "mediapipe_json/push_ups_3.json").read_text())[7]["keypoints"]
    wanted = [[point["x"], point["y"], point["visibility"]] for point in (frame[0], frame[15], frame[28])]
    np.testing.assert_allclose(clips["mediapipe_json_push_ups_3"].keypoints[7, [0, 9, 16]], wanted, atol=1e-6)
    assert not clips["mediapipe_json_push_ups_20"].keypoints[2].any()  # a frame in which nobody was found


def test_bad_files_are_listed_and_the_rest_goes_on(prepare: Run, tmp_path: Path) -> None:
    raw, store = tmp_path / "raw", tmp_path / "store"
    for number in range(4):
        tools.movenet(raw / "wave", f"clip_{number}", motion(17, seed=number))
    bad = raw / "wave/clip_2.json"
    bad.write_text(bad.read_text()[:500])
    code, out, _ = prepare(f"raw={raw}", f"store={store}", "max_rejected=0.3", "fps=25")
    assert code == 0
    assert "3 clips written" in out
    with (store / "rejected.csv").open() as stream:
        (row,) = csv.DictReader(stream)
    assert row["file"] == str(bad)
    assert "cut short" in row["reason"]
    assert {clip.fps for clip in read_store(store)} == {25}


def test_a_changed_file_is_read_again_and_another_layout_is_mapped(prepare: Run, tmp_path: Path) -> None:
    raw, store = tmp_path / "raw", tmp_path / "store"
    for number in range(2):
        tools.openpose(raw / "wave", f"clip_{number}", motion(25, seed=number))
    assert prepare(f"raw={raw}", f"store={store}")[0] == 0
    first, _ = read_store(store)
    order = [0, 16, 15, 18, 17, 5, 2, 6, 3, 7, 4, 12, 9, 13, 10, 14, 11]  # COCO's joints in BODY_25
    np.testing.assert_allclose(first.keypoints, motion(25)[:, order], atol=1e-4)
    assert "already complete" in prepare(f"raw={raw}", f"store={store}")[1]
    tools.openpose(raw / "wave", "clip_1", motion(25, seed=7))
    assert prepare(f"raw={raw}", f"store={store}")[0] == 0
    second = read_store(store)[1]
    np.testing.assert_allclose(second.keypoints, motion(25, seed=7)[:, order], atol=1e-4)
    code, _, _ = prepare(f"raw={raw}", f"store={tmp_path / 'body25'}", "dataset.skeleton=body25", "person=all")
    assert code == 0
    assert {clip.keypoints.shape[1] for clip in read_store(tmp_path / "body25")} == {25}


def test_a_table_of_many_clips_is_updated_clip_by_clip(prepare: Run, tmp_path: Path) -> None:
    raw, store = tmp_path / "raw", tmp_path / "store"
    raw.mkdir()

    def write(seeds: dict[str, int]) -> None:
        rows = []
        for name, seed in seeds.items():
            tools.wide_table(raw, name, motion(17, seed=seed))
            header, *lines = (raw / "all.csv").read_text().splitlines()
            rows += lines
        (raw / "all.csv").write_text("\n".join([header, *rows]))

    write({"wave_1": 1, "wave_2": 2, "nod_1": 3})
    assert prepare(f"raw={raw}", f"store={store}")[0] == 0
    write({"wave_1": 1, "wave_2": 8, "nod_1": 3})
    code, out, _ = prepare(f"raw={raw}", f"store={store}")
    assert code == 0
    assert "1 clips written" in out
    clips = {clip.clip_id: clip for clip in read_store(store)}
    np.testing.assert_allclose(clips["wave_2"].keypoints, motion(17, seed=8), atol=1e-4)
    assert {clip.label for clip in clips.values()} == {"wave", "nod"}


def test_clips_whose_frames_are_in_one_folder(prepare: Run, tmp_path: Path) -> None:
    """Each is listed with its own reason, and a change of one is no change of another."""
    raw, store = tmp_path / "raw", tmp_path / "store"
    for number in range(4):
        tools.openpose(raw, f"wave_{number}", motion(25, seed=number))
    for number in (1, 2):
        (raw / f"wave_{number}_000000000003_keypoints.json").write_text("{")
    code, _, _ = prepare(f"raw={raw}", f"store={store}", "max_rejected=0.5")
    assert code == 0
    with (store / "rejected.csv").open() as stream:
        rejected = list(csv.DictReader(stream))
    assert [row["file"] for row in rejected] == [f"{raw}#wave_1", f"{raw}#wave_2"]
    assert all("_000000000003_keypoints.json cannot be read: it is cut short" in row["reason"] for row in rejected)
    tools.openpose(raw, "wave_1", motion(25, seed=1))
    code, out, _ = prepare(f"raw={raw}", f"store={store}", "max_rejected=0.5")
    assert code == 0
    assert "1 clips written" in out
