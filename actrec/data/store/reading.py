"""Reads the skeleton store: a folder with `manifest.csv`, `store.json` and `clips/<clip_id>.npz`.

`actrec.prepare` makes and updates it; training and evaluation read it. `manifest.csv` is written last, so that a store
that has one is complete.
"""

from __future__ import annotations

import csv
import json
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from actrec.data.store.segments import COLUMNS as SEGMENT_COLUMNS
from actrec.data.store.segments import SEGMENTS, grouped
from actrec.files import printable
from actrec.skeleton import add_skeleton, get_skeleton
from actrec.types import ActrecError, Segment, SkeletonSequence

FORMAT_VERSION = 1
MANIFEST = "manifest.csv"
INFO = "store.json"
SKELETONS = "skeletons.json"  # joint layouts of the clips that are not built in
COLUMNS = (
    *("clip_id", "label", "source", "group", "split", "variant"),
    *("fps", "width", "height", "n_frames", "skeleton", "file"),
)
_SPLITS = ("train", "val", "test", "")
_WITHOUT_DATA = "python -m actrec.train experiment=quickstart"
_ROW_HINT = "Correct that row, or delete the store's manifest.csv and make the store again: "

Row = dict[str, str]


def read_store(path: str | Path, dataset: str = "<name>", needs_raw: bool = True) -> list[SkeletonSequence]:
    """Reads every clip of a store, in the order of its manifest; see `iterate_store`."""
    return list(iterate_store(path, dataset, needs_raw))


def iterate_store(
    path: str | Path,
    dataset: str = "<name>",
    needs_raw: bool = True,
    damaged: Callable[[str, ActrecError], None] | None = None,
) -> Iterator[SkeletonSequence]:
    """Reads the clips of a store one after the other, in the order of its manifest.

    Args:
        dataset: Name of the expected data set, for the error message if there is no store.
        needs_raw: Whether the data set is imported from files, for the same message.
        damaged: Called with the id and the error of a clip that cannot be read, which is then left out; by default the
            error is raised.

    Raises:
        ActrecError: There is no complete store, a row or file of it is wrong, or some clips have two coordinates and
            others three.
    """
    path = Path(path)
    if not (path / MANIFEST).is_file():
        state = "is not finished" if (path / INFO).is_file() else "is not there"
        raise ActrecError(
            f"The skeleton store {path} {state}: it has no {MANIFEST}. Build it with:\n"
            f"  {build_command(path, dataset, needs_raw)}\nWithout any data, this command runs:\n  {_WITHOUT_DATA}"
        )
    if (path / SKELETONS).is_file():
        for layout in json.loads((path / SKELETONS).read_text(encoding="utf-8")):
            add_skeleton(layout)
    rows = read_rows(path / MANIFEST)
    segments = read_segments(path, rows)
    command = build_command(path, dataset, needs_raw)
    if not rows:
        raise ActrecError(f"{path / MANIFEST} lists no clips. Make the store again:\n  {command}")
    first: SkeletonSequence | None = None
    for number, row in enumerate(rows, start=2):
        try:
            clip = _read_clip(path, row, number, command, segments.get(row["clip_id"], ()))
            first = first or clip
            check_alike({each.n_coordinates: each.clip_id for each in (first, clip)})
            yield clip
        except ActrecError as error:
            if damaged is None:
                raise
            damaged(str(row["clip_id"]), error)


def check_alike(ids: Mapping[int, str]) -> None:
    """Raises an ActrecError if a store has clips of two and of three coordinates, given the id of a clip of each."""
    if len(ids) > 1:
        raise ActrecError(
            f"Clip '{ids[2]}' has x and y, and clip '{ids[3]}' has x, y and z; a store has clips of one number of "
            "coordinates. Make a store of each kind."
        )


def read_segments(path: Path, clips: Sequence[Row]) -> dict[str, tuple[Segment, ...]]:
    """Reads the segments of each clip of a store that has any.

    Args:
        clips: The rows of the manifest.

    Raises:
        ActrecError: A row is wrong, or of a clip that is not in the store.
    """
    file = path / SEGMENTS
    if not file.is_file():
        return {}
    rows, lengths = read_rows(file, SEGMENT_COLUMNS), {clip["clip_id"]: clip["n_frames"] or "" for clip in clips}
    for number, row in enumerate(rows, start=2):
        if None in row.values():
            raise ActrecError(f"Row {number} of {file} is cut short; expected {', '.join(SEGMENT_COLUMNS)}.")
        if row["clip_id"] not in lengths:
            raise ActrecError(f"Row {number} of {file} is of clip '{row['clip_id']}', which is not in {MANIFEST}.")
    return grouped(rows, file, lengths)


def build_command(path: Path, dataset: str = "<name>", needs_raw: bool = True) -> str:
    """Returns the command that makes or continues the store at `path`."""
    info = read_info(path) or {}
    if "raw" in info:
        raw = f" raw={shlex.quote(info['raw'])}" if info["raw"] else ""
    else:
        raw = " raw=<folder>" if needs_raw else ""
    return f"python -m actrec.prepare dataset={info.get('dataset', dataset)}{raw} store={shlex.quote(str(path))}"


def read_info(path: Path) -> dict[str, Any] | None:
    """Reads `store.json`; None if there is none. Raises an ActrecError for another format."""
    file = path / INFO
    if not file.is_file():
        return None
    try:
        info: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        version = info["format_version"]
    except (ValueError, KeyError, TypeError) as error:
        raise ActrecError(
            f"{file} is not a skeleton store's description ({error}). Remove the store's folder."
        ) from None
    if version != FORMAT_VERSION:
        raise ActrecError(
            f"{file} has format version {version}; this program reads {FORMAT_VERSION}. Make the store again with "
            "this version of actrec, or use the version that made it."
        )
    return info


def read_rows(file: Path, expected: Sequence[str] = COLUMNS) -> list[Row]:
    """Reads the rows of a table of the store; raises an ActrecError if its columns are not the expected ones."""
    with file.open(newline="", encoding="utf-8") as stream:
        reader = csv.DictReader(stream)
        try:
            columns, rows = reader.fieldnames or (), list(reader)
        except (UnicodeDecodeError, csv.Error) as error:
            raise ActrecError(f"{file} is damaged ({error}). Delete it and make the store again.") from None
        if tuple(columns) != tuple(expected):
            found = ", ".join(columns) or "no columns"
            raise ActrecError(f"{file} has {found}; expected {', '.join(expected)}. Make the store again.")
        return rows


def read_keypoints(file: Path) -> ndarray:
    """Reads the array `keypoints` of an npz file without checks."""
    with ZipFile(file) as archive, archive.open("keypoints.npy") as stream:  # a third faster than np.load
        keypoints: ndarray = np.lib.format.read_array(stream)
        return keypoints


def read_repetition(file: Path) -> Float[ndarray, " frame"] | None:
    """Reads the array `repetition` of an npz file; None if it has none."""
    with ZipFile(file) as archive:
        if "repetition.npy" not in archive.namelist():
            return None
        with archive.open("repetition.npy") as stream:
            repetition: ndarray = np.lib.format.read_array(stream)
            return repetition


def whole_keypoints(path: Path, row: Row) -> Float[ndarray, "frame joint value"] | None:
    """Reads a clip's keypoints; None if the file does not exist, is damaged, or does not agree with the row."""
    try:
        keypoints = read_keypoints(path / row["file"])
        expected = (int(row["n_frames"]), get_skeleton(row["skeleton"]).n_joints)
    except Exception:  # numpy and zipfile raise many kinds for a damaged archive; the clip is then made again
        return None
    sound = (
        keypoints.shape[:-1] == expected
        and keypoints.shape[-1] in (3, 4)
        and keypoints.dtype == np.float32
        and np.isfinite(keypoints).all()
    )
    return keypoints if sound else None


def sequence_of(
    row: Row,
    keypoints: Float[ndarray, "frame joint value"],
    segments: tuple[Segment, ...] = (),
    repetition: Float[ndarray, " _"] | None = None,
) -> SkeletonSequence:
    """Makes the sequence of a row of the manifest from its keypoints, segments and repetitions."""
    names = ("label", "clip_id", "source", "group", "split", "variant", "skeleton")
    texts: dict[str, Any] = {name: row[name] for name in names}
    return SkeletonSequence(keypoints, **_numbers(row), **texts, segments=segments, repetition=repetition)


def row_of(sequence: SkeletonSequence) -> Row:
    """Makes the manifest's row of a sequence."""
    values = {name: printable(str(getattr(sequence, name))) for name in COLUMNS if name not in ("n_frames", "file")}
    return {**values, "n_frames": str(len(sequence)), "file": f"clips/{sequence.clip_id}.npz"}


def _numbers(row: Row) -> dict[str, Any]:
    return {"fps": float(row["fps"]), "width": int(row["width"]), "height": int(row["height"])}


def _read_clip(path: Path, row: Row, number: int, command: str, segments: tuple[Segment, ...]) -> SkeletonSequence:
    where = f"Row {number} of {path / MANIFEST} (clip '{row['clip_id']}')"
    file = path / str(row["file"])
    if None in row.values():
        raise ActrecError(f"{where} is cut short. {_ROW_HINT}\n  {command}")
    try:
        _numbers(row)
        n_frames, n_joints = int(row["n_frames"]), get_skeleton(row["skeleton"]).n_joints
        if row["split"] not in _SPLITS:
            raise ActrecError(f"split is '{row['split']}'; expected 'train', 'val', 'test' or nothing.")
    except (TypeError, ValueError) as error:
        raise ActrecError(f"{where} is wrong: {error} {_ROW_HINT}\n  {command}") from None
    again = f"Run this command, which makes that file again:\n  {command}"
    try:
        keypoints = read_keypoints(file)
    except FileNotFoundError:
        raise ActrecError(f"{where}: its file {file} is missing. {again}") from None
    except Exception as error:  # numpy and zipfile raise a dozen kinds for a damaged archive
        raise ActrecError(f"{where}: {file} cannot be read as npz with 'keypoints' ({error}). {again}") from None
    if keypoints.ndim != 3 or keypoints.shape[2] not in (3, 4) or len(keypoints) != n_frames:
        raise ActrecError(
            f"{where}: {file} has shape {keypoints.shape}; expected ({n_frames}, {n_joints}, 3 or 4). {again}"
        )
    if keypoints.shape[1] != n_joints:
        raise ActrecError(
            f"{where}: {file} has {keypoints.shape[1]} joints; its skeleton '{row['skeleton']}' has {n_joints}. Put "
            f"the skeleton that it was stored with in the row, or: {again[0].lower()}{again[1:]}"
        )
    if keypoints.dtype != np.float32 or not np.isfinite(keypoints).all():
        wrong = "NaN or infinite values" if keypoints.dtype == np.float32 else f"{keypoints.dtype} values"
        raise ActrecError(f"{where}: {file} has {wrong}; expected finite float32. {again}")
    try:
        return sequence_of(row, keypoints, segments, read_repetition(file))
    except ActrecError as error:
        raise ActrecError(f"{where} is wrong: {error} {_ROW_HINT}\n  {command}") from None
