from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actrec.data.store.clip_source import ClipSource
from actrec.data.store.reading import read_store
from actrec.data.store.segments import SEGMENTS, expanded, grouped, packed, unpacked
from actrec.data.store.writing import write_store
from actrec.types import ActrecError, Segment, SkeletonSequence

INFO = {"dataset": "made", "raw": None}


def session(name: str, *segments: Segment, label: str = "squat", n_frames: int = 40) -> SkeletonSequence:
    rng = np.random.default_rng(len(name))
    keypoints = rng.uniform(1, 100, (n_frames, 17, 3)).astype(np.float32)
    keypoints[..., 2] = 1
    repetition = np.linspace(0, 3, n_frames, dtype=np.float32)
    return SkeletonSequence(
        keypoints, 30.0, "coco17", label, name, "made", name, "train", segments=segments, repetition=repetition
    )


ONE = session("one", Segment("squat", 5, 20, 3), Segment("lunges", 20, 38))
TWO = session("two", label="none")


def make(path: Path, *clips: SkeletonSequence, **inputs: object) -> None:
    def loader(clip: SkeletonSequence) -> Callable[[], SkeletonSequence]:
        return lambda: clip

    sources = [
        ClipSource(clip.clip_id, "made", clip.clip_id, loader(clip), content=lambda: "", inputs=inputs)
        for clip in clips
    ]
    write_store(path, sources, INFO)


def test_segments_and_repetitions_come_back(tmp_path: Path) -> None:
    make(tmp_path / "store", ONE, TWO)
    text = (tmp_path / "store" / SEGMENTS).read_text()
    assert text.splitlines() == ["clip_id,label,start,end,repetitions", "one,squat,5,20,3", "one,lunges,20,38,"]
    one, two = read_store(tmp_path / "store")
    assert one.segments == ONE.segments
    assert two.segments == ()
    np.testing.assert_array_equal(one.repetition, ONE.repetition)


def test_a_store_of_single_actions_has_no_segments(tmp_path: Path) -> None:
    make(tmp_path / "store", replace(TWO, repetition=None))
    assert not (tmp_path / "store" / SEGMENTS).exists()
    assert read_store(tmp_path / "store")[0].repetition is None


def test_changed_segments_are_written_again_and_those_of_removed_clips_go(tmp_path: Path) -> None:
    make(tmp_path / "store", ONE, TWO)
    make(tmp_path / "store", replace(ONE, segments=(Segment("squat", 0, 9),)), TWO, version=2)
    make(tmp_path / "store", replace(ONE, segments=(Segment("squat", 0, 9),)), TWO, version=3)
    assert read_store(tmp_path / "store")[0].segments == (Segment("squat", 0, 9),)
    make(tmp_path / "store", TWO, version=3)
    assert not (tmp_path / "store" / SEGMENTS).exists()


@given(st.lists(st.tuples(st.text('ab,"é', max_size=4), st.integers(1, 9), st.none() | st.integers(0, 99)), max_size=5))
def test_rows_are_the_segments(lengths: list[tuple[str, int, int | None]]) -> None:
    start, segments = 0, []
    for label, length, repetitions in lengths:
        segments.append(Segment(label, start, start + length, repetitions))
        start += length
    row = packed("x", segments)
    assert unpacked(row) == tuple(segments)
    assert grouped(list(reversed(expanded([row]))), Path("segments.csv")) == (
        {"x": tuple(segments)} if segments else {}
    )


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ("one,squat,20,5,", r"Row 2 of .*ends before it begins"),
        (
            "one,squat,5,99,",
            r"Row 2 of .*segments\.csv \(clip 'one'\) .* ends at frame 99, beyond the clip's 40 frames",
        ),
        (
            "one,squat,5,20,\none,lunges,15,30,",
            r"Rows 2 and 3 of .* \(clip 'one'\) overlap: 'squat' ends at frame 20, and 'lunges' begins at 15",
        ),
        ("one,squat,5,20,-1", "-1 repetitions"),
        ("one,squat,-5,20,", r"Row 2 of .*begins at frame -5, before the clip"),
        ("nobody,squat,5,20,", "'nobody', which is not in manifest.csv"),
        ("one,squat,half,20,", "whole numbers of frames"),
        ("one,squat,5", "cut short"),
    ],
)
def test_wrong_rows_are_told(row: str, told: str, tmp_path: Path) -> None:
    make(tmp_path / "store", ONE, TWO)
    (tmp_path / "store" / SEGMENTS).write_text(f"clip_id,label,start,end,repetitions\n{row}\n")
    with pytest.raises(ActrecError, match=told):
        read_store(tmp_path / "store")


@given(st.data())
def test_a_cut_keeps_the_labels_of_its_frames(data: st.DataObject) -> None:
    start = data.draw(st.integers(0, 38))
    end = data.draw(st.integers(start + 1, 40))

    def labels(clip: SkeletonSequence) -> list[str]:
        found = ["none"] * len(clip)
        for each in clip.segments:
            found[each.start : each.end] = [each.label] * (each.end - each.start)
        return found

    part = ONE.cut(start, end)
    assert labels(part) == labels(ONE)[start:end]
    assert ONE.repetition is not None
    np.testing.assert_array_equal(part.repetition, ONE.repetition[start:end])
    for each in part.segments:
        whole = Segment(each.label, each.start + start, each.end + start, each.repetitions)
        assert each.repetitions is None or whole in ONE.segments
