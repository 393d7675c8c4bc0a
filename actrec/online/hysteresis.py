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
        enter: For models without the class none: a label becomes the held one when it has been the most probable, with
            at least this probability, for `frames` consecutive frames.
        frames: Number of consecutive frames for a change of the held label.
        switch: For models with none: number of consecutive frames for a change from one action to another, between
            which there is mostly a pause.
        leave: For models without none: the held label is dropped when its probability falls below this.
        action: For models with none: an action becomes the held one when it has been the most probable action, and the
            probabilities of all actions have summed to at least this, for `frames` consecutive frames. While a label
            is held, and in the half second after a repetition without one, `no_action` is enough.
        no_action: For models with none: no action is held when that sum has been below this for `frames` frames.
        shortest: A set that is shorter than this, in seconds, and without a complete repetition, is no set.
        pause: A set ends when no action has been held for longer than this, in seconds.
        begin: A repetition counts if it is seen from this share of it on, or earlier. Its turn is at 0.5.
        done: A repetition counts when this share of it is done.
        certainty: A phase whose vector (sine, cosine) is shorter than this is uncertain and counts nothing.
    """

    smoothing: float | int = 0.0
    enter: float | int = 0.4
    frames: int = 3
    switch: int = 10
    leave: float | int = 0.2
    action: float | int = 0.9
    no_action: float | int = 0.6
    shortest: float | int = 0.5
    pause: float | int = 3.0
    begin: float | int = 0.4
    done: float | int = 0.75
    certainty: float | int = 0.3

    def __post_init__(self) -> None:
        if not 0 <= self.leave <= self.enter <= 1 or min(self.frames, self.switch) < 1:
            raise ActrecError(
                f"The hysteresis has enter={self.enter}, leave={self.leave}, frames={self.frames} and "
                f"switch={self.switch}; expected 0 ≤ leave ≤ enter ≤ 1, and at least 1 frame."
            )
        for name in ("smoothing", "shortest", "pause"):
            if not 0 <= getattr(self, name) < np.inf:
                raise ActrecError(f"The hysteresis has {name}={getattr(self, name)}; expected 0 or more.")
        if not 0 <= self.no_action <= self.action <= 1:
            raise ActrecError(
                f"The hysteresis has action={self.action} and no_action={self.no_action}; expected "
                "0 ≤ no_action ≤ action ≤ 1."
            )
        if not (0 < self.begin < 0.5 < self.done < 1 and 0 <= self.certainty < 1):
            raise ActrecError(
                f"The hysteresis has begin={self.begin}, done={self.done} and certainty={self.certainty}; expected "
                "0 < begin < 0.5 < done < 1, and a certainty from 0 to 1."
            )


class LabelHysteresis:
    """The held label of one person.

    Args:
        rule: The thresholds.
        n_classes: Number of classes.
        none: Number of the class for no action, which is never held. None if there is no such class.

    Attributes:
        label: Number of the held class, or `NO_ACTION`.
        candidate: Number of the class that the newest frame is in favour of, or `NO_ACTION`.
        count: Number of consecutive frames, up to the newest, that are in favour of it.
    """

    def __init__(self, rule: Hysteresis, n_classes: int, none: int | None = None) -> None:
        self.rule, self.none, self.label = rule, none, NO_ACTION
        self.candidate, self.count = NO_ACTION, 0
        self._sum, self._weight = np.zeros(n_classes), 0.0

    def _smoothed(self, probabilities: Float[ndarray, " class"]) -> Float[ndarray, " class"]:
        """Updates the exponential mean of the probabilities, without the bias towards the first frame."""
        if not self.rule.smoothing:
            return probabilities
        kept = np.exp(-1 / self.rule.smoothing)
        self._sum, self._weight = kept * self._sum + probabilities, kept * self._weight + 1
        return self._sum / self._weight

    def update(self, probabilities: Float[ndarray, " class"], repeated: bool = False) -> int:
        """Takes the probabilities of the next frame and returns the number of the held class, or `NO_ACTION`.

        Args:
            repeated: Whether a repetition was completed shortly before, and no label was held.
        """
        probabilities = self._smoothed(probabilities)
        best = self._favoured(probabilities, repeated)
        self.count = self.count + 1 if best == self.candidate else 1
        self.candidate = best
        switches = self.none is not None and NO_ACTION not in (best, self.label)
        needed = self.rule.switch if switches else self.rule.frames
        if self.count >= needed and (best != NO_ACTION or self.none is not None):
            self.label = best
        elif self.none is None and self.label != NO_ACTION and probabilities[self.label] < self.rule.leave:
            self.label = NO_ACTION
        return self.label

    def _favoured(self, probabilities: Float[ndarray, " class"], repeated: bool) -> int:
        """Returns the number of the class that a frame is in favour of, or `NO_ACTION`."""
        if self.none is None:
            best = int(probabilities.argmax())
            return best if probabilities[best] >= self.rule.enter else NO_ACTION
        least = self.rule.action if self.label == NO_ACTION and not repeated else self.rule.no_action
        if 1 - probabilities[self.none] < least:
            return NO_ACTION
        actions = probabilities.copy()
        actions[self.none] = -1
        return int(actions.argmax())

    def state(self) -> ndarray:
        """Returns the whole state."""
        return np.array([self.label, self.candidate, self.count, self._weight, *self._sum])

    def restore(self, state: ndarray) -> None:
        """Restores what `state` returned."""
        values = checked_array({"held": state}, "held", (4 + len(self._sum),), float)
        check_within(_MOST, values)
        label, candidate, count = (int(value) for value in values[:3])
        known = min(label, candidate) >= NO_ACTION and max(label, candidate) < len(self._sum)
        if not known or min(count, values[3]) < 0:
            raise ValueError("the state of the held label is not that of a stream")
        self.label, self.candidate, self.count = label, candidate, count
        self._weight, self._sum = float(values[3]), values[4:].copy()
