from __future__ import annotations

from pathlib import Path

import pytest

from actrec.data.sources.combined import Source, Sources
from actrec.data.sources.penn_action import PennAction
from actrec.types import ActrecError
from tests.data.sources.written import penn_mat


class TestSources:
    SOURCES = Sources({"penn_action": [Source(["Penn_Action/labels", "labels"], PennAction())]})

    @pytest.mark.parametrize("place", ["Penn_Action/labels", "labels"])
    def test_either_place(self, tmp_path: Path, place: str) -> None:
        penn_mat(tmp_path / place / "0001.mat")
        assert [clip.source for clip in self.SOURCES(tmp_path)] == ["penn_action"]

    def test_none_of_them(self, tmp_path: Path) -> None:
        with pytest.raises(ActrecError, match=r"None of the sources .*penn_action: Penn_Action/labels, labels"):
            self.SOURCES(tmp_path)

    def test_what_is_there_too_is_told(self, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
        penn_mat(tmp_path / "Penn_Action/labels/0001.mat")
        penn_mat(tmp_path / "labels/0001.mat")
        assert len(self.SOURCES(tmp_path)) == 1
        assert f"penn_action: skipped {tmp_path / 'labels'}" in caplog.text
