from __future__ import annotations

import logging
from pathlib import Path

import pytest

from actrec.data.sources.keypoint_files.importer import KeypointFiles
from actrec.types import ActrecError
from tests.data.sources.keypoint_files import tools
from tests.data.sources.keypoint_files.tools import motion


def rows(raw: Path, **options: object) -> dict[str, tuple[str, str, str]]:
    """Returns label, group and split of each clip that can be read, by its id."""
    sources = KeypointFiles(**options)(raw)  # type: ignore[arg-type]
    return {
        source.clip_id: (source.row["label"], source.row["group"], source.row["split"])
        for source in sources
        if not source.inputs["problem"]
    }


def test_class_folders_and_splits(tmp_path: Path) -> None:
    tools.movenet(tmp_path / "a/squat", "anna", motion(17))
    tools.openpose(tmp_path / "a/lunge", "ben", motion(25))
    tools.mmpose_frames(tmp_path / "a/lunge", "day 2/cleo", motion(17))
    assert rows(tmp_path / "a") == {
        "lunge_ben": ("lunge", "lunge/ben", ""),
        "lunge_day_2_cleo": ("lunge", "lunge/day 2/cleo", ""),
        "squat_anna": ("squat", "squat/anna", ""),
    }
    tools.movenet(tmp_path / "b/train/squat", "anna", motion(17))
    tools.movenet(tmp_path / "b/Test/squat", "ben", motion(17))
    assert rows(tmp_path / "b") == {
        "Test_squat_ben": ("squat", "Test/squat/ben", "test"),
        "train_squat_anna": ("squat", "train/squat/anna", "train"),
    }


def test_folders_of_tools_are_no_labels(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    truth = motion(17)
    tools.movenet(tmp_path / "movenet_json", "push ups_3", truth)
    tools.mmpose_frames(tmp_path / "mmpose_json", "squat_1", truth)
    tools.ultralytics_labels(tmp_path / "runs/pose/predict2", "squat_4", truth)
    with caplog.at_level(logging.INFO, "actrec"):
        found = rows(tmp_path)
    assert found == {
        "mmpose_json_squat_1": ("squat", "squat_1", ""),
        "movenet_json_push_ups_3": ("push ups", "push ups_3", ""),
        "runs_pose_predict2_labels_squat_4": ("squat", "squat_4", ""),
    }
    assert (
        "labels are the names of files (or folders of frames) without the number at the end: push ups 1, squat 2."
        in (caplog.text)
    )


def test_class_folders_below_or_above_a_tool_s_folder(tmp_path: Path) -> None:
    tools.movenet(tmp_path / "a/json/squat", "anna", motion(17))
    tools.movenet(tmp_path / "a/json/out", "anna", motion(17))
    assert {label for label, _, _ in rows(tmp_path / "a").values()} == {"squat", "out"}
    tools.mmpose_frames(tmp_path / "b", "squat_1/keypoints", motion(17))
    tools.mmpose_frames(tmp_path / "b", "lunge_1/keypoints", motion(17))
    assert {label for label, _, _ in rows(tmp_path / "b").values()} == {"squat", "lunge"}


def test_the_same_clip_of_two_tools_is_one_group(tmp_path: Path) -> None:
    tools.movenet(tmp_path / "movenet", "squat_1", motion(17))
    tools.mediapipe_json(tmp_path / "mediapipe", "squat_1", motion(33))
    assert {group for _, group, _ in rows(tmp_path).values()} == {"squat_1"}


def test_a_clip_outside_the_class_folders_or_without_a_name(tmp_path: Path) -> None:
    tools.movenet(tmp_path / "a/squat", "anna", motion(17))
    tools.movenet(tmp_path / "a", "ben", motion(17))
    tools.movenet(tmp_path / "b", "001", motion(17))
    ben, _ = KeypointFiles()(tmp_path / "a")
    with pytest.raises(ActrecError, match="in no class folder, and others are"):
        ben.load()
    (nameless,) = KeypointFiles()(tmp_path / "b")
    with pytest.raises(ActrecError, match="has no label"):
        nameless.load()


def test_a_csv_lists_files_folders_of_frames_and_clips_in_files(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    truth = motion(17)
    listed = [
        tools.movenet(tmp_path / "x", "a", truth),
        tools.mmpose_frames(tmp_path / "x", "b", truth),
        tools.alphapose_pictures(tmp_path / "y", "c_1", truth),
        tools.long_table(tmp_path / "z", "d", truth),
        tools.ultralytics_labels(tmp_path / "w", "e_5", truth),
    ]
    listed = [f"{folder}/{name}" for folder, name in zip("xxyzw", listed, strict=True)]
    lines = [f"{name},label {number},anna,train" for number, name in enumerate(listed)]
    (tmp_path / "labels.csv").write_text("\n".join(["file,label,group,split", *lines]) + "\n")
    found = rows(tmp_path)
    assert found == {
        "x_a": ("label 0", "anna", "train"),
        "x_b": ("label 1", "anna", "train"),
        "y_c_1": ("label 2", "anna", "train"),
        "z_d": ("label 3", "anna", "train"),
        "w_labels_e_5": ("label 4", "anna", "train"),
    }
    assert "1 clips are not in" in caplog.text
    assert "y/other_1" in caplog.text


def test_rows_that_name_no_clip(tmp_path: Path) -> None:
    tools.alphapose_pictures(tmp_path, "c_1", motion(17))
    (tmp_path / "notes.txt").write_text("filmed on Monday")
    names = ("alphapose-results.json", "notes.txt", "nowhere.json")
    (tmp_path / "labels.csv").write_text("file,label\n" + "".join(f"{name},squat\n" for name in names))
    several, unknown, missing = KeypointFiles()(tmp_path)
    with pytest.raises(ActrecError, match="it has 2 clips: c_1, other_1, …; list each by its name"):
        several.load()
    with pytest.raises(ActrecError, match="no known format"):
        unknown.load()
    with pytest.raises(ActrecError, match="no such file, folder or clip"):
        missing.load()


def test_a_table_s_own_labels(tmp_path: Path) -> None:
    tools.wide_table(tmp_path, "clip_1", motion(17))
    table = tmp_path / "all.csv"
    header, *lines = table.read_text().splitlines()
    table.write_text("\n".join([f"{header},label", *(f"{line},wave" for line in lines)]))
    assert rows(tmp_path) == {"clip_1": ("wave", "clip_1", "")}


def test_names_of_ntu(tmp_path: Path) -> None:
    tools.ntu(tmp_path / "nturgb+d_skeletons", "S001C002P003R002A013", motion(25))
    assert rows(tmp_path) == {"nturgb_d_skeletons_S001C002P003R002A013": ("A013", "P003", "")}


def test_one_file_as_raw(tmp_path: Path) -> None:
    tools.alphapose_pictures(tmp_path, "squat_1", motion(17))
    found = rows(tmp_path / "alphapose-results.json")
    assert found == {"other_1": ("other", "other_1", ""), "squat_1": ("squat", "squat_1", "")}
