from __future__ import annotations

from pathlib import Path

import pytest

from actrec.data.sources.video_table import VideoTable
from actrec.data.sources.videos import Videos
from actrec.types import ActrecError
from actrec.video.extraction import Extractor
from tests.data.blobs import Blobs
from tests.data.sources.written import told, touch


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
