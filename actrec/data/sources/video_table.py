"""Finds the videos that a CSV lists."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from actrec.data.sources.folders import distinct_names, files_below, warn_unlisted_files
from actrec.data.sources.tables import COLUMNS, locate, read_table
from actrec.data.sources.videos import VideoClip
from actrec.types import ActrecError
from actrec.video.video import VIDEOS


@dataclass(frozen=True)
class VideoTable:
    """Finds the videos that a CSV lists, one row for each clip.

    The columns `file` (relative to the folder) and `label` are required; clip_id, group, split and fps (of folders of
    pictures) are optional.

    Attributes:
        table: The CSV; by default `labels.csv` in the folder.
    """

    source: str = "videos"
    table: str | None = None

    expected: ClassVar[str] = "a CSV that lists them"

    def __call__(self, raw: Path) -> Iterator[VideoClip]:
        table = Path(self.table).expanduser() if self.table else raw / "labels.csv"
        rows = read_table(table, (*COLUMNS, "fps"))
        files = [locate(raw, row["file"]) for row in rows]
        warn_unlisted_files(raw, files_below(raw).files, files, table, VIDEOS)
        for row, file, name in zip(rows, files, distinct_names([row.path for row in rows]), strict=True):
            fps, problem = 30.0, ""
            try:
                fps = row.rate(fps)
            except ActrecError as error:
                problem = str(error)
            group = row.get("group") or row.stem
            yield VideoClip(
                file, row.get("clip_id") or name, row["label"], group, row.get("split"), fps, problem=problem
            )
