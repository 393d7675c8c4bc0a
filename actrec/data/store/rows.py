"""Rows of a store's tables, and the sequences and arrays that they stand for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from actrec.data.store.reading import COLUMNS, Row, read_keypoints, read_rows
from actrec.files import printable
from actrec.skeleton import get_skeleton
from actrec.types import SkeletonSequence

_NOT_TEXT = ("fps", "width", "height", "n_frames", "file")


def sequences(path: Path, rows: Iterable[Row]) -> list[SkeletonSequence]:
    """The sequences of the rows of the store at `path`."""
    return [
        SkeletonSequence(
            read_keypoints(path / row["file"]),
            fps=float(row["fps"]),
            width=int(row["width"]),
            height=int(row["height"]),
            **{name: row[name] for name in COLUMNS if name not in _NOT_TEXT},
        )
        for row in rows
    ]


def whole_rows(file: Path, columns: Sequence[str]) -> list[Row]:
    """Rows that were written to their end; the last one of a part file may not be."""
    try:
        rows = read_rows(file, columns)
    except FileNotFoundError:  # another worker has just finished the store
        return []
    if columns != COLUMNS:
        return [row for row in rows if None not in row.values()]
    return [row for row in rows if None not in row.values() and row["file"] == f"clips/{row['clip_id']}.npz"]


def row_of(sequence: SkeletonSequence) -> Row:
    values = {name: printable(str(getattr(sequence, name))) for name in COLUMNS if name not in ("n_frames", "file")}
    return {**values, "n_frames": str(len(sequence)), "file": f"clips/{sequence.clip_id}.npz"}


def whole_keypoints(path: Path, row: Row) -> Float[ndarray, "frame joint 3"] | None:
    """The clip's keypoints, if its file is there, readable and what the row says."""
    try:
        keypoints = read_keypoints(path / row["file"])
        expected = (int(row["n_frames"]), get_skeleton(row["skeleton"]).n_joints, 3)
    except Exception:  # numpy and zipfile raise a dozen kinds for a damaged archive; whichever it is, make it anew
        return None
    sound = keypoints.shape == expected and keypoints.dtype == np.float32 and np.isfinite(keypoints).all()
    return keypoints if sound else None
