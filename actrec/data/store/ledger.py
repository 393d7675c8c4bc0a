"""Records the clips of a store that is being made: stored clips, their provenance, and clips that are left out.

The order for a clip is: its npz under a temporary name, its row in the manifest, its provenance with a hash of its
arrays, then the renaming of the npz. So a clip whose npz has that hash is complete, even if the run was killed, and is
not made again while its source is the same. All other clips are made again.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from actrec.data.store import fingerprints
from actrec.data.store.clip_source import ClipSource
from actrec.data.store.folder import initialize_store
from actrec.data.store.part_tables import LEFT_OUT, REASONS, PartTables, part_files, replace_if_changed
from actrec.data.store.provenance import SOURCES, Provenance
from actrec.data.store.ranges import ClipRanges, measure_ranges
from actrec.data.store.reading import FORMAT_VERSION, MANIFEST, SKELETONS, Row, row_of, whole_keypoints
from actrec.data.store.segments import SEGMENTS, packed, unpacked
from actrec.files import printable
from actrec.skeleton import get_skeleton
from actrec.types import Segment, SkeletonSequence

NOBODY = "no frame has a body"  # the reason for which a clip is skipped, which is not bad otherwise


@dataclass(frozen=True)
class StoredClip:
    """A clip that is complete in the store.

    Attributes:
        rows: Its rows of the manifest, one for each person.
        measures: Statistics of its keypoints, one for each person.
        keypoints: Hash of its arrays.
        people: Number of people; 0 for a clip that is one sequence.
    """

    rows: list[Row]
    measures: list[ClipRanges]
    keypoints: str
    people: int


class Ledger:
    """Records which clips a store has, and writes clips into it. Use it in a `with` block.

    Args:
        suffix: Ending of this worker's part files; empty for a worker that makes the whole store.

    Raises:
        ActrecError: The folder holds another store, or other files.
    """

    def __init__(self, path: Path, info: dict[str, Any], suffix: str = "") -> None:
        parts = part_files(path)
        finished = any((path / name).is_file() for name in (MANIFEST, SOURCES))
        if initialize_store(path, {"format_version": FORMAT_VERSION, **info}, keep=finished or suffix != ""):
            for file in parts:
                file.unlink()
        (path / "clips").mkdir(exist_ok=True)
        self.path, self._tables = path, PartTables(path, suffix)

    def __enter__(self) -> Ledger:
        self._tables.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._tables.__exit__(*error)

    def read(self) -> None:
        """Reads what all workers have written so far."""
        self._tables.read()

    @property
    def ids(self) -> set[str]:
        """The ids of all rows of the manifest, one for each person."""
        return set(self._tables.rows[MANIFEST])

    def rows(self, clip_id: str) -> list[Row]:
        """Returns a clip's rows of the manifest, one for each person; none if it is not stored, or is left out."""
        known, record = self._tables.rows[MANIFEST], self.provenance(clip_id)
        if record is None:
            return [known[clip_id]] if clip_id in known else list(self._people(clip_id))
        if not record["people"].isdecimal():
            return []
        number = int(record["people"])
        ids = [person_id(clip_id, n + 1) for n in range(number)] if number else [clip_id]
        return [known[name] for name in ids] if all(name in known for name in ids) else []

    def find(self, clip_id: str) -> StoredClip | None:
        """Returns a clip if it is complete: the files of all its people are readable and have the recorded hash."""
        rows, record = self.rows(clip_id), self.provenance(clip_id)
        arrays = [whole_keypoints(self.path, row) for row in rows]
        whole = [array for array in arrays if array is not None]
        if not rows or len(whole) < len(rows):
            return None
        measures = [measure_ranges(array, row) for array, row in zip(whole, rows, strict=True)]
        keypoints = _hash_of(measures)
        if record is not None and record["keypoints"] != keypoints:
            return None
        return StoredClip(rows, measures, keypoints, 0 if rows[0]["clip_id"] == clip_id else len(rows))

    def _people(self, clip_id: str) -> Iterator[Row]:
        number = 1
        while (row := self._tables.rows[MANIFEST].get(person_id(clip_id, number))) is not None:
            yield row
            number += 1

    def written(self, stored: StoredClip) -> int:
        """Returns the time at which the first of a clip's files was written, in ns since 1970."""
        return min(fingerprints.modified(self.path / row["file"]) for row in stored.rows)

    def provenance(self, clip_id: str) -> Row | None:
        """Returns a clip's row of `sources.csv`; None for a new clip, or one of a version that wrote no such file."""
        return self._tables.rows[SOURCES].get(clip_id)

    def left_out(self, clip_id: str) -> Row | None:
        """Returns a clip's row of `left_out.csv`; its `reason` is empty if the label map has no label for it."""
        return self._tables.rows[LEFT_OUT].get(clip_id)

    def add(self, source: Provenance, sequences: Sequence[SkeletonSequence], people: int) -> StoredClip:
        """Stores a clip: one sequence, or one for each person (`people` of them, 0 for one sequence)."""
        rows = [row_of(sequence) for sequence in sequences]
        files = [self.path / row["file"] for row in rows]
        arrays = [sequence.keypoints.astype(np.float32, copy=False) for sequence in sequences]
        measures = list(map(measure_ranges, arrays, rows))
        stored = StoredClip(rows, measures, _hash_of(measures), people)
        try:
            for file, array, sequence in zip(files, arrays, sequences, strict=True):
                with _temporary(file).open("wb") as stream:
                    np.savez(stream, keypoints=array, **_annotation(sequence))
            for row in rows:
                self._tables.append(MANIFEST, row)
            self._set_segments(sequences)
            self._tables.append(SOURCES, source.record(people, stored.keypoints))
            if any(file.is_file() for file in files):
                self._tables.remove_manifest()
            for file in files:
                os.replace(_temporary(file), file)
        except BaseException:
            for file in files:
                _temporary(file).unlink(missing_ok=True)
            raise
        return stored

    def update_rows(self, source: Provenance, stored: StoredClip, sequences: Sequence[SkeletonSequence]) -> StoredClip:
        """Replaces the rows of a stored clip by those of `sequences`, whose arrays are the same."""
        rows = [row_of(sequence) for sequence in sequences]
        for row in rows if rows != stored.rows else ():
            self._tables.append(MANIFEST, row)
        self._set_segments(sequences)
        self.confirm(source, stored)
        measures = [measure_ranges(sequence.keypoints, row) for sequence, row in zip(sequences, rows, strict=True)]
        return StoredClip(rows, measures, stored.keypoints, stored.people)

    def segments(self, clip_id: str) -> tuple[Segment, ...]:
        """Returns the segments of a clip, or of one of its people, by its id in the manifest."""
        return unpacked(self._tables.rows[SEGMENTS].get(clip_id))

    def _set_segments(self, sequences: Sequence[SkeletonSequence]) -> None:
        for sequence in sequences:
            if sequence.segments != self.segments(sequence.clip_id):
                self._tables.append(SEGMENTS, packed(sequence.clip_id, sequence.segments))

    def confirm(self, source: Provenance, stored: StoredClip | None) -> None:
        """Records that a clip, stored or left out, is up to date with its source."""
        if not source.is_recorded(self.provenance(source.clip.clip_id)):
            self._tables.append(
                SOURCES, source.record(stored.people, stored.keypoints) if stored else source.record(None, "")
            )

    def leave_out(self, source: Provenance, label: str, reason: str, retry: bool = False) -> None:
        """Records why a clip is not in the store, so that it is not read again while its source is the same.

        Args:
            reason: What is wrong with it; `NOBODY`; or empty if the label map has no label for it.
            retry: Whether the next run tries it again in any case.
        """
        clip = source.clip
        self._remove_temporary(clip.clip_id)
        retry = retry or not (source.status or source.content)  # without a file, no change can be detected
        stamp = "" if retry else left_out_stamp(clip)
        values = (clip.clip_id, clip.source, label, clip.origin, stamp, reason)
        self._tables.append(LEFT_OUT, {name: printable(value) for name, value in zip(REASONS, values, strict=True)})
        self._tables.append(SOURCES, source.record(None, "", retry))

    def _remove_temporary(self, clip_id: str) -> None:
        """Removes the temporary files that a killed run has left of a clip."""
        folder, number = self.path / "clips", 1
        _temporary(folder / f"{clip_id}.npz").unlink(missing_ok=True)
        while (file := folder / f"{person_id(clip_id, number)}.npz").exists() or _temporary(file).exists():
            _temporary(file).unlink(missing_ok=True)
            number += 1

    def finish(self, rows: Sequence[Row], left_out: Sequence[Row], clip_ids: Sequence[str]) -> None:
        """Finishes the store: removes clips that are no longer in it, and writes the manifest last.

        Args:
            clip_ids: The ids of all clips, in the order of `sources.csv`.
        """
        gone = [self._tables.rows[MANIFEST][name] for name in self.ids - {row["clip_id"] for row in rows}]
        if gone:
            self._tables.remove_manifest()
        for row in gone:
            (self.path / row["file"]).unlink(missing_ok=True)
        skeletons = [get_skeleton(name).to_json() for name in sorted({row["skeleton"] for row in rows})]
        if own := [layout for layout in skeletons if isinstance(layout, dict)]:
            replace_if_changed(self.path / SKELETONS, json.dumps(own, indent=2) + "\n")
        sources = [self._tables.rows[SOURCES][name] for name in clip_ids if name in self._tables.rows[SOURCES]]
        known = self._tables.rows[SEGMENTS]
        segments = [known[row["clip_id"]] for row in rows if row["clip_id"] in known]
        self._tables.finish({MANIFEST: rows, LEFT_OUT: left_out, SOURCES: sources, SEGMENTS: segments})


def _annotation(sequence: SkeletonSequence) -> dict[str, Any]:
    """Returns the arrays of a clip's npz beside its keypoints."""
    return {} if sequence.repetition is None else {"repetition": sequence.repetition.astype(np.float32)}


def person_id(clip_id: str, number: int) -> str:
    """Returns the id of one of several people of a clip, counted from 1."""
    return f"{clip_id}.p{number}"


def _hash_of(people: Sequence[ClipRanges]) -> str:
    return (
        people[0].keypoints
        if len(people) == 1
        else fingerprints.values({each.row["clip_id"]: each.keypoints for each in people})
    )


def left_out_stamp(clip: ClipSource) -> str:
    """Returns the column `stamp` of `left_out.csv`: size and time of change of a clip's file; empty without a file."""
    try:
        status = os.stat(clip.file)
    except (OSError, ValueError):
        return ""
    return f"{status.st_size}-{status.st_ctime_ns}"


def _temporary(file: Path) -> Path:
    return file.with_suffix(".npz.tmp")
