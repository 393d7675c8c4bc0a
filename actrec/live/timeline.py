"""Records the sets of each person over time, in bounded memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from actrec.online.prediction import Set

_LIVE = 30.0  # seconds that are shown of a stream of unknown duration


class _Row:
    def __init__(self) -> None:
        self.sets: dict[float, Set] = {}  # by their starts, which a set that goes on keeps
        self.seen = 0.0


class Timeline:
    """Records when each person did which sets.

    Args:
        length: Duration of the stream in seconds, all of which is shown; None if unknown: the last 30 s are shown.
        rows: Number of people that are shown: the first ones of a video, the latest ones of a live stream.
    """

    def __init__(self, length: float | None, rows: int) -> None:
        self.length, self.rows = length, rows
        self._time, self._people = 0.0, dict[str, _Row]()

    def update(self, time: float, sets: Sequence[tuple[str, Set | None]]) -> None:
        """Takes the time of the next frame, in seconds, and the present or last set of each person in it."""
        self._time = time
        for person, each in sets:
            if person not in self._people and self.length is not None and len(self._people) >= self.rows:
                continue  # never shown
            row = self._people.setdefault(person, _Row())
            row.seen = time
            if each is not None:
                row.sets[each.start] = each
        if self.length is None:
            self._forget(self.span[0])

    def _forget(self, first: float) -> None:
        self._people = {person: row for person, row in self._people.items() if row.seen >= first}
        for row in self._people.values():
            row.sets = {start: each for start, each in row.sets.items() if each.end > first}

    @property
    def span(self) -> tuple[float, float]:
        """The shown interval, in seconds."""
        if self.length is not None:
            return 0.0, max(self.length, self._time)
        return max(self._time - _LIVE, 0.0), max(self._time, _LIVE)

    @property
    def sets(self) -> dict[str, list[Set]]:
        """The sets of the shown interval, cut off at its beginning, by person."""
        first, people = self.span[0], list(self._people)
        shown = people[: self.rows] if self.length is not None else people[-self.rows :]
        return {
            person: [
                replace(each, start=max(each.start, first))
                for each in self._people[person].sets.values()
                if each.end > first
            ]
            for person in shown
        }
