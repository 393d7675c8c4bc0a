"""Reads the text of `.skeleton` files, as NTU RGB+D has them: for each frame the bodies that Kinect tracked."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from actrec.types import ActrecError

BODY = 10  # numbers of a body before its joints: its id, edges, hands, lean and state
_JOINT = 12  # numbers of a joint
_CONFIDENCES = np.array([0.0, 0.5, 1.0])  # of the states of tracking: not tracked, inferred, tracked


@dataclass(frozen=True)
class TrackedBody:
    """A body in one frame.

    Attributes:
        name: Its id.
        joints: The numbers of each joint: 0 to 2 are x, y and z in metres, 5 and 6 are x and y in the colour picture,
            and 11 is the state of tracking.
    """

    name: str
    joints: Float[ndarray, "joint 12"]

    @property
    def confidences(self) -> Float[ndarray, " joint"]:
        """The confidence of each joint: 1 if it is tracked, 0.5 if it is inferred, 0 otherwise."""
        states = np.nan_to_num(self.joints[:, -1])
        return np.where((states >= 0) & (states <= 2), _CONFIDENCES[states.clip(0, 2).astype(int)], 0.0)


class _Cells:
    """The numbers of a file, which are taken one after the other."""

    def __init__(self, text: str) -> None:
        self._cells, self._next = text.split(), 0

    def take(self, count: int) -> list[str]:
        taken = self._cells[self._next : self._next + count]
        if len(taken) < count:
            raise ActrecError(
                "it is cut short: it has fewer numbers than its counts of frames and bodies tell. Get it again."
            )
        self._next += count
        return taken

    def count(self, what: str) -> int:
        (text,) = self.take(1)
        if not text.isdecimal():
            raise ActrecError(f"it has '{text}' where a number of {what} is expected. Get it again.")
        return int(text)


def read_bodies(text: str) -> list[list[TrackedBody]]:
    """Reads the bodies of each frame.

    Raises:
        ActrecError: The file is cut short, or is of another format.
    """
    cells = _Cells(text)
    return [[_body(cells) for _ in range(cells.count("bodies"))] for _ in range(cells.count("frames"))]


def _body(cells: _Cells) -> TrackedBody:
    name = cells.take(BODY)[0]
    numbers = cells.take(_JOINT * cells.count("joints"))
    try:
        return TrackedBody(name, np.array(numbers, np.float64).reshape(-1, _JOINT))
    except ValueError as error:
        raise ActrecError(f"it has joints that are no numbers ({error}). Get it again.") from None
