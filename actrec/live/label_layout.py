"""Computes the places of people's labels: inside the picture, and not over faces or one another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from actrec.skeleton import Skeleton

_HEAD = ("nose", "left_eye", "right_eye", "left_ear", "right_ear", "head")
_HEAD_WIDTH = 0.28  # least width of a head, relative to the shorter side of the person's box

_GAP, _MARGIN = 0.15, 0.3  # in label heights: gap between label and box; free margin around a new place
_OVER = 0.3  # share of a label that may lie over a person's box


class Rectangle(NamedTuple):
    """Left, top, right and bottom, in pixels."""

    left: float
    top: float
    right: float
    bottom: float


def face_of(keypoints: Float[ndarray, "joint 3"], box: Float[ndarray, " 4"], skeleton: Skeleton) -> Rectangle | None:
    """Estimates the rectangle of a person's face within the box; None if no joint of the head is observed."""
    joints = [skeleton.joints.index(name) for name in _HEAD if name in skeleton.joints]
    seen = keypoints[[joint for joint in joints if keypoints[joint, 2] > 0], :2]
    if not len(seen):
        return None
    (left, top), (right, bottom) = seen.min(0), seen.max(0)
    least = _HEAD_WIDTH * float(min(box[2] - box[0], box[3] - box[1]))
    width = max(float(right - left) * 1.2, least)
    height = 1.3 * width
    x, y = float(left + right) / 2, float(top + bottom) / 2
    inside = np.clip([x - width / 2, y - height / 2, x + width / 2, y + height / 2], [*box[:2]] * 2, [*box[2:]] * 2)
    return Rectangle(*inside.tolist())


class Placed(NamedTuple):
    """The place of a label."""

    rectangle: Rectangle
    choice: int | None  # index among the places around the box; None for one farther away


def place_labels(
    boxes: Sequence[Rectangle],
    sizes: Sequence[tuple[float, float]],
    kept_free: Sequence[Rectangle],
    area: tuple[float, float],
    before: Sequence[int | None] = (),
) -> list[Placed]:
    """Places each label above its box if there is room, else below or beside it, else as near as possible.

    Args:
        boxes: The people's boxes, in the order in which labels choose their places.
        sizes: Width and height of each label.
        kept_free: Rectangles that labels should not cover: faces.
        area: Width and height of the area for labels, from the picture's upper left corner.
        before: The `choice` of each label in the previous picture; it is kept until another place is better by a
            margin, so that labels do not jump.
    """
    placed, bodies = list[Placed](), np.array(boxes, dtype=float).reshape(-1, 4)
    for number, (box, (width, height)) in enumerate(zip(boxes, sizes, strict=True)):
        taken = np.array([*kept_free, *(each.rectangle for each in placed)], dtype=float).reshape(-1, 4)
        places = _candidates(box, width, height, area)
        free = np.asarray(~_overlap(places, taken).any(1))
        over = _overlap(places, bodies).max(1) > _OVER * width * height
        margin = np.array([-1, -1, 1, 1]) * height * _MARGIN
        clear = np.asarray(free & ~over & ~_overlap(places + margin, taken).any(1))
        if before and (last := before[number]) is not None:
            clear[last] = bool(free[last]) and not over[last]
        found = next((np.flatnonzero(good) for good in (clear, free & ~over, free) if good.any()), None)
        if found is not None:
            placed.append(Placed(Rectangle(*places[found[0]].tolist()), int(found[0])))
        else:
            anywhere = np.concatenate([places[:1], _grid(width, height, area)])
            placed.append(Placed(_anywhere(anywhere, taken), None))
    return placed


def _anywhere(places: Float[ndarray, "place 4"], taken: Float[ndarray, "taken 4"]) -> Rectangle:
    """Finds the place that overlaps least with the taken rectangles, and of those the nearest to the first."""
    away = np.abs(places[:, :2] - places[0, :2]).sum(1)
    return Rectangle(*places[np.lexsort((away, _overlap(places, taken).sum(1)))[0]].tolist())


def _candidates(box: Rectangle, width: float, height: float, area: tuple[float, float]) -> Float[ndarray, "place 4"]:
    """Lists the places around a box, moved into the area, in order of preference."""
    centre, middle, gap = (box.left + box.right - width) / 2, (box.top + box.bottom) / 2, height * _GAP
    starts = [
        (box.left, box.top - height - gap),
        (centre, box.top - height - gap),
        (box.right - width, box.top - height - gap),
        (centre, box.top - 2 * (height + gap)),
        (centre, box.top - 3 * (height + gap)),
        (box.left, box.bottom + gap),
        (centre, box.bottom + gap),
        (box.right + gap, box.top),
        (box.left - width - gap, box.top),
        (box.right + gap, middle),
        (box.left - width - gap, middle),
        (box.left, box.bottom - height),  # over the feet
    ]
    return _inside(np.array(starts), width, height, area)


def _grid(width: float, height: float, area: tuple[float, float]) -> Float[ndarray, "place 4"]:
    """Lists places on a grid over the whole area, half a label apart."""
    columns = np.arange(0, max(area[0] - width, 0) + 1, max(width / 2, 1))
    rows = np.arange(0, max(area[1] - height, 0) + 1, max(height / 2, 1))
    return _inside(np.stack(np.meshgrid(columns, rows), -1).reshape(-1, 2), width, height, area)


def _inside(
    starts: Float[ndarray, "place 2"], width: float, height: float, area: tuple[float, float]
) -> Float[ndarray, "place 4"]:
    size = np.array([width, height])
    starts = np.clip(starts, 0, np.maximum(np.array(area) - size, 0))
    return np.concatenate([starts, starts + size], axis=1)


def _overlap(a: Float[ndarray, "place 4"], b: Float[ndarray, "taken 4"]) -> Float[ndarray, "place taken"]:
    """Computes the area of intersection of each pair of rectangles, in square pixels."""
    first, second = a[:, None], b[None]
    sides = np.minimum(first[..., 2:], second[..., 2:]) - np.maximum(first[..., :2], second[..., :2])
    shared: ndarray = np.maximum(sides, 0).prod(-1)
    return shared
