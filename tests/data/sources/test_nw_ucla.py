from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from actrec.data.clips import DataSet
from actrec.data.sources.nw_ucla import NwUcla
from actrec.data.split import Split
from actrec.data.store.clip_source import ClipSource
from actrec.types import ActrecError, SkeletonSequence


def write(folder: Path, *names: str, **changes: Any) -> Path:
    rng = np.random.default_rng(0)
    for name in names:
        content = {"file_name": name, "skeletons": rng.normal(0, 1, (6, 20, 3)).tolist(), "label": 1} | changes
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.json").write_text(json.dumps(content))
    return folder


def read(folder: Path, **options: Any) -> list[SkeletonSequence]:
    return [clip for source in NwUcla(**options)(folder) if isinstance(clip := source.load(), SkeletonSequence)]


def test_a_clip(tmp_path: Path) -> None:
    write(tmp_path / "all_sqe", "a11_s03_e02_v01")
    content = json.loads((tmp_path / "all_sqe" / "a11_s03_e02_v01.json").read_text())
    (source,) = NwUcla()(tmp_path)
    clip = source.load()
    assert isinstance(source, ClipSource)
    assert isinstance(clip, SkeletonSequence)
    np.testing.assert_array_equal(clip.keypoints[..., :3], np.array(content["skeletons"], np.float32))
    assert (clip.keypoints[..., 3] == 1).all()
    assert (clip.skeleton, clip.fps, clip.n_coordinates) == ("nwucla20", 30.0, 3)
    assert (clip.label, clip.split, clip.clip_id) == ("throw", "train", "a11_s03_e02_v01")
    assert source.row == {"label": clip.label, "group": clip.group, "split": clip.split}


def test_the_labels_are_those_of_the_names(tmp_path: Path) -> None:
    expected = {
        **{"01": "pick_up_one_hand", "02": "pick_up_two_hands", "03": "drop_trash", "04": "walk_around"},
        **{"05": "sit_down", "06": "stand_up", "08": "donning", "09": "doffing", "11": "throw", "12": "carry"},
    }
    write(tmp_path, *(f"a{number}_s01_e00_v02" for number in expected))
    assert [clip.label for clip in read(tmp_path)] == list(expected.values())


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, {"v01": "train", "v02": "train", "v03": "test"}),
        ({"val_view": 2}, {"v01": "train", "v02": "val", "v03": "test"}),
        ({"split_name": None}, {"v01": "", "v02": "", "v03": ""}),
    ],
)
def test_the_official_split_and_groups(tmp_path: Path, options: dict[str, Any], expected: dict[str, str]) -> None:
    names = [f"a0{action}_s0{subject}_e00_v0{view}" for action in (1, 2) for subject in (1, 2, 3) for view in (1, 2, 3)]
    clips = read(write(tmp_path, *names), **options)
    assert {clip.clip_id[-3:]: clip.split for clip in clips} == expected
    for part in set(expected.values()):  # views of one performance are one group, within a part
        of_part = [clip for clip in clips if clip.split == part]
        assert len({clip.group for clip in of_part}) == 6
    assert len({(clip.group, clip.split) for clip in clips}) == len({clip.group for clip in clips})


def test_val_shares_no_performance_with_train(tmp_path: Path) -> None:
    names = [
        f"a0{action}_s0{subject}_e00_v0{view}" for action in (1, 2) for subject in range(1, 8) for view in (1, 2, 3)
    ]
    parts = Split("official", val_share=0.3)(DataSet("x", read(write(tmp_path, *names))).clips)
    train, val = ({clip.clip_id[:-4] for clip in parts[part]} for part in ("train", "val"))
    assert val
    assert not train & val
    assert len(parts["test"]) == 14


def test_nan_and_the_origin_are_unobserved(tmp_path: Path) -> None:
    points = np.ones((3, 20, 3))
    points[0, 4, 1], points[1, 5] = np.nan, 0
    (clip,) = read(write(tmp_path, "a01_s01_e00_v01", skeletons=points.tolist()))
    assert clip.keypoints[0, 4].tolist() == clip.keypoints[1, 5].tolist() == [0, 0, 0, 0]
    assert clip.keypoints[..., 3].sum() == 3 * 20 - 2


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"skeletons": []}, "is empty"),
        ({"skeletons": None}, "has no list `skeletons`; expected"),
        ({"skeletons": np.ones((4, 19, 3)).tolist()}, r"have shape \(4, 19, 3\); expected .* 20 joints"),
        ({"skeletons": np.ones((4, 20, 2)).tolist()}, r"have shape \(4, 20, 2\); expected .* 20 joints"),
        ({"skeletons": [[[1, 2, 3]] * 20, [[1, 2, 3]] * 19]}, "no array of numbers"),
        ({"skeletons": [[["a", 2, 3]] * 20]}, "no array of numbers"),
    ],
)
def test_a_bad_file(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ActrecError, match=message):
        read(write(tmp_path, "a01_s01_e00_v01", **changes))


def test_a_file_cut_short(tmp_path: Path) -> None:
    file = write(tmp_path, "a01_s01_e00_v01") / "a01_s01_e00_v01.json"
    file.write_text(file.read_text()[:500])
    with pytest.raises(ActrecError, match=r"cannot be read as JSON .* cut short"):
        read(tmp_path)


def test_files_of_other_names(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(ActrecError, match=r"There are no files aAA_sSS_eEE_vVV\.json of NW-UCLA in"):
        NwUcla()(tmp_path)
    write(tmp_path, "notes", "a07_s01_e00_v01", "a01_s01_e00_v04")
    with pytest.raises(ActrecError, match=r"It has 3 of other names, such as a01_s01_e00_v04\.json"):
        NwUcla()(tmp_path)
    write(tmp_path, "a01_s01_e00_v01")
    assert len(NwUcla()(tmp_path)) == 1
    assert "3 files in" in caplog.text


@pytest.mark.parametrize("options", [{"val_view": 3}, {"split_name": "xsub"}, {"fps": 0.0}])
def test_bad_options(options: dict[str, Any]) -> None:
    with pytest.raises(ActrecError, match=f"importer's {next(iter(options))}"):
        NwUcla(**options)
