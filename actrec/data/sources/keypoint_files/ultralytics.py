"""Reads poses of Ultralytics: the labels of `save_txt`, and results as JSON (`results[0].to_json()`).

A label file `<video>_<frame>.txt` has a line for each person: class, box, keypoints as shares of the picture, with or
without visibility, then the score with `save_conf`, and the number of a tracked person. Frames without people have no
file.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from actrec.data.sources.keypoint_files.detections import Detections, Person, detections, flat
from actrec.data.sources.keypoint_files.joints import COMMON
from actrec.types import ActrecError

_BOX = 5  # class, x, y, width, height
_JOINTS = (17, *(count for count in COMMON if count != 17))  # the released models have 17


def is_labels(content: Any) -> bool:
    """Returns whether this is a label file with poses."""
    try:
        lines = _lines(content)
        return bool(lines) and all(line[0].isdigit() and _form(len(line)) is not None for line in lines)
    except ValueError:
        return False


def read_labels(content: Any) -> list[Person]:
    """Returns the people of a frame."""
    people = []
    for line in _lines(content):
        form = _form(len(line))
        if form is None:
            raise ActrecError(f"a line has {len(line)} numbers; expected {_BOX}, and 2 or 3 for each joint.")
        joints, width = form
        points = flat([float(cell) for cell in line[_BOX : _BOX + joints * width]], width)
        rest = line[_BOX + joints * width :]
        # Of one number after the keypoints, a whole one is the person and another the score.
        numbered = len(rest) == 2 or (len(rest) == 1 and rest[0].isdigit() and int(rest[0]) > 0)
        people.append(Person(points, int(rest[-1]) if numbered else None))
    return people


def _lines(content: str) -> list[list[str]]:
    lines = [line.split() for line in content.splitlines() if line.strip()]
    for line in lines:
        list(map(float, line))
    return lines


def _form(count: int) -> tuple[int, int] | None:
    """Returns the number of joints and of values for each, in a line of so many numbers."""
    forms = ((joints, width) for joints in _JOINTS for width in (3, 2))
    return next((each for each in forms if 0 <= count - _BOX - each[0] * each[1] <= 2), None)


def is_frame(content: Any) -> bool:
    """Returns whether this is the JSON of one frame's results."""
    return isinstance(content, list) and bool(content) and all(map(_is_result, content))


def is_clip(content: Any) -> bool:
    """Returns whether this is a list of the results of frames."""
    if not isinstance(content, list) or not any(content):
        return False
    return all(isinstance(frame, list) and all(map(_is_result, frame)) for frame in content)


def _is_result(each: Any) -> bool:
    points = each.get("keypoints") if isinstance(each, dict) else None
    return isinstance(points, dict) and {"x", "y"} <= points.keys()


def read_frame(content: Any) -> list[Person]:
    """Returns the people of a frame."""
    return [_person(each) for each in content]


def read_clip(content: Any) -> dict[str, Detections]:
    """Returns the clip."""
    return {"": detections({number: read_frame(frame) for number, frame in enumerate(content)})}


def _person(each: Mapping[str, Any]) -> Person:
    points = each["keypoints"]
    columns = [points[name] for name in ("x", "y", "visible") if name in points]
    if len(set(map(len, columns))) != 1:
        raise ActrecError("a person has lists x, y and visible of different lengths.")
    return Person(list(zip(*columns, strict=True)), each.get("track_id"))
