"""Records the held labels of each person over time, in bounded memory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

_LIVE = 30.0  # seconds that are shown of a stream of unknown duration


class Stretch(NamedTuple):
    """An interval of a stream in which a person held a label, in seconds."""

    start: float
    end: float
    label: str


class _Row:
    def __init__(self) -> None:
        self.changes: list[tuple[float, str | None]] = []
        self.seen = 0.0


class Timeline:
    """Records when the held label of each person changed.

    Args:
        length: Duration of the stream in seconds, all of which is shown; None if unknown: the last 30 s are shown.
        rows: Number of people that are shown: the first ones of a video, the latest ones of a live stream.
    """

    def __init__(self, length: float | None, rows: int) -> None:
        self.length, self.rows = length, rows
        self._time, self._held = 0.0, dict[str, _Row]()

    def update(self, time: float, held: Sequence[tuple[str, str | None]]) -> None:
        """Takes the time of the next frame, in seconds, and the held label of each person in it."""
        self._time = time
        for person, label in held:
            if person not in self._held and self.length is not None and len(self._held) >= self.rows:
                continue  # never shown
            row = self._held.setdefault(person, _Row())
            row.seen = time
            if not row.changes or row.changes[-1][1] != label:
                row.changes.append((time, label))
        if self.length is None:
            self._forget(self.span[0])

    def _forget(self, first: float) -> None:
        for person in [person for person, row in self._held.items() if row.seen < first]:
            del self._held[person]
        for row in self._held.values():
            begun = sum(start <= first for start, _ in row.changes)
            del row.changes[: max(begun - 1, 0)]

    @property
    def span(self) -> tuple[float, float]:
        """The shown interval, in seconds."""
        if self.length is not None:
            return 0.0, max(self.length, self._time)
        return max(self._time - _LIVE, 0.0), max(self._time, _LIVE)

    @property
    def stretches(self) -> dict[str, list[Stretch]]:
        """The intervals of held labels, by person."""
        first, people = self.span[0], list(self._held)
        shown = people[: self.rows] if self.length is not None else people[-self.rows :]
        found = {}
        for person in shown:
            row = self._held[person]
            ends = [start for start, _ in row.changes[1:]] + [row.seen]
            found[person] = [
                Stretch(max(start, first), end, label)
                for (start, label), end in zip(row.changes, ends, strict=True)
                if label is not None and end > first
            ]
        return found
