"""Imports a folder of keypoint arrays that a CSV lists."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from actrec.data.sources.arrays import ARRAYS, load_array, with_confidence
from actrec.data.sources.folders import distinct_names, files_below, warn_unlisted_files
from actrec.data.sources.segment_table import read_segment_table
from actrec.data.sources.tables import COLUMNS, Row, check_rate, list_clips, locate
from actrec.data.store.clip_source import ClipSource
from actrec.data.store.given_segments import GivenSegment, pack
from actrec.skeleton import get_skeleton
from actrec.types import ActrecError, SkeletonSequence


@dataclass(frozen=True)
class SkeletonTable:
    """Imports `.npy` or `.npz` arrays that a CSV lists, one row for each clip.

    The columns `file` (relative to the folder) and `label` are required; clip_id, group, split, fps, source, width and
    height are optional. An array is (frame, joint, 3) with x, y and confidence, or (frame, joint, 2); in three
    dimensions it is (frame, joint, 4) with x, y, z and confidence. A joint is unobserved where a value is NaN, and in
    an array without confidences where all coordinates are 0.

    Attributes:
        skeleton: The joint layout of the arrays.
        fps: Frames per second of clips for which the CSV gives none.
        table: The CSV; by default `labels.csv` in the folder.
        segments: The table of the actions in long clips, see `read_segment_table`; by default `segments.csv` in the
            folder, if there is one.
        coordinates: Coordinates of arrays of three values: 2 for x, y and confidence, 3 for x, y and z.
    """

    skeleton: str = "coco17"
    fps: float = 30.0
    table: str | None = None
    segments: str | None = None
    coordinates: int = 2

    def __post_init__(self) -> None:
        check_rate(self.fps)
        if self.coordinates not in (2, 3):
            raise ActrecError(f"The importer's coordinates are {self.coordinates!r}; expected 2 or 3.")

    def __call__(self, raw: Path) -> list[ClipSource]:
        segments = read_segment_table(raw, self.segments)
        table, rows = list_clips(raw, self.table, (*COLUMNS, "fps", "source", "width", "height"), segments)
        files = [locate(raw, row["file"]) for row in rows]
        warn_unlisted_files(raw, files_below(raw).files, files, table, ARRAYS)
        names = distinct_names([row.path for row in rows])
        return [
            self._source(file, row, name, segments.of(row["file"], row.get("clip_id")) or ())
            for file, row, name in zip(files, rows, names, strict=True)
        ]

    def _source(self, file: Path, row: Row, name: str, segments: Sequence[GivenSegment]) -> ClipSource:
        return ClipSource(
            row.get("clip_id") or name,
            row.get("source") or "csv",
            str(file),
            partial(self._load, file, row, name),
            row={
                "label": row["label"],
                "group": row.get("group") or row.stem,
                "split": row.get("split"),
                "segments": pack(segments),
            },
            inputs={
                "fps": row.get("fps") or self.fps,
                "width": row.get("width") or 0,
                "height": row.get("height") or 0,
                "layout": self.skeleton,
                "coordinates": self.coordinates,
            },
        )

    def _load(self, file: Path, row: Row, name: str) -> SkeletonSequence:
        keypoints = with_confidence(load_array(file), get_skeleton(self.skeleton), self.coordinates)
        width, height = (row.pixels("width"), row.pixels("height")) if keypoints.shape[2] == 3 else (0, 0)
        return SkeletonSequence(
            keypoints,
            fps=row.rate(float(self.fps)),
            skeleton=self.skeleton,
            clip_id=row.get("clip_id") or name,
            label=row["label"],
            group=row.get("group") or row.stem,
            split=row.get("split"),
            width=width,
            height=height,
        )
