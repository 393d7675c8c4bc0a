"""A store follows its sources: what changed is done again, what went is removed, and nothing else is touched."""

from __future__ import annotations

import csv
import errno
import logging
import os
import pickle
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from actrec.data.build_store import outcome, prepare
from actrec.data.sources.labels import LabelMap
from actrec.data.sources.pyskl import Pyskl
from actrec.data.sources.skeleton_table import SkeletonTable
from actrec.data.store.clip_source import ClipSource
from actrec.data.store.part_tables import PartTables
from actrec.data.store.reading import read_store
from actrec.data.store.summary import StoreSummary
from actrec.data.store.writing import Shard
from actrec.types import ActrecError, SkeletonSequence

HEADER = ["file", "label", "group", "split", "fps"]


def array(seed: int, n_frames: int = 12) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.concatenate([rng.uniform(50, 400, (n_frames, 17, 2)), rng.uniform(0.3, 1, (n_frames, 17, 1))], -1)


@dataclass
class Folder:
    """A folder of arrays and its table, and the store that is made of it."""

    root: Path
    rows: list[list[str]] = field(default_factory=list)

    def write_table(self) -> None:
        with (self.root / "raw/labels.csv").open("w", newline="") as stream:
            csv.writer(stream).writerows([HEADER, *self.rows])

    def write(self, name: str, keypoints: np.ndarray) -> None:
        np.save(self.root / f"raw/{name}.npy", keypoints.astype(np.float32))

    def prepare(self, shard: Shard | None = None, **options: object) -> StoreSummary:
        self.write_table()
        importer = SkeletonTable()
        given = {"max_rejected": 0.5, **options}
        return prepare(
            "csv",
            self.root / "raw",
            self.store,
            importer,
            LabelMap(),
            "coco17",
            shard=shard,
            **given,  # type: ignore
        )

    @property
    def store(self) -> Path:
        return self.root / "store"

    @property
    def clips(self) -> dict[str, SkeletonSequence]:
        return {clip.clip_id: clip for clip in read_store(self.store)}

    @property
    def times(self) -> dict[str, int]:
        return {file.name: file.stat().st_mtime_ns for file in (self.store / "clips").iterdir()}


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """Six clips of two labels."""
    (tmp_path / "raw").mkdir()
    made = Folder(tmp_path, [[f"c{n}.npy", ("wave", "nod")[n % 2], f"p{n}", "", "30"] for n in range(6)])
    for number in range(6):
        made.write(f"c{number}", array(number))
    return made


def said(summary: StoreSummary, folder: Folder) -> str:
    return outcome(summary, folder.store).replace(str(folder.store), "s")


def same_as_anew(folder: Folder) -> None:
    """The store has what one that is made of the sources as they are would have."""
    anew = Folder(folder.root / "anew", folder.rows)
    anew.root.mkdir()
    (anew.root / "raw").symlink_to(folder.root / "raw")
    anew.prepare()
    files = sorted(path.relative_to(anew.store) for path in anew.store.rglob("*") if path.is_file())
    assert files == sorted(path.relative_to(folder.store) for path in folder.store.rglob("*") if path.is_file())
    assert (folder.store / "manifest.csv").read_text() == (anew.store / "manifest.csv").read_text()
    for name, clip in anew.clips.items():
        np.testing.assert_array_equal(folder.clips[name].keypoints, clip.keypoints)


def test_a_label_a_group_and_an_array_that_were_mended(folder: Folder) -> None:
    assert said(folder.prepare(), folder) == "6 clips written to s: 6 new."
    before = folder.times
    folder.rows[0][1:3] = "nod", "anna"
    folder.write("c1", array(99, n_frames=30))
    assert said(folder.prepare(), folder) == (
        "1 clips written to s: 1 whose source changed; 1 with another label, group, split or segments."
    )
    assert (folder.clips["c0"].label, folder.clips["c0"].group) == ("nod", "anna")
    assert len(folder.clips["c1"]) == 30
    after = folder.times
    assert {name for name in after if after[name] != before[name]} == {"c1.npz"}  # c0's keypoints are what they were
    assert said(folder.prepare(), folder) == "s was already complete."
    same_as_anew(folder)


def test_clips_that_came_and_went(folder: Folder) -> None:
    folder.prepare()
    del folder.rows[2]
    folder.rows.append(["c6.npy", "wave", "p6", "", "30"])
    folder.write("c6", array(6))
    assert said(folder.prepare(), folder) == "1 clips written to s: 1 new; 1 removed."
    assert list(folder.clips) == ["c0", "c1", "c3", "c4", "c5", "c6"]
    assert not (folder.store / "clips/c2.npz").exists()
    del folder.rows[0]
    assert said(folder.prepare(), folder) == "s was brought up to date: 1 removed."
    same_as_anew(folder)


def test_another_frame_rate_in_the_table(folder: Folder) -> None:
    folder.prepare()
    folder.rows[3][4] = "25"
    assert said(folder.prepare(), folder) == "1 clips written to s: 1 whose source changed."
    assert folder.clips["c3"].fps == 25


def test_touch_and_a_copy_do_nothing_again_but_another_content_of_the_same_size_and_time(folder: Folder) -> None:
    folder.prepare()
    file = folder.root / "raw/c0.npy"
    status = file.stat()
    os.utime(file)
    copy = folder.root / "raw/copy.npy"
    copy.write_bytes(file.read_bytes())
    copy.replace(file)
    assert said(folder.prepare(), folder) == "s was already complete."
    folder.write("c0", array(7))
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert file.stat().st_size == status.st_size
    assert said(folder.prepare(), folder) == "1 clips written to s: 1 whose source changed."
    np.testing.assert_array_equal(folder.clips["c0"].keypoints, array(7).astype(np.float32))


def test_a_bad_clip_is_tried_again_when_it_was_mended_and_a_good_one_that_went_bad_is_taken_out(folder: Folder) -> None:
    good = (folder.root / "raw/c4.npy").read_bytes()
    (folder.root / "raw/c4.npy").write_bytes(b"no array")
    assert said(folder.prepare(), folder) == "5 clips written to s: 5 new."
    assert said(folder.prepare(), folder) == "s was already complete."
    (folder.root / "raw/c4.npy").write_bytes(good)
    (folder.root / "raw/c5.npy").write_bytes(b"no array")
    summary = folder.prepare()
    assert said(summary, folder) == "1 clips written to s: 1 new; 1 removed."
    assert list(summary.rejected) == [str(folder.root / "raw/c5.npy")]
    assert list(folder.clips) == ["c0", "c1", "c2", "c3", "c4"]
    (folder.root / "raw/c5.npy").write_bytes(b"another one that is no array")
    assert "is unchanged: 1 clips were tried" in said(folder.prepare(), folder)


def test_a_damaged_file_is_counted_as_such(folder: Folder) -> None:
    folder.prepare()
    (folder.store / "clips/c1.npz").write_bytes(b"")
    np.savez(folder.store / "clips/c2.npz", keypoints=array(50).astype(np.float32))  # of another clip, though whole
    assert said(folder.prepare(), folder) == "2 clips written to s: 2 whose file was damaged or missing."
    same_as_anew(folder)


class Killed(BaseException):
    pass


@pytest.mark.parametrize("moment", range(12))
def test_a_kill_at_any_moment_of_an_update(folder: Folder, monkeypatch: pytest.MonkeyPatch, moment: int) -> None:
    """Every rename and every row is a moment to be killed at."""
    folder.prepare()
    folder.rows[0][1] = "nod"
    folder.write("c1", array(99, n_frames=30))
    folder.write("c2", array(98))
    del folder.rows[5]
    count, real, append = 0, os.replace, PartTables.append

    def moments() -> None:
        nonlocal count
        count += 1
        if count > moment:
            raise Killed

    def replace_or_die(*given: Path) -> None:
        if Path(given[0]).name.endswith(".npz.tmp") or Path(given[1]).name == "manifest.csv":
            moments()
        real(*given)

    def append_or_die(*given: object) -> None:
        moments()
        append(*given)

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", replace_or_die)
        patch.setattr("actrec.data.store.part_tables.PartTables.append", append_or_die)
        try:
            folder.prepare()
            assert moment > 8, "the run has more moments than that"
        except Killed:
            pass
    if (folder.store / "manifest.csv").exists():  # what can be read is the old store, or the new one
        clips = folder.clips
        assert (len(clips), clips["c0"].label, len(clips["c1"])) in [(6, "wave", 12), (5, "nod", 30)]
    folder.prepare()
    same_as_anew(folder)


def test_shards_bring_a_store_up_to_date_in_either_order(folder: Folder) -> None:
    for order in ((0, 1), (1, 0)):
        folder.prepare()
        for number in range(4):
            folder.write(f"c{number}", array(int(np.random.default_rng().integers(1000)), n_frames=20))
        folder.rows[4][1] = "nod" if folder.rows[4][1] == "wave" else "wave"
        first = folder.prepare(Shard(order[0], 2))
        assert first.missing == (2 if order[0] == 0 else 3)
        with pytest.raises(ActrecError, match="is not finished"):
            read_store(folder.store)
        assert folder.prepare(Shard(order[1], 2)).missing == 0
        assert {len(folder.clips[f"c{number}"]) for number in range(4)} == {20}
        assert folder.clips["c4"].label == folder.rows[4][1]


def test_a_store_of_an_earlier_version(folder: Folder) -> None:
    """It has no `sources.csv`: a row or a number that differs, or a file that is newer, is a change."""
    folder.prepare()
    (folder.store / "sources.csv").unlink()
    assert len(folder.clips) == 6
    folder.rows[0][1] = "nod"
    folder.rows[1][4] = "25"
    folder.write("c2", array(97))
    past = (folder.root / "raw/c3.npy").stat().st_mtime_ns - 10**9
    for number in (0, 1, 3, 4, 5):
        os.utime(folder.root / f"raw/c{number}.npy", ns=(past, past))
    summary = folder.prepare()
    assert said(summary, folder) == (
        "2 clips written to s: 2 whose source changed; 1 with another label, group, split or segments."
    )
    assert summary.adopted == 4
    same_as_anew(folder)
    assert folder.prepare().adopted == 0


@pytest.fixture
def annotations() -> list[dict[str, object]]:
    return [
        {"frame_dir": name, "label": n % 2, "img_shape": (480, 640), "total_frames": 8}
        | {"keypoint": array(n, 8)[None, ..., :2], "keypoint_score": array(n, 8)[None, ..., 2]}
        for n, name in enumerate("abcd")
    ]


def test_an_annotation_of_a_pickle_that_was_edited(annotations: list[dict[str, object]], tmp_path: Path) -> None:
    def run() -> StoreSummary:
        content = {"split": {"train": list("abc"), "test": ["d"]}, "annotations": annotations}
        (tmp_path / "a.pkl").write_bytes(pickle.dumps(content))
        return prepare("pyskl", tmp_path / "a.pkl", tmp_path / "store", Pyskl(), LabelMap(), "coco17")

    run()
    assert outcome(run(), Path("s")) == "s was already complete."
    annotations[1]["keypoint"] = array(40, 8)[None, ..., :2]
    annotations[2]["label"] = 1
    assert outcome(run(), Path("s")) == (
        "1 clips written to s: 1 whose source changed; 1 with another label, group, split or segments."
    )
    clips = {clip.clip_id: clip for clip in read_store(tmp_path / "store")}
    np.testing.assert_array_equal(clips["b"].keypoints[..., :2], array(40, 8)[..., :2].astype(np.float32))
    assert clips["c"].label == "1"


@dataclass(frozen=True)
class Raising:
    """An importer whose clip `c` raises; others are sound."""

    error: Exception

    def __call__(self, raw: Path) -> list[ClipSource]:
        return [ClipSource(name, "mine", f"{name}.npy", partial(self.load, name), file=str(raw)) for name in "abcd"]

    def load(self, name: str) -> SkeletonSequence:
        if name == "c":
            raise self.error
        return SkeletonSequence(array(ord(name)), 30.0, "coco17", label="wave")


@pytest.mark.parametrize("shard", [None, Shard(0, 1)])
@pytest.mark.parametrize(
    "error",
    [
        OverflowError("cannot convert float infinity to integer"),
        KeyError("fps"),
        RuntimeError("two\nlines"),
        MemoryError(),
        PermissionError(errno.EACCES, "Permission denied"),
    ],
)
def test_an_unforeseen_exception_is_one_clip_s(
    tmp_path: Path, error: Exception, shard: Shard | None, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "actrec")
    given = ("mine", tmp_path, tmp_path / "store")
    summary = prepare(*given, Raising(error), LabelMap(), "coco17", 0.3, shard=shard)
    text = " ".join(str(error).split())
    reason = f"{type(error).__name__}: {text}" if text else type(error).__name__
    assert summary.rejected == {"c.npy": reason}
    assert (tmp_path / "store/rejected.csv").read_text().splitlines()[1].startswith(f"c.npy,{type(error).__name__}")
    assert [clip.clip_id for clip in read_store(tmp_path / "store")] == ["a", "b", "d"]
    assert any(record.exc_info and record.levelno == logging.DEBUG for record in caplog.records)
    assert f"  c.npy: {type(error).__name__}" in caplog.text
    again = prepare(*given, Raising(error), LabelMap(), "coco17", 0.3, shard=shard)
    assert (again.tried, again.rejected) == (1, summary.rejected)  # it may pass
    with pytest.raises(ActrecError, match=r"1 of 4 clips could not be read.*5% may be bad(.|\n)*c\.npy: "):
        prepare(*given, Raising(error), LabelMap(), "coco17", shard=shard)


def test_a_clip_that_breaks_on_the_way_into_the_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def conform(sequence: SkeletonSequence, **_: object) -> SkeletonSequence:
        if sequence.clip_id == "b":
            raise IndexError("joint 17 of 17")
        return sequence

    monkeypatch.setattr("actrec.data.build_store.conform", conform)
    importer = Raising(ActrecError("it is cut short."))
    summary = prepare("mine", tmp_path, tmp_path / "store", importer, LabelMap(), "coco17", 0.5)
    assert summary.rejected == {"b.npy": "IndexError: joint 17 of 17", "c.npy": "it is cut short."}


@pytest.mark.parametrize("place", ["load", "write"])
def test_a_full_disk_ends_the_run_and_leaves_nothing_half_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    full = OSError(errno.ENOSPC, "No space left on device")
    importer = Raising(full)
    if place == "write":
        importer = Raising(ActrecError("bad"))
        monkeypatch.setattr("actrec.data.store.ledger.np.savez", lambda *_, **__: (_ for _ in ()).throw(full))
    with pytest.raises(OSError, match="No space left"):
        prepare("mine", tmp_path, tmp_path / "store", importer, LabelMap(), "coco17", 0.5)
    assert not list(tmp_path.rglob("*.tmp"))
    monkeypatch.undo()
    prepare("mine", tmp_path, tmp_path / "store", Raising(ActrecError("bad")), LabelMap(), "coco17", 0.5)
    assert [clip.clip_id for clip in read_store(tmp_path / "store")] == ["a", "b", "d"]


def test_an_interrupt_before_the_first_clip_is_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    importer = Raising(ActrecError("bad"))
    given = ("mine", tmp_path, tmp_path / "store", importer, LabelMap(), "coco17", 0.5)
    with monkeypatch.context() as patch:
        patch.setattr("actrec.data.store.ledger.np.savez", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            prepare(*given)
    assert not list(tmp_path.rglob("*.tmp"))
    assert not list((tmp_path / "store/clips").iterdir())
    assert outcome(prepare(*given), Path("s")) == "3 clips written to s: 3 new."


def test_names_that_file_systems_treat_specially(tmp_path: Path) -> None:
    long = "ж" * 200
    names = [long, f"{long}!", "CON", "Clip", "clip", "a/b", "a_b", "x.", "y ", "null", "bytes\udcff"]
    sources = [
        ClipSource(name, "mine", f"{name}.npy", partial(replace, SkeletonSequence(array(n), 30.0, "coco17", "on")))
        for n, name in enumerate(names)
    ]
    importer: Callable[[Path], list[ClipSource]] = lambda raw: sources  # noqa: E731
    prepare("mine", tmp_path, tmp_path / "store", importer, LabelMap(), "coco17")
    clips = read_store(tmp_path / "store")
    for number, clip in enumerate(clips):
        np.testing.assert_array_equal(clip.keypoints, array(number).astype(np.float32))
    assert len({clip.clip_id.lower() for clip in clips}) == len(names)
    again = prepare("mine", tmp_path, tmp_path / "store", importer, LabelMap(), "coco17")
    assert outcome(again, Path("s")) == "s was already complete."


def test_a_left_out_clip_leaves_other_workers_files_alone(folder: Folder) -> None:
    folder.prepare()
    clips = folder.store / "clips"
    own = [clips / name for name in ("c1.npz.tmp", "c1.p1.npz.tmp", "c1.p2.npz.tmp")]
    others = [clips / name for name in ("c10.npz.tmp", "c1.flip.npz.tmp")]
    for file in (*own, *others):
        file.write_bytes(b"")
    folder.write("c1", array(1)[:, :5])
    assert folder.prepare().rejected
    assert not any(file.exists() for file in own)
    assert all(file.exists() for file in others)
