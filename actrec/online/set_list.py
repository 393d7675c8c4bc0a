"""Lists the sets of the people in a stream of predictions."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from actrec.online.prediction import Prediction, Set


class PersonSet(NamedTuple):
    """A set and the person who did it."""

    person: str
    set: Set


class SetList:
    """Lists the sets in a stream of predictions; its memory grows with the number of sets only."""

    def __init__(self) -> None:
        self._found = dict[tuple[str, float], Set]()  # by person and start, which a set that goes on keeps

    def update(self, predictions: Iterable[Prediction]) -> None:
        """Takes the next predictions of the stream: of one frame, or of any number of frames in order."""
        for prediction in predictions:
            if prediction.set is not None:
                self._found[prediction.person, prediction.set.start] = prediction.set

    @property
    def sets(self) -> list[PersonSet]:
        """The sets until now, in the order in which they began."""
        return sorted((PersonSet(person, each) for (person, _), each in self._found.items()), key=_start)


def _start(item: PersonSet) -> float:
    return item.set.start
