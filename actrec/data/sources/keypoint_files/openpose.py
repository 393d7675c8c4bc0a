"""Reads OpenPose's `--write_json` output: a file `…_000000000012_keypoints.json` for each frame."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from actrec.data.sources.keypoint_files.detections import Person, flat

_POINTS = ("pose_keypoints_2d", "pose_keypoints")  # the second until version 1.0


def is_frame(content: Any) -> bool:
    """Returns whether this is a frame of OpenPose."""
    people = content.get("people") if isinstance(content, dict) else None
    return isinstance(people, list) and all(isinstance(each, dict) and _points(each) is not None for each in people)


def read_frame(content: Any) -> list[Person]:
    """Returns the people of a frame; those of whom only face or hands were found are left out."""
    return [Person(flat(points), _name(each)) for each in content["people"] if (points := _points(each))]


def _points(person: Mapping[str, Any]) -> Any:
    return next((person[name] for name in _POINTS if name in person), None)


def _name(person: Mapping[str, Any]) -> int | None:
    """Returns the number of a tracked person; it is -1 without tracking."""
    number = person.get("person_id")
    if isinstance(number, list):
        number = number[0] if number else None
    return int(number) if number is not None and int(number) >= 0 else None
