"""From a label for every frame to one that holds: hysteresis on the probabilities."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from actrec.online.state import check_within, fitting
from actrec.types import ActrecError

NO_ACTION = -1
_MOST = 1e15  # frames; greater counts in a state are refused


@dataclass(frozen=True)
class Hysteresis:
    """When a label is taken up, and when it is given up.

    Attributes:
        smoothing: Time constant, in frames, of the running mean of probabilities that the rest goes by; 0 for none.
        enter: A label is taken up when its probability has been the greatest, and at least this, ...
        frames: ... in so many frames on end.
        leave: It is given up when its probability falls below this; then no action is held until a label is taken up.
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


class HeldLabel:
    """A label that is held, of one person.

    Args:
        rule: When it changes.
        n_classes: Number of classes.

    Attributes:
        label: Class number, or `NO_ACTION`.
    """

    def __init__(self, rule: Hysteresis, n_classes: int) -> None:
        self.rule, self.label = rule, NO_ACTION
        self._candidate, self._count = NO_ACTION, 0
        self._sum, self._weight = np.zeros(n_classes), 0.0

    def _smoothed(self, probabilities: Float[ndarray, " class"]) -> Float[ndarray, " class"]:
        """The exponential mean of the probabilities so far, in which the first weighs no more than another."""
        if not self.rule.smoothing:
            return probabilities
        kept = np.exp(-1 / self.rule.smoothing)
        self._sum, self._weight = kept * self._sum + probabilities, kept * self._weight + 1
        return self._sum / self._weight

    def update(self, probabilities: Float[ndarray, " class"]) -> int:
        """The label held after a frame of these probabilities."""
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
        """Restores what `state` returned.

        Raises:
            ValueError: The state is not valid; nothing has changed then.
        """
        values = fitting({"held": state}, "held", (4 + len(self._sum),), float)
        check_within(_MOST, values)
        label, candidate, count = (int(value) for value in values[:3])
        if (
            not NO_ACTION <= min(label, candidate) <= max(label, candidate) < len(self._sum)
            or min(count, values[3]) < 0
        ):
            raise ValueError("the held label is not that of a stream")
        self.label, self._candidate, self._count = label, candidate, count
        self._weight, self._sum = float(values[3]), values[4:].copy()
