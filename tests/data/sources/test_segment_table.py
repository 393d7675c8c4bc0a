from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actrec.data.build_store import prepare
from actrec.data.sources.class_folders import ClassFolders
from actrec.data.sources.labels import LabelMap
from actrec.data.sources.segment_table import read_segment_table
from actrec.data.sources.skeleton_table import SkeletonTable
from actrec.data.sources.video_table import VideoTable
from actrec.data.sources.videos import Videos
from actrec.data.store.given_segments import GivenSegment, pack, place
from actrec.data.store.reading import read_store
from actrec.data.store.summary import StoreSummary
from actrec.types import ActrecError, Segment, SkeletonSequence
from actrec.video.augmentation import Tempo
from actrec.video.extraction import Extractor
from tests.data.blobs import Blobs, walker, write_blobs
from tests.data.sources.written import told, touch

HEADER = "file,label,start,end,repetitions\n"


def write(folder: Path, rows: str, header: str = HEADER) -> Path:
    (folder / "segments.csv").write_text(header + rows, encoding="utf-8")
    return folder


def clip(n_frames: int = 300, fps: float = 30.0) -> SkeletonSequence:
    return SkeletonSequence(np.ones((n_frames, 17, 3), np.float32), fps, "coco17", clip_id="a")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("12s", 12),
        ("12.5 s", 12.5),
        ("12,5s", 12.5),
        ("0:12.5", 12.5),
        ("1:02", 62),
        ("1:02:03", 3723),
        ("90:00", 5400),
    ],
)
def test_times(text: str, seconds: float, tmp_path: Path) -> None:
    header = "file;label;start;end\n"
    (given,) = read_segment_table(write(tmp_path, f"a;x;0:00;{text}\n", header), None).clips["a"]
    assert (given.start, given.end, given.in_seconds) == (0, seconds, True)


def test_rows_may_be_in_any_order_and_none_is_no_action(tmp_path: Path) -> None:
    rows = "x\\a.mp4,lunge,90,120,\nx/a.mp4,squat,10,80,7\nx/a.mp4,,80,90,\nx/a.mp4,none,120,300,\nb.mp4,none,0,5,\n"
    table = read_segment_table(write(tmp_path, rows), None)
    assert table.of("x/a.mp4") == (
        GivenSegment("squat", 10, 80, 7, False, 3),
        GivenSegment("", 80, 90, None, False, 4),
        GivenSegment("lunge", 90, 120, None, False, 2),
    )
    assert table.of("b.mp4") == ()
    assert table.of("c.mp4") is None


def test_all_wrong_rows_are_told(tmp_path: Path) -> None:
    rows = [
        *(
            "a,squat,20,5,",
            "a,squat,5,20,-1",
            "a,squat,5,half,",
            "a,squat,12.5,20,",
            "a,squat,5,0:20,",
            "a,squat,0:75,2:00,",
        ),
        *(",squat,5,20,", "a,squat,30,40,many", "b,squat,5,20,", "b,lunge,19,30,", "c,squat,1,2,", "c,squat,3s,4s,"),
        "d,squat,5,,",
    ]
    with pytest.raises(ActrecError) as caught:
        read_segment_table(write(tmp_path, "\n".join(rows)), None)
    message = str(caught.value)
    assert message.startswith(f"11 rows of {tmp_path / 'segments.csv'} are wrong:")
    for part in (
        *("row 2: it ends before it begins: start 20, end 5", "row 3: repetitions is '-1'", "row 4: end is 'half'"),
        *("row 5: start is '12.5'; expected a frame (375), seconds (12.5s)", "row 6: of start and end, one is a frame"),
        *("row 7: start is '0:75'", "row 8: it has no file", "row 9: repetitions is 'many'"),
        "row 11: the segment 'lunge' from frame 19 to 30 overlaps row 10, the segment 'squat' from frame 5 to 20",
        *("rows 12 and 13: of one clip, one is in frames and one in times", "row 14: end is ''"),
    ):
        assert f"\n  {part}" in message


def test_wrong_tables_are_told(tmp_path: Path) -> None:
    assert read_segment_table(tmp_path, None).clips == {}
    with pytest.raises(ActrecError, match=r"no table of segments .*x\.csv"):
        read_segment_table(tmp_path, str(tmp_path / "x.csv"))
    with pytest.raises(
        ActrecError, match=r"has the columns file, label, begin; expected file \(or clip_id\), label, start"
    ):
        read_segment_table(write(tmp_path, "a,b,c\n", "file,label,begin\n"), None)
    table = read_segment_table(write(tmp_path, "a,,x,1,2\n,one,x,3,4\n", "file,clip_id,label,start,end\n"), None)
    with pytest.raises(ActrecError, match="rows of a by its file and others by its clip_id"):
        table.check([("a", "one")])


@given(
    st.lists(st.tuples(st.floats(0.04, 3), st.floats(0.04, 3)), max_size=5),
    st.sampled_from([15.0, 24000 / 1001, 30.0]),
)
def test_times_are_the_nearest_frames(lengths: list[tuple[float, float]], fps: float) -> None:
    time, rows = 0.0, []
    for gap, length in lengths:
        rows.append(GivenSegment("x", time + gap, time + gap + length, None, True))
        time += gap + length + 0.1
    placed = place(clip(round(time * fps) + 9, fps), pack(rows)).segments
    for row, segment in zip(rows, placed, strict=True):
        assert abs(segment.start / fps - row.start) <= 0.51 / fps
        assert abs(segment.end / fps - row.end) <= 1.01 / fps


def test_what_is_beyond_the_clip() -> None:
    assert place(clip(), pack([GivenSegment("x", 1.0, 10.9, 3, True)])).segments == (Segment("x", 30, 300, 3),)
    for segment, what in [
        (
            GivenSegment("x", 1.0, 11.1, None, True, 7),
            r"Row 7 .*'x' from 1 s to 11\.1 s; it has 300 frames \(10\.00 s\)",
        ),
        (GivenSegment("x", 10.0, 10.5, None, True, 7), "Row 7 "),
        (GivenSegment("x", 9, 301, None, False, 8), "Row 8 .*'x' from frame 9 to 301"),
    ]:
        with pytest.raises(ActrecError, match=what):
            place(clip(), pack([segment]))


class TestImporters:
    def test_videos_need_no_other_table(self, tmp_path: Path) -> None:
        touch(tmp_path, "long.mp4", "x/idle.mp4")
        write(tmp_path, "long.mp4,squat,1s,9s,\nlong.mp4,lunge,9s,11s,\nx/idle.mp4,none,0,9,\n")
        assert told(VideoTable()(tmp_path)) == [("long", "squat", "long", ""), ("x/idle", "none", "x/idle", "")]

    def test_labels_of_clips_with_segments_may_be_empty(self, tmp_path: Path) -> None:
        touch(tmp_path, "long.mp4", "short.mp4")
        (tmp_path / "labels.csv").write_text("file,clip_id,label,group\nlong.mp4,one,,anna\nshort.mp4,,squat,ben\n")
        write(tmp_path, "one,lunge,1s,9s\n", "clip_id,label,start,end\n")
        assert told(VideoTable()(tmp_path)) == [("one", "lunge", "anna", ""), ("short", "squat", "ben", "")]
        (tmp_path / "segments.csv").unlink()
        with pytest.raises(ActrecError, match=r"Row 2 of .*label ''"):
            list(VideoTable()(tmp_path))

    def test_class_folders_beside_long_videos(self, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
        touch(tmp_path, "long.mp4", "squat/a.mp4", "sessions/b.mp4")
        write(tmp_path, "long.mp4,squat,1s,9s,\nsessions/b.mp4,lunge,1,5,\n")
        assert sorted(told(ClassFolders()(tmp_path))) == [
            *(("long", "squat", "long", ""), ("sessions/b", "lunge", "sessions/b", "")),
            ("squat/a", "squat", "squat/a", ""),
        ]
        assert "Skipped" not in caplog.text
        write(tmp_path, "lang.mp4,squat,1s,9s,\nlong.mp4,squat,1,2,")
        with pytest.raises(ActrecError, match=r"segments of clips that are not there: lang\.mp4\."):
            list(ClassFolders()(tmp_path))

    def test_videos_and_their_variants_have_their_segments(self, tmp_path: Path) -> None:
        write_blobs(tmp_path / "a.mp4", walker)
        write(tmp_path, "a.mp4,walk,0.4s,0.72s,2\n")
        importer = Videos(VideoTable(), Extractor(Blobs("yolo11n")), {"tempo": Tempo((1.25, 1.25))})
        assert make(tmp_path, importer).updated == 0
        plain, faster = read_store(tmp_path / "store")
        assert plain.segments == (Segment("walk", 10, 18, 2),)
        assert faster.segments == (Segment("walk", 8, 14, 2),)
        write(tmp_path, "a.mp4,walk,0,999,2\n")
        with pytest.raises(ActrecError, match=r"of 2 clips are wrong:\n  .*a\.mp4: Row 2 of its segments is beyond"):
            make(tmp_path, importer)
        everybody = Videos(VideoTable(), Extractor(Blobs("yolo11n"), person="all"))
        with pytest.raises(ActrecError, match=r"person=all keeps several"):
            everybody(tmp_path)


def make(folder: Path, importer: Videos | SkeletonTable) -> StoreSummary:
    return prepare("mine", folder, folder / "store", importer, LabelMap(), "coco17")


@pytest.fixture
def arrays(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    for name in "ab":
        np.save(tmp_path / f"{name}.npy", rng.uniform(1, 99, (60, 17, 2)))
    return write(tmp_path, "a.npy,squat,10,40,4\nb.npy,none,0,60,\n")


def test_changed_segments_are_written_and_no_file_is_read_again(arrays: Path) -> None:
    assert make(arrays, SkeletonTable()).written == 2
    one, two = read_store(arrays / "store")
    assert (one.label, one.segments) == ("squat", (Segment("squat", 10, 40, 4),))
    assert (two.label, two.segments) == ("none", ())
    write(arrays, "a.npy,squat,0:00,0:01,4\na.npy,lunge,0:01.5,0:02,\nb.npy,none,0,60,\n")
    again = make(arrays, SkeletonTable())
    assert (again.written, again.tried, again.updated) == (0, 0, 1)
    assert read_store(arrays / "store")[0].segments == (Segment("squat", 0, 30, 4), Segment("lunge", 45, 60))
    assert make(arrays, SkeletonTable()).updated == 0
    write(arrays, "b.npy,none,0,60,\n")
    (arrays / "labels.csv").write_text("file,label\na.npy,squat\nb.npy,\n")
    assert make(arrays, SkeletonTable()).updated == 1
    assert not (arrays / "store" / "segments.csv").exists()


def test_clips_whose_segments_do_not_fit_are_kept_until_they_are_corrected(arrays: Path) -> None:
    write(arrays, "a.npy,squat,10,400,4\nb.npy,lunge,0,60,\n")
    for _ in range(2):
        with pytest.raises(ActrecError, match=r"of 1 clips are wrong:\n  .*a\.npy: Row 2 .* has 60 frames.*\nCorrect"):
            make(arrays, SkeletonTable())
        assert not (arrays / "store" / "manifest.csv").exists()
    write(arrays, "a.npy,squat,10,40,4\nb.npy,lunge,0,60,\n")
    assert make(arrays, SkeletonTable()).tried == 0
    assert read_store(arrays / "store")[0].segments == (Segment("squat", 10, 40, 4),)
    write(arrays, "a.npy,squat,10,61,4\nb.npy,lunge,0,60,\n")
    with pytest.raises(ActrecError, match="Row 2"):
        make(arrays, SkeletonTable())
    write(arrays, "a.npy,squat,10,60,4\nb.npy,lunge,0,60,\n")
    assert make(arrays, SkeletonTable()).tried == 0


def test_a_store_made_before_there_were_segments_gets_them(arrays: Path) -> None:
    (arrays / "labels.csv").write_text("file,label\na.npy,squat\nb.npy,squat\n")
    (arrays / "segments.csv").rename(arrays / "later.csv")
    make(arrays, SkeletonTable())
    sources = arrays / "store" / "sources.csv"
    earlier = sources.read_text().replace(', ""segments"": ""[]""', "")
    assert "segments" not in earlier
    sources.write_text(earlier)
    assert make(arrays, SkeletonTable()).updated == 0
    sources.write_text(earlier)
    (arrays / "later.csv").rename(arrays / "segments.csv")
    assert make(arrays, SkeletonTable()).tried == 0
    assert read_store(arrays / "store")[0].segments == (Segment("squat", 10, 40, 4),)
