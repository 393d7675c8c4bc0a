"""From a label for every frame to one that holds: hysteresis on the probabilities."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from actrec.types import ActrecError

NO_ACTION = -1


@dataclass(frozen=True)
class Hysteresis:
    """When a label is taken up, and when it is given up.

    Attributes:
        enter: A label is taken up when its probability has been the greatest, and at least this, ...
        frames: ... in so many frames on end.
        leave: It is given up when its probability falls below this; then no action is held until a label is taken up.
    """

    enter: float = 0.5
    frames: int = 3
    leave: float = 0.3

    def __post_init__(self) -> None:
        if not 0 <= self.leave <= self.enter <= 1 or self.frames < 1:
            raise ActrecError(
                f"The hysteresis has enter={self.enter}, leave={self.leave} and frames={self.frames}; expected "
                "0 ≤ leave ≤ enter ≤ 1 and at least 1 frame."
            )


class HeldLabel:
    """A label that is held, of one person.

    Args:
        rule: When it changes.

    Attributes:
        label: Class number, or `NO_ACTION`.
    """

    def __init__(self, rule: Hysteresis) -> None:
        self.rule, self.label = rule, NO_ACTION
        self._candidate, self._count = NO_ACTION, 0

    def update(self, probabilities: Float[ndarray, " class"]) -> int:
        """The label held after a frame of these probabilities."""
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
        """All that it remembers."""
        return np.array([self.label, self._candidate, self._count])

    def restore(self, state: ndarray) -> None:
        """Goes on from what `state` gave."""
        self.label, self._candidate, self._count = (int(value) for value in state)
