"""The people that a pose model finds in the frames of a video, from which tracks are made."""

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
    """The people in one picture, in its pixels.

    Attributes:
        boxes: Left, top, right and bottom.
        scores: Detection score, 0 to 1.
        keypoints: x, y and confidence; all 0 where a joint is not observed.
    """

    boxes: Float[ndarray, "person 4"]
    scores: Float[ndarray, " person"]
    keypoints: Float[ndarray, "person joint 3"]

    def __len__(self) -> int:
        return len(self.boxes)

    def scaled(self, x: float, y: float) -> People:
        """Scales boxes and keypoints to the pixels of a picture of another size."""
        return People(
            self.boxes * np.array([x, y, x, y], np.float32), self.scores, scaled_keypoints(self.keypoints, x, y)
        )


def scaled_keypoints(keypoints: Float[ndarray, "*lead joint 3"], x: float, y: float) -> Float[ndarray, "*lead joint 3"]:
    """Scales the coordinates of keypoints, but not their confidences."""
    scaled: ndarray = keypoints * np.array([x, y, 1], np.float32)
    return scaled


class PeopleBuffer(Sequence[People]):
    """Stores the people of consecutive frames in one growing array.

    Many small arrays between the large ones that a pose model frees would fragment the heap, and the memory of the
    process would grow with the length of the video.
    """

    def __init__(self, frames: Iterable[People] = ()) -> None:
        self._rows = np.zeros((1024, 5 + 3 * get_skeleton(SKELETON).n_joints), dtype=np.float32)
        self._ends = array("q", [0])
        for people in frames:
            self.append(people)

    def append(self, people: People) -> None:
        """Appends the people of the next frame."""
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
