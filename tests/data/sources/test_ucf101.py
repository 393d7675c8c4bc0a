from __future__ import annotations

from pathlib import Path

import pytest

from actrec.data.sources.ucf101 import Ucf101
from actrec.types import ActrecError
from tests.data.sources.written import told, touch


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
