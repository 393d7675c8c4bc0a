"""Reads tables of keypoints: a row for each frame (wide), or for each joint in each frame (long).

SLEAP's CSV is a wide table with columns nose.x, nose.y and nose.score; MediaPipe's has x, y, z and visibility of 33.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from actrec.data.sources.keypoint_files.columns import (
    CONFIDENCES,
    Columns,
    checked,
    columns_of,
    named,
    number_reader,
    rate,
)
from actrec.data.sources.keypoint_files.content import Table
from actrec.data.sources.keypoint_files.detections import Detections, Person, Told, detections
from actrec.types import ActrecError

_LEAST = 4  # joints


def columns(content: Any) -> Columns:
    """Returns the columns of a table; without any if it is empty."""
    _, header = next(content.rows(), (0, []))
    return columns_of(header)


def is_wide(content: Any) -> bool:
    """Returns whether this is a table with a row for each frame."""
    return len(columns(content).joints) >= _LEAST


def is_long(content: Any) -> bool:
    """Returns whether this is a table with a row for each joint."""
    found = columns(content)
    return "joint" in found.roles and {"x", "y"} <= set(found.names) and not is_wide(content)


def is_sleap(content: Any) -> bool:
    """Returns whether this is the CSV of SLEAP's analysis."""
    return is_wide(content) and {"frame_idx", "instance.score"} <= set(columns(content).names)


def is_mediapipe(content: Any) -> bool:
    """Returns whether this is a table with a row for each frame of 33 joints."""
    return len(columns(content).joints) == 33


@dataclass
class _Clip:
    """The rows of one clip, as far as they are read: by frame and person, the values of each joint."""

    people: dict[int, dict[Hashable, list[Any]]] = field(default_factory=dict)
    times: dict[int, float] = field(default_factory=dict)
    label: str = ""
    fps: float = 0.0

    def frame(self, number: int) -> dict[Hashable, list[Any]]:
        return self.people.setdefault(number, {})

    def tell(self, number: int, cells: Mapping[str, str]) -> None:
        """Takes time, rate and label from a row of a frame."""
        for role, unit in (("seconds", 1.0), ("milliseconds", 1e-3)):
            if cells.get(role):
                self.times[number] = float(cells[role]) * unit
        self.label = self.label or cells.get("label", "")
        self.fps = self.fps or float(cells.get("fps") or 0)


def read_wide(content: Any) -> dict[str, Detections]:
    """Returns the clips, by their names in the table; one clip has an empty name."""
    found = columns(content)
    read = number_reader(content.separator)
    clips: dict[str, _Clip] = {}
    for row, cells, clip, number, person in _rows(content, found, clips):
        frame = clip.frame(number)
        who = person or (("unnamed", len(frame)) if "person" in found.roles else "")
        if who in frame:
            raise ActrecError(f"its row {row} is of frame {number}, which it has before. Give people a column person.")
        frame[who] = [[read(cells[place]) for place in places] for places in found.joints.values()]
    return _finished(clips, found, named(list(found.joints)))


def read_long(content: Any) -> dict[str, Detections]:
    """Returns the clips, by their names in the table; one clip has an empty name. Joints without a row are missing."""
    found = columns(content)
    if "frame" not in found.roles:
        raise ActrecError("it has a row for each joint, and no column frame.")
    read = number_reader(content.separator)
    values = [found.names.index(name) for name in ("x", "y")]
    values += [found.names.index(name) for name in CONFIDENCES if name in found.names][:1]
    places = _joint_places(content, found)
    clips: dict[str, _Clip] = {}
    column = found.roles["joint"]
    for row, cells, clip, number, person in _rows(content, found, clips):
        frame = clip.frame(number)
        joints = frame.get(person) or frame.setdefault(person, [None] * len(places))
        joint = places[cells[column]]
        if joints[joint] is not None:
            raise ActrecError(f"its row {row} has the joint {cells[column]} of frame {number} again.")
        joints[joint] = [read(cells[place]) for place in values]
    missing = [np.nan] * len(values)
    for clip in clips.values():
        for people in clip.people.values():
            people.update({name: [point or missing for point in points] for name, points in people.items()})
    return _finished(clips, found, named(list(places)))


def _joint_places(content: Table, found: Columns) -> dict[str, int]:
    """Returns the place of each joint of a long table: by number, or in the order in which they first come."""
    place = found.roles["joint"]
    rows = content.rows()
    next(rows, None)
    joints = list(dict.fromkeys(checked(cells, len(found.names), row)[place] for row, cells in rows))
    if joints and all(joint.strip().isdigit() for joint in joints):
        first = min(map(int, joints))
        joints = sorted(joints, key=int)
        if [int(joint) for joint in joints] != list(range(first, first + len(joints))):
            raise ActrecError(f"its joints have the numbers {', '.join(joints)}; expected numbers without a gap.")
    return {joint: number for number, joint in enumerate(joints)}


def _rows(
    content: Table, found: Columns, clips: dict[str, _Clip]
) -> Iterator[tuple[int, Sequence[str], _Clip, int, str]]:
    """Yields the line number and cells of each row, its clip, which is added to `clips`, and its frame and person."""
    rows = content.rows()
    next(rows, None)
    count, roles = len(found.names), found.roles
    about = [role for role in ("seconds", "milliseconds", "label", "fps") if role in roles]
    name, person = "", ""
    for row, cells in rows:
        checked(cells, count, row)
        try:
            if "clip" in roles:
                name = cells[roles["clip"]].strip()
            clip = clips.get(name) or clips.setdefault(name, _Clip())
            number = _number(cells, roles, clip)
            if about:
                clip.tell(number, {role: cells[roles[role]].strip() for role in about})
        except ActrecError:
            raise
        except ValueError as error:
            raise ActrecError(f"its row {row} cannot be read ({error}).") from None
        if "person" in roles:
            person = cells[roles["person"]].strip()
        yield row, cells, clip, number, person


def _number(cells: Sequence[str], roles: dict[str, int], clip: _Clip) -> int:
    """Returns the frame number of a row: of a table without them, its place among the clip's rows."""
    if "frame" not in roles:
        return len(clip.people)
    number = float(cells[roles["frame"]])
    if number != int(number):
        raise ActrecError(f"it has the frame number {number:g}; expected a whole number.")
    return int(number)


def _finished(clips: dict[str, _Clip], found: Columns, joints: tuple[str, ...]) -> dict[str, Detections]:
    if not clips:
        raise ActrecError("it has no rows.")
    finished = {}
    for name, clip in clips.items():
        people = {
            number: [Person(points, who if who and isinstance(who, str) else None) for who, points in frame.items()]
            for number, frame in clip.people.items()
        }
        fps = clip.fps or rate(clip.times)
        finished[name] = detections(people, Told(joints, fps=fps, label=clip.label))
    return finished
