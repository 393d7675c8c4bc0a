from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import scipy.io

from actrec.data.sources.penn_action_frames import PennActionFrames
from actrec.data.sources.videos import Videos
from actrec.types import ActrecError
from actrec.video.extraction import Extractor
from tests.data.blobs import Blobs
from tests.data.sources.written import told, touch


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
