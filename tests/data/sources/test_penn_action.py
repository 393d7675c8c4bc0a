from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.io

from actrec.data.sources.penn_action import PennAction
from actrec.types import ActrecError
from tests.data.sources.written import penn_mat


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
