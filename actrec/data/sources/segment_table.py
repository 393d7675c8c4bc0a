"""Reads a user's `segments.csv`, which tells where in long clips the actions are."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path, PurePosixPath

from actrec.data.sources.csv_files import Cells, read_records
from actrec.data.sources.labels import clean_label
from actrec.data.store.given_segments import GivenSegment
from actrec.types import NONE, ActrecError

FILE = "segments.csv"
_NEEDED = ("label", "start", "end")
_FRAME = re.compile(r"\d+", re.ASCII)
_SECONDS = re.compile(r"(\d+(?:[.,]\d+)?)\s*s", re.ASCII)
_CLOCK = re.compile(r"(?:(\d+):)?(\d+):(\d\d?(?:[.,]\d+)?)", re.ASCII)
_EXPECTED = "expected a frame (375), seconds (12.5s) or a time (0:12.5, 1:02:03)"


@dataclass(frozen=True)
class SegmentTable:
    """The segments of clips, empty if there is no table.

    Attributes:
        clips: The segments of each clip, in order, by the clip's file or id as the table gives it.
        files: The clips that are given by their files, and a row of each.
    """

    path: Path = Path(FILE)
    clips: Mapping[str, tuple[GivenSegment, ...]] = field(default_factory=dict)
    files: Mapping[str, int] = field(default_factory=dict)

    def of(self, file: str, clip_id: str = "") -> tuple[GivenSegment, ...] | None:
        """Returns the segments of a clip, in order; none for one without action, and None if it has no rows.

        Args:
            file: Its path, relative to the folder.
        """
        return self.clips.get(_name(file), self.clips.get(clip_id) if clip_id else None)

    def check(self, clips: Iterable[tuple[str, str]]) -> None:
        """Raises an ActrecError if the table has rows of clips that are not among these files and ids."""
        names = [(_name(file), clip_id) for file, clip_id in clips]
        twice = [file for file, clip_id in names if file != clip_id and {file, clip_id} <= self.clips.keys()]
        if twice:
            raise ActrecError(f"{self.path} has rows of {twice[0]} by its file and others by its clip_id. Use one.")
        unknown = [name for name in self.clips if name not in {name for both in names for name in both}]
        if unknown:
            raise ActrecError(
                f"{self.path} has segments of clips that are not there: {', '.join(unknown)}. Give the path of the "
                "file, relative to the folder, or the clip_id."
            )


def read_segment_table(raw: Path, table: str | None) -> SegmentTable:
    """Reads the table; by default `segments.csv` in the folder, if there is one.

    The columns label, start and end are required, and file or clip_id; repetitions is optional. Start and end are
    frames, or times. Rows of one clip may be in any order; an empty label is of frames that nobody has labelled.

    Raises:
        ActrecError: The table does not exist, or rows are wrong, all of which are listed.
    """
    path = Path(table).expanduser() if table else raw / FILE
    if not path.is_file():
        if table:
            raise ActrecError(f"There is no table of segments {path}. Correct segments=…, or leave it out.")
        return SegmentTable(path)
    header, records = read_records(path)
    missing = [name for name in _NEEDED if name not in header]
    if missing or not {"file", "clip_id"} & set(header):
        raise ActrecError(
            f"{path} has the columns {', '.join(header) or 'none'}; expected file (or clip_id), label, start, end and "
            "repetitions, which is optional."
        )
    clips: dict[str, list[GivenSegment]] = {}
    wrong: list[str] = []
    for number, cells in records:
        try:
            clips.setdefault(_clip(cells), []).append(_segment(number, cells))
        except ActrecError as error:
            wrong.append(f"row {number}: {error}")
    ordered = {clip: sorted(rows, key=lambda each: (each.start, each.end)) for clip, rows in clips.items()}
    wrong += [reason for rows in ordered.values() for reason in _overlaps(rows)]
    if wrong:
        listed = "".join(f"\n  {reason}" for reason in wrong)
        raise ActrecError(f"{len(wrong)} rows of {path} are wrong:{listed}")
    actions = {clip: tuple(each for each in rows if each.label != NONE) for clip, rows in ordered.items()}
    files = {_name(cells["file"]): number for number, cells in records if cells.get("file")}
    return SegmentTable(path, actions, files)


def _clip(cells: Cells) -> str:
    name = _name(cells.get("file", "")) or cells.get("clip_id", "")
    if not name:
        raise ActrecError("it has no file; give its path, relative to the folder.")
    return name


def _name(file: str) -> str:
    return unicodedata.normalize("NFC", str(PurePosixPath(file.replace("\\", "/")))) if file else ""


def _segment(number: int, cells: Cells) -> GivenSegment:
    (start, timed), (end, also_timed) = (_position(cells.get(name, ""), name) for name in ("start", "end"))
    if timed != also_timed:
        raise ActrecError("of start and end, one is a frame and one a time. Give two frames, or two times.")
    if end <= start:
        raise ActrecError(f"it ends before it begins: start {cells['start']}, end {cells['end']}.")
    count = cells.get("repetitions", "")
    if count and not _FRAME.fullmatch(count):
        raise ActrecError(f"repetitions is '{count}'; expected a whole number, 0 or more, or an empty cell.")
    label = clean_label(cells.get("label", ""))
    return GivenSegment(label, start, end, int(count) if count else None, timed, number)


def _position(text: str, name: str) -> tuple[float, bool]:
    """Returns a frame, or a time in seconds, and whether it is a time."""
    if _FRAME.fullmatch(text):
        return float(text), False
    if match := _SECONDS.fullmatch(text):
        return float(match[1].replace(",", ".")), True
    match = _CLOCK.fullmatch(text)
    if match is None or float(match[3].replace(",", ".")) >= 60 or (match[1] and int(match[2]) >= 60):
        raise ActrecError(f"{name} is '{text}'; {_EXPECTED}.")
    seconds = float(match[3].replace(",", "."))
    return 3600 * int(match[1] or 0) + 60 * int(match[2]) + seconds, True


def _overlaps(rows: Sequence[GivenSegment]) -> Iterable[str]:
    for before, after in pairwise(rows):
        if before.in_seconds != after.in_seconds:
            yield f"rows {before.row} and {after.row}: of one clip, one is in frames and one in times. Give all alike."
        elif after.start < before.end:
            yield f"row {after.row}: {after} overlaps row {before.row}, {before}."
