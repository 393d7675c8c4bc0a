"""Reads frames of keypoints that are dicts with x and y, as the JavaScript libraries have them.

A file is a list of frames, or a dict with such a list and perhaps fps, width and height. A frame is a list of people,
or a dict with `keypoints`, `landmarks` or the like, of one person or of several.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from actrec.data.sources.keypoint_files.detections import Detections, Person, Told, detections
from actrec.types import ActrecError

POINTS = ("keypoints", "landmarks", "pose_landmarks", "poseLandmarks")
_FRAMES = ("frames", "results", "poses", "data")
_NUMBERS = ("frame", "frame_id", "frame_index", "frame_number", "frameIndex")
_CONFIDENCES = ("score", "visibility", "confidence", "presence")
_PEOPLE = ("poses", "people", "persons")


def joint_counts(content: Any) -> set[int]:
    """Returns the numbers of joints in a file's people; empty if nobody is in it, and -1 for another kind of file."""
    try:
        frames = _frames(content)
        if not all(map(_is_frame, frames)) or not any(map(_may_have_people, frames)):
            return {-1}
        people = [person for frame in frames for person in _people(frame)]
        if not all(isinstance(point, dict) and {"x", "y"} <= point.keys() for each in people for point in each[0]):
            return {-1}
    except (TypeError, KeyError, AttributeError, RecursionError):
        return {-1}
    return {len(points) for points, _ in people}


def read_clip(content: Any) -> dict[str, Detections]:
    """Returns the clip."""
    frames: dict[int, list[Person]] = {}
    names: tuple[str, ...] = ()
    for place, frame in enumerate(_frames(content)):
        number = next((int(frame[key]) for key in _NUMBERS if isinstance(frame, dict) and key in frame), place)
        if number in frames:
            raise ActrecError(f"it has frame {number} twice.")
        frames[number] = []
        for points, name in _people(frame):
            names = names or _names(points)
            frames[number].append(Person(_values(points), name))
    about = content if isinstance(content, dict) else {}
    told = {key: float(about.get(key) or 0) for key in ("fps", "width", "height")}
    return {"": detections(frames, Told(names, fps=told["fps"], width=int(told["width"]), height=int(told["height"])))}


def _frames(content: Any) -> list[Any]:
    if isinstance(content, dict):
        content = next((content[key] for key in _FRAMES if isinstance(content.get(key), list)), [])
    return content if isinstance(content, list) else []


def _names(points: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    return tuple(str(point["name"]) for point in points) if all("name" in point for point in points) else ()


def _is_frame(frame: Any) -> bool:
    return (
        frame is None or _may_have_people(frame) or (isinstance(frame, dict) and any(key in frame for key in _NUMBERS))
    )


def _may_have_people(frame: Any) -> bool:
    if isinstance(frame, dict):
        return any(key in frame for key in (*POINTS, *_PEOPLE))
    return isinstance(frame, list)


def _people(frame: Any) -> Iterator[tuple[Sequence[Any], Any]]:
    """Yields the keypoints of each person in a frame, and the name of the person; None without one.

    Raises:
        TypeError: The frame is neither a dict, nor a list, nor null.
    """
    if isinstance(frame, dict):
        points = next((frame[key] for key in (*POINTS, *_PEOPLE) if key in frame), None)
        if _are_points(points):
            yield points, frame.get("id")  # type: ignore[misc]
        else:
            yield from _people(points)
    elif _are_points(frame):
        yield frame, None
    elif isinstance(frame, list):
        for each in frame:
            yield from _people(each)
    elif frame is not None:
        raise TypeError(f"a frame is a {type(frame).__name__}")


def _are_points(points: Any) -> bool:
    return isinstance(points, list) and bool(points) and isinstance(points[0], dict) and "x" in points[0]


def _values(points: Sequence[Mapping[str, Any]]) -> list[tuple[Any, Any, Any]]:
    confidence = next((key for key in _CONFIDENCES if points[0].get(key) is not None), "")
    return [(point["x"], point["y"], point.get(confidence, 1.0)) for point in points]
