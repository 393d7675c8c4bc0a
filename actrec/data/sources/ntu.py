"""Imports NTU RGB+D and NTU RGB+D 120 from their `.skeleton` files: 25 joints in three dimensions."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy import ndarray

from actrec.data.sources.bodies import Bodies, main_bodies
from actrec.data.sources.named_files import named_files
from actrec.data.sources.ntu_actions import ACTIONS
from actrec.data.sources.skeleton_files import read_bodies
from actrec.data.sources.tables import check_rate
from actrec.data.store.clip_source import ClipSource
from actrec.skeleton import get_skeleton
from actrec.types import ActrecError, SkeletonSequence

log = logging.getLogger(__name__)

_SKELETON = "ntu25"
_NAME = re.compile(r"S(?P<setup>\d{3})C(?P<camera>\d{3})P(?P<subject>\d{3})R(?P<take>\d{3})A(?P<action>\d{3})")
_SUBJECTS = {
    *(1, 2, 4, 5, 8, 9, 13, 14, 15, 16, 17, 18, 19, 25, 27, 28, 31, 34, 35, 38),  # all of NTU RGB+D's 40 that train
    *(45, 46, 47, 49, 50, 52, 53, 54, 55, 56, 57, 58, 59, 70, 74, 78, 80, 81, 82, 83, 84, 85, 86, 89, 91, 92, 93, 94),
    *(95, 97, 98, 100, 103),
}
_TEST_CAMERA = 1
_PROTOCOLS: Mapping[int, tuple[str, ...]] = {60: ("xsub", "xview"), 120: ("xsub", "xset")}


@dataclass(frozen=True)
class Ntu:
    """Imports files `SsssCcccPpppRrrrAaaa.skeleton` with an official split: x, y and z in metres, y up.

    Joints that Kinect infers have the confidence 0.5, those that it tracks 1. Files in which no frame has a body are
    skipped. For the choice among several bodies see `main_bodies`; in frames without the chosen one, no joint is
    observed.

    Groups are what the split separates: subjects for "xsub", setups for "xset"; for "xview" they are performances,
    and those of the camera that tests are groups of their own.

    Attributes:
        n_actions: 60 for NTU RGB+D, 120 for NTU RGB+D 120; files of other actions are left out.
        split_name: The official split: "xsub" (training subjects), "xview" (cameras 2 and 3 train; of 60 actions), or
            "xset" (even setups train; of 120); null stores none.
        bodies: "main" takes the body that moves most; "two" takes the two that do, each as a clip of its own, whose
            names end in .p1 and .p2. Evaluation averages their logits; see `actrec.evaluation.people`.
        fps: Frames per second, which the files do not store.
    """

    n_actions: int = 120
    split_name: str | None = "xsub"
    bodies: str = "main"
    fps: float = 30.0

    def __post_init__(self) -> None:
        check_rate(self.fps)
        if self.n_actions not in _PROTOCOLS:
            raise ActrecError(f"The importer's n_actions is {self.n_actions!r}; expected 60 or 120.")
        protocols = _PROTOCOLS[self.n_actions]
        if self.split_name is not None and self.split_name not in protocols:
            raise ActrecError(
                f"The importer's split_name is {self.split_name!r}; expected {' or '.join(protocols)}, or null."
            )
        if self.bodies not in ("main", "two"):
            raise ActrecError(f"The importer's bodies are {self.bodies!r}; expected main or two.")

    def __call__(self, raw: Path) -> list[ClipSource]:
        files = named_files(raw, ".skeleton", _NAME, "SsssCcccPpppRrrrAaaa.skeleton of NTU RGB+D")
        listed = [(file, name) for file, name in files if 1 <= int(name["action"]) <= self.n_actions]
        if not listed:
            raise ActrecError(f"The {len(files)} files in {raw} are of none of the actions 1 to {self.n_actions}.")
        if len(listed) < len(files):
            log.info("%d files are of other actions than 1 to %d.", len(files) - len(listed), self.n_actions)
        return [self._source(file, name[0], self._row(name)) for file, name in listed]

    def _source(self, file: Path, name: str, row: dict[str, str]) -> ClipSource:
        return ClipSource(
            name,
            f"ntu{self.n_actions}",
            str(file),
            partial(self._read, file, row),
            label=row["label"],
            row=row,
            inputs={"fps": self.fps, "bodies": self.bodies},
        )

    def _row(self, name: re.Match[str]) -> dict[str, str]:
        subject, camera, setup = (int(name[part]) for part in ("subject", "camera", "setup"))
        performance = f"S{name['setup']}P{name['subject']}R{name['take']}A{name['action']}"
        trains, group = {
            "xsub": (subject in _SUBJECTS, f"P{name['subject']}"),
            "xset": (setup % 2 == 0, f"S{name['setup']}"),
            "xview": (camera != _TEST_CAMERA, performance if camera != _TEST_CAMERA else name[0]),
            None: (None, performance),
        }[self.split_name]
        split = {True: "train", False: "test", None: ""}[trains]
        return {"label": ACTIONS[int(name["action"]) - 1], "group": group, "split": split}

    def _read(self, file: Path, row: Mapping[str, Any]) -> SkeletonSequence | list[SkeletonSequence]:
        chosen = main_bodies(_bodies(file), 1 if self.bodies == "main" else 2)
        clips = [SkeletonSequence(body, fps=self.fps, skeleton=_SKELETON, clip_id=file.stem, **row) for body in chosen]
        return clips[0] if self.bodies == "main" and clips else clips


def _bodies(file: Path) -> Bodies:
    """Reads all bodies of a file, by their ids."""
    try:
        frames = read_bodies(file.read_text(encoding="ascii"))
    except UnicodeDecodeError as error:
        raise ActrecError(f"it cannot be read as text ({error}). Get it again.") from None
    n_joints = get_skeleton(_SKELETON).n_joints
    names = dict.fromkeys(body.name for bodies in frames for body in bodies)
    places = {name: number for number, name in enumerate(names)}
    found: ndarray = np.zeros((len(names), len(frames), n_joints, 4))
    for number, bodies in enumerate(frames):
        for body in bodies:
            if len(body.joints) != n_joints:
                raise ActrecError(f"it has {len(body.joints)} joints in frame {number + 1}; expected {n_joints}.")
            found[places[body.name], number] = np.column_stack([body.joints[:, :3], body.confidences])
    found[np.isnan(found).any(-1) | (found[..., :3] == 0).all(-1)] = 0
    return found
