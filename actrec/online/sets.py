"""Decides when sets begin and end, and how many repetitions they have, from the held label and the phase."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from actrec.online.hysteresis import NO_ACTION, Hysteresis, LabelHysteresis
from actrec.online.prediction import Set
from actrec.online.repetitions import RepetitionCounter
from actrec.online.state_checks import check_within
from actrec.types import LATEST

_MEMORY = 1.0  # seconds for which a repetition that was completed before its label was held is remembered
_RECENT = 0.5  # seconds after it in which a lower probability is enough for a label to be held
LONGEST_FRAME = 0.2  # seconds that a frame stands for at most; what happened in a longer gap is not known
_MOST = 1e15  # frames and repetitions; larger counts in a restored state are refused


class SetTracker:
    """The present set of one person, or the last one if none is going on.

    A set begins when a label is held. It ends when another one is held, or when no action has been held for longer
    than `Hysteresis.pause`; time in which the person is not seen does not count.

    Args:
        rule: The thresholds.
        labels: The classes of the model.
        uncounted: Labels of actions that have no repetitions.
        leads: Seconds by which classes are recognised late, by their numbers: their sets begin so much earlier.

    Attributes:
        open: Whether the set is going on.
    """

    def __init__(
        self,
        rule: Hysteresis,
        labels: Sequence[str],
        uncounted: Sequence[str] = (),
        leads: Mapping[int, float] | None = None,
    ) -> None:
        self.rule, self.labels, self.uncounted, self._leads = rule, labels, uncounted, leads or {}
        self._first = math.nan  # time of the first frame
        self.open, self._label, self._count = False, NO_ACTION, 0
        self._start, self._end, self._idle = math.nan, math.nan, 0.0
        self._sum, self._frames = 0.0, 0
        self._time, self._since = math.nan, math.nan  # of the previous frame; of the candidate's first frame
        self._early, self._early_time = 0, math.nan  # repetitions that were completed before their label was held
        self._counter = RepetitionCounter(rule)
        self._counts = False  # whether there is a phase

    def update(
        self,
        time: float,
        held: LabelHysteresis,
        probabilities: Float[ndarray, " class"],
        phase: Float[ndarray, "2"] | None,
        seen: bool,
    ) -> None:
        """Takes the next frame.

        Args:
            time: Time of the frame in seconds.
            held: The held label, of which this frame is the newest.
            probabilities: Probability of each class.
            phase: Sine and cosine of the phase within a repetition; None for a model without this output.
            seen: Whether a joint is observed in the frame.
        """
        before, self._time = self._time, time
        self._first = time if math.isnan(self._first) else self._first
        self._since = time if held.count == 1 or math.isnan(self._since) else self._since
        self._counts = phase is not None
        if phase is not None and seen and self._counter.update(time, phase):
            self._count_repetition(time, held, probabilities)
        if held.label != NO_ACTION:
            if not self.open or held.label != self._label:
                self._begin(held.label)
            self._count += self._early if time - self._early_time <= _MEMORY else 0
            self._early = 0
            favoured = held.none is None or held.candidate == held.label
            if (seen and favoured) or not self._frames:
                self._end, self._idle = time, 0.0
                self._sum, self._frames = self._sum + float(probabilities[self._label]), self._frames + 1
        elif self.open and seen:
            self._idle += min(time - before, LONGEST_FRAME)
            self.open = self._idle <= self.rule.pause

    def _count_repetition(self, time: float, held: LabelHysteresis, probabilities: Float[ndarray, " class"]) -> None:
        if self.open and self._label in (held.label, held.candidate):
            self._count += 1
        elif held.none is None or 1 - probabilities[held.none] >= self.rule.no_action:
            self._early = self._early + 1 if time - self._early_time <= _MEMORY else 1
            self._early_time = time

    def repeated(self, time: float) -> bool:
        """Returns whether a repetition that is not counted yet, as no label was held, was completed shortly before."""
        return self._early > 0 and time - self._early_time <= _RECENT

    def _begin(self, label: int) -> None:
        self.open, self._label, self._count = True, label, 0
        lead = self._leads.get(label, 0.0)
        since = max(self._since - lead, self._first) if lead else self._since
        self._start = since if math.isnan(self._end) else max(since, self._end)
        self._sum, self._frames = 0.0, 0

    @property
    def repetitions(self) -> int | None:
        """The repetitions of the present or last set; None if they are not counted."""
        if not self._counts or (self._label != NO_ACTION and self.labels[self._label] in self.uncounted):
            return None
        return self._count

    def current(self) -> Set | None:
        """Returns the present set, or the last one; None before the first, and while it is too short to be one."""
        if self._label == NO_ACTION or (self._end - self._start < self.rule.shortest and not self._count):
            return None
        label, probability = self.labels[self._label], self._sum / self._frames
        return Set(label, self._start, self._end, self.repetitions, probability)

    def state(self) -> ndarray:
        """Returns the whole state."""
        whole = [self.open, self._label, self._count, self._frames, self._early, self._counts]
        times = [self._start, self._end, self._time, self._since, self._early_time]
        first = [self._first] if self._leads else []  # without leads it is not needed
        return np.array([*whole, *times, self._idle, self._sum, *self._counter.state(), *first], dtype=float)

    def restore(self, state: Float[ndarray, " value"]) -> None:
        """Restores what `state` returned."""
        check_within(_MOST, state[:6], state[11:13])
        check_within(LATEST, np.nan_to_num([*state[6:11], *state[16:]], posinf=np.inf, neginf=-np.inf))
        open_, label, count, frames, early, counts = (int(value) for value in state[:6])
        start, end, time, since, early_time, idle, total = (float(value) for value in state[6:13])
        fits = {open_, counts} <= {0, 1} and NO_ACTION <= label < len(self.labels) and min(count, early, idle) >= 0
        if label == NO_ACTION:
            fits &= not open_ and count == frames == 0 and math.isnan(start) and math.isnan(end)
        else:
            fits &= start <= end <= time and since <= time and frames > 0 and 0 <= total <= 1.001 * frames
        if not fits:
            raise ValueError("the state of the sets is not that of a stream")
        self._counter.restore(state[13:16])
        self._first = float(state[16]) if self._leads else math.nan
        self.open, self._label, self._count, self._frames = bool(open_), label, count, frames
        self._early, self._counts, self._start, self._end = early, bool(counts), start, end
        self._time, self._since, self._early_time, self._idle, self._sum = time, since, early_time, idle, total
