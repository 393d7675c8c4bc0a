"""Imports Northwestern-UCLA Multiview Action 3D, as the JSON files that graph networks use."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from actrec.data.sources.arrays import with_confidence
from actrec.data.sources.named_files import named_files
from actrec.data.sources.tables import check_rate
from actrec.data.store.clip_source import ClipSource
from actrec.skeleton import get_skeleton
from actrec.types import ActrecError, SkeletonSequence

ACTIONS = {
    1: "pick_up_one_hand",
    2: "pick_up_two_hands",
    3: "drop_trash",
    4: "walk_around",
    5: "sit_down",
    6: "stand_up",
    8: "donning",
    9: "doffing",
    11: "throw",
    12: "carry",
}  # by the number in the file's name
_NAME = re.compile(r"(?P<performance>a(?P<action>0[1-689]|1[12])_s\d\d_e\d\d)_v0(?P<view>[123])")
_SKELETON = "nwucla20"
_TEST_VIEW = 3


@dataclass(frozen=True)
class NwUcla:
    """Imports files `aAA_sSS_eEE_vVV.json` with the positions of 20 joints in metres, y up, and their official split.

    Three cameras film each performance, and the official cross-view protocol trains on those of the views 1 and 2 and
    tests those of view 3. Groups are performances, so that val shares none with train if it is drawn from it; a clip
    that the protocol itself puts into another part is a group of its own. A joint that is NaN or exactly at (0, 0, 0)
    is unobserved; others have the confidence 1.

    Attributes:
        fps: Frames per second, which the data set does not store.
        split_name: "xview", the official split; null stores no split, and all views of a performance are then one
            group.
        val_view: View 1 or 2, if it is to be val instead of training; null for none.
    """

    fps: float = 30.0
    split_name: str | None = "xview"
    val_view: int | None = None

    def __post_init__(self) -> None:
        check_rate(self.fps)
        if self.split_name not in ("xview", None):
            raise ActrecError(f"The importer's split_name is {self.split_name!r}; expected xview or null.")
        if self.val_view not in (1, 2, None):
            raise ActrecError(f"The importer's val_view is {self.val_view!r}; expected 1, 2 or null.")

    def __call__(self, raw: Path) -> list[ClipSource]:
        files = named_files(raw, ".json", _NAME, "aAA_sSS_eEE_vVV.json of NW-UCLA")
        return [self._source(file, self._row(name)) for file, name in files]

    def _source(self, file: Path, row: dict[str, str]) -> ClipSource:
        return ClipSource(
            file.stem,
            "nw_ucla",
            str(file),
            partial(self._read, file, row),
            label=row["label"],
            row=row,
            inputs={"fps": self.fps},
        )

    def _read(self, file: Path, row: Mapping[str, Any]) -> SkeletonSequence:
        return SkeletonSequence(_keypoints(file), fps=self.fps, skeleton=_SKELETON, clip_id=file.stem, **row)

    def _row(self, name: re.Match[str]) -> dict[str, str]:
        view, group = int(name["view"]), name["performance"]
        split = "test" if view == _TEST_VIEW else "val" if view == self.val_view else "train"
        if self.split_name is None:
            split = ""
        elif split != "train":
            group = name[0]
        return {"label": ACTIONS[int(name["action"])], "group": group, "split": split}


def _keypoints(file: Path) -> Float[ndarray, "frame joint 4"]:
    skeleton = get_skeleton(_SKELETON)
    expected = f"expected `skeletons`, a list of frames, each of {skeleton.n_joints} joints of x, y and z"
    try:
        content: Any = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ActrecError(f"it cannot be read as JSON ({error}); it may be cut short. Get it again.") from None
    frames = content.get("skeletons") if isinstance(content, dict) else None
    if not isinstance(frames, list):
        raise ActrecError(f"it has no list `skeletons`; {expected}.")
    if not frames:
        raise ActrecError("its list `skeletons` is empty: it has no frame.")
    try:
        points = np.array(frames, dtype=np.float64)
    except (ValueError, TypeError) as error:
        raise ActrecError(f"its `skeletons` are no array of numbers ({error}); {expected}.") from None
    if points.shape[1:] != (skeleton.n_joints, 3):
        raise ActrecError(f"its `skeletons` have shape {points.shape}; {expected}.")
    return with_confidence(points, skeleton, coordinates=3)
