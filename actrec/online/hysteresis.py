"""Applies hysteresis to the probabilities of each frame, so that the held label does not flicker."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from actrec.online.state_checks import check_within, checked_array
from actrec.types import ActrecError

NO_ACTION = -1
_MOST = 1e15  # frames; larger counts in a restored state are refused


@dataclass(frozen=True)
class Hysteresis:
    """The thresholds of the hysteresis.

    Attributes:
        smoothing: Time constant, in frames, of an exponential mean of the probabilities; 0 for no smoothing.
        enter: A label becomes the held one when it has been the most probable, with at least this probability, ...
        frames: ... for this many consecutive frames.
        leave: The held label is dropped when its probability falls below this; then no action is held.
    """

    smoothing: float | int = 0.0
    enter: float | int = 0.4
    frames: int = 3
    leave: float | int = 0.2

    def __post_init__(self) -> None:
        if not 0 <= self.leave <= self.enter <= 1 or self.frames < 1 or not 0 <= self.smoothing < np.inf:
            raise ActrecError(
                f"The hysteresis has smoothing={self.smoothing}, enter={self.enter}, leave={self.leave} and "
                f"frames={self.frames}; expected 0 ≤ leave ≤ enter ≤ 1, at least 1 frame, and no negative smoothing."
            )


class LabelHysteresis:
    """The held label of one person.

    Attributes:
        label: Number of the held class, or `NO_ACTION`.
    """

    def __init__(self, rule: Hysteresis, n_classes: int) -> None:
        self.rule, self.label = rule, NO_ACTION
        self._candidate, self._count = NO_ACTION, 0
        self._sum, self._weight = np.zeros(n_classes), 0.0

    def _smoothed(self, probabilities: Float[ndarray, " class"]) -> Float[ndarray, " class"]:
        """Updates the exponential mean of the probabilities, without the bias towards the first frame."""
        if not self.rule.smoothing:
            return probabilities
        kept = np.exp(-1 / self.rule.smoothing)
        self._sum, self._weight = kept * self._sum + probabilities, kept * self._weight + 1
        return self._sum / self._weight

    def update(self, probabilities: Float[ndarray, " class"]) -> int:
        """Takes the probabilities of the next frame and returns the number of the held class, or `NO_ACTION`."""
        probabilities = self._smoothed(probabilities)
        best = int(probabilities.argmax())
        if probabilities[best] < self.rule.enter:
            best = NO_ACTION
        self._count = self._count + 1 if best == self._candidate else 1
        self._candidate = best
        if best != NO_ACTION and self._count >= self.rule.frames:
            self.label = best
        elif self.label != NO_ACTION and probabilities[self.label] < self.rule.leave:
            self.label = NO_ACTION
        return self.label

    def state(self) -> ndarray:
        """Returns the whole state."""
        return np.array([self.label, self._candidate, self._count, self._weight, *self._sum])

    def restore(self, state: ndarray) -> None:
        """Restores what `state` returned."""
        values = checked_array({"held": state}, "held", (4 + len(self._sum),), float)
        check_within(_MOST, values)
        label, candidate, count = (int(value) for value in values[:3])
        known = min(label, candidate) >= NO_ACTION and max(label, candidate) < len(self._sum)
        if not known or min(count, values[3]) < 0:
            raise ValueError("the state of the held label is not that of a stream")
        self.label, self._candidate, self._count = label, candidate, count
        self._weight, self._sum = float(values[3]), values[4:].copy()
