"""Generated videos of coloured blobs for people, and a pose model that finds them: the video path without YOLO.

A blob's box is its person; its 17 joints lie evenly on the box's diagonal. Blobs of one picture differ in colour.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from actrec.drawing.frames import write_video
from actrec.video.people import People
from actrec.video.pose import PoseModel

COLOURS = ((250, 0, 0), (0, 250, 0), (0, 0, 250))
Box = tuple[int, int, int, int]  # left, top, right, bottom


class Blobs(PoseModel):
    """Finds the blobs; where nothing is loaded, nothing can be missing."""

    seen: list[int] = []  # noqa: RUF012 - sizes of the batches, of all of them

    @property
    def batch(self) -> int:
        return 4

    @property
    def longest(self) -> int:
        return 64

    @property
    def description(self) -> tuple[str, str]:
        return "blobs", "1"

    def __call__(self, pictures: Sequence[np.ndarray]) -> list[People]:
        self.seen.append(len(pictures))
        return [find(picture) for picture in pictures]


def find(picture: np.ndarray) -> People:
    boxes = []
    for channel in range(3):
        others = [other for other in range(3) if other != channel]
        mask = (picture[..., channel] > 120) & (picture[..., others].max(-1) < 90)
        if mask.sum() > 12:
            y, x = np.nonzero(mask)
            boxes.append((x.min(), y.min(), x.max() + 1, y.max() + 1))
    found = np.array(boxes, dtype=np.float32).reshape(-1, 4)
    along = np.linspace(0, 1, 17, dtype=np.float32)[:, None]
    keypoints = np.ones((len(found), 17, 3), dtype=np.float32)
    keypoints[..., :2] = found[:, None, :2] * (1 - along) + found[:, None, 2:] * along
    return People(found, np.full(len(found), 0.9, dtype=np.float32), keypoints)


def write_blobs(
    path: Path,
    boxes: Callable[[int], Sequence[Box | None]],
    n_frames: int = 20,
    fps: float = 25.0,
    size: tuple[int, int] = (64, 48),
    times: Sequence[float] | None = None,
) -> Path:
    """A video in which `boxes(frame)` are the blobs of that frame; None is one that is not there."""

    def picture(number: int) -> np.ndarray:
        image = np.zeros((size[1], size[0], 3), dtype=np.uint8)
        for box, colour in zip(boxes(number), COLOURS, strict=False):
            if box is not None:
                image[box[1] : box[3], box[0] : box[2]] = colour
        return image

    when = np.arange(n_frames) / fps if times is None else times
    write_video(path, ((float(time), picture(number)) for number, time in enumerate(when)), fps)
    return path


def walker(number: int) -> list[Box | None]:
    """One blob that goes to the right and grows."""
    return [(4 + number, 8, 20 + number, 40)]
