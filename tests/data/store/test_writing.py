from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from actrec.data.store.clip_source import ClipSource
from actrec.data.store.reading import read_store
from actrec.data.store.summary import StoreSummary
from actrec.data.store.writing import Shard, write_store
from actrec.types import ActrecError, SkeletonSequence

Make = Callable[..., list[SkeletonSequence]]
INFO = {"dataset": "mine", "raw": "/somewhere"}


@pytest.fixture
def clips(make_sequences: Make) -> list[SkeletonSequence]:
    return make_sequences(n_labels=2, clips_per_label=5)


class Recorder:
    """Clip sources that say which of them were read, and of which some are bad or end the run."""

    def __init__(self, clips: list[SkeletonSequence], bad: tuple[str, ...] = (), stop: str = "") -> None:
        self.read: list[str] = []
        self.bad, self.stop = bad, stop
        self.sources = [
            ClipSource(clip.clip_id, clip.source, f"{clip.clip_id}.mat", lambda clip=clip: self.load(clip))
            for clip in clips
        ]

    def load(self, clip: SkeletonSequence) -> SkeletonSequence:
        if clip.clip_id == self.stop:
            raise KeyboardInterrupt
        if clip.clip_id in self.bad:
            raise ActrecError("it is\n cut short.")
        self.read.append(clip.clip_id)
        return clip


def files_of(store: Path) -> dict[str, tuple[bytes, int]]:
    files = (file for file in store.rglob("*") if file.is_file())
    return {file.name: (file.read_bytes(), file.stat().st_mtime_ns) for file in files}


def test_an_interrupted_run_goes_on_where_it_was(tmp_path: Path, clips: list[SkeletonSequence]) -> None:
    store = tmp_path / "store"
    with pytest.raises(KeyboardInterrupt):
        write_store(store, Recorder(clips, stop=clips[6].clip_id).sources, INFO)
    with pytest.raises(ActrecError, match="is not finished"):
        read_store(store)
    before = files_of(store / "clips")

    again = Recorder(clips)
    summary = write_store(store, again.sources, INFO)
    assert again.read == [clip.clip_id for clip in clips[6:]]
    assert summary.written == 4
    assert before.items() <= files_of(store / "clips").items()

    write_store(tmp_path / "clean", Recorder(clips).sources, INFO)
    contents = [
        {name: content for name, (content, _) in files_of(path).items()} for path in (store, tmp_path / "clean")
    ]
    assert contents[0] == contents[1]


def test_a_second_run_does_nothing(tmp_path: Path, clips: list[SkeletonSequence]) -> None:
    write_store(tmp_path, Recorder(clips).sources, INFO)
    before, again = files_of(tmp_path), Recorder(clips)
    assert write_store(tmp_path, again.sources, INFO).written == 0
    assert again.read == []
    assert files_of(tmp_path) == before


@pytest.mark.parametrize("damage", ["cut", "missing", "nan", "joints"])
def test_a_second_run_mends_a_damaged_file(tmp_path: Path, clips: list[SkeletonSequence], damage: str) -> None:
    write_store(tmp_path, Recorder(clips).sources, INFO)
    file = tmp_path / "clips" / f"{clips[2].clip_id}.npz"
    sound = file.read_bytes()
    if damage == "cut":
        file.write_bytes(sound[:300])
    elif damage == "missing":
        file.unlink()
    else:
        array = np.full_like(clips[2].keypoints, np.nan) if damage == "nan" else clips[2].keypoints[:, :5]
        np.savez(file, keypoints=array)
    again = Recorder(clips)
    write_store(tmp_path, again.sources, INFO)
    assert again.read == [clips[2].clip_id]
    assert file.read_bytes() == sound


def test_a_part_file_that_ends_in_half_a_row_is_no_harm(tmp_path: Path, clips: list[SkeletonSequence]) -> None:
    with pytest.raises(KeyboardInterrupt):
        write_store(tmp_path, Recorder(clips, stop=clips[6].clip_id).sources, INFO)
    part = tmp_path / "manifest.csv.part"
    part.write_text(part.read_text()[:-20])
    again = Recorder(clips)
    write_store(tmp_path, again.sources, INFO)
    assert again.read == [clip.clip_id for clip in clips[5:]]
    assert len(read_store(tmp_path)) == len(clips)


def test_bad_clips_are_left_out_and_listed(tmp_path: Path, clips: list[SkeletonSequence]) -> None:
    bad = clips[3].clip_id
    summary = write_store(tmp_path, Recorder(clips, bad=(bad,)).sources, INFO, max_rejected=0.1)
    assert summary.rejected == {f"{bad}.mat": "it is cut short."}
    assert bad not in {clip.clip_id for clip in read_store(tmp_path)}
    assert (tmp_path / "rejected.csv").read_text() == f"file,reason\n{bad}.mat,it is cut short.\n"


def test_too_many_bad_clips_fail_the_run(tmp_path: Path, clips: list[SkeletonSequence]) -> None:
    recorder = Recorder(clips, bad=(clips[3].clip_id,))
    with pytest.raises(ActrecError, match=r"1 of 10 clips .* 5% may be bad(.|\n)*cut short"):
        write_store(tmp_path, recorder.sources, INFO)
    assert not (tmp_path / "manifest.csv").exists()
    assert (tmp_path / "rejected.csv").exists()
    write_store(tmp_path, Recorder(clips).sources, INFO)
    assert not (tmp_path / "rejected.csv").exists()


def test_a_joint_count_that_the_skeleton_has_not_is_bad(tmp_path: Path, clips: list[SkeletonSequence]) -> None:
    clip = SkeletonSequence(clips[0].keypoints, fps=30.0, skeleton="ntu25", label="a", clip_id="a")
    with pytest.raises(ActrecError, match="17 joints; skeleton 'ntu25' has 25"):
        write_store(tmp_path, Recorder([clip]).sources, INFO)


def test_ids_are_safe_file_names_and_unique(tmp_path: Path, clips: list[SkeletonSequence]) -> None:
    assert ClipSource("../a b/c:ö", "", "", lambda: clips[0]).clip_id == "_a_b_c_ö"
    twice = [ClipSource("a/b", "mine", f"{name}.npy", lambda: clips[0]) for name in "xy"]
    with pytest.raises(ActrecError, match=r"id 'a_b': x\.npy and y\.npy\. Give each clip its own"):
        write_store(tmp_path / "store", twice, INFO)
    assert not (tmp_path / "store").exists()


def test_another_store_is_left_alone(tmp_path: Path, clips: list[SkeletonSequence]) -> None:
    write_store(tmp_path / "store", Recorder(clips).sources, INFO)
    before = files_of(tmp_path / "store")
    with pytest.raises(ActrecError, match="its dataset is 'mine', and now 'yours' is wanted"):
        write_store(tmp_path / "store", Recorder(clips).sources, INFO | {"dataset": "yours"})
    assert files_of(tmp_path / "store") == before


def test_a_store_of_a_version_with_other_module_names_is_the_same(
    tmp_path: Path, clips: list[SkeletonSequence]
) -> None:
    old, new, other = (
        INFO | {"options": {"importer": {"sources": [{"_target_": target, "fps": 30.0}]}}}
        for target in ("actrec.data.importers.Penn", "actrec.data.sources.penn.Penn", "actrec.data.sources.penn.Other")
    )
    write_store(tmp_path, Recorder(clips).sources, old)
    assert write_store(tmp_path, Recorder(clips).sources, new).written == 0
    with pytest.raises(ActrecError, match="was made differently"):
        write_store(tmp_path, Recorder(clips).sources, other)


def test_clips_of_another_pose_model_may_join_and_leave(tmp_path: Path, clips: list[SkeletonSequence]) -> None:
    one, both = ({**INFO, "pose_model": poses, "pose_model_version": ""} for poses in ("hand", "hand, yolo11n-pose"))
    write_store(tmp_path, Recorder(clips[:5]).sources, one)
    assert write_store(tmp_path, Recorder(clips).sources, both).written == 5
    assert json.loads((tmp_path / "store.json").read_text())["pose_model"] == "hand, yolo11n-pose"
    assert write_store(tmp_path, Recorder(clips[:5]).sources, one).removed == 5
    with pytest.raises(ActrecError, match="its pose_model is 'hand', and now 'yolo11x-pose' is wanted"):
        write_store(tmp_path, Recorder(clips).sources, {**one, "pose_model": "yolo11x-pose"})


def test_an_unfinished_store_of_other_settings_is_begun_anew(tmp_path: Path, clips: list[SkeletonSequence]) -> None:
    with pytest.raises(KeyboardInterrupt):
        write_store(tmp_path, Recorder(clips, stop=clips[6].clip_id).sources, INFO)
    again = Recorder(clips)
    write_store(tmp_path, again.sources, INFO | {"raw": "/elsewhere"})
    assert len(again.read) == len(clips)


def test_a_folder_of_something_else_is_refused(tmp_path: Path, clips: list[SkeletonSequence]) -> None:
    (tmp_path / "thesis.tex").write_text("")
    with pytest.raises(ActrecError, match="is no skeleton store"):
        write_store(tmp_path, Recorder(clips).sources, INFO)
    assert [file.name for file in tmp_path.iterdir()] == ["thesis.tex"]


def test_the_share_of_observed_joints(tmp_path: Path, clips: list[SkeletonSequence]) -> None:
    keypoints = clips[0].keypoints.copy()
    keypoints[: len(keypoints) // 2 * 2 : 2] = 0
    clip = SkeletonSequence(keypoints, fps=30.0, skeleton="coco17", label="a", clip_id="a")
    summary: StoreSummary = write_store(tmp_path, Recorder([clip]).sources, INFO)
    assert summary.observed == pytest.approx((keypoints[..., 2] > 0).mean())


def deep(clip: SkeletonSequence, name: str = "") -> SkeletonSequence:
    """The clip in three dimensions, with z = 0."""
    keypoints = np.insert(clip.keypoints, 2, 0, axis=2)
    return replace(clip, keypoints=keypoints, width=0, height=0, clip_id=name or clip.clip_id)


def test_three_dimensions_are_stored_and_updated(tmp_path: Path, clips: list[SkeletonSequence]) -> None:
    given = list(map(deep, clips))
    write_store(tmp_path, Recorder(given).sources, INFO)
    for stored, clip in zip(read_store(tmp_path), given, strict=True):
        np.testing.assert_array_equal(stored.keypoints, clip.keypoints)
    again = Recorder(given)
    (tmp_path / "clips" / f"{clips[3].clip_id}.npz").write_bytes(b"damaged")
    assert write_store(tmp_path, again.sources, INFO).written == 1
    assert again.read == [clips[3].clip_id]


def test_two_and_three_dimensions_in_one_store(tmp_path: Path, clips: list[SkeletonSequence]) -> None:
    mixed = [*clips[:3], deep(clips[3], "deep"), *clips[4:]]
    message = f"Clip '{clips[0].clip_id}' has x and y, and clip 'deep' has x, y and z; a store has clips of one"
    with pytest.raises(ActrecError, match=message):
        write_store(tmp_path / "whole", Recorder(mixed).sources, INFO)
    halves = [deep(clip, f"deep_{k}") if k % 2 else clip for k, clip in enumerate(clips)]
    assert write_store(tmp_path / "shards", Recorder(halves).sources, INFO, shard=Shard(1, 2)).missing == 5
    with pytest.raises(ActrecError, match="a store has clips of one"):
        write_store(tmp_path / "shards", Recorder(halves).sources, INFO, shard=Shard(0, 2))

    write_store(tmp_path / "edited", Recorder(clips).sources, INFO)
    file = tmp_path / "edited" / "clips" / f"{clips[3].clip_id}.npz"
    np.savez(file, keypoints=deep(clips[3]).keypoints)
    with pytest.raises(ActrecError, match=f"and clip '{clips[3].clip_id}' has x, y and z; a store has clips of one"):
        read_store(tmp_path / "edited")
