"""Converts sequences to rows of a store's manifest, and reads the rows and arrays that were written completely."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from actrec.data.store.reading import COLUMNS, Row, read_keypoints, read_rows
from actrec.files import printable
from actrec.skeleton import get_skeleton
from actrec.types import SkeletonSequence


def whole_rows(file: Path, columns: Sequence[str]) -> list[Row]:
    """Reads the complete rows of a table; the last one of a part file may have been cut off."""
    try:
        rows = read_rows(file, columns)
    except FileNotFoundError:  # another worker has just finished the store
        return []
    if columns != COLUMNS:
        return [row for row in rows if None not in row.values()]
    return [row for row in rows if None not in row.values() and row["file"] == f"clips/{row['clip_id']}.npz"]


def row_of(sequence: SkeletonSequence) -> Row:
    """Makes the manifest's row of a sequence."""
    values = {name: printable(str(getattr(sequence, name))) for name in COLUMNS if name not in ("n_frames", "file")}
    return {**values, "n_frames": str(len(sequence)), "file": f"clips/{sequence.clip_id}.npz"}


def whole_keypoints(path: Path, row: Row) -> Float[ndarray, "frame joint 3"] | None:
    """Reads a clip's keypoints; None if the file does not exist, is damaged, or does not agree with the row."""
    try:
        keypoints = read_keypoints(path / row["file"])
        expected = (int(row["n_frames"]), get_skeleton(row["skeleton"]).n_joints, 3)
    except Exception:  # numpy and zipfile raise a dozen kinds for a damaged archive; the clip is then made again
        return None
    sound = keypoints.shape == expected and keypoints.dtype == np.float32 and np.isfinite(keypoints).all()
    return keypoints if sound else None
