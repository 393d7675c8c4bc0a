"""Reads JSON of MMPose 1 (and Sapiens, which writes the same).

A frame is a dict with `instance_info`, a list of instances; the inferencer writes the list alone for a picture. A video
is a list of {frame_id, instances}, in the demo's scripts beside `meta_info`, which names the joints.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from actrec.data.sources.keypoint_files.detections import Detections, Person, Told, detections
from actrec.types import ActrecError


def is_frame(content: Any) -> bool:
    """Returns whether this is a file of one frame."""
    instances = content.get("instance_info") if isinstance(content, dict) else content
    if not isinstance(instances, list) or (not instances and isinstance(content, list)):
        return False
    return all(isinstance(each, dict) and {"keypoints", "keypoint_scores"} <= each.keys() for each in instances)


def is_clip(content: Any) -> bool:
    """Returns whether this is a file of a video."""
    frames = _frames(content)
    return bool(frames) and all(isinstance(each, dict) and "instances" in each for each in frames)


def _frames(content: Any) -> list[Any]:
    frames = content.get("instance_info") if isinstance(content, dict) else content
    return frames if isinstance(frames, list) else []


def read_frame(content: Any) -> list[Person]:
    """Returns the people of a frame."""
    return [_person(each) for each in (content["instance_info"] if isinstance(content, dict) else content)]


def read_clip(content: Any) -> dict[str, Detections]:
    """Returns the clip."""
    frames: dict[int, list[Person]] = {}
    for place, each in enumerate(_frames(content)):
        number = int(each.get("frame_id", place))
        if number in frames:
            raise ActrecError(f"it has frame {number} twice.")
        frames[number] = [_person(instance) for instance in each["instances"]]
    meta = content.get("meta_info") if isinstance(content, dict) else None
    return {"": detections(frames, Told(joints=_joints(meta or {})))}


def _person(instance: Mapping[str, Any]) -> Person:
    points, scores = instance["keypoints"], instance["keypoint_scores"]
    if len(points) != len(scores):
        raise ActrecError(f"a person has {len(points)} keypoints and {len(scores)} keypoint_scores.")
    if any(len(point) != 2 for point in points):
        raise ActrecError("its keypoints are not x and y; give those of the 2D pose estimator.")
    rows = [(*point, min(score, 1.0)) for point, score in zip(points, scores, strict=True)]
    return Person(rows, instance.get("track_id"))


def _joints(meta: Mapping[str, Any]) -> tuple[str, ...]:
    """Returns the joints' names, if they are those of a body: whole bodies are known by their number."""
    names = meta.get("keypoint_id2name")
    if not isinstance(names, dict) or len(names) > 100:
        return ()
    return tuple(str(names[key]) for key in sorted(names, key=int))
