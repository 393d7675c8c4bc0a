"""Finds what the columns of a table of keypoints are: of clip, frame, person and time, and of the joints' x and y."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from actrec.data.sources.csv_files import column_name
from actrec.types import ActrecError

ROLES = {
    "clip": ("clip", "clip_id", "video", "video_id", "video_name", "file", "filename", "file_name", "sequence"),
    "frame": ("frame", "frame_id", "frame_idx", "frame_index", "frame_number", "frame_num", "frame_no"),
    "person": ("person", "person_id", "track", "track_id", "individual", "individuals", "subject_id", "id"),
    "label": ("label", "class", "action", "activity"),
    "seconds": ("time", "seconds", "time_s", "timestamp", "timestamp_s"),
    "milliseconds": ("timestamp_ms", "time_ms", "milliseconds", "ms"),
    "fps": ("fps", "frame_rate"),
    "joint": ("joint", "keypoint", "landmark", "bodypart", "body_part", "part", "node", "joint_name", "keypoint_name",
              "joint_id", "keypoint_id", "landmark_id", "landmark_index", "landmark_name", "keypoint_index"),
}  # fmt: skip
CONFIDENCES = ("confidence", "conf", "c", "score", "likelihood", "visibility", "visible", "vis", "v", "presence")
_VALUES = "|".join(sorted(("x", "y", *CONFIDENCES), key=len, reverse=True))
_AFTER = re.compile(rf"(?P<joint>.+?)[ _.]?(?P<value>{_VALUES})")  # nose_x, nose.score, 12_v
_BEFORE = re.compile(rf"(?P<value>{_VALUES})[ _.]?(?P<joint>\d+|(?<=[ _.]).+)")  # x12, x_nose
_BOXES = ("box", "bbox", "bounding_box", "center", "centroid")


@dataclass(frozen=True)
class Columns:
    """The places of a table's columns, by what they are.

    Attributes:
        roles: Of those for the whole row, by the names in `ROLES`.
        joints: Of a wide table: for each joint, those of x, y and, if there is one, confidence; in the table's order.
    """

    names: Sequence[str]
    roles: dict[str, int] = field(default_factory=dict)
    joints: dict[str, tuple[int, ...]] = field(default_factory=dict)


def columns_of(header: Sequence[str]) -> Columns:
    """Reads the header of a table."""
    names = [column_name(cell) for cell in header]
    roles = {
        role: names.index(found)
        for role, known in ROLES.items()
        if (found := next((name for name in known if name in names), None)) is not None
    }
    joints = max((_joints(names, pattern) for pattern in (_AFTER, _BEFORE)), key=len)
    return Columns(names, roles, joints)


def _joints(names: Sequence[str], pattern: re.Pattern[str]) -> dict[str, tuple[int, ...]]:
    """Returns the columns of each joint that has x and y."""
    places: dict[str, dict[str, int]] = {}
    for place, name in enumerate(names):
        if match := pattern.fullmatch(name):
            places.setdefault(match["joint"], {})[match["value"]] = place
    joints = {}
    for joint, values in places.items():
        if {"x", "y"} <= values.keys() and joint not in _BOXES:
            confidence = next((values[name] for name in CONFIDENCES if name in values), None)
            joints[joint] = (values["x"], values["y"], *(() if confidence is None else (confidence,)))
    if joints and all(joint.isdigit() for joint in joints):
        joints = {joint: joints[joint] for joint in sorted(joints, key=int)}
        numbers = list(map(int, joints))
        return joints if numbers == list(range(numbers[0], numbers[0] + len(numbers))) else {}
    return joints


def named(joints: Sequence[str]) -> tuple[str, ...]:
    """Returns the names of joints; none if they are numbers."""
    return () if all(joint.strip().isdigit() for joint in joints) else tuple(joints)


def number_reader(separator: str) -> Callable[[str], float]:
    """Returns the function that reads a number; an empty cell is NaN. Commas can be decimal if they do not separate."""

    decimal = separator != ","

    def read(cell: str) -> float:
        try:
            return float(cell.replace(",", ".") if decimal else cell) if cell else np.nan
        except ValueError:
            raise ActrecError(f"it has '{cell}' where a number should be.") from None

    return read


def checked(cells: Sequence[str], count: int, row: int) -> Sequence[str]:
    """Returns a row that has a cell for each column; an ActrecError if it has not."""
    if len(cells) < count:
        raise ActrecError(f"its row {row} has {len(cells)} cells and its header {count}. Is it cut short?")
    return cells


def rate(times: Mapping[int, float]) -> float:
    """Returns the frames per second that the times of frames tell, in seconds or thousandths; 0 if they tell none."""
    frames = sorted(times)
    steps = [(times[b] - times[a]) / (b - a) for a, b in pairwise(frames)]
    step = float(np.median(steps)) if steps else 0.0
    while 1 <= step < np.inf:  # a frame a second or less is one in milliseconds, or in microseconds
        step /= 1000
    return round(1 / step, 3) if step > 0 else 0.0
