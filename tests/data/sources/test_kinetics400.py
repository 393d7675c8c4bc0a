from __future__ import annotations

from pathlib import Path

import pytest

from actrec.data.sources.kinetics400 import Kinetics400
from actrec.types import ActrecError
from tests.data.sources.written import told, touch


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
