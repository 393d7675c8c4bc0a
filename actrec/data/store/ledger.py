"""The record of a skeleton store that is being made: its clips, their sources, and the clips left out with the reason.

Rows are appended to `manifest.csv.part`, `left_out.csv.part` and `sources.csv.part` clip by clip; a worker that makes
one share of a store has files of its own. The order for a clip is: its npz under a temporary name, its row, its
provenance with a hash of its arrays, then the renaming of the npz. So a clip whose npz has that hash is complete, and
is not made again while its source is the same; all others are, at whatever point a run was killed.
"""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from actrec.data.store import fingerprints, provenance
from actrec.data.store.clip_source import ClipSource
from actrec.data.store.folder import initialize_store
from actrec.data.store.plausibility import ClipMeasure, measure
from actrec.data.store.provenance import SOURCES, Provenance
from actrec.data.store.reading import COLUMNS, FORMAT_VERSION, MANIFEST, SKELETONS, Row
from actrec.data.store.rows import row_of, whole_keypoints, whole_rows
from actrec.files import csv_text, printable, replace_file
from actrec.skeleton import get_skeleton
from actrec.types import SkeletonSequence

LEFT_OUT = "left_out.csv"
_REASONS = ("clip_id", "source", "label", "file", "stamp", "reason")
_TABLES = {MANIFEST: COLUMNS, LEFT_OUT: _REASONS, SOURCES: provenance.COLUMNS}
_PART = ".part"


@dataclass(frozen=True)
class Stored:
    """A clip that is complete in the store.

    Attributes:
        rows: Of the manifest; one a person.
        measures: What is in its keypoints; one a person.
        keypoints: Hash of its arrays.
        people: How many sequences it is; 0 for the only one.
    """

    rows: list[Row]
    measures: list[ClipMeasure]
    keypoints: str
    people: int


@dataclass
class Ledger:
    """The clips of a store in the making. Use it in a `with` block.

    Attributes:
        path: The store's folder.
        share: Ending of this worker's own files; empty for a worker that makes the whole store.
    """

    path: Path
    share: str = ""
    _known: dict[str, dict[str, Row]] = field(default_factory=lambda: {name: {} for name in _TABLES})
    _files: dict[str, io.TextIOBase] = field(default_factory=dict)

    @classmethod
    def open(cls, path: Path, info: dict[str, Any], share: str = "") -> Ledger:
        """Opens the record of a store, whose folder is created if need be.

        Raises:
            ActrecError: The folder holds another store, or something else.
        """
        parts = [file for name in _TABLES for file in path.glob(f"{name}{_PART}*")]
        finished = any((path / name).is_file() for name in (MANIFEST, SOURCES))
        if initialize_store(path, {"format_version": FORMAT_VERSION, **info}, keep=finished or share != ""):
            for file in parts:
                file.unlink()
        (path / "clips").mkdir(exist_ok=True)
        ledger = cls(path, share)
        ledger.read()
        return ledger

    def __enter__(self) -> Ledger:
        for name, columns in _TABLES.items():
            part, known = self._part(name), self._known[name]
            if self.share and part.is_file():  # a killed run may have left half a row
                known = {row["clip_id"]: row for row in whole_rows(part, columns)}
            rows = known.values() if not self.share or part.is_file() else ()
            replace_file(part, csv_text(columns, ([row[column] for column in columns] for row in rows)))
            self._files[name] = part.open("a", newline="", encoding="utf-8")
        return self

    def __exit__(self, *_: object) -> None:
        for file in self._files.values():
            file.close()

    def _part(self, name: str) -> Path:
        return self.path / f"{name}{_PART}{self.share}"

    def read(self) -> None:
        """Reads what all workers have written so far."""
        for name, columns in _TABLES.items():
            for file in [self.path / name, *sorted(self.path.glob(f"{name}{_PART}*"))]:
                if file.is_file():
                    self._known[name].update((row["clip_id"], row) for row in whole_rows(file, columns))

    @property
    def ids(self) -> set[str]:
        """The ids of all rows, one a person."""
        return set(self._known[MANIFEST])

    def rows(self, clip_id: str) -> list[Row]:
        """The rows of a clip, all people's; none where it was never stored, or its record says that it is left out."""
        known, record = self._known[MANIFEST], self.provenance(clip_id)
        if record is None:
            return [known[clip_id]] if clip_id in known else list(self._people(clip_id))
        if not record["people"].isdecimal():
            return []
        number = int(record["people"])
        ids = [person_id(clip_id, n + 1) for n in range(number)] if number else [clip_id]
        return [known[name] for name in ids] if all(name in known for name in ids) else []

    def find(self, clip_id: str) -> Stored | None:
        """A clip, if the store has it with all its people, and its files are readable and what was written."""
        rows, record = self.rows(clip_id), self.provenance(clip_id)
        arrays = [whole_keypoints(self.path, row) for row in rows]
        whole = [array for array in arrays if array is not None]
        if not rows or len(whole) < len(rows):
            return None
        measures = [measure(array, row) for array, row in zip(whole, rows, strict=True)]
        keypoints = _hash_of(measures)
        if record is not None and record["keypoints"] != keypoints:
            return None
        return Stored(rows, measures, keypoints, 0 if rows[0]["clip_id"] == clip_id else len(rows))

    def _people(self, clip_id: str) -> Iterator[Row]:
        number = 1
        while (row := self._known[MANIFEST].get(person_id(clip_id, number))) is not None:
            yield row
            number += 1

    def written(self, stored: Stored) -> int:
        """Returns when the first of a clip's files was written, in ns since 1970."""
        return min(fingerprints.modified(self.path / row["file"]) for row in stored.rows)

    def provenance(self, clip_id: str) -> Row | None:
        """The row of `sources.csv` of a clip; None for a new clip, or one of a version that wrote no such file."""
        return self._known[SOURCES].get(clip_id)

    def why_left_out(self, clip_id: str) -> Row | None:
        """The row of a clip that was left out: `reason` is empty where the label map has no place for it."""
        return self._known[LEFT_OUT].get(clip_id)

    def add(self, source: Provenance, sequences: Sequence[SkeletonSequence], people: int) -> Stored:
        """Stores a clip: one sequence, or one for each person."""
        rows = [row_of(sequence) for sequence in sequences]
        files = [self.path / row["file"] for row in rows]
        arrays = [sequence.keypoints.astype(np.float32, copy=False) for sequence in sequences]
        measures = list(map(measure, arrays, rows))
        stored = Stored(rows, measures, _hash_of(measures), people)
        try:
            for file, array in zip(files, arrays, strict=True):
                with _temporary(file).open("wb") as stream:
                    np.savez(stream, keypoints=array)
            for row in rows:
                self._append(MANIFEST, row)
            self._append(SOURCES, source.record(people, stored.keypoints))
            if any(file.is_file() for file in files):
                self._reopen()
            for file in files:
                os.replace(_temporary(file), file)
        except BaseException:
            for file in files:
                _temporary(file).unlink(missing_ok=True)
            raise
        return stored

    def restate(self, source: Provenance, stored: Stored, sequences: Sequence[SkeletonSequence]) -> Stored:
        """Replaces the rows of a stored clip by those of `sequences`, whose arrays are the same."""
        rows = [row_of(sequence) for sequence in sequences]
        for row in rows if rows != stored.rows else ():
            self._append(MANIFEST, row)
        self.confirm(source, stored)
        measures = [measure(sequence.keypoints, row) for sequence, row in zip(sequences, rows, strict=True)]
        return Stored(rows, measures, stored.keypoints, stored.people)

    def confirm(self, source: Provenance, stored: Stored | None) -> None:
        """Records that a clip, stored or left out, is up to date with its source."""
        if not source.is_noted(self.provenance(source.clip.clip_id)):
            self._append(SOURCES, source.record(stored.people, stored.keypoints) if stored else source.record(None, ""))

    def leave_out(self, source: Provenance, label: str, reason: str, again: bool = False) -> None:
        """Records why a clip is not in the store, so that it is not read again while its source is the same.

        Args:
            source: What it would be made from.
            label: Its source's label, where that is known.
            reason: What is wrong with it; empty where the label map has no place for it.
            again: Whether it is to be tried again all the same.
        """
        clip = source.clip
        self._remove_temporary(clip.clip_id)
        again = again or not (source.status or source.content)  # a clip without a file has nothing that could change
        stamp = "" if again else left_out_stamp(clip)
        values = (clip.clip_id, clip.source, label, clip.origin, stamp, reason)
        self._append(LEFT_OUT, {name: printable(value) for name, value in zip(_REASONS, values, strict=True)})
        self._append(SOURCES, source.record(None, "", again))

    def _remove_temporary(self, clip_id: str) -> None:
        """Removes the temporary files of a clip that a killed run has left."""
        folder, number = self.path / "clips", 1
        _temporary(folder / f"{clip_id}.npz").unlink(missing_ok=True)
        while (file := folder / f"{person_id(clip_id, number)}.npz").exists() or _temporary(file).exists():
            _temporary(file).unlink(missing_ok=True)
            number += 1

    def _append(self, name: str, row: Row) -> None:
        csv.writer(self._files[name], lineterminator="\n").writerow([row[column] for column in _TABLES[name]])
        self._files[name].flush()
        self._known[name][row["clip_id"]] = row

    def _reopen(self) -> None:
        """Removes the manifest, since the store is incomplete while its clips change; the part files have all rows."""
        manifest, part = self.path / MANIFEST, self.path / f"{MANIFEST}{_PART}"
        if self.share and not part.exists():
            try:
                os.replace(manifest, part)  # the rows of other shares are nowhere else
            except FileNotFoundError:  # another worker was first, or it was not finished
                return
        manifest.unlink(missing_ok=True)

    def close(self, rows: Sequence[Row], left_out: Sequence[Row], clip_ids: Sequence[str]) -> None:
        """Finishes the store: removes clips that are no longer in it, and writes the manifest last.

        Args:
            rows: Of the manifest.
            left_out: Of the clips that are not in it.
            clip_ids: Of all clips, in the order of `sources.csv`.
        """
        gone = [self._known[MANIFEST][name] for name in self.ids - {row["clip_id"] for row in rows}]
        if gone:
            self._reopen()
        for row in gone:
            (self.path / row["file"]).unlink(missing_ok=True)
        sources = [self._known[SOURCES][name] for name in clip_ids if name in self._known[SOURCES]]
        for name, kept in ((LEFT_OUT, left_out), (SOURCES, sources), (MANIFEST, rows)):
            columns = _TABLES[name]
            if kept or name != LEFT_OUT:
                text = csv_text(columns, ([row[column] for column in columns] for row in kept))
                _replace_changed(self.path / name, text)
            else:
                (self.path / name).unlink(missing_ok=True)
        skeletons = [get_skeleton(name).to_json() for name in sorted({row["skeleton"] for row in rows})]
        if own := [layout for layout in skeletons if isinstance(layout, dict)]:
            _replace_changed(self.path / SKELETONS, json.dumps(own, indent=2) + "\n")
        for part in [part for name in _TABLES for part in self.path.glob(f"{name}{_PART}*")]:
            part.unlink(missing_ok=True)


def person_id(clip_id: str, number: int) -> str:
    """The id of one of several people of a clip, counted from 1."""
    return f"{clip_id}.p{number}"


def _hash_of(people: Sequence[ClipMeasure]) -> str:
    return (
        people[0].keypoints
        if len(people) == 1
        else fingerprints.values({each.row["clip_id"]: each.keypoints for each in people})
    )


def left_out_stamp(clip: ClipSource) -> str:
    """The column `stamp` of `left_out.csv`: size and time of the last change of a clip's file; empty without one."""
    try:
        status = os.stat(clip.file)
    except (OSError, ValueError):
        return ""
    return f"{status.st_size}-{status.st_ctime_ns}"


def _temporary(file: Path) -> Path:
    return file.with_suffix(".npz.tmp")


def _replace_changed(path: Path, text: str) -> None:
    if not path.is_file() or path.read_text(encoding="utf-8") != text:
        replace_file(path, text)
