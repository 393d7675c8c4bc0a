"""Reads keypoints in COCO's formats: a list of results, or annotations with their images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from actrec.data.sources.keypoint_files.alphapose import is_list
from actrec.data.sources.keypoint_files.detections import Detections, Person, Told, detections, flat
from actrec.data.sources.keypoint_files.numbering import by_picture
from actrec.types import ActrecError

_VISIBILITY = {0: 0.0, 1: 0.5, 2: 1.0}  # not labelled; labelled and hidden; visible


def is_results(content: Any) -> bool:
    """Returns whether this is a list of results; the frame is `image_id`."""
    return is_list(content) and all(isinstance(each["image_id"], int) for each in content)


def is_annotations(content: Any) -> bool:
    """Returns whether this is a file of annotations, in which `images` have names and sizes."""
    if not isinstance(content, dict) or not isinstance(content.get("images"), list):
        return False
    annotations = content.get("annotations")
    return annotations == [] or is_list(annotations)


def read_results(content: Any) -> dict[str, Detections]:
    """Returns the clip."""
    frames: dict[int, list[Person]] = {}
    for each in content:
        frames.setdefault(each["image_id"], []).append(_person(each))
    return {"": detections(frames)}


def read_annotations(content: Any) -> dict[str, Detections]:
    """Returns the clips, by the names of their images; one clip has an empty name."""
    images = content["images"]
    if not images:
        raise ActrecError("it has no images.")
    places = by_picture([str(image.get("file_name", image["id"])) for image in images])
    place_of = {image["id"]: place for image, place in zip(images, places, strict=True)}
    clips: dict[str, dict[int, list[Person]]] = {}
    for clip, number in places:
        if number in clips.setdefault(clip, {}):
            raise ActrecError(f"it has two images with the number {number}.")
        clips[clip][number] = []
    for each in content["annotations"]:
        clip, number = place_of[each["image_id"]]
        clips[clip][number].append(_person(each))
    told = _told(images, content.get("categories") or [])
    return {clip: detections(frames, told) for clip, frames in clips.items()}


def _told(images: Sequence[Mapping[str, Any]], categories: Sequence[Mapping[str, Any]]) -> Told:
    sizes = {(image.get("width"), image.get("height")) for image in images}
    width, height = sizes.pop() if len(sizes) == 1 else (0, 0)
    joints = next((each["keypoints"] for each in categories if each.get("keypoints")), ())
    return Told(joints=tuple(joints) if len(joints) < 100 else (), width=int(width or 0), height=int(height or 0))


def _person(each: Mapping[str, Any]) -> Person:
    """Returns a person; the third values of annotations, which tell the visibility, become confidences."""
    points = flat(each["keypoints"])
    third = {point[2] for point in points}
    if third <= _VISIBILITY.keys() and 2 in third:
        points = [(x, y, _VISIBILITY[int(flag)]) for x, y, flag in points]
    return Person(points, each.get("track_id", (each.get("attributes") or {}).get("track_id")))
