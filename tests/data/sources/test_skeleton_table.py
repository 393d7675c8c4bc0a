from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from actrec.data.sources.penn_action import PennAction
from actrec.data.sources.penn_action_frames import PennActionFrames
from actrec.data.sources.pyskl import Pyskl
from actrec.data.sources.skeleton_table import SkeletonTable
from actrec.types import ActrecError


class TestSkeletonTable:
    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        rng = np.random.default_rng(0)
        (tmp_path / "a").mkdir()
        np.save(tmp_path / "a/one.npy", rng.random((4, 17, 3)))
        two = rng.random((5, 17, 2))
        two[1, 2, 0] = np.nan
        np.savez(tmp_path / "two.npz", keypoints=two, other=np.zeros(3))
        (tmp_path / "labels.csv").write_text(
            "file,label,group,split,fps,width\na/one.npy,wave,me,train,29.97,640\ntwo.npz,jump,,,,\n"
        )
        return tmp_path

    def test_clips(self, folder: Path) -> None:
        one, two = (source.load() for source in SkeletonTable(fps=15.0)(folder))
        assert [source.clip_id for source in SkeletonTable()(folder)] == ["a_one", "two"]
        np.testing.assert_array_equal(one.keypoints, np.load(folder / "a/one.npy").astype(np.float32))
        assert (one.label, one.group, one.split, one.fps, one.width) == ("wave", "me", "train", 29.97, 640)
        assert (two.label, two.group, two.split, two.fps, two.width) == ("jump", "two", "", 15.0, 0)
        assert two.keypoints[1, 2].tolist() == [0, 0, 0]
        assert (two.keypoints[..., 2] == 1).sum() == 5 * 17 - 1

    def test_three_dimensions(self, folder: Path) -> None:
        deep = np.random.default_rng(0).normal(0, 1, (4, 17, 3))
        np.save(folder / "a/one.npy", deep)
        np.savez(folder / "two.npz", keypoints=np.insert(deep, 3, 0.5, axis=2))
        one, two = (source.load() for source in SkeletonTable(coordinates=3)(folder))
        np.testing.assert_array_equal(one.keypoints[..., :3], deep.astype(np.float32))
        np.testing.assert_array_equal(two.keypoints[..., :3], deep.astype(np.float32))
        assert (one.keypoints[..., 3] == 1).all()
        assert (two.keypoints[..., 3] == 0.5).all()
        assert one.width == 0  # there is no picture
        with pytest.raises(ActrecError, match="coordinates are 4; expected 2 or 3"):
            SkeletonTable(coordinates=4)

    @pytest.mark.parametrize(
        ("scale", "message"),
        [
            ((1, 1, 98), "Sequence 'a' has confidences from .* Are they per cent"),
            ((1, 1, 1.3), "Sequence 'a' has confidences from"),
            ((1, 1, -1), r"Sequence 'a' has confidences from .* Is the third value z\? Give \(x, y, confidence\)"),
            ((1e6, 1, 1), "Sequence 'a' has a coordinate of"),
            ((1, np.inf, 1), "Sequence 'a' has keypoints that are NaN or infinite"),
        ],
    )
    def test_values_out_of_range_are_refused(self, tmp_path: Path, scale: tuple[float, ...], message: str) -> None:
        np.save(tmp_path / "a.npy", np.random.default_rng(0).uniform(0.5, 1, (4, 17, 3)) * scale)
        (tmp_path / "labels.csv").write_text("file,label\na.npy,wave\n")
        with pytest.raises(ActrecError, match=message):
            SkeletonTable()(tmp_path)[0].load()

    @pytest.mark.parametrize(("column", "cell"), [("fps", "0"), ("fps", "inf"), ("width", "1e9"), ("height", "-3")])
    def test_a_wrong_cell_rejects_its_clip(self, folder: Path, column: str, cell: str) -> None:
        (folder / "labels.csv").write_text(f"file,label,{column}\na/one.npy,wave,{cell}\ntwo.npz,nod,\n")
        one, two = SkeletonTable()(folder)
        with pytest.raises(ActrecError, match=rf"row 2 of .*labels\.csv has {column} '{cell}'; expected"):
            one.load()
        assert len(two.load()) == 5

    def test_same_stems_and_windows_s_separators(self, folder: Path, caplog: pytest.LogCaptureFixture) -> None:
        np.save(folder / "a/one.v2.npy", np.load(folder / "a/one.npy"))
        np.savez(folder / "a/one.npz", np.load(folder / "a/one.npy"))
        (folder / "labels.csv").write_text("file;label\na\\one.npy;wave\na\\one.npz;nod\na\\one.v2.npy;nod\n")
        sources = SkeletonTable()(folder)
        assert [source.clip_id for source in sources] == ["a_one.npy", "a_one.npz", "a_one.v2"]
        assert [source.load().group for source in sources] == ["a/one", "a/one", "a/one.v2"]
        assert "1 files in" in caplog.text
        assert "two.npz" in caplog.text

    @pytest.mark.parametrize("fps", [0.0, -1.0, float("nan"), float("inf"), 2000.0])
    @pytest.mark.parametrize("importer", [SkeletonTable, PennAction, Pyskl, PennActionFrames])
    def test_a_wrong_rate_is_refused_at_once(self, importer: Any, fps: float) -> None:
        with pytest.raises(ActrecError, match="importer's fps is"):
            importer(fps=fps)

    def test_no_csv(self, tmp_path: Path) -> None:
        with pytest.raises(ActrecError, match=r"no CSV .*labels\.csv.*csv=…"):
            SkeletonTable()(tmp_path)

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("file,class\na.npy,wave\n", "has no column label"),
            ("file,label\n", "lists no clips"),
            ("file,label\na.npy,\n", "Row 2 of .* label ''"),
            ("file,label,split\na.npy,wave,exam\n", "Row 2 of .*split 'exam'"),
        ],
    )
    def test_a_wrong_csv(self, tmp_path: Path, text: str, message: str) -> None:
        (tmp_path / "mine.csv").write_text(text)
        with pytest.raises(ActrecError, match=message):
            SkeletonTable(table=str(tmp_path / "mine.csv"))(tmp_path)

    def test_a_csv_that_is_not_utf_8(self, tmp_path: Path) -> None:
        (tmp_path / "labels.csv").write_bytes("file,label\na.npy,épée\n".encode("latin-1"))
        with pytest.raises(ActrecError, match=r"labels\.csv cannot be read .*UTF-8"):
            SkeletonTable()(tmp_path)

    @pytest.mark.parametrize(
        ("array", "message"),
        [
            (np.zeros((4, 17)), "shape"),
            (np.zeros((4, 17, 5)), "shape"),
            (np.array([[["a", "b"]]]), "shape"),
            (np.array([print, None]), "cannot be read"),
            (None, "no such file"),
        ],
    )
    def test_a_wrong_array(self, tmp_path: Path, array: Any, message: str) -> None:
        if array is not None:
            np.save(tmp_path / "a.npy", array, allow_pickle=True)
        (tmp_path / "labels.csv").write_text("file,label\na.npy,wave\n")
        with pytest.raises(ActrecError, match=message):
            SkeletonTable()(tmp_path)[0].load()
