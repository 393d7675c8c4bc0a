from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.io

from actrec.data.sources.importers import PennAction, SkeletonTable, Source, Sources
from actrec.data.sources.pyskl import Pyskl
from actrec.data.sources.video_sources import PennActionFrames
from actrec.types import ActrecError


def penn_mat(file: Path, **changes: Any) -> None:
    rng = np.random.default_rng(0)
    content = {
        "action": "squat",
        "x": rng.uniform(2, 300, (6, 13)),
        "y": rng.uniform(2, 200, (6, 13)),
        "visibility": rng.integers(0, 2, (6, 13), dtype=np.uint8),
        "train": 1,
        "dimensions": [[240, 320, 6]],
    } | changes
    file.parent.mkdir(parents=True, exist_ok=True)
    scipy.io.savemat(file, {name: value for name, value in content.items() if value is not None})


class TestPennAction:
    def test_a_clip(self, tmp_path: Path) -> None:
        visible = np.ones((6, 13), dtype=np.uint8)
        visible[2, 3] = 0
        x = np.full((6, 13), -5.0)  # out of the frame, and visible all the same
        x[2, 3] = 1.0
        penn_mat(tmp_path / "labels/0007.mat", visibility=visible, x=x, train=-1)
        (source,) = PennAction(fps=25.0)(tmp_path)
        clip = source.load()
        assert source.clip_id == "0007"
        assert (clip.label, clip.group, clip.split, clip.fps) == ("squat", "0007", "test", 25.0)
        assert (clip.width, clip.height, clip.skeleton) == (320, 240, "penn13")
        assert clip.keypoints[2, 3].tolist() == [0, 0, 0]
        np.testing.assert_array_equal(clip.keypoints[..., 2], visible)
        assert clip.keypoints[0, 0, 0] == -5

    def test_the_labels_folder_itself_will_do(self, tmp_path: Path) -> None:
        penn_mat(tmp_path / "labels/0007.mat")
        assert len(PennAction()(tmp_path / "labels")) == 1

    def test_an_empty_folder(self, tmp_path: Path) -> None:
        with pytest.raises(ActrecError, match=r"no Penn Action annotations .*raw=…/Penn_Action"):
            PennAction()(tmp_path)

    @pytest.mark.parametrize("size", [0, 100, 200, 1000])
    def test_a_file_cut_short(self, tmp_path: Path, size: int) -> None:
        file = tmp_path / "0001.mat"
        penn_mat(file)
        file.write_bytes(file.read_bytes()[:size])
        with pytest.raises(ActrecError, match="may be cut short"):
            PennAction()(tmp_path)[0].load()

    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"x": np.full((6, 13), 1e6), "visibility": np.ones((6, 13))}, "Sequence '0001' has a coordinate of 1e"),
            ({"x": np.full((6, 13), np.nan), "visibility": np.ones((6, 13))}, "Sequence '0001' .*NaN"),
            ({"x": np.ones((6, 13)) * 1j}, "it has x of complex128; expected real numbers"),
            ({"dimensions": [[240]]}, r"its dimensions are \[240\]; expected height and width"),
            ({"dimensions": [[-240, 320]]}, "its dimensions are"),
        ],
    )
    def test_numbers_that_are_wrong(self, tmp_path: Path, changes: dict[str, Any], message: str) -> None:
        penn_mat(tmp_path / "0001.mat", **changes)
        with pytest.raises(ActrecError, match=message):
            PennAction()(tmp_path)[0].load()

    @pytest.mark.parametrize("changes", [{"visibility": np.ones((5, 13))}, {"action": None}, {"x": np.ones((6, 0))}])
    def test_a_file_of_the_wrong_kind(self, tmp_path: Path, changes: dict[str, Any]) -> None:
        penn_mat(tmp_path / "0001.mat", **changes)
        with pytest.raises(ActrecError):
            PennAction()(tmp_path)[0].load()

    def test_real_files_against_scipy(self, test_data: Path) -> None:
        sources = PennAction()(test_data / "data/Penn_Action")
        assert len(sources) == 2326
        for source in sources[::101]:
            clip, mat = source.load(), scipy.io.loadmat(source.origin)
            seen = mat["visibility"].astype(bool)
            np.testing.assert_array_equal(clip.keypoints[..., 2] == 1, seen)
            np.testing.assert_allclose(clip.keypoints[seen][:, 0], mat["x"][seen], rtol=1e-6)
            np.testing.assert_allclose(clip.keypoints[seen][:, 1], mat["y"][seen], rtol=1e-6)
            assert not clip.keypoints[~seen].any()
            assert len(clip) == int(mat["nframes"][0, 0])


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
            (np.zeros((4, 17, 4)), "shape"),
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
        assert f"penn_action: not read are {tmp_path / 'labels'}" in caplog.text
