from __future__ import annotations

import os
from pathlib import Path, PurePosixPath

import pytest

from actrec.data.sources.folders import distinct_names, files_below, split_level, videos_in
from actrec.types import ActrecError
from actrec.video.video import VIDEOS


def touch(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


def test_what_is_passed_over_is_told_by_kind_and_number(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    touch(tmp_path, "a/1.mp4", "a/2.MOV", "a/x.txt", "b/y.TXT", "z.txt", "b/c.zip", "b/README", "labels.csv")
    touch(tmp_path, "a/._1.mp4", ".DS_Store", "b/.cache/3.mp4")
    assert videos_in(tmp_path, read=(".csv",)) == [tmp_path / "a/1.mp4", tmp_path / "a/2.MOV"]
    (record,) = caplog.records
    start, _, told = record.getMessage().rstrip(".").partition(": ")
    assert start == f"Skipped in {tmp_path}"
    assert set(told.split(", ")) == {"3 .txt", "1 .zip", "1 without an ending", "3 hidden"}
    caplog.clear()
    videos_in(touch(tmp_path / "clean", "1.mp4"))
    assert not caplog.text


@pytest.mark.parametrize("ending", VIDEOS)
def test_every_kind_of_video_is_read(tmp_path: Path, ending: str, caplog: pytest.LogCaptureFixture) -> None:
    touch(tmp_path, f"a{ending}", f"b{ending.upper()}")
    assert len(videos_in(tmp_path)) == 2
    assert not caplog.text


def test_links_are_followed_and_loops_are_not(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    touch(tmp_path, "raw/a/1.mp4", "elsewhere/2.mp4")
    os.symlink(tmp_path / "elsewhere", tmp_path / "raw/b")
    os.symlink(tmp_path / "raw", tmp_path / "raw/a/again")
    os.symlink(tmp_path / "raw", tmp_path / "elsewhere/up")
    os.symlink("self", tmp_path / "raw/self")
    os.symlink("gone.mp4", tmp_path / "raw/a/broken.mp4")
    videos = [str(file.relative_to(tmp_path / "raw")) for file in videos_in(tmp_path / "raw")]
    assert videos == ["a/1.mp4", "a/broken.mp4", "b/2.mp4"]
    assert caplog.text.count("is a link to a folder that contains it") == 2


def test_a_folder_that_may_not_be_read_is_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    touch(tmp_path, "a/1.mp4", "locked/2.mp4")
    scandir = os.scandir

    def refuse(path: object) -> object:  # the tests may run as root, who may read all
        if str(path).endswith("locked"):
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)  # type: ignore[call-overload]

    monkeypatch.setattr(os, "scandir", refuse)
    assert files_below(tmp_path).unreadable == [tmp_path / "locked"]
    assert videos_in(tmp_path) == [tmp_path / "a/1.mp4", tmp_path / "locked"]


@pytest.mark.parametrize(
    ("files", "names"),
    [
        (["a.mp4", "b.mp4"], ["a", "b"]),
        (["IMG_1.mp4", "IMG_1.MOV", "c.mp4"], ["IMG_1.mp4", "IMG_1.MOV", "c"]),
        (["x/a.npy", "y/a.npy"], ["x/a", "y/a"]),
        (["a.v1.mp4", "a.v2.mp4"], ["a.v1", "a.v2"]),
    ],
)
def test_names_are_paths_without_endings_where_that_tells_them_apart(files: list[str], names: list[str]) -> None:
    assert distinct_names([PurePosixPath(file) for file in files]) == names


@pytest.mark.parametrize(
    ("places", "level"),
    [
        (["squat/a.mp4", "lunge/b.mp4"], None),
        (["train/squat/a.mp4", "test/squat/b.mp4"], 0),
        (["Train/squat/a.mp4", "Validation/squat/b.mp4", "TEST/x/y/c.mp4"], 0),
        (["squat/train/a.mp4", "squat/test/b.mp4", "lunge/train/c.mp4"], 1),
        (["train/a.mp4", "bus/b.mp4"], None),  # classes: a split has class folders in it
        (["squat/test/a.mp4", "lunge/b.mp4"], None),
    ],
)
def test_where_folders_are_splits(places: list[str], level: int | None) -> None:
    assert split_level(Path("raw"), [Path(place) for place in places]) == level


@pytest.mark.parametrize(
    ("places", "message"),
    [
        (["train/squat/a.mp4", "squat/b.mp4"], r"folders named as splits \(train\) beside others \(squat\)"),
        (["train/squat/a.mp4", "test/b.mp4"], r"raw/test/b\.mp4 is in the folder test, .* in no class folder"),
        (["squat/train/a.mp4", "squat/test/b.mp4", "lunge/c.mp4"], r"raw/lunge/c\.mp4 is in none of those"),
    ],
)
def test_folders_that_could_be_either_are_refused(places: list[str], message: str) -> None:
    with pytest.raises(ActrecError, match=message):
        split_level(Path("raw"), [Path(place) for place in places])


def test_classes_one_folder_too_deep_are_told(caplog: pytest.LogCaptureFixture) -> None:
    assert split_level(Path("raw"), [Path("data/squat/a.mp4"), Path("data/lunge/b.mp4")]) is None
    assert "All videos are in the one folder data" in caplog.text
    assert "give raw=raw/data" in caplog.text
