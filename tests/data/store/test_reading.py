from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from actrec.data.store.clip_source import ClipSource
from actrec.data.store.reading import COLUMNS, read_rows, read_store
from actrec.data.store.writing import write_store
from actrec.types import ActrecError, SkeletonSequence

Make = Callable[..., list[SkeletonSequence]]
INFO = {"dataset": "mine", "raw": "/somewhere"}


def as_sources(sequences: list[SkeletonSequence]) -> list[ClipSource]:
    return [ClipSource(clip.clip_id, clip.source, clip.clip_id, lambda clip=clip: clip) for clip in sequences]


@pytest.fixture
def clips(make_sequences: Make) -> list[SkeletonSequence]:
    return make_sequences(n_labels=2, clips_per_label=4)


@pytest.fixture
def store(tmp_path: Path, clips: list[SkeletonSequence]) -> Path:
    write_store(tmp_path / "store", as_sources(clips), INFO)
    return tmp_path / "store"


def change_row(store: Path, **values: str) -> None:
    rows = read_rows(store / "manifest.csv")
    rows[1].update(values)
    with (store / "manifest.csv").open("w", newline="") as stream:
        writer = csv.DictWriter(stream, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)


def test_what_is_written_is_what_is_read(store: Path, clips: list[SkeletonSequence]) -> None:
    for read, clip in zip(read_store(store), clips, strict=True):
        np.testing.assert_array_equal(read.keypoints, clip.keypoints)
        names = [name for name in vars(clip) if name != "keypoints"]
        assert [getattr(read, name) for name in names] == [getattr(clip, name) for name in names]
    assert not [*store.rglob("*.tmp"), *store.rglob("*.part")]


@pytest.mark.parametrize("split", ["train", "val", "test", ""])
def test_every_split_is_kept(tmp_path: Path, clips: list[SkeletonSequence], split: str) -> None:
    write_store(tmp_path / "s", as_sources([replace(clips[0], split=split)]), INFO)
    assert [clip.split for clip in read_store(tmp_path / "s")] == [split]


def test_columns_are_the_design_s(store: Path) -> None:
    header = (store / "manifest.csv").read_text().splitlines()[0]
    assert header == "clip_id,label,source,group,split,variant,fps,width,height,n_frames,skeleton,file"


def test_fractional_frame_rates_stay(tmp_path: Path, clips: list[SkeletonSequence]) -> None:
    clip = SkeletonSequence(clips[0].keypoints, fps=30000 / 1001, skeleton="coco17", label="a", clip_id="a")
    write_store(tmp_path / "s", as_sources([clip]), INFO)
    assert read_store(tmp_path / "s")[0].fps == 30000 / 1001


def test_a_missing_store_names_the_command(tmp_path: Path) -> None:
    with pytest.raises(ActrecError, match=r"not there.*\n.*actrec\.prepare dataset=sport14 raw=<folder> store="):
        read_store(tmp_path / "none", "sport14")


def test_a_missing_store_tells_what_runs_without_data(tmp_path: Path) -> None:
    with pytest.raises(ActrecError, match=r"\n  python -m actrec\.train experiment=quickstart$"):
        read_store(tmp_path / "none", "sport14")


def test_a_generated_store_is_built_without_raw(tmp_path: Path, clips: list[SkeletonSequence]) -> None:
    with pytest.raises(ActrecError, match=r"actrec\.prepare dataset=made store=\S+none\n"):
        read_store(tmp_path / "none", "made", needs_raw=False)
    write_store(tmp_path / "s", as_sources(clips), {"dataset": "made", "raw": None})
    (tmp_path / "s/manifest.csv").unlink()
    with pytest.raises(ActrecError, match=r"is not finished.*\n.*dataset=made store=\S+/s\n"):
        read_store(tmp_path / "s")


def test_a_missing_file_names_row_and_file(store: Path) -> None:
    (store / "clips" / "label_0_clip_01.npz").unlink()
    with pytest.raises(
        ActrecError, match=r"Row 3 of .*manifest\.csv.*label_0_clip_01\.npz is missing.*\n.*dataset=mine"
    ):
        read_store(store)


@pytest.mark.parametrize(
    ("shape", "fill", "message"),
    [
        ((None, 17, 3), np.nan, "NaN or infinite"),
        ((None, 13, 3), 0.0, "13 joints; its skeleton 'coco17' has 17"),
        ((5, 17, 3), 0.0, r"shape \(5, 17, 3\)"),
        ((None, 17, 2), 0.0, "expected"),
    ],
)
def test_a_wrong_array_names_row_and_file(
    store: Path, clips: list[SkeletonSequence], shape: tuple[int | None, int, int], fill: float, message: str
) -> None:
    file = store / "clips" / "label_0_clip_01.npz"
    np.savez(file, keypoints=np.full((shape[0] or len(clips[1]), *shape[1:]), fill, dtype=np.float32))
    with pytest.raises(ActrecError, match=message) as error:
        read_store(store)
    assert "Row 3" in str(error.value)
    assert str(file) in str(error.value)


def test_a_file_cut_short_is_named(store: Path) -> None:
    file = store / "clips" / "label_0_clip_01.npz"
    file.write_bytes(file.read_bytes()[:200])
    with pytest.raises(ActrecError, match=r"Row 3 .*label_0_clip_01\.npz cannot be read"):
        read_store(store)


@pytest.mark.parametrize(
    "values", [{"fps": "fast"}, {"fps": "-1"}, {"skeleton": "penguin"}, {"split": "exam"}, {"n_frames": ""}]
)
def test_a_wrong_row_is_named(store: Path, values: dict[str, str]) -> None:
    change_row(store, **values)
    with pytest.raises(ActrecError, match="Row 3 of "):
        read_store(store)


def test_other_columns_are_refused(store: Path) -> None:
    (store / "manifest.csv").write_text("clip_id,label\na,b\n")
    with pytest.raises(ActrecError, match="expected clip_id, label, source"):
        read_store(store)


def test_a_later_format_is_refused(store: Path, clips: list[SkeletonSequence]) -> None:
    (store / "store.json").write_text('{"format_version": 99}')
    with pytest.raises(ActrecError, match="format version 99"):
        write_store(store, as_sources(clips), INFO)
