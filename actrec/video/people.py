"""Who is in the frames of a video: what a pose model finds, and what tracks are made from."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from actrec.skeleton import get_skeleton

SKELETON = "coco17"


@dataclass(frozen=True)
class People:
    """Who is in one picture, in its pixels.

    Attributes:
        boxes: Left, top, right and bottom.
        scores: How sure the model is that it is a person, 0 to 1.
        keypoints: x, y and confidence; all 0 where a joint is not observed.
    """

    boxes: Float[ndarray, "person 4"]
    scores: Float[ndarray, " person"]
    keypoints: Float[ndarray, "person joint 3"]

    def __len__(self) -> int:
        return len(self.boxes)

    def scaled(self, x: float, y: float) -> People:
        """Scales boxes and keypoints, to the pixels of a picture of another size."""
        scale = np.array([x, y, 1], dtype=np.float32)
        return People(self.boxes * np.tile(scale[:2], 2), self.scores, self.keypoints * scale)


class Crowd(Sequence[People]):
    """The people of one frame after another, kept in one array.

    Small arrays, a few for each frame, would lie between the large ones that a pose model frees, and the memory that a
    process has from the system would grow with the length of the video.
    """

    def __init__(self, frames: Iterable[People] = ()) -> None:
        self._rows = np.zeros((1024, 5 + 3 * get_skeleton(SKELETON).n_joints), dtype=np.float32)
        self._ends = array("q", [0])
        for people in frames:
            self.append(people)

    def append(self, people: People) -> None:
        """The people of the next frame."""
        first, last = self._ends[-1], self._ends[-1] + len(people)
        if last > len(self._rows):
            self._rows = np.concatenate([self._rows, np.zeros_like(self._rows, shape=(last, self._rows.shape[1]))])
        self._rows[first:last, :4], self._rows[first:last, 4] = people.boxes, people.scores
        self._rows[first:last, 5:] = people.keypoints.reshape(len(people), self._rows.shape[1] - 5)
        self._ends.append(last)

    def __len__(self) -> int:
        return len(self._ends) - 1

    def __getitem__(self, frame: Any) -> Any:
        if isinstance(frame, slice):
            return [self[number] for number in range(*frame.indices(len(self)))]
        number = range(len(self))[frame]
        rows = self._rows[self._ends[number] : self._ends[number + 1]]
        return People(rows[:, :4], rows[:, 4], rows[:, 5:].reshape(len(rows), (rows.shape[1] - 5) // 3, 3))
