from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import scipy.io

from actrec.data.sources.video_sources import (
    ClassFolders,
    Kinetics400,
    PennActionFrames,
    Ucf101,
    VideoClip,
    Videos,
    VideoTable,
)
from actrec.types import ActrecError, SetupError
from actrec.video.augmentation import Flip, Tempo
from actrec.video.extraction import Extractor
from tests.data.blobs import Blobs, walker, write_blobs


def touch(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


def told(clips: Iterator[VideoClip]) -> list[tuple[str, str, str, str]]:
    return [(clip.clip_id, clip.label, clip.group, clip.split) for clip in clips]


class TestClassFolders:
    def test_the_first_folder_is_the_label(self, tmp_path: Path) -> None:
        touch(tmp_path, "push ups/a.mp4", "push ups/day 2/a.MOV", "squat/b.avi", "squat/notes.txt", "squat/._b.avi")
        touch(tmp_path, ".cache/c.mp4")
        assert told(ClassFolders()(tmp_path)) == [
            ("push ups/a", "push ups", "push ups/a", ""),
            ("push ups/day 2/a", "push ups", "push ups/day 2/a", ""),
            ("squat/b", "squat", "squat/b", ""),
        ]

    def test_same_stems_are_clips_of_their_own_in_one_group(self, tmp_path: Path) -> None:
        touch(tmp_path, "squat/IMG_0001.mp4", "squat/IMG_0001.MOV", "squat/IMG_0002.mp4", "squat/._IMG_0001.mp4")
        assert told(ClassFolders()(tmp_path)) == [
            ("squat/IMG_0001.MOV", "squat", "squat/IMG_0001", ""),
            ("squat/IMG_0001.mp4", "squat", "squat/IMG_0001", ""),
            ("squat/IMG_0002", "squat", "squat/IMG_0002", ""),
        ]

    def test_folders_of_splits_are_the_official_split(self, tmp_path: Path) -> None:
        touch(tmp_path, "train/squat/a.mp4", "val/squat/b.mp4", "Test/lunge/c/d.mp4")
        assert told(ClassFolders()(tmp_path)) == [
            ("Test/lunge/c/d", "lunge", "Test/lunge/c/d", "test"),
            ("train/squat/a", "squat", "train/squat/a", "train"),
            ("val/squat/b", "squat", "val/squat/b", "val"),
        ]
        touch(tmp_path / "inner", "squat/train/a.mp4", "squat/validation/b.mp4")
        assert [(label, split) for _, label, _, split in told(ClassFolders()(tmp_path / "inner"))] == [
            ("squat", "train"),
            ("squat", "val"),
        ]

    @pytest.mark.parametrize("label", ["null", "1e3", "on", "a, b", " x ", "手を振る", "it's #1", "nan", "é" * 120])
    def test_any_folder_s_name_is_a_label(self, tmp_path: Path, label: str) -> None:
        touch(tmp_path, f"{label}/{'n' * 200}.mp4")
        (source,) = Videos(ClassFolders(), Extractor(Blobs("yolo11n")))(tmp_path)
        assert source.label == label.strip()
        assert len(f"{source.clip_id}.npz.tmp".encode()) < 255
        touch(tmp_path, f"{label}/{'n' * 200}m.mp4")
        assert len({each.clip_id for each in Videos(ClassFolders())(tmp_path)}) == 2

    def test_decomposed_accents_are_composed(self, tmp_path: Path) -> None:
        touch(tmp_path, unicodedata.normalize("NFD", "épée/a.mp4"))
        assert [clip.label for clip in ClassFolders()(tmp_path)] == ["épée"]

    def test_a_folder_that_may_not_be_read_at_all(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def refuse(path: object) -> None:
            raise PermissionError(13, "Permission denied", str(path))

        monkeypatch.setattr(os, "scandir", refuse)
        with pytest.raises(ActrecError, match="cannot be read"):
            list(ClassFolders()(tmp_path))

    def test_a_video_in_no_class_folder_is_an_error(self, tmp_path: Path) -> None:
        with pytest.raises(ActrecError, match=r"a\.mp4 is in no class folder"):
            list(ClassFolders()(touch(tmp_path, "a.mp4")))

    def test_a_folder_that_may_not_be_read_is_a_clip_that_is_bad(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        touch(tmp_path, "a/1.mp4", "locked/2.mp4")
        scandir, iterdir = os.scandir, Path.iterdir

        def refuse(path: object) -> None:  # the tests may run as root, who may read all
            if str(path).endswith("locked"):
                raise PermissionError(13, "Permission denied", str(path))

        monkeypatch.setattr(os, "scandir", lambda path: refuse(path) or scandir(path))
        monkeypatch.setattr(Path, "iterdir", lambda path: refuse(path) or iterdir(path))
        sources = Videos(ClassFolders(), Extractor(Blobs("yolo11n")))(tmp_path)
        assert [source.clip_id for source in sources] == ["a_1", "locked"]
        with pytest.raises(ActrecError, match="the folder cannot be read: Permission denied"):
            sources[1].load()


class TestVideoTable:
    def test_columns(self, tmp_path: Path) -> None:
        (tmp_path / "labels.csv").write_text("file,label,group,split\nx/a.mp4,squat,anna,train\nb.mp4,lunge,,\n")
        assert told(VideoTable()(tmp_path)) == [("x/a", "squat", "anna", "train"), ("b", "lunge", "b", "")]

    def test_same_stems_windows_s_separators_rates_and_unlisted_files(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        touch(tmp_path, "x/a.mp4", "x/a.MOV", "x/b.mp4", "c.mp4")
        (tmp_path / "labels.csv").write_text("file;label;fps\nx\\a.mp4;squat;12,5\nx\\a.MOV;squat;\nx\\b.mp4;lunge;0\n")
        clips = list(VideoTable()(tmp_path))
        assert told(iter(clips)) == [
            ("x/a.mp4", "squat", "x/a", ""),
            ("x/a.MOV", "squat", "x/a", ""),
            ("x/b", "lunge", "x/b", ""),
        ]
        assert [(clip.path, clip.fps) for clip in clips] == [
            (tmp_path / "x/a.mp4", 12.5),
            (tmp_path / "x/a.MOV", 30.0),
            (tmp_path / "x/b.mp4", 30.0),
        ]
        assert "1 files in" in caplog.text
        assert "c.mp4" in caplog.text
        with pytest.raises(ActrecError, match=r"row 4 of .*labels\.csv has fps '0'; expected a number above 0"):
            Videos(VideoTable(), Extractor(Blobs("yolo11n")))(tmp_path)[2].load()

    def test_a_file_that_is_not_there_is_a_bad_clip(self, tmp_path: Path) -> None:
        (tmp_path / "list.csv").write_text("file,label\nnone.mp4,squat\n")
        importer = Videos(VideoTable(table=str(tmp_path / "list.csv")), Extractor(Blobs("yolo11n")))
        with pytest.raises(ActrecError, match="No such file"):
            importer(tmp_path)[0].load()


class TestUcf101:
    NAMES = ("PushUps/v_PushUps_g01_c01.avi", "PushUps/v_PushUps_g01_c02.avi", "Lunges/v_Lunges_g01_c01.avi")

    def test_a_group_is_a_class_s_source_video(self, tmp_path: Path) -> None:
        touch(tmp_path, *self.NAMES, "Lunges/other.avi")
        assert told(Ucf101()(tmp_path)) == [
            ("v_Lunges_g01_c01", "Lunges", "Lunges_g01", ""),
            ("v_PushUps_g01_c01", "PushUps", "PushUps_g01", ""),
            ("v_PushUps_g01_c02", "PushUps", "PushUps_g01", ""),
        ]

    @pytest.mark.parametrize("place", ["UCF-101", "."])
    def test_the_official_split(self, tmp_path: Path, place: str) -> None:
        touch(tmp_path / "UCF-101", *self.NAMES)
        lists = tmp_path / "ucfTrainTestlist"
        lists.mkdir()
        (lists / "trainlist01.txt").write_text("PushUps/v_PushUps_g01_c01.avi 1\nPushUps/v_PushUps_g01_c02.avi 1\n")
        (lists / "testlist01.txt").write_text("Lunges/v_Lunges_g01_c01.avi\n")
        (lists / "trainlist02.txt").write_text("Lunges/v_Lunges_g01_c01.avi 1\n")
        splits = {clip.clip_id: clip.split for clip in Ucf101()(tmp_path / place)}
        assert splits == {"v_PushUps_g01_c01": "train", "v_PushUps_g01_c02": "train", "v_Lunges_g01_c01": "test"}
        assert {clip.split for clip in Ucf101(official=2)(tmp_path / place)} == {"train", ""}

    def test_clips_in_no_list_are_named(self, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
        touch(tmp_path, *self.NAMES, "Lunges/other.avi")
        (tmp_path / "trainlist01.txt").write_text(
            "PushUps/v_PushUps_g01_c01.avi 1\r\nPushUps/v_PushUps_g01_c02.avi 1\r\n"
        )
        (tmp_path / "testlist01.txt").write_text("")
        assert [clip.split for clip in Ucf101()(tmp_path)] == ["", "train", "train"]
        assert "1 of 3 clips are in none of trainlist01.txt and testlist01.txt" in caplog.text
        assert "(the first: v_Lunges_g01_c01)" in caplog.text
        assert "1 videos, the first" in caplog.text  # other.avi
        (tmp_path / "testlist01.txt").write_text("PushUps/v_PushUps_g01_c02.avi\n")
        with pytest.raises(ActrecError, match="Clip 'v_PushUps_g01_c02' is both in train and in test"):
            list(Ucf101()(tmp_path))
        with pytest.raises(ActrecError, match=r"no list of official=4, trainlist04\.txt"):
            list(Ucf101(official=4)(tmp_path))


class TestKinetics400:
    NAMES = ("abcdefghi-1_000010_000020.mp4", "abcdefghi-1_000030_000040.mp4", "_bcdefghijk.mp4")

    def test_class_folders(self, tmp_path: Path) -> None:
        touch(tmp_path, *(f"train/push up/{name}" for name in self.NAMES[:2]), f"val/lunge/{self.NAMES[2]}")
        assert told(Kinetics400()(tmp_path)) == [
            ("abcdefghi-1_000010_000020", "push up", "abcdefghi-1", "train"),
            ("abcdefghi-1_000030_000040", "push up", "abcdefghi-1", "train"),
            ("_bcdefghijk", "lunge", "_bcdefghijk", "test"),
        ]

    def test_the_csv(self, tmp_path: Path) -> None:
        touch(tmp_path, *(f"videos/{name}" for name in self.NAMES))
        header = "label,youtube_id,time_start,time_end,split\n"
        (tmp_path / "train.csv").write_text(f"{header}push up,abcdefghi-1,10,20,train\n")
        (tmp_path / "validate.csv").write_text(f"{header}lunge,_bcdefghijk,0,10,validate\n")
        assert {(clip.label, clip.group, clip.split) for clip in Kinetics400()(tmp_path)} == {
            ("push up", "abcdefghi-1", "train"),
            ("lunge", "_bcdefghijk", "test"),
        }

    def test_train_val_and_test_as_given(self, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
        touch(tmp_path, *(f"videos/{name}" for name in self.NAMES), "videos/loose.mp4", "videos/abcdefghijk.mp4")
        header = "label,youtube_id,time_start,time_end,split\n"
        rows = "push up,abcdefghi-1,10,20,{}\nlunge,_bcdefghijk,0,10,{}\n"
        (tmp_path / "all.csv").write_text(header + rows.format("val", "test") + "squat,12345678901,0,10,train\n")
        touch(tmp_path, "videos/12345678901.mp4")
        assert {clip.group: clip.split for clip in Kinetics400()(tmp_path) if clip.label != "videos"} == {
            "abcdefghi-1": "val",
            "_bcdefghijk": "test",
            "12345678901": "train",
        }
        assert "1 videos, the first" in caplog.text  # loose.mp4
        (tmp_path / "more.csv").write_text(header + rows.format("train", "test"))
        with pytest.raises(ActrecError, match=r"have abcdefghi-1 as \('push up', 'val'\) and, in .*more\.csv, as"):
            list(Kinetics400()(tmp_path))


def test_a_damaged_annotation_is_a_bad_clip(tmp_path: Path) -> None:
    touch(tmp_path, "frames/0001/000001.jpg", "labels/0001.mat")
    (source,) = Videos(PennActionFrames(), Extractor(Blobs("yolo11n")))(tmp_path)
    with pytest.raises(ActrecError, match=r"its annotation .*0001\.mat: it .*cut short"):
        source.load()


def test_penn_action_s_pictures_have_the_annotations_label_and_split(tmp_path: Path) -> None:
    for name, action, train in (("0001", "pushup", 1), ("0002", "bowl", -1)):
        touch(tmp_path, f"frames/{name}/000001.jpg", f"labels/{name}.mat")
        one = np.ones((3, 13))
        content = {"action": action, "x": one, "y": one, "visibility": one, "train": train, "dimensions": [48, 64, 3]}
        scipy.io.savemat(tmp_path / f"labels/{name}.mat", content)
    want = [("0001", "pushup", "0001", "train"), ("0002", "bowl", "0002", "test")]
    for raw in (tmp_path, tmp_path / "frames"):
        assert told(PennActionFrames()(raw)) == want


def test_a_damaged_annotation_is_one_rejected_clip(tmp_path: Path) -> None:
    one = np.ones((3, 13))
    content = {"action": "bowl", "x": one, "y": one, "visibility": one, "train": 1, "dimensions": [48, 64, 3]}
    touch(tmp_path, "frames/0001/000001.jpg", "frames/0002/000001.jpg", "labels/0001.mat")
    scipy.io.savemat(tmp_path / "labels/0002.mat", content)
    bad, good = Videos(PennActionFrames(), Extractor(Blobs("yolo11n")))(tmp_path)
    assert (bad.label, good.label) == (None, "bowl")
    with pytest.raises(ActrecError, match=r"^its annotation .*labels/0001\.mat: it cannot be read as a MATLAB file"):
        bad.load()


class TestVideos:
    def test_a_clip_has_its_variants_unless_it_is_for_testing(self, tmp_path: Path) -> None:
        rows = "file,label,split\na.mp4,x,train\nb.mp4,x,test\nc.mp4,x,\nd.mp4,x,val\n"
        (tmp_path / "labels.csv").write_text(rows)
        importer = Videos(VideoTable(), Extractor(Blobs("yolo11n")), {"flip": Flip(), "tempo": Tempo()})
        ids = [source.clip_id for source in importer(tmp_path)]
        assert ids == ["a", "a.flip", "a.tempo", "b", "c", "c.flip", "c.tempo", "d"]

    def test_a_sequence_has_all_that_is_known_of_its_clip(self, tmp_path: Path) -> None:
        write_blobs(tmp_path / "squat" / "a.mp4", walker)
        importer = Videos(ClassFolders(), Extractor(Blobs("yolo11n")), {"flip": Flip()})
        plain, flipped = (source.load() for source in importer(tmp_path))
        assert (plain.label, plain.group, plain.variant, plain.split) == ("squat", "squat/a", "original", "")
        assert (flipped.label, flipped.group, flipped.variant) == ("squat", "squat/a", "flip")

    def test_nothing_there(self, tmp_path: Path) -> None:
        with pytest.raises(ActrecError, match=r"There are no videos in .*; expected a folder for each class.{,80}$"):
            Videos(ClassFolders())(tmp_path)

    def test_without_an_extractor_nothing_is_read(self, tmp_path: Path) -> None:
        with pytest.raises(SetupError, match="extractor is null"):
            Videos(ClassFolders())(touch(tmp_path, "a/b.mp4"))[0].load()
