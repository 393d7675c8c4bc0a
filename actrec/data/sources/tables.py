"""Reads and checks the CSVs that list clips, as a `Row` for each clip."""

from __future__ import annotations

import difflib
import logging
import os
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from actrec.data.sources.csv_files import Cells, read_records
from actrec.data.sources.labels import clean_label
from actrec.data.sources.official_splits import split_named
from actrec.data.sources.segment_table import SegmentTable
from actrec.data.store.segments import main_label
from actrec.types import FARTHEST, ActrecError

log = logging.getLogger(__name__)

COLUMNS = ("file", "label", "clip_id", "group", "split")
RATES = (0.0, 1000.0)  # frames per second; the first is excluded
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True)
class Row:
    """A row of a CSV, which describes a clip.

    Attributes:
        cells: Text by column; empty cells are left out.
    """

    table: Path
    number: int
    cells: Mapping[str, str]

    def __getitem__(self, column: str) -> str:
        return self.cells[column]

    def get(self, column: str) -> str:
        """Returns the text of a cell, empty if there is none."""
        return self.cells.get(column, "")

    @property
    def path(self) -> PurePosixPath:
        """The file's path, with slashes even if it was written with backslashes."""
        return PurePosixPath(self["file"].replace("\\", "/"))

    @property
    def stem(self) -> str:
        """The file's path without its ending."""
        return str(self.path.with_suffix(""))

    def rate(self, default: float) -> float:
        """Returns the frames per second, the default for an empty cell; raises an ActrecError if it is no rate."""
        expected = f"a number above {RATES[0]:g} and at most {RATES[1]:g}"
        value = self._number("fps", expected, default)
        if not RATES[0] < value <= RATES[1]:
            raise self._wrong("fps", expected)
        return value

    def pixels(self, column: str) -> int:
        """Returns a side length of the picture, 0 for an empty cell; raises an ActrecError if it is none."""
        expected = f"a whole number of pixels, at most {FARTHEST:,.0f}"
        value = self._number(column, expected, 0.0)
        if not (0 <= value <= FARTHEST and value == int(value)):
            raise self._wrong(column, expected)
        return int(value)

    def _number(self, column: str, expected: str, default: float) -> float:
        text = self.get(column)
        if text.count(",") == 1 and "." not in text:
            text = text.replace(",", ".")  # a decimal comma
        if not text:
            return default
        if not _NUMBER.fullmatch(text):
            raise self._wrong(column, expected)
        return float(text)

    def _wrong(self, column: str, expected: str) -> ActrecError:
        return ActrecError(f"row {self.number} of {self.table} has {column} '{self[column]}'; expected {expected}.")


def check_rate(fps: object) -> None:
    """Raises an ActrecError if an importer's option `fps` is no frame rate."""
    if isinstance(fps, bool) or not isinstance(fps, (int, float)) or not RATES[0] < fps <= RATES[1]:
        raise ActrecError(f"The importer's fps is {fps!r}; expected a number above 0 and at most {RATES[1]:g}.")


def list_clips(raw: Path, table: str | None, columns: Sequence[str], segments: SegmentTable) -> tuple[Path, list[Row]]:
    """Reads the CSV that lists the clips, by default `labels.csv` in the folder; returns its path and rows.

    The label of a clip with segments is its main action. Without a `labels.csv`, the files with segments are the clips.

    Raises:
        ActrecError: See `read_table`; or segments are of a clip that is not listed.
    """
    path = Path(table).expanduser() if table else raw / "labels.csv"
    if segments.files and not table and not path.is_file():
        rows = [Row(segments.path, number, {"file": file}) for file, number in segments.files.items()]
        path = segments.path
    else:
        rows = read_table(path, columns, segments)
    segments.check((row["file"], row.get("clip_id")) for row in rows)
    return path, [_with_main_label(row, segments) for row in rows]


def _with_main_label(row: Row, segments: SegmentTable) -> Row:
    given = segments.of(row["file"], row.get("clip_id"))
    return row if given is None else replace(row, cells={**row.cells, "label": main_label(given)})


def read_table(table: Path, columns: Sequence[str], segments: SegmentTable | None = None) -> list[Row]:
    """Reads a CSV that lists clips.

    The separator may be a comma, semicolon, tab or bar; the text is UTF-8, or UTF-16 with a byte order mark. Column
    names are matched without regard to case, and with spaces or hyphens for underscores. Space around cells and empty
    rows are ignored.

    Args:
        columns: Columns that are read; "file" is required, and "label" for clips without segments. Other columns are
            warned of.
        segments: The segments of long clips.

    Raises:
        ActrecError: The file does not exist or cannot be read, or a row is wrong.
    """
    if not table.is_file():
        raise ActrecError(
            f"There is no CSV {table}. It lists the clips, with the columns file and label; give it with csv=…"
        )
    header, records = read_records(table)
    segments = segments or SegmentTable()
    missing = sorted(({"file"} if segments.clips else {"file", "label"}) - set(header))
    if missing or not records:
        what = f"has no column {' and no '.join(missing)}" if missing else "lists no clips"
        found = f" It has: {', '.join(filter(None, header))}." if missing else ""
        raise ActrecError(f"{table} {what}; expected columns file and label, and a row a clip.{found}")
    _warn_unknown(table, header, columns)
    rows = [
        Row(table, number, _checked(table, number, {k: v for k, v in cells.items() if k in columns and v}, segments))
        for number, cells in records
    ]
    _check_rows(table, rows)
    return rows


def _checked(table: Path, number: int, cells: Cells, segments: SegmentTable) -> Cells:
    file, label = cells.get("file", ""), clean_label(cells.get("label", ""))
    if file and not label and (given := segments.of(file, cells.get("clip_id", ""))) is not None:
        label = main_label(given)
    split = split_named(cells["split"]) if "split" in cells else ""
    if not file or not label or split is None or not PurePosixPath(file.replace("\\", "/")).name.strip("."):
        raise ActrecError(
            f"Row {number} of {table} has file '{file}', label '{label}' and split '{cells.get('split', '')}'; "
            "expected a file, a label, and split 'train', 'val', 'test' or nothing."
        )
    return cells | {"label": label} | ({"split": split} if split else {})


def _check_rows(table: Path, rows: Sequence[Row]) -> None:
    numbers: dict[tuple[str, str], int] = {}
    for row in rows:
        other = numbers.setdefault((row["file"], row.get("clip_id")), row.number)
        if other != row.number:
            raise ActrecError(
                f"{row['file']} is listed twice, in rows {other} and {row.number} of {table}. Leave one out."
            )
    without = [str(row.number) for row in rows if not row.get("split")]
    if without and len(without) < len(rows):
        log.warning(
            "%s: %d of %d rows have no split (the first: row %s). Training on the official split ends with an error "
            "while they have none.",
            table,
            len(without),
            len(rows),
            ", ".join(without[:3]),
        )


def _warn_unknown(table: Path, header: Sequence[str], columns: Sequence[str]) -> None:
    unknown = []
    for name in header:
        if name and name not in columns:
            near = difflib.get_close_matches(name, [column for column in columns if column not in header], 1, 0.6)
            unknown.append(f"{name} (did you mean {near[0]}?)" if near else name)
    if unknown:
        log.warning(
            "%s has columns that are not read: %s. Columns that are read: %s.",
            table,
            ", ".join(unknown),
            ", ".join(columns),
        )


def locate(folder: Path, file: str) -> Path:
    """Locates a listed file in the folder, even if written with backslashes or in another Unicode normal form."""
    plain = folder / file
    if plain.exists():
        return plain
    place = folder
    for part in PurePosixPath(file.replace("\\", "/")).parts:
        wanted = unicodedata.normalize("NFC", part)
        if not wanted.isascii() and not (place / part).exists() and place.is_dir():
            part = next((name for name in os.listdir(place) if unicodedata.normalize("NFC", name) == wanted), part)
        place = place / part
    return place
