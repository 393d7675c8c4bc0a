"""The common type to which the readers of keypoint files convert a clip; people are tracked and joints mapped later."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray

from actrec.data.sources.arrays import seen
from actrec.types import FARTHEST, ActrecError

NOBODY = -1  # the person number in files that do not name people
_SHARE = 2.0  # x and y are shares of the picture if the median of their absolute values is not above this
_SPARSE = 100  # frame numbers that span so many times more frames than there are do not count frames


class Person(NamedTuple):
    """A person in one frame.

    Attributes:
        points: x and y, or x, y and confidence, of each joint.
        name: The person's name or number in the file; None if it has none.
    """

    points: Any
    name: Any = None


@dataclass(frozen=True)
class Told:
    """What a file tells of a clip besides keypoints; zeros and empty texts where it does not.

    Attributes:
        joints: Names of the joints, in the order of the keypoints.
        layout: The joint layout, where the format has one alone.
        in_shares: Whether x and y are shares of the picture's width and height; None if that follows from the values.
        label: The action.
    """

    joints: tuple[str, ...] = ()
    layout: str = ""
    in_shares: bool | None = None
    fps: float = 0.0
    width: int = 0
    height: int = 0
    label: str = ""


@dataclass(frozen=True)
class Detections:
    """The people in the frames of a clip, a row for each person in each frame.

    Attributes:
        frames: The frame number of each row, ascending.
        keypoints: x, y and confidence; 0 where a joint was not found.
        people: The number of the person, from 0; `NOBODY` for all rows of a file that does not name people.
        looked: The numbers of all frames that the file has, ascending, also of those without people.
    """

    frames: Int[ndarray, " row"]
    keypoints: Float[ndarray, "row joint 3"]
    people: Int[ndarray, " row"]
    looked: Int[ndarray, " frame"]
    told: Told = Told()

    def __post_init__(self) -> None:
        if not len(self.looked):
            raise ActrecError("it has no frames.")
        span = int(self.looked[-1] - self.looked[0]) + 1
        if span > _SPARSE * len(self.looked):
            raise ActrecError(
                f"its {len(self.looked)} frames have numbers from {self.looked[0]} to {self.looked[-1]}; expected "
                "numbers that count frames."
            )
        named = len(self.told.joints)
        if named and len(self.frames) and named != self.n_joints:
            raise ActrecError(f"it names {named} joints, and its people have {self.n_joints}.")
        if (self.people != NOBODY).any():
            self._check_names()

    def _check_names(self) -> None:
        pairs, counts = np.unique(np.stack([self.frames, self.people]), axis=1, return_counts=True)
        if (counts > 1).any():
            raise ActrecError(f"frame {pairs[0, counts.argmax()]} has the same person twice.")

    @property
    def n_joints(self) -> int:
        return int(self.keypoints.shape[1])

    @property
    def in_shares(self) -> bool:
        """Whether x and y are shares of the picture's width and height."""
        if self.told.in_shares is not None:
            return self.told.in_shares
        observed = self.keypoints[..., :2][self.keypoints[..., 2] > 0]
        return len(observed) > 0 and float(np.median(np.abs(observed))) <= _SHARE


def detections(frames: Mapping[int, Sequence[Person]], told: Told | None = None) -> Detections:
    """Collects the people of a clip's frames; those without an observed joint are left out.

    Raises:
        ActrecError: There are no frames, the number of joints varies, or what should be keypoints is not.
    """
    looked = sorted(frames)
    rows = [(number, person) for number in looked for person in frames[number]]
    keypoints = _stacked([(number, person.points) for number, person in rows])
    observed = np.flatnonzero(keypoints[..., 2].any(axis=-1))
    names = [None if (name := rows[row][1].name) is None else str(name) for row in observed]
    numbers = {name: number for number, name in enumerate(dict.fromkeys(names))} if None not in names else {}
    return Detections(
        np.array([rows[row][0] for row in observed], dtype=np.int64),
        keypoints[observed],
        np.array([numbers.get(name, NOBODY) for name in names], dtype=np.int64),
        np.array(looked, dtype=np.int64),
        told or Told(),
    )


def _stacked(rows: Sequence[tuple[int, Any]]) -> Float[ndarray, "row joint 3"]:
    """Stacks the joints of people, as x, y and confidence; joints that were not found are zeros.

    Args:
        rows: The frame number and the points of each person.
    """
    try:
        points = np.array([each for _, each in rows], dtype=np.float64)
    except (TypeError, ValueError):
        points = np.zeros(0)
    if not rows:
        return np.zeros((0, 0, 3), np.float32)
    if points.ndim != 3 or points.shape[2] not in (2, 3):
        raise _irregular(rows)
    farthest = float(np.abs(points).max(initial=0, where=~np.isnan(points)))
    if farthest > FARTHEST:
        raise ActrecError(f"it has a coordinate of {farthest:.6g}; expected pixels, at most {FARTHEST:g}.")
    keypoints = np.ones((*points.shape[:2], 3), np.float32)
    keypoints[..., : points.shape[2]] = points
    keypoints[~(seen(keypoints[..., :2]) & (keypoints[..., 2] > 0))] = 0  # a confidence of NaN is none
    return keypoints


def _irregular(rows: Sequence[tuple[int, Any]]) -> ActrecError:
    """Returns the error that names the first frame whose points cannot be stacked with those of the first."""
    first: int | None = None
    for number, each in rows:
        try:
            array = np.array(each, dtype=np.float32)
        except (TypeError, ValueError):
            array = np.zeros(0, np.float32)
        if array.ndim != 2 or array.shape[1] not in (2, 3):
            return ActrecError(
                f"frame {number} has keypoints that are not x and y, or x, y and confidence, of each joint."
            )
        first = len(array) if first is None else first
        if len(array) != first:
            return ActrecError(
                f"it has {first} joints in frame {rows[0][0]} and {len(array)} in frame {number}; expected the same "
                "number in all frames."
            )
    return ActrecError("some of its people have confidences and others have none.")


def flat(values: Sequence[float], width: int = 3) -> list[Sequence[float]]:
    """Splits x1, y1, c1, x2, y2, c2, … into joints."""
    if len(values) % width:
        raise ActrecError(f"a person has {len(values)} numbers; expected {width} for each joint.")
    return [values[start : start + width] for start in range(0, len(values), width)]
