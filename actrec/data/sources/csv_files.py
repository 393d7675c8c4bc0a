"""Reads CSV files as spreadsheet programs write them: with any of four separators, in UTF-8 or UTF-16."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from pathlib import Path

from actrec.types import ActrecError

_SEPARATORS = ",;\t|"
Cells = dict[str, str]


def read_records(table: Path) -> tuple[list[str], list[tuple[int, Cells]]]:
    """Reads the column names in lower case, and each row's line number and cells; an ActrecError if it is no CSV."""
    text = read_text(table)
    return _parsed(table, text, separator_of(text))


def separator_of(text: str) -> str:
    """Returns the separator that makes the most columns of the first line."""
    first = next(filter(str.strip, text.splitlines()), "")
    columns = {mark: len(next(csv.reader([first], delimiter=mark), [])) for mark in _SEPARATORS}
    return max(columns, key=lambda mark: columns[mark])


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
                    f"Row {reader.line_num} of {table} has {len(cells)} cells; its header has {len(header)}. Put a "
                    f"cell with a '{separator}' in it in quotes."
                )
            records.append((reader.line_num, dict(zip(header, cells, strict=False))))
    except csv.Error as error:
        raise ActrecError(
            f"{table} cannot be read (row {reader.line_num}: {error}). Quotes must come in pairs; save it as CSV in "
            "UTF-8."
        ) from None
    return header, records


def read_text(table: Path) -> str:
    """Reads the text of a CSV, without a line that names the separator for Excel; an ActrecError if it is none."""
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
    return re.sub(r"\A\s*sep=.\s*[\r\n]", "", text)


def column_name(cell: str) -> str:
    """Normalises the name of a column: "Clip ID" becomes clip_id."""
    return re.sub(r"[\s-]+", "_", unicodedata.normalize("NFC", cell).strip().strip("\ufeff\"'").strip().casefold())
