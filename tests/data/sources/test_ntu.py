"""Tests the import of NTU RGB+D on files that are written here in its format."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from actrec.data.clips import conform
from actrec.data.sources.labels import LabelMap
from actrec.data.sources.ntu import Ntu
from actrec.data.sources.ntu_actions import ACTIONS
from actrec.data.store.reading import read_store
from actrec.data.store.writing import write_store
from actrec.skeleton import get_skeleton
from actrec.types import ActrecError, SkeletonSequence

Frames = list[dict[str, np.ndarray]]  # in each, x, y, z and state of 25 joints by the body's id
NAME = "S001C002P003R001A024"


def person(seed: int = 0, n_frames: int = 12, speed: float = 0.1) -> np.ndarray:
    """An upright body whose joints move at random: 0.6 m wide, 1.7 m high, 3 m away."""
    rng = np.random.default_rng(seed)
    pose = rng.uniform((-0.3, -0.85, 2.9), (0.3, 0.85, 3.1), (25, 3))
    pose[:2, 1] = -0.85, 0.85
    moved = pose + np.cumsum(rng.normal(0, speed, (n_frames, 1, 3)), 0)
    return np.concatenate([moved, np.full((n_frames, 25, 1), 2.0)], -1)


def write(folder: Path, frames: Frames, name: str = NAME) -> Path:
    lines = [str(len(frames))]
    for bodies in frames:
        lines.append(str(len(bodies)))
        for number, joints in bodies.items():
            lines += [f"{number} 0 1 1 1 1 0 0.027 0.057 2", str(len(joints))]
            lines += [f"{x} {y} {z} 277.4 191.8 1036.9 519.7 -0.2 0.03 0.9 -0.08 {int(t)}" for x, y, z, t in joints]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.skeleton").write_text("\n".join(lines) + "\n")
    return folder


def one(folder: Path, **options: Any) -> SkeletonSequence:
    (source,) = Ntu(**options)(folder)
    clip = source.load()
    assert isinstance(clip, SkeletonSequence)
    return clip


def test_a_clip(tmp_path: Path) -> None:
    body = person()
    body[3, 4, 3], body[3, 5, 3] = 1, 0
    clip = one(write(tmp_path / "nturgb+d_skeletons", [{"7": joints} for joints in body]).parent)
    np.testing.assert_allclose(clip.keypoints[[0, 1, 2, *range(4, 12)], :, :3], body[[0, 1, 2, *range(4, 12)], :, :3])
    assert clip.keypoints[3, 4:7, 3].tolist() == [0.5, 0, 1]
    assert (clip.skeleton, clip.fps, clip.label, clip.clip_id) == ("ntu25", 30.0, "kicking_something", NAME)


@pytest.mark.parametrize(
    ("n_actions", "split_name", "trains"),
    [
        (60, "xsub", lambda setup, camera, subject: subject in (38, 103)),
        (60, "xview", lambda setup, camera, subject: camera in (2, 3)),
        (120, "xsub", lambda setup, camera, subject: subject in (38, 103)),
        (120, "xset", lambda setup, camera, subject: setup % 2 == 0),
    ],
)
def test_the_official_splits(tmp_path: Path, n_actions: int, split_name: str, trains: Any) -> None:
    cases = [(setup, camera, subject) for setup in (1, 2, 17, 32) for camera in (1, 2, 3) for subject in (3, 38, 103)]
    for setup, camera, subject in cases:
        write(tmp_path, [{}], f"S{setup:03}C{camera:03}P{subject:03}R002A060")
    rows = {source.clip_id: source.row for source in Ntu(n_actions, split_name)(tmp_path)}
    for setup, camera, subject in cases:
        row = rows[f"S{setup:03}C{camera:03}P{subject:03}R002A060"]
        assert row["split"] == ("train" if trains(setup, camera, subject) else "test")
    parts = {(row["group"], row["split"]) for row in rows.values()}
    assert len(parts) == len({group for group, _ in parts})  # no group is in two parts


def test_the_published_numbers_of_training_subjects(tmp_path: Path) -> None:
    for subject in range(1, 107):
        write(tmp_path, [{}], f"S001C001P{subject:03}R001A001")
    splits = [source.row["split"] for source in Ntu(120, "xsub")(tmp_path)]
    assert splits.count("train") == 53
    assert splits[:40].count("train") == 20


def test_actions(tmp_path: Path) -> None:
    assert len(set(ACTIONS)) == 120
    assert all(name == name.lower() and name.isidentifier() for name in ACTIONS)
    for action in (1, 60, 61, 120):
        write(tmp_path, [{}], f"S001C001P001R001A{action:03}")
    assert [clip.label for clip in Ntu(60)(tmp_path)] == ["drink_water", "walking_apart"]
    assert [clip.label for clip in Ntu(120)(tmp_path)][2:] == ["put_on_headphone", "rock_paper_scissors"]
    write(tmp_path / "x", [{}], "S001C001P001R001A061")
    with pytest.raises(ActrecError, match="of none of the actions 1 to 60"):
        Ntu(60)(tmp_path / "x")


def test_a_body_that_comes_and_goes_under_six_ids(tmp_path: Path) -> None:
    body, gone = person(n_frames=30), {0, 5, 10, 14, 19, 24}
    stretch = np.searchsorted(sorted(gone), np.arange(30))
    frames = [{} if t in gone else {f"id{stretch[t]}": body[t]} for t in range(30)]
    assert len({name for frame in frames for name in frame}) == 6
    clip = one(write(tmp_path, frames))
    seen = np.array([t not in gone for t in range(30)])
    np.testing.assert_allclose(clip.keypoints[seen, :, :3], body[seen, :, :3].astype(np.float32))
    assert not clip.keypoints[~seen].any()


def test_of_six_bodies_the_one_that_moves_most(tmp_path: Path) -> None:
    bodies = {f"b{k}": person(k, 20, speed=0.2 if k == 4 else 0.02) for k in range(6)}
    frames: Frames = [{name: body[t] for name, body in bodies.items()} for t in range(20)]
    clip = one(write(tmp_path, frames))
    np.testing.assert_allclose(clip.keypoints[..., :3], bodies["b4"][..., :3].astype(np.float32))


def test_two_bodies_are_two_clips_and_their_ids_may_change(tmp_path: Path) -> None:
    still, lively, third = person(1, speed=0.01), person(2, speed=0.2), person(3, speed=0.005)
    frames = [{("a" if t < 7 else "b"): still[t], ("1" if t < 4 else "2"): lively[t], "3": third[t]} for t in range(12)]
    names = {"a": "10", "b": "11", "1": "20", "2": "21", "3": "30"}
    folder = write(tmp_path, [{names[name]: joints for name, joints in frame.items()} for frame in frames])
    (source,) = Ntu(bodies="two")(folder)
    clips = source.load()
    assert isinstance(clips, list)
    assert len(clips) == 2
    for clip, body in zip(clips, (lively, still), strict=True):
        np.testing.assert_allclose(clip.keypoints[..., :3], body[..., :3], atol=1e-5)
    alone = [{"5": joints} for joints in lively]
    (source,) = Ntu(bodies="two")(write(tmp_path / "alone", alone))
    assert len(source.load()) == 1


def test_noise_loses(tmp_path: Path) -> None:
    still, flash, table = person(0, 30, 0.01), person(1, 30, 1.0), person(2, 30, 1.0)
    table[..., :2] = table[:, :, [1, 0]]  # wider than high
    frames: Frames = [
        {"table": table[t], "still": still[t], **({"flash": flash[t]} if t in (3, 4) else {})} for t in range(30)
    ]
    np.testing.assert_allclose(one(write(tmp_path, frames)).keypoints[..., :3], still[..., :3].astype(np.float32))
    alone = one(write(tmp_path / "alone", [{"table": joints} for joints in table]))
    np.testing.assert_allclose(alone.keypoints[..., :3], table[..., :3].astype(np.float32))


def test_joints_of_nan_are_unobserved(tmp_path: Path) -> None:
    body = person()
    body[2, 3, 1] = np.nan
    body[4, 3, :3] = 0
    clip = one(write(tmp_path, [{"7": joints} for joints in body]))
    assert clip.keypoints[[2, 4, 5], 3, 3].tolist() == [0, 0, 1]
    assert not clip.keypoints[2, 3].any()


@pytest.mark.parametrize("cut", [0.02, 0.5, 0.99])
def test_a_file_cut_short(tmp_path: Path, cut: float) -> None:
    file = write(tmp_path, [{"7": joints} for joints in person()]) / f"{NAME}.skeleton"
    lines = file.read_text().split("\n")
    file.write_text("\n".join(lines[: int(cut * len(lines))]))
    with pytest.raises(ActrecError, match="cut short"):
        one(tmp_path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "cut short"),
        ("three\n1\n", "it has 'three' where a number of frames is expected"),
        ("1\n1\n7 0 1 1 1 1 0 0 0 2\n1\n" + "a " * 12, "joints that are no numbers"),
        ("1\n1\n7 0 1 1 1 1 0 0 0 2\n1\n" + "1 " * 12, "it has 1 joints in frame 1; expected 25"),
    ],
)
def test_a_damaged_file(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / f"{NAME}.skeleton").write_text(text)
    with pytest.raises(ActrecError, match=message):
        one(tmp_path)


def test_files_without_a_body_are_skipped_and_not_bad(tmp_path: Path) -> None:
    raw, store = tmp_path / "raw", tmp_path / "store"
    write(raw, [{"7": joints} for joints in person()])
    write(raw, [{}] * 9, "S001C002P001R001A024")
    write(raw, [{}], "S001C002P002R001A024")
    unseen = person()
    unseen[..., 3] = 0
    write(raw, [{"7": joints} for joints in unseen], "S001C002P004R001A024")

    def accept(sequence: SkeletonSequence) -> SkeletonSequence | None:
        return conform(sequence, LabelMap(), "ntu25")

    summary = write_store(store, Ntu(120)(raw), {"dataset": "ntu120", "raw": "x"}, accept, max_rejected=0.0)
    assert [row["clip_id"] for row in summary.rows] == [NAME]
    assert len(summary.nobody) == 3
    assert not summary.rejected
    assert not summary.skipped
    again = write_store(store, Ntu(120)(raw), {"dataset": "ntu120", "raw": "x"}, accept, max_rejected=0.0)
    assert (again.tried, len(again.nobody)) == (0, 3)
    (clip,) = read_store(store)
    assert clip.keypoints.shape == (12, get_skeleton("ntu25").n_joints, 4)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_actions": 61}, "n_actions is 61; expected 60 or 120"),
        ({"n_actions": 60, "split_name": "xset"}, "expected xsub or xview"),
        ({"n_actions": 120, "split_name": "xview"}, "expected xsub or xset"),
        ({"bodies": "all"}, "expected main or two"),
    ],
)
def test_bad_options(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ActrecError, match=message):
        Ntu(**options)
