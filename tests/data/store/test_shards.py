"""A store that is killed while it is made, or made in shards, is the store that one clean run makes."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

from actrec.data.build_store import outcome, prepare
from actrec.data.sources.class_folders import ClassFolders
from actrec.data.sources.labels import LabelMap
from actrec.data.sources.video_table import VideoTable
from actrec.data.sources.videos import Videos
from actrec.data.store.reading import read_store
from actrec.data.store.summary import StoreSummary
from actrec.data.store.writing import Shard
from actrec.types import ActrecError
from actrec.video.augmentation import Flip
from actrec.video.extraction import Extractor
from tests.data.blobs import Blobs, walker, write_blobs

# Imports first, then forks a child for each attempt, so that a kill is sure to fall into the work.
_KILLS = """
    import os, random, signal, sys, time
    from pathlib import Path
    from tests.data.store.test_shards import make
    import ultralytics.trackers.byte_tracker, av

    raw, store = Path(sys.argv[1]), Path(sys.argv[2])
    draw, killed = random.Random(0), 0
    while True:
        child = os.fork()
        if not child:
            make(raw, store)
            os._exit(0)
        if killed < 10:
            time.sleep(draw.uniform(0.01, 0.08))
            os.kill(child, signal.SIGKILL)
        killed += (ended := os.waitpid(child, 0)[1]) == signal.SIGKILL
        if not ended:
            break
    print(killed)
"""


def make(raw: Path, store: Path, shard: Shard | None = None, **options: object) -> StoreSummary:
    extractor = Extractor(Blobs("yolo11n"), **options)
    importer = Videos(ClassFolders(), extractor, {"flip": Flip()})
    return prepare("folder", raw, store, importer, LabelMap(), "coco17", 0.5, shard=shard)


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve videos, one of two people, one of nobody and one that is none."""
    folder = tmp_path_factory.mktemp("raw")
    for number in range(10):
        write_blobs(folder / f"label_{number % 2}" / f"v{number:02d}.mp4", walker, n_frames=20 + number)
    write_blobs(folder / "label_0" / "two.mp4", lambda n: [(2, 8, 14, 40), (40, 8, 58, 40)])
    write_blobs(folder / "label_1" / "nobody.mp4", lambda n: [None])
    (folder / "label_1" / "text.mp4").write_text("no video\n")
    return folder


@pytest.fixture(scope="module")
def clean(raw: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    store = tmp_path_factory.mktemp("clean") / "store"
    summary = make(raw, store)
    assert (len(summary.rows), len(summary.rejected)) == (22, 2)
    return store


def contents(store: Path) -> dict[str, bytes]:
    """Every file of a store; the arrays as they are, and not with the times of their archives."""
    files = {path.relative_to(store).as_posix(): path for path in store.rglob("*") if path.is_file()}
    return {
        name: np.load(path)["keypoints"].tobytes() if path.suffix == ".npz" else path.read_bytes()
        for name, path in files.items()
        if path.suffix != ".tmp"
    }


def test_ten_kills_make_no_difference(raw: Path, clean: Path, tmp_path: Path) -> None:
    script = [sys.executable, "-c", textwrap.dedent(_KILLS), str(raw), str(tmp_path / "store")]
    done = subprocess.run(script, capture_output=True, text=True, timeout=300, cwd=Path(__file__).parents[3])
    assert done.returncode == 0, done.stderr[-2000:]
    assert int(done.stdout.split()[-1]) == 10
    assert contents(tmp_path / "store") == contents(clean)


def test_two_shares_make_the_same_store_in_either_order(raw: Path, clean: Path, tmp_path: Path) -> None:
    for order in ([0, 1], [1, 0]):
        store = tmp_path / f"store{order[0]}"
        first = make(raw, store, Shard(order[0], 2))
        assert first.missing > 0
        with pytest.raises(ActrecError, match="is not finished"):
            read_store(store)
        assert make(raw, store, Shard(order[1], 2)).missing == 0
        assert contents(store) == contents(clean)


def test_a_second_run_reads_no_video(raw: Path, clean: Path) -> None:
    before = contents(clean)
    Blobs.seen.clear()
    summary = make(raw, clean)
    assert (summary.written, Blobs.seen) == (0, [])
    assert len(summary.rejected) == 2
    assert contents(clean) == before


def test_a_rejected_video_that_was_replaced_is_read_again(raw: Path, tmp_path: Path) -> None:
    folder = tmp_path / "raw" / "a"
    folder.mkdir(parents=True)
    write_blobs(folder / "good.mp4", walker)
    (folder / "bad.mp4").write_bytes(b"")
    assert list(make(tmp_path / "raw", tmp_path / "store").rejected) == [str(folder / "bad.mp4")]
    write_blobs(folder / "bad.mp4", walker)
    summary = make(tmp_path / "raw", tmp_path / "store")
    assert (summary.written, summary.rejected) == (2, {})
    assert {clip.clip_id for clip in read_store(tmp_path / "store")} == {
        "a_good", "a_good.flip", "a_bad", "a_bad.flip"
    }  # fmt: skip


def test_labels_that_were_mended_need_no_video_read_and_a_video_that_was_replaced_is(tmp_path: Path) -> None:
    def run() -> tuple[str, int]:
        Blobs.seen.clear()
        importer = Videos(VideoTable(), Extractor(Blobs("yolo11n"), person="all"), {"flip": Flip()})
        done = outcome(prepare("videos", tmp_path, tmp_path / "store", importer, LabelMap(), "coco17"), Path("s"))
        return done, len(Blobs.seen)

    write_blobs(tmp_path / "a.mp4", walker)
    write_blobs(tmp_path / "b.mp4", lambda n: [(2, 8, 14, 40), (40, 8, 58, 40)])
    table = tmp_path / "labels.csv"
    table.write_text("file,label,group\na.mp4,wave,anna\nb.mp4,wave,ben\n")
    assert run()[0] == "6 clips written to s: 6 new."
    table.write_text("file,label,group\na.mp4,wave,anna\nb.mp4,nod,anna\n")
    assert run() == ("s was brought up to date: 4 with another label, group, split or segments.", 0)
    clips = read_store(tmp_path / "store")
    assert [(clip.clip_id, clip.label) for clip in clips] == [
        ("a.p1", "wave"), ("a.flip.p1", "wave"), ("b.p1", "nod"), ("b.p2", "nod"), ("b.flip.p1", "nod"),
        ("b.flip.p2", "nod"),
    ]  # fmt: skip
    assert {clip.group for clip in clips} == {"anna"}
    write_blobs(tmp_path / "b.mp4", walker)  # one person fewer
    assert run()[0] == "2 clips written to s: 2 whose source changed; 2 removed."
    table.write_text("file,label,group,split\na.mp4,wave,anna,test\nb.mp4,nod,anna,test\n")  # no variants in test
    assert run() == ("s was brought up to date: 2 with another label, group, split or segments; 2 removed.", 0)
    assert run() == ("s was already complete.", 0)


def test_all_people_of_a_video_are_clips_of_one_group(raw: Path, tmp_path: Path) -> None:
    make(raw, tmp_path / "store", person="all")
    two = [clip for clip in read_store(tmp_path / "store") if clip.clip_id.startswith("label_0_two")]
    names = ["label_0_two.p1", "label_0_two.p2", "label_0_two.flip.p1", "label_0_two.flip.p2"]
    assert [clip.clip_id for clip in two] == names
    assert len({clip.group for clip in two}) == 1
    assert [clip.variant for clip in two] == ["original", "original", "flip", "flip"]


def test_shards_of_a_store_made_otherwise_are_refused(raw: Path, tmp_path: Path) -> None:
    make(raw, tmp_path / "store", Shard(0, 2))
    importer = Videos(ClassFolders(), Extractor(Blobs("yolo11n")))
    with pytest.raises(ActrecError, match=r"was made differently: its options\.a is None, and now 1 is wanted"):
        prepare("folder", raw, tmp_path / "store", importer, LabelMap(), "coco17", options={"a": 1}, shard=Shard(1, 2))


@pytest.mark.parametrize("text", ["2/2", "a/2", "1", "-1/2", "1/0"])
def test_shards_that_are_none(text: str) -> None:
    with pytest.raises(ActrecError, match="shard"):
        Shard.parse(text)
