"""Reads AlphaPose's `alphapose-results.json`: a list of people, each with the name of its picture, `image_id`.

Of a video, the pictures are 0.jpg, 1.jpg, …; of a folder of pictures, their names tell clip and frame: squat_1_012.jpg.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from actrec.data.sources.keypoint_files.detections import Detections, Person, detections, flat
from actrec.data.sources.keypoint_files.numbering import by_picture


def is_clip(content: Any) -> bool:
    """Returns whether this is AlphaPose's list."""
    return is_list(content) and all(isinstance(each["image_id"], str) for each in content)


def is_list(content: Any) -> bool:
    """Returns whether this is a list of people as COCO results have it."""
    needed = {"image_id", "keypoints"}
    return isinstance(content, list) and bool(content) and all(_has(each, needed) for each in content)


def _has(each: Any, needed: set[str]) -> bool:
    return isinstance(each, dict) and needed <= each.keys() and isinstance(each["keypoints"], list)


def read_clip(content: Any) -> dict[str, Detections]:
    """Returns the clips, by the names of their pictures; one clip has an empty name."""
    clips: dict[str, dict[int, list[Person]]] = {}
    for each, (clip, number) in zip(content, by_picture([each["image_id"] for each in content]), strict=True):
        clips.setdefault(clip, {}).setdefault(number, []).append(_person(each))
    return {clip: detections(frames) for clip, frames in clips.items()}


def _person(each: Mapping[str, Any]) -> Person:
    """Returns a person; confidences, which may be above 1 (its documentation says up to 6), are cut off at 1."""
    points = [(x, y, min(confidence, 1.0)) for x, y, confidence in flat(each["keypoints"])]
    return Person(points, _name(each.get("idx")))


def _name(idx: Any) -> Any:
    """Returns the number that tracking gives to a person, as a number or in a list."""
    while isinstance(idx, list):
        idx = idx[0] if idx else None
    return idx
