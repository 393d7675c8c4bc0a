"""Imports the annotations of Penn Action (MATLAB files)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from actrec.data.sources.tables import check_rate
from actrec.data.store.clip_source import ClipSource
from actrec.types import FARTHEST, ActrecError, SkeletonSequence

_NAMES = ("action", "x", "y", "visibility", "train", "dimensions")


@dataclass(frozen=True)
class PennAction:
    """Imports the official annotations of Penn Action, `labels/0001.mat` and so on.

    A joint is observed where `visibility` is set, whatever its position. Each clip is a group.

    Attributes:
        fps: Frames per second, which the data set does not store.
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
        """Reads a clip from its annotations; raises an ActrecError if the file is damaged."""
        mat = _load(file)
        size = mat["dimensions"].ravel()[:2]
        if len(size) < 2 or not ((size > 0) & (size <= FARTHEST)).all():
            raise ActrecError(f"its dimensions are {size.tolist()}; expected height and width in pixels.")
        return SkeletonSequence(
            _keypoints(mat),
            fps=self.fps,
            skeleton="penn13",
            clip_id=file.stem,
            label=str(mat["action"].flat[0]),
            group=file.stem,
            split="train" if int(mat["train"].flat[0]) == 1 else "test",
            width=int(size[1]),
            height=int(size[0]),
        )


def _load(file: Path) -> Mapping[str, Any]:
    import scipy.io  # slow to import, and needed only for this format

    try:
        mat: Mapping[str, Any] = scipy.io.loadmat(file, variable_names=_NAMES)
    except Exception as error:  # scipy raises many kinds for a damaged file
        raise ActrecError(f"it cannot be read as a MATLAB file ({error}); it may be cut short. Get it again.") from None
    missing = [name for name in _NAMES if name not in mat or mat[name].size == 0]
    if missing:
        raise ActrecError(f"it has no {', '.join(missing)}; it may be cut short. Get it again.")
    strange = [f"{name} of {mat[name].dtype}" for name in _NAMES[1:] if mat[name].dtype.kind not in "fiub"]
    if strange:
        raise ActrecError(f"it has {', '.join(strange)}; expected real numbers.")
    return mat


def _keypoints(mat: Mapping[str, Any]) -> Float[ndarray, "frame joint 3"]:
    x, y, visible = mat["x"], mat["y"], mat["visibility"]
    if not x.shape == y.shape == visible.shape:
        raise ActrecError(f"x, y and visibility have shapes {x.shape}, {y.shape} and {visible.shape}; expected one.")
    keypoints = np.stack([x, y, np.ones(x.shape)], axis=-1, dtype=np.float64)
    keypoints[visible == 0] = 0
    return keypoints
