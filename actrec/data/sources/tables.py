"""Reads and checks tables that list clips: CSV as spreadsheet programs write it, a `Row` for each clip."""

from __future__ import annotations

import csv
import difflib
import io
import logging
import os
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from actrec.data.sources.labels import clean_label
from actrec.data.sources.official_splits import split_named
from actrec.types import FARTHEST, ActrecError

log = logging.getLogger(__name__)

COLUMNS = ("file", "label", "clip_id", "group", "split")
RATES = (0.0, 1000.0)  # frames a second, the first not among them
_SEPARATORS = ",;\t|"
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)
Cells = dict[str, str]


@dataclass(frozen=True)
class Row:
    """A clip's row.

    Attributes:
        table: The file that it is in.
        number: Its line there.
        cells: What it says, by column; cells that are empty are not there.
    """

    table: Path
    number: int
    cells: Mapping[str, str]

    def __getitem__(self, column: str) -> str:
        return self.cells[column]

    def get(self, column: str) -> str:
        """The cell, empty where there is none."""
        return self.cells.get(column, "")

    @property
    def path(self) -> PurePosixPath:
        """The file's path, with slashes also where it was written with backslashes."""
        return PurePosixPath(self["file"].replace("\\", "/"))

    @property
    def stem(self) -> str:
        """The file's path without its ending."""
        return str(self.path.with_suffix(""))

    def rate(self, default: float) -> float:
        """Frames a second.

        Raises:
            ActrecError: The cell is not that.
        """
        expected = f"a number above {RATES[0]:g} and at most {RATES[1]:g}"
        value = self._number("fps", expected, default)
        if not RATES[0] < value <= RATES[1]:
            raise self._wrong("fps", expected)
        return value

    def pixels(self, column: str) -> int:
        """A side of the picture; 0 where it is not known.

        Raises:
            ActrecError: The cell is not that.
        """
        expected = f"a whole number of pixels, at most {FARTHEST:,.0f}"
        value = self._number(column, expected, 0.0)
        if not (0 <= value <= FARTHEST and value == int(value)):
            raise self._wrong(column, expected)
        return int(value)

    def _number(self, column: str, expected: str, default: float) -> float:
        text = self.get(column)
        if text.count(",") == 1 and "." not in text:
            text = text.replace(",", ".")  # as a German Excel writes it
        if not text:
            return default
        if not _NUMBER.fullmatch(text):
            raise self._wrong(column, expected)
        return float(text)

    def _wrong(self, column: str, expected: str) -> ActrecError:
        return ActrecError(f"row {self.number} of {self.table} has {column} '{self[column]}'; expected {expected}.")


def check_rate(fps: object) -> None:
    """Raises an ActrecError where an importer's option `fps` is no frame rate."""
    if isinstance(fps, bool) or not isinstance(fps, (int, float)) or not RATES[0] < fps <= RATES[1]:
        raise ActrecError(f"The importer's fps is {fps!r}; expected a number above 0 and at most {RATES[1]:g}.")


def read_table(table: Path, columns: Sequence[str]) -> list[Row]:
    """The rows of a table that lists clips.

    The separator may be a comma, semicolon, tab or bar, the text UTF-8 or (with a byte order mark) UTF-16. Columns are
    known in any case, with spaces or hyphens for underscores. Space around a cell and empty rows do not count.

    Args:
        table: The file.
        columns: Those that are read; "file" and "label" must be there. Others are warned of.

    Raises:
        ActrecError: It is not there, cannot be read, or a row is wrong.
    """
    if not table.is_file():
        raise ActrecError(
            f"There is no CSV {table}. It lists the clips, with the columns file and label; give it with csv=…"
        )
    header, records = read_records(table)
    missing = sorted({"file", "label"} - set(header))
    if missing or not records:
        what = f"has no column {' and no '.join(missing)}" if missing else "lists no clips"
        found = f" It has: {', '.join(filter(None, header))}." if missing else ""
        raise ActrecError(f"{table} {what}; expected columns file and label, and a row a clip.{found}")
    _warn_unknown(table, header, columns)
    rows = [
        Row(table, number, _checked(table, number, {k: v for k, v in cells.items() if k in columns and v}))
        for number, cells in records
    ]
    _check_rows(table, rows)
    return rows


def read_records(table: Path) -> tuple[list[str], list[tuple[int, Cells]]]:
    """Column names in small letters, and each row's line number and cells.

    Raises:
        ActrecError: The file is no table of text.
    """
    text = re.sub(r"\A\s*sep=.\s*[\r\n]", "", _text(table))  # a line in which Excel looks for the separator
    first = next(filter(str.strip, text.splitlines()), "")
    columns = {mark: len(next(csv.reader([first], delimiter=mark), [])) for mark in _SEPARATORS}
    return _parsed(table, text, max(columns, key=lambda mark: columns[mark]))


def _parsed(table: Path, text: str, separator: str) -> tuple[list[str], list[tuple[int, Cells]]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, skipinitialspace=True, strict=True)
    header: list[str] = []
    records: list[tuple[int, Cells]] = []
    try:
        for cells in reader:
            cells = [cell.strip() for cell in cells]
            if not any(cells):
                continue
            if not header:
                header = [column_name(cell) for cell in cells]
                twice = sorted({name for name in header if name and header.count(name) > 1})
                if twice:
                    raise ActrecError(f"{table} has the column {twice[0]} twice. Keep one.")
                continue
            if any(cells[len(header) :]):
                raise ActrecError(
                    f"Row {reader.line_num} of {table} has {len(cells)} cells; its header has {len(header)}. Put "
                    f"quotes about a cell with a '{separator}' in it."
                )
            records.append((reader.line_num, dict(zip(header, cells, strict=False))))
    except csv.Error as error:
        raise ActrecError(
            f"{table} cannot be read (row {reader.line_num}: {error}). Quotes must come in pairs; save it as CSV in "
            "UTF-8."
        ) from None
    return header, records


def _text(table: Path) -> str:
    content = table.read_bytes()
    if content.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise ActrecError(f"{table} cannot be read: it is an Excel workbook. Save it as CSV in UTF-8.")
    wide = content.startswith((b"\xff\xfe", b"\xfe\xff"))
    try:
        text = content.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise ActrecError(
            f"{table} cannot be read (line {line} is not {error.encoding}). Save it as CSV in UTF-8."
        ) from None
    if "\0" in text:
        raise ActrecError(f"{table} cannot be read: it has null characters. Save it as CSV in UTF-8.")
    return text


def column_name(cell: str) -> str:
    """Normalises the name of a column: "Clip ID" becomes clip_id."""
    return re.sub(r"[\s-]+", "_", unicodedata.normalize("NFC", cell).strip().strip("\ufeff\"'").strip().casefold())


def _checked(table: Path, number: int, cells: Cells) -> Cells:
    file, label = cells.get("file", ""), clean_label(cells.get("label", ""))
    split = split_named(cells["split"]) if "split" in cells else ""
    if not file or not label or split is None or not PurePosixPath(file.replace("\\", "/")).name.strip("."):
        raise ActrecError(
            f"Row {number} of {table} has file '{file}', label '{label}' and split '{cells.get('split', '')}'; "
            "expected a file, a label, and split 'train', 'val', 'test' or nothing."
        )
    return cells | {"label": label} | ({"split": split} if split else {})


def _check_rows(table: Path, rows: Sequence[Row]) -> None:
    """Raises an ActrecError where a clip is listed twice, and warns of rows without a split among rows with one."""
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
            "%s has columns that are not read: %s. Read are: %s.", table, ", ".join(unknown), ", ".join(columns)
        )


def locate(folder: Path, file: str) -> Path:
    """Finds a file of a table in the folder, also with Windows's separators or in another Unicode normal form."""
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
