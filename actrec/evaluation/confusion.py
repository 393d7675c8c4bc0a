"""Selects the classes and the confusions to show of a confusion matrix with many classes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Int
from numpy import ndarray

WHOLE = 40  # most classes of a matrix that is drawn whole
SHOWN = 30  # number of classes that are drawn of a larger one


class Confusion(NamedTuple):
    """The confusion of one class with another.

    Attributes:
        n_clips: Clips of the class `label` that were predicted as `prediction`.
        share: Their share of the clips of class `label`.
    """

    label: str
    prediction: str
    n_clips: int
    share: float


def most_frequent(counts: Int[ndarray, "class class"], classes: Sequence[str], most: int = 30) -> list[Confusion]:
    """Lists the most frequent confusions in descending order, ties by their share."""
    wrong = np.where(np.eye(len(counts), dtype=bool), 0, counts)
    rows, columns = np.nonzero(wrong)
    found, share = wrong[rows, columns], wrong[rows, columns] / counts.sum(1)[rows]
    order = np.lexsort((columns, rows, -share, -found))[:most]
    return [Confusion(classes[rows[k]], classes[columns[k]], int(found[k]), float(share[k])) for k in order]


def classes_shown(counts: Int[ndarray, "class class"]) -> Int[ndarray, " shown"]:
    """Selects the classes that a picture of the matrix shows: all up to `WHOLE`, else the `SHOWN` most confused ones.

    They are taken from the most frequent confusions, both directions added, so that both classes of a confusion are
    shown; if these are too few, the classes with the most clips are added.
    """
    n_classes = len(counts)
    if n_classes <= WHOLE:
        return np.arange(n_classes)
    pairs = np.triu(counts + counts.T, 1)
    rows, columns = np.nonzero(pairs)
    chosen: dict[int, None] = {}
    for k in np.argsort(-pairs[rows, columns], kind="stable"):
        both = [int(each) for each in (rows[k], columns[k]) if int(each) not in chosen]
        if len(chosen) + len(both) <= SHOWN:
            chosen |= dict.fromkeys(both)
        if len(chosen) == SHOWN:
            break
    for k in np.argsort(-counts.sum(1), kind="stable"):
        if len(chosen) < SHOWN:
            chosen.setdefault(int(k))
    return np.array(sorted(chosen))
