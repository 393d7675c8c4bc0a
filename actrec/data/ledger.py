"""What is known of a skeleton store that is being made: which clips it has, and which are left out and why.

The rows of `manifest.csv.part` and `left_out.csv.part` are written as clips are done; a worker that makes one share of
a store has files of its own. The order for a clip is: its npz under a temporary name, its row, then the npz's own name.
So a file that has its name has its row, and a clip with both is never done again. Of a clip with several people, the
first one's comes last.
"""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from actrec.data.store import COLUMNS, FORMAT_VERSION, INFO, MANIFEST, Row, read_info, read_keypoints, read_rows
from actrec.files import csv_text, replace_file
from actrec.skeleton import get_skeleton
from actrec.types import ActrecError, SkeletonSequence

LEFT_OUT = "left_out.csv"
_REASONS = ("clip_id", "source", "label", "file", "stamp", "reason")
_PART = ".part"


@dataclass(frozen=True)
class Stored:
    """A clip that the store has, whole.

    Attributes:
        rows: Of the manifest; one a person.
        joints: In all its frames.
        observed: Those with a confidence above zero.
    """

    rows: list[Row]
    joints: int
    observed: int


@dataclass
class Ledger:
    """The clips of a store in the making. Use it in a `with` block.

    Attributes:
        path: The store's folder.
        share: Ending of this worker's own files; empty for a worker that makes the whole store.
    """

    path: Path
    share: str = ""
    _rows: dict[str, Row] = field(default_factory=dict)
    _left_out: dict[str, Row] = field(default_factory=dict)
    _files: list[io.TextIOBase] = field(default_factory=list)

    @classmethod
    def open(cls, path: Path, info: dict[str, Any], share: str = "") -> Ledger:
        """Checks that the folder is that store's, or makes it so.

        Raises:
            ActrecError: The folder holds another store, or something else.
        """
        info = {"format_version": FORMAT_VERSION, **info}
        if path.exists() and not path.is_dir():
            raise ActrecError(f"store={path} is a file; give a folder.")
        old, finished = read_info(path), (path / MANIFEST).is_file()
        if old is None and path.is_dir() and any(not _is_temporary(file) for file in path.iterdir()):
            raise ActrecError(
                f"The folder {path} has files in it and is no skeleton store. Give an empty or new store=."
            )
        differing = [key for key in info if old is not None and old.get(key) != info[key]]
        if old is not None and differing and (finished or share):
            key, was, wanted = _difference(differing[0], old.get(differing[0]), info[differing[0]])
            raise ActrecError(
                f"The store {path} was made otherwise: its {key} is {was!r}, and now {wanted!r} is wanted. "
                "Give another store=, or remove that folder."
            )
        (path / "clips").mkdir(parents=True, exist_ok=True)
        if differing:
            for file in [*path.glob(f"{MANIFEST}{_PART}*"), *path.glob(f"{LEFT_OUT}{_PART}*")]:
                file.unlink()
        if old is None or differing:
            replace_file(path / INFO, json.dumps(info, indent=2, ensure_ascii=False) + "\n")
        ledger = cls(path, share)
        ledger.read()
        return ledger

    def __enter__(self) -> Ledger:
        for name, columns in ((MANIFEST, COLUMNS), (LEFT_OUT, _REASONS)):
            part = self.path / f"{name}{_PART}{self.share}"
            known = self._rows if name == MANIFEST else self._left_out
            if self.share and part.is_file():  # a killed run may have left half a row
                known = {row["clip_id"]: row for row in _whole_rows(part, columns)}
            rows = known.values() if not self.share or part.is_file() else ()
            replace_file(part, csv_text(columns, ([row[column] for column in columns] for row in rows)))
            self._files.append(part.open("a", newline="", encoding="utf-8"))
        return self

    def __exit__(self, *_: object) -> None:
        for file in self._files:
            file.close()

    def read(self) -> None:
        """Read what all workers have written by now."""
        for name, columns, known in ((MANIFEST, COLUMNS, self._rows), (LEFT_OUT, _REASONS, self._left_out)):
            for file in [self.path / name, *sorted(self.path.glob(f"{name}{_PART}*"))]:
                if file.is_file():
                    known.update((row["clip_id"], row) for row in _whole_rows(file, columns))

    def find(self, clip_id: str) -> Stored | None:
        """A clip, if the store has it with all its people, and its files are readable and what their rows say."""
        rows = [self._rows[clip_id]] if clip_id in self._rows else list(self._people(clip_id))
        arrays = [_keypoints(self.path, row) for row in rows]
        whole = [array for array in arrays if array is not None]
        if not rows or len(whole) < len(rows):
            return None
        observed = sum(int((array[..., 2] > 0).sum()) for array in whole)
        return Stored(rows, sum(array.shape[0] * array.shape[1] for array in whole), observed)

    def _people(self, clip_id: str) -> Iterator[Row]:
        number = 1
        while (row := self._rows.get(person_id(clip_id, number))) is not None:
            yield row
            number += 1

    def why_left_out(self, clip_id: str) -> Row | None:
        """The row of a clip that was left out: `reason` is empty where the label map has no place for it."""
        return self._left_out.get(clip_id)

    def add(self, sequences: Sequence[SkeletonSequence]) -> None:
        """Stores a clip: its only sequence, or one a person."""
        for sequence in reversed(sequences):
            row = _row(sequence)
            file = self.path / row["file"]
            temporary = file.with_suffix(".npz.tmp")
            with temporary.open("wb") as stream:
                np.savez(stream, keypoints=sequence.keypoints.astype(np.float32, copy=False))
            self._append(0, [row[name] for name in COLUMNS])
            os.replace(temporary, file)
            self._rows[sequence.clip_id] = row

    def leave_out(self, clip_id: str, source: str, label: str, file: str, reason: str) -> None:
        """Notes why a clip is not in the store, so that it need not be read again while its file is the same."""
        values = (clip_id, source, label, file, stamp(file), reason)
        self._append(1, values)
        self._left_out[clip_id] = dict(zip(_REASONS, values, strict=True))

    def _append(self, which: int, values: Iterable[str]) -> None:
        csv.writer(self._files[which], lineterminator="\n").writerow(values)
        self._files[which].flush()

    def close(self, rows: Sequence[Row], left_out: Sequence[Row]) -> None:
        """Finishes the store: the manifest comes last."""
        text = csv_text(_REASONS, ([row[column] for column in _REASONS] for row in left_out))
        if left_out:
            _replace_changed(self.path / LEFT_OUT, text)
        else:
            (self.path / LEFT_OUT).unlink(missing_ok=True)
        _replace_changed(self.path / MANIFEST, csv_text(COLUMNS, ([row[name] for name in COLUMNS] for row in rows)))
        for name in (MANIFEST, LEFT_OUT):
            for part in self.path.glob(f"{name}{_PART}*"):
                part.unlink(missing_ok=True)


def person_id(clip_id: str, number: int) -> str:
    """The id of one of several people of a clip, counted from 1."""
    return f"{clip_id}.p{number}"


def stamp(file: str) -> str:
    """Tells whether a file is the one that it was: size and time of its last change; empty where it cannot be had."""
    try:
        status = os.stat(file)
    except OSError:
        return ""
    return f"{status.st_size}-{status.st_ctime_ns}"


def _difference(key: str, old: Any, new: Any) -> tuple[str, Any, Any]:
    """The dotted path of the first thing in which two values differ, and that thing in both."""
    if isinstance(old, dict) and isinstance(new, dict):
        for name in dict.fromkeys([*old, *new]):
            if old.get(name) != new.get(name):
                return _difference(f"{key}.{name}", old.get(name), new.get(name))
    return key, old, new


def _replace_changed(path: Path, text: str) -> None:
    if not path.is_file() or path.read_text(encoding="utf-8") != text:
        replace_file(path, text)


def _is_temporary(file: Path) -> bool:
    return file.suffix == ".tmp"  # another worker may be about to name it


def _whole_rows(file: Path, columns: Sequence[str]) -> list[Row]:
    """Rows that were written to their end; the last one of a part file may not be."""
    try:
        rows = read_rows(file, columns)
    except FileNotFoundError:  # another worker has just finished the store
        return []
    if columns != COLUMNS:
        return [row for row in rows if None not in row.values()]
    return [row for row in rows if None not in row.values() and row["file"] == f"clips/{row['clip_id']}.npz"]


def _row(sequence: SkeletonSequence) -> Row:
    values = {name: str(getattr(sequence, name)) for name in COLUMNS if name not in ("n_frames", "file")}
    return {**values, "n_frames": str(len(sequence)), "file": f"clips/{sequence.clip_id}.npz"}


def _keypoints(path: Path, row: Row) -> Float[ndarray, "frame joint 3"] | None:
    """The clip's keypoints, if its file is there, readable and what the row says."""
    try:
        keypoints = read_keypoints(path / row["file"])
    except Exception:  # numpy and zipfile raise a dozen kinds for a damaged archive; whichever it is, make it anew
        return None
    expected = (int(row["n_frames"]), get_skeleton(row["skeleton"]).n_joints, 3)
    sound = keypoints.shape == expected and keypoints.dtype == np.float32 and np.isfinite(keypoints).all()
    return keypoints if sound else None
