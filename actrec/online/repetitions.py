"""Counts repetitions by their phase, as they are completed."""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from actrec.online.hysteresis import Hysteresis
from actrec.online.state_checks import check_within
from actrec.types import LATEST

_GAP = 0.25  # seconds without a certain phase after which a movement forward is the likelier explanation of a jump


class RepetitionCounter:
    """Follows the phase of one person, frame by frame, as the share of the present repetition that is done.

    The steps from frame to frame are added up, so that fast repetitions of few frames are not missed: a repetition
    counts when the share reaches `Hysteresis.done` after it was at most `Hysteresis.begin`. What goes back before it
    has turned, or turns several times, counts nothing or once.
    """

    def __init__(self, rule: Hysteresis) -> None:
        self.rule = rule
        self._share, self._time = math.nan, math.nan
        self._followed = False  # whether the present repetition was seen early enough

    def update(self, time: float, phase: Float[ndarray, "2"]) -> bool:
        """Takes the phase of the next frame and returns whether it completes a repetition.

        Args:
            time: Time of the frame in seconds.
            phase: Sine and cosine; a short vector is uncertain and changes nothing.
        """
        sine, cosine = float(phase[0]), float(phase[1])
        if math.hypot(sine, cosine) < self.rule.certainty:
            return False
        now = math.atan2(sine, cosine) / math.tau  # -0.5 to 0.5
        if math.isnan(self._share):
            self._share, self._followed = now, False
        else:
            back = 0.5 if time - self._time <= _GAP else 0.25
            self._share += (now - self._share + back) % 1 - back
        self._time = time
        if self._share < -0.5:  # back into the repetition before
            self._share, self._followed = self._share + 1, False
        self._followed |= self._share <= self.rule.begin
        if self._share < self.rule.done:
            return False
        completed, self._followed = self._followed, True
        self._share -= 1
        return completed

    def state(self) -> list[float]:
        """Returns the whole state."""
        return [self._share, self._time, float(self._followed)]

    def restore(self, state: Float[ndarray, "3"]) -> None:
        """Restores what `state` returned."""
        share, time, followed = (float(value) for value in state)
        if not (np.isnan([share, time]).all() and not followed):
            check_within(LATEST, state)
            if not -0.5 <= share < self.rule.done or followed not in (0, 1):
                raise ValueError("the state of the repetitions is not that of a stream")
        self._share, self._time, self._followed = share, time, bool(followed)
