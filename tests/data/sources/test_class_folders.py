from __future__ import annotations

import os
import unicodedata
from pathlib import Path

import pytest

from actrec.data.sources.class_folders import ClassFolders
from actrec.data.sources.videos import Videos
from actrec.types import ActrecError
from actrec.video.extraction import Extractor
from tests.data.blobs import Blobs
from tests.data.sources.written import told, touch


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
