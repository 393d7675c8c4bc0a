from __future__ import annotations

from pathlib import Path

import pytest

from actrec.data.sources.class_folders import ClassFolders
from actrec.data.sources.video_table import VideoTable
from actrec.data.sources.videos import Videos
from actrec.types import ActrecError, SetupError
from actrec.video.augmentation import Flip, Tempo
from actrec.video.extraction import Extractor
from tests.data.blobs import Blobs, walker, write_blobs
from tests.data.sources.written import touch


class TestVideos:
    def test_a_clip_has_its_variants_unless_it_is_for_testing(self, tmp_path: Path) -> None:
        rows = "file,label,split\na.mp4,x,train\nb.mp4,x,test\nc.mp4,x,\nd.mp4,x,val\n"
        (tmp_path / "labels.csv").write_text(rows)
        importer = Videos(VideoTable(), Extractor(Blobs("yolo11n")), {"flip": Flip(), "tempo": Tempo()})
        ids = [source.clip_id for source in importer(tmp_path)]
        assert ids == ["a", "a.flip", "a.tempo", "b", "c", "c.flip", "c.tempo", "d"]

    def test_a_sequence_has_all_that_is_known_of_its_clip(self, tmp_path: Path) -> None:
        write_blobs(tmp_path / "squat" / "a.mp4", walker)
        importer = Videos(ClassFolders(), Extractor(Blobs("yolo11n")), {"flip": Flip()})
        plain, flipped = (source.load() for source in importer(tmp_path))
        assert (plain.label, plain.group, plain.variant, plain.split) == ("squat", "squat/a", "original", "")
        assert (flipped.label, flipped.group, flipped.variant) == ("squat", "squat/a", "flip")

    def test_nothing_there(self, tmp_path: Path) -> None:
        with pytest.raises(ActrecError, match=r"There are no videos in .*; expected a folder for each class.{,80}$"):
            Videos(ClassFolders())(tmp_path)

    def test_without_an_extractor_nothing_is_read(self, tmp_path: Path) -> None:
        with pytest.raises(SetupError, match="extractor is null"):
            Videos(ClassFolders())(touch(tmp_path, "a/b.mp4"))[0].load()
