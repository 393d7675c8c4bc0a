"""Importers: what finds the clips of a data set's own files, and reads each as a sequence for the skeleton store.

An importer is a frozen dataclass of options; calling it with the folder gives `ClipSource`s, which read nothing yet.
"""

from __future__ import annotations

import csv
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
import scipy.io
from jaxtyping import Float
from numpy import ndarray

from actrec.data.writer import ClipSource
from actrec.types import ActrecError, SkeletonSequence

log = logging.getLogger(__name__)

Importer = Callable[[Path], list[ClipSource]]


@runtime_checkable
class ClipGenerator(Protocol):
    """An importer that makes its clips up, and so needs no files."""

    def __call__(self, raw: Path | None = None) -> list[ClipSource]: ...

    def clips(self) -> list[SkeletonSequence]:
        """All of them at once."""


@dataclass(frozen=True)
class PennAction:
    """The official annotations of Penn Action: `labels/0001.mat` and so on.

    A joint is observed where `visibility` says so, whatever its position; each clip is a group of its own.

    Attributes:
        fps: Frames a second, which the data set does not store.
    """

    fps: float = 30.0

    def __call__(self, raw: Path) -> list[ClipSource]:
        folder = raw / "labels" if (raw / "labels").is_dir() else raw
        files = sorted(folder.glob("*.mat"))
        if not files:
            raise ActrecError(
                f"There are no Penn Action annotations in {raw}; expected labels/0001.mat and so on. "
                "Give the folder that has labels/: raw=…/Penn_Action"
            )
        inputs = {"fps": self.fps}
        return [
            ClipSource(file.stem, "penn_action", str(file), partial(self.read, file), inputs=inputs) for file in files
        ]

    def read(self, file: Path) -> SkeletonSequence:
        """A clip, from its annotations.

        Raises:
            ActrecError: The file is damaged.
        """
        names = ("action", "x", "y", "visibility", "train", "dimensions")
        try:
            mat = scipy.io.loadmat(file, variable_names=names)
        except Exception as error:  # scipy raises a dozen kinds for a damaged file
            raise ActrecError(
                f"it cannot be read as a MATLAB file ({error}); it may be cut short. Fetch it anew."
            ) from None
        missing = [name for name in names if name not in mat or mat[name].size == 0]
        if missing:
            raise ActrecError(f"it has no {', '.join(missing)}; it may be cut short. Fetch it anew.")
        x, y, visible = mat["x"], mat["y"], mat["visibility"]
        if not x.shape == y.shape == visible.shape:
            raise ActrecError(
                f"x, y and visibility have shapes {x.shape}, {y.shape} and {visible.shape}; expected one."
            )
        keypoints = np.stack([x, y, np.ones_like(x)], axis=-1).astype(np.float32)
        keypoints[visible == 0] = 0
        height, width = (int(size) for size in mat["dimensions"].flat[:2])
        return SkeletonSequence(
            keypoints,
            fps=self.fps,
            skeleton="penn13",
            label=str(mat["action"].flat[0]),
            group=file.stem,
            split="train" if int(mat["train"].flat[0]) == 1 else "test",
            width=width,
            height=height,
        )


@dataclass(frozen=True)
class SkeletonTable:
    """A folder of `.npy` or `.npz` arrays and a CSV that lists them, a row a clip.

    The columns `file` (relative to the folder) and `label` must be there; clip_id, group, split, fps, source, width
    and height may be. An array is (frame, joint, 3) with confidence last, or (frame, joint, 2); NaN is unobserved.

    Attributes:
        skeleton: The joint layout of the arrays.
        fps: Frames a second where the CSV has no such column.
        table: The CSV; `labels.csv` in the folder if not given.
    """

    skeleton: str = "coco17"
    fps: float = 30.0
    table: str | None = None

    def __call__(self, raw: Path) -> list[ClipSource]:
        rows = read_table(Path(self.table).expanduser() if self.table else raw / "labels.csv")
        return [self._source(raw, row) for row in rows]

    def _source(self, raw: Path, row: Mapping[str, str]) -> ClipSource:
        name = str(Path(row["file"]).with_suffix(""))
        return ClipSource(
            row.get("clip_id") or name,
            row.get("source") or "csv",
            str(raw / row["file"]),
            partial(self._load, raw, row),
            row={"label": row["label"], "group": row.get("group") or name, "split": row.get("split") or ""},
            inputs={
                "fps": row.get("fps") or self.fps,
                "width": row.get("width") or 0,
                "height": row.get("height") or 0,
                "layout": self.skeleton,
            },
        )

    def _load(self, raw: Path, row: Mapping[str, str]) -> SkeletonSequence:
        try:
            numbers = {name: int(row.get(name) or 0) for name in ("width", "height")}
            fps = float(row.get("fps") or self.fps)
        except ValueError as error:
            raise ActrecError(f"its row in the CSV has a number that is none: {error}.") from None
        return SkeletonSequence(
            _with_confidence(_load_array(raw / row["file"])),
            fps=fps,
            skeleton=self.skeleton,
            label=row["label"],
            group=row.get("group") or str(Path(row["file"]).with_suffix("")),
            split=row.get("split") or "",
            width=numbers["width"],
            height=numbers["height"],
        )


@dataclass(frozen=True)
class Source:
    """Where in a folder one of several sources may be, in one of its forms.

    Attributes:
        places: Patterns relative to the folder; the first that something matches is taken.
        importer: What reads it.
    """

    places: Sequence[str]
    importer: Importer


@dataclass(frozen=True)
class Sources:
    """A data set made of several, of which any may be absent.

    Attributes:
        sources: By name, the forms in which each may be there; the first that is there is read.
    """

    sources: Mapping[str, Sequence[Source]]

    def __call__(self, raw: Path) -> list[ClipSource]:
        clips: list[ClipSource] = []
        for name, forms in self.sources.items():
            there = [(form, path) for form in forms for place in form.places for path in sorted(raw.glob(place))]
            if there:
                form, path = there[0]
                log.info("%s: %s", name, path)
                clips += form.importer(path)
        if not clips:
            places = "; ".join(
                f"{name}: {', '.join(place for form in forms for place in form.places)}"
                for name, forms in self.sources.items()
            )
            raise ActrecError(f"None of the sources is in {raw}. Looked for {places}. Put at least one there.")
        return clips


def read_table(table: Path) -> list[dict[str, str]]:
    """The rows of a CSV that lists clips: with file and label, and split where there is one checked.

    Raises:
        ActrecError: It is not there, cannot be read, or a row is wrong.
    """
    if not table.is_file():
        raise ActrecError(
            f"There is no CSV {table}. It lists the clips, with the columns file and label; give it with csv=…"
        )
    with table.open(newline="", encoding="utf-8-sig") as stream:
        reader = csv.DictReader(stream)
        try:
            missing, rows = {"file", "label"} - set(reader.fieldnames or ()), list(reader)
        except (UnicodeDecodeError, csv.Error) as error:
            raise ActrecError(f"{table} cannot be read ({error}). Save it as CSV in UTF-8.") from None
    if missing or not rows:
        what = f"has no column {' and no '.join(sorted(missing))}" if missing else "lists no clips"
        raise ActrecError(f"{table} {what}; expected columns file and label, and a row a clip.")
    for number, row in enumerate(rows, start=2):
        if not row["file"] or not row["label"] or (row.get("split") or "") not in ("train", "test", ""):
            raise ActrecError(
                f"Row {number} of {table} has file '{row['file']}', label '{row['label']}' and split "
                f"'{row.get('split') or ''}'; expected a file, a label, and split 'train', 'test' or nothing."
            )
    return rows


def _load_array(file: Path) -> ndarray:
    try:
        with file.open("rb") as stream:  # np.load leaves a damaged file open, if it opens it
            loaded = np.load(stream)
            if isinstance(loaded, ndarray):
                return loaded
            array: ndarray = loaded["keypoints" if "keypoints" in loaded.files else loaded.files[0]]
            return array
    except FileNotFoundError:
        raise ActrecError("there is no such file.") from None
    except Exception as error:  # numpy and zipfile raise a dozen kinds for a damaged file
        raise ActrecError(f"it cannot be read as a numpy array ({error}).") from None


def _with_confidence(array: ndarray) -> Float[ndarray, "frame joint 3"]:
    if array.ndim != 3 or array.shape[2] not in (2, 3) or array.dtype.kind not in "fiu":
        raise ActrecError(
            f"it has shape {array.shape} of {array.dtype}; expected numbers, (frame, joint, 2) or (frame, joint, 3)."
        )
    keypoints = np.ones((*array.shape[:2], 3), dtype=np.float32)
    keypoints[..., : array.shape[2]] = array
    keypoints[~np.isfinite(keypoints).all(-1)] = 0
    return keypoints
