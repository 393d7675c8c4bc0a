"""Importers: what finds the clips of a data set's own files, and reads each as a sequence for the skeleton store.

An importer is a frozen dataclass of options; calling it with the folder gives `ClipSource`s, which read nothing yet.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
import scipy.io

from actrec.data.sources.arrays import load_array, with_confidence
from actrec.data.sources.folders import distinct_names, files_below, warn_unlisted_files
from actrec.data.sources.tables import COLUMNS, Row, check_rate, locate, read_table
from actrec.data.store.writing import ClipSource
from actrec.skeleton import get_skeleton
from actrec.types import FARTHEST, ActrecError, SkeletonSequence

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

    def __post_init__(self) -> None:
        check_rate(self.fps)

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
        strange = [f"{name} of {mat[name].dtype}" for name in names[1:] if mat[name].dtype.kind not in "fiub"]
        if strange:
            raise ActrecError(f"it has {', '.join(strange)}; expected real numbers.")
        x, y, visible = mat["x"], mat["y"], mat["visibility"]
        if not x.shape == y.shape == visible.shape:
            raise ActrecError(
                f"x, y and visibility have shapes {x.shape}, {y.shape} and {visible.shape}; expected one."
            )
        keypoints = np.stack([x, y, np.ones(x.shape)], axis=-1, dtype=np.float64)
        keypoints[visible == 0] = 0
        size = mat["dimensions"].ravel()[:2]
        if len(size) < 2 or not ((size > 0) & (size <= FARTHEST)).all():
            raise ActrecError(f"its dimensions are {size.tolist()}; expected height and width in pixels.")
        return SkeletonSequence(
            keypoints,
            fps=self.fps,
            skeleton="penn13",
            clip_id=file.stem,
            label=str(mat["action"].flat[0]),
            group=file.stem,
            split="train" if int(mat["train"].flat[0]) == 1 else "test",
            width=int(size[1]),
            height=int(size[0]),
        )


@dataclass(frozen=True)
class SkeletonTable:
    """A folder of `.npy` or `.npz` arrays and a CSV that lists them, a row a clip.

    The columns `file` (relative to the folder) and `label` must be there; clip_id, group, split, fps, source, width
    and height may be. An array is (frame, joint, 3) with confidence last, or (frame, joint, 2); NaN is unobserved, and
    so is (0, 0) where there is no confidence.

    Attributes:
        skeleton: The joint layout of the arrays.
        fps: Frames a second where the CSV has no such column.
        table: The CSV; `labels.csv` in the folder if not given.
    """

    skeleton: str = "coco17"
    fps: float = 30.0
    table: str | None = None

    def __post_init__(self) -> None:
        check_rate(self.fps)

    def __call__(self, raw: Path) -> list[ClipSource]:
        table = Path(self.table).expanduser() if self.table else raw / "labels.csv"
        rows = read_table(table, (*COLUMNS, "fps", "source", "width", "height"))
        files = [locate(raw, row["file"]) for row in rows]
        warn_unlisted_files(raw, files_below(raw).files, files, table, (".npy", ".npz"))
        names = distinct_names([row.path for row in rows])
        return [self._source(file, row, name) for file, row, name in zip(files, rows, names, strict=True)]

    def _source(self, file: Path, row: Row, name: str) -> ClipSource:
        return ClipSource(
            row.get("clip_id") or name,
            row.get("source") or "csv",
            str(file),
            partial(self._load, file, row, name),
            row={"label": row["label"], "group": row.get("group") or row.stem, "split": row.get("split")},
            inputs={
                "fps": row.get("fps") or self.fps,
                "width": row.get("width") or 0,
                "height": row.get("height") or 0,
                "layout": self.skeleton,
            },
        )

    def _load(self, file: Path, row: Row, name: str) -> SkeletonSequence:
        return SkeletonSequence(
            with_confidence(load_array(file), get_skeleton(self.skeleton)),
            fps=row.rate(float(self.fps)),
            skeleton=self.skeleton,
            clip_id=row.get("clip_id") or name,
            label=row["label"],
            group=row.get("group") or row.stem,
            split=row.get("split"),
            width=row.pixels("width"),
            height=row.pixels("height"),
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
                others = sorted({str(other) for _, other in there} - {str(path)})
                if others:
                    log.warning("%s: not read are %s.", name, ", ".join(others))
                log.info("%s: %s", name, path)
                clips += form.importer(path)
        if not clips:
            places = "; ".join(
                f"{name}: {', '.join(place for form in forms for place in form.places)}"
                for name, forms in self.sources.items()
            )
            raise ActrecError(f"None of the sources is in {raw}. Looked for {places}. Put at least one there.")
        return clips
