"""Writes the tables of a store that is being made: each row is appended to a part file when its clip is done.

The tables are `manifest.csv`, `left_out.csv`, `sources.csv` and `segments.csv`, with a row for each clip (in the
manifest, for each person of a clip; the finished `segments.csv` has a row for each segment). Their part files end in
`.part`; a worker that makes one shard of a store has part files of its own. When the store is finished, the tables
replace the part files of all workers, the manifest last.
"""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from actrec.data.store import provenance
from actrec.data.store.provenance import SOURCES
from actrec.data.store.reading import COLUMNS, MANIFEST, Row, read_rows
from actrec.data.store.segments import COLUMNS as SEGMENT_COLUMNS
from actrec.data.store.segments import PACKED, SEGMENTS, expanded, grouped, packed
from actrec.files import csv_text, replace_file

LEFT_OUT = "left_out.csv"
REASONS = ("clip_id", "source", "label", "file", "stamp", "reason")
TABLES = {MANIFEST: COLUMNS, LEFT_OUT: REASONS, SOURCES: provenance.COLUMNS, SEGMENTS: PACKED}
_PART = ".part"


def part_files(path: Path) -> list[Path]:
    """Lists the part files of all workers of the store at `path`."""
    return [file for name in TABLES for file in path.glob(f"{name}{_PART}*")]


class PartTables:
    """The rows of all workers, and the part files to which this worker appends. Use it in a `with` block.

    Args:
        suffix: Ending of this worker's part files; empty for a worker that makes the whole store.
    """

    def __init__(self, path: Path, suffix: str) -> None:
        self.path, self.suffix = path, suffix
        self.rows: dict[str, dict[str, Row]] = {name: {} for name in TABLES}
        self._files: dict[str, io.TextIOBase] = {}
        self.read()

    def __enter__(self) -> PartTables:
        for name, columns in TABLES.items():
            part, known = self._part(name), self.rows[name]
            if self.suffix and part.is_file():  # a killed run may have left half a row
                known = {row["clip_id"]: row for row in _whole_rows(part, columns)}
            rows = known.values() if not self.suffix or part.is_file() else ()
            replace_file(part, _text(name, list(rows)))
            self._files[name] = part.open("a", newline="", encoding="utf-8")
        return self

    def __exit__(self, *_: object) -> None:
        for file in self._files.values():
            file.close()

    def _part(self, name: str) -> Path:
        return self.path / f"{name}{_PART}{self.suffix}"

    def read(self) -> None:
        """Reads the rows that all workers have written so far."""
        for name, columns in TABLES.items():
            for file in [self.path / name, *sorted(self.path.glob(f"{name}{_PART}*"))]:
                if file.is_file() and file.name == SEGMENTS:
                    whole = grouped(read_rows(file, SEGMENT_COLUMNS), file)
                    self.rows[name].update({clip: packed(clip, segments) for clip, segments in whole.items()})
                elif file.is_file():
                    self.rows[name].update((row["clip_id"], row) for row in _whole_rows(file, columns))

    def append(self, name: str, row: Row) -> None:
        """Appends a row to a table; it replaces the clip's earlier row."""
        csv.writer(self._files[name], lineterminator="\n").writerow([row[column] for column in TABLES[name]])
        self._files[name].flush()
        self.rows[name][row["clip_id"]] = row

    def remove_manifest(self) -> None:
        """Removes the manifest, since a store whose clips change is not finished; the part files keep its rows."""
        manifest, part = self.path / MANIFEST, self.path / f"{MANIFEST}{_PART}"
        if self.suffix and not part.exists():
            try:
                os.replace(manifest, part)  # it may be the only file with the rows of other shards
            except FileNotFoundError:  # another worker was first, or it was not finished
                return
        manifest.unlink(missing_ok=True)

    def finish(self, tables: Mapping[str, Sequence[Row]]) -> None:
        """Writes the finished tables, the manifest last, and removes all part files."""
        for name in (LEFT_OUT, SOURCES, SEGMENTS, MANIFEST):
            rows, columns = tables[name], TABLES[name]
            if name == SEGMENTS:
                rows, columns = expanded(rows), SEGMENT_COLUMNS
            if not rows and name in (LEFT_OUT, SEGMENTS):
                (self.path / name).unlink(missing_ok=True)
            else:
                replace_if_changed(
                    self.path / name, csv_text(columns, [[row[each] for each in columns] for row in rows])
                )
        for part in part_files(self.path):
            part.unlink(missing_ok=True)


def replace_if_changed(path: Path, text: str) -> None:
    """Writes a file, unless it has that text already."""
    if not path.is_file() or path.read_text(encoding="utf-8") != text:
        replace_file(path, text)


def _text(name: str, rows: Sequence[Row]) -> str:
    return csv_text(TABLES[name], ([row[column] for column in TABLES[name]] for row in rows))


def _whole_rows(file: Path, columns: Sequence[str]) -> list[Row]:
    """Reads the complete rows of a table; the last one of a part file may have been cut off."""
    try:
        rows = read_rows(file, columns)
    except FileNotFoundError:  # another worker has just finished the store
        return []
    if columns != COLUMNS:
        return [row for row in rows if None not in row.values()]
    return [row for row in rows if None not in row.values() and row["file"] == f"clips/{row['clip_id']}.npz"]
