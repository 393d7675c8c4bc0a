"""Finds the videos that a CSV lists."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from actrec.data.sources.folders import distinct_names, files_below, warn_unlisted_files
from actrec.data.sources.segment_table import read_segment_table
from actrec.data.sources.tables import COLUMNS, list_clips, locate
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
        segments: The table of the actions in long videos, see `read_segment_table`; by default `segments.csv` in the
            folder, if there is one.
    """

    source: str = "videos"
    table: str | None = None
    segments: str | None = None

    expected: ClassVar[str] = "a CSV that lists them"

    def __call__(self, raw: Path) -> Iterator[VideoClip]:
        segments = read_segment_table(raw, self.segments)
        table, rows = list_clips(raw, self.table, (*COLUMNS, "fps"), segments)
        files = [locate(raw, row["file"]) for row in rows]
        warn_unlisted_files(raw, files_below(raw).files, files, table, VIDEOS)
        for row, file, name in zip(rows, files, distinct_names([row.path for row in rows]), strict=True):
            fps, problem = 30.0, ""
            try:
                fps = row.rate(fps)
            except ActrecError as error:
                problem = str(error)
            group = row.get("group") or row.stem
            given = segments.of(row["file"], row.get("clip_id")) or ()
            clip_id = row.get("clip_id") or name
            yield VideoClip(file, clip_id, row["label"], group, row.get("split"), fps, problem, given)
