"""Ranks clips by how probable it is that their label is wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray

from actrec.data.check.findings import NOTE, WARNING, Finding, Suspect, Text, Value
from actrec.data.check.similarity import Posed
from actrec.types import NONE

_SURE = 0.4  # margin of a clip whose label is probably wrong
_MANY = 0.02  # share of such clips above which it is a warning,
_OF_CLASS = 10  # clips of a class that can be judged
_CLEAR = 1 / 3  # if they are more than this share of all that are more like another class

TEXTS = {
    "label_errors": Text(
        "Labels that may be wrong",
        "{which} look like clips of another label; the first is labelled '{label}' and looks like '{other}'.",
        "Wrong labels cost accuracy in training, and more in the test.",
        "Look at them, worst first (suspects in check.json lists all clips). Correct the labels.",
    ),
}


def ranked(data: Posed, scores: Float[ndarray, "clip class"], classes: Sequence[str]) -> list[Suspect]:
    """Ranks clips by the margin by which another class has a higher score than the clip's own.

    Args:
        scores: The score of each class for each clip, from clips of other groups.
    """
    own = data.labels
    rows = np.arange(len(own))
    others = scores.copy()
    others[rows, own] = -np.inf
    margins = others.max(1) - scores[rows, own]
    order = np.argsort(-margins, kind="stable")
    return [
        Suspect(data.clips[k].clip_id, classes[own[k]], classes[int(others[k].argmax())], float(margins[k]))
        for k in order
    ]


def label_errors(suspects: Sequence[Suspect], nearest: dict[str, str]) -> Iterator[Finding]:
    """Finds clips whose label is probably wrong.

    Args:
        nearest: The most similar clip of the other label, of each suspect that has one.
    """
    sure = [each for each in suspects if each.margin > _SURE]
    if sure:
        unlike, clear = _reliable(suspects, 0.0), _reliable(suspects, _SURE)
        many = clear > max(2, _MANY * len(suspects)) and clear > _CLEAR * unlike
        names = tuple(each.clip_id for each in sure)
        first = sure[0]
        values: dict[str, Value] = {"label": first.label, "other": first.other}
        pairs = {name: nearest[name] for name in names if name in nearest}
        yield Finding("label_errors", WARNING if many else NOTE, names, len(suspects), values, pairs=pairs)


def _reliable(suspects: Sequence[Suspect], least: float) -> int:
    """Counts suspects of a greater margin, without classes of few clips; an action done unusually is not none."""
    sizes = Counter(each.label for each in suspects)
    return sum(
        each.margin > least and each.other != NONE and min(sizes[each.label], sizes[each.other]) >= _OF_CLASS
        for each in suspects
    )


def one_hot(labels: Int[ndarray, " clip"], n_classes: int) -> Float[ndarray, "clip class"]:
    """Returns 1 for the class of each clip, and 0 for the others."""
    return np.eye(n_classes, dtype=np.float32)[labels]
