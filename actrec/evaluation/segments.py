"""Compares what a recogniser held in long clips with what was done: frames, segments, delays, repetitions.

All of it is plain data: no network, no pictures. `session_metrics` puts the figures of many sessions together.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy import ndarray
from scipy.stats import rankdata

from actrec.types import NO_LABEL, ActrecError

_Interval = tuple[int, float | int, float | int]  # label, start, end


class LabelledSet(NamedTuple):
    """A set, true or predicted: class number, start and end in seconds, and repetitions, None if not counted."""

    label: int
    start: float
    end: float
    repetitions: int | None = None


@dataclass(frozen=True)
class SessionRecord:
    """The frames of one session, at equal distances in time.

    Attributes:
        fps: Frames per second.
        true: Class number of each frame; `NO_LABEL` for frames that nobody has labelled, which do not count.
        held: Class number of what was held; that of "none" where nothing was.
        action: How sure the recogniser was of any action, 0 to 1; NaN where it followed nobody.
        true_sets: The sets that were done.
        sets: The sets that were recognised.
        motions: Name of the motion of each frame, such as "deadlift"; empty if not known.
        name: Id of the session's clip.

    Raises:
        ActrecError: The arrays have different lengths, there are no frames a second, or a set ends before it begins,
            has no end, or has less than 0 repetitions.
    """

    fps: float
    true: Int[ndarray, " frame"]
    held: Int[ndarray, " _"]
    action: Float[ndarray, " _"]
    true_sets: Sequence[LabelledSet] = ()
    sets: Sequence[LabelledSet] = ()
    motions: Sequence[str] = ()
    name: str = ""

    def __post_init__(self) -> None:
        lengths = {len(self.true), len(self.held), len(self.action)} | ({len(self.motions)} if self.motions else set())
        if len(lengths) != 1:
            raise ActrecError(f"A session has labels of {sorted(lengths)} frames; expected as many of each kind.")
        if not 0 < self.fps < math.inf:
            raise ActrecError(f"A session has {self.fps} frames a second; expected a number above 0.")
        for each in (*self.true_sets, *self.sets):
            _check_set(each)


def _check_set(each: LabelledSet) -> None:
    if not (math.isfinite(each.start) and math.isfinite(each.end)):
        raise ActrecError(f"A set is from {each.start} s to {each.end} s; expected finite times.")
    if each.end < each.start:
        raise ActrecError(f"A set ends at {each.end} s, before it begins at {each.start} s.")
    if each.repetitions is not None and each.repetitions < 0:
        raise ActrecError(f"A set has {each.repetitions} repetitions; expected 0 or more, or None if not counted.")


def runs(labels: Int[ndarray, " frame"]) -> Iterator[tuple[int, int, int]]:
    """Returns label, first frame and end of every stretch of equal labels."""
    edges = np.flatnonzero(np.diff(labels)) + 1
    for start, end in zip([0, *edges.tolist()], [*edges.tolist(), len(labels)], strict=True):
        if end > start:
            yield int(labels[start]), start, end


def segment_counts(
    true: Int[ndarray, " frame"], held: Int[ndarray, " frame"], none: int, overlap: float
) -> tuple[int, int, int]:
    """Counts true positives, false positives and false negatives of segments (Farha and Gall 2019, MS-TCN).

    A held segment is a true positive if its overlap (intersection over union) with a segment of the same label, the
    one with which it overlaps most, is at least `overlap` and no other was matched with that one before.
    """
    wanted, found = ([run for run in runs(labels) if run[0] != none] for labels in (true, held))
    return _counts(wanted, found, overlap)


def set_counts(record: SessionRecord, overlap: float) -> tuple[int, int, int]:
    """Counts true positives, false positives and false negatives of sets, by the same rule as `segment_counts`.

    Recognised sets that are for more than half of their time in frames that nobody has labelled do not count.
    """
    found = []
    for each in record.sets:
        first, last = (round(time * record.fps) for time in (each.start, each.end))
        unknown = record.true[first : last + 1] == NO_LABEL
        if 2 * unknown.sum() <= len(unknown):
            found.append(each[:3])
    return _counts([each[:3] for each in record.true_sets], found, overlap)


def _counts(wanted: Sequence[_Interval], found: Sequence[_Interval], overlap: float) -> tuple[int, int, int]:
    """Counts the found intervals that match, those that do not, and the wanted that are left; all in order of time."""
    ends = [end for _, _, end in wanted]
    matched = [False] * len(wanted)
    right = wrong = 0
    for label, start, end in found:
        best, most = -1, 0.0
        for number in range(bisect_right(ends, start), len(wanted)):  # those before end before this begins
            other, first, last = wanted[number]
            if first >= end:
                break
            share = (min(end, last) - max(start, first)) / (max(end, last) - min(start, first))
            if label == other and share > most:
                best, most = number, share
        if best >= 0 and most >= overlap and not matched[best]:
            right, matched[best] = right + 1, True
        else:
            wrong += 1
    return right, wrong, len(wanted) - right


def edit_score(true: Int[ndarray, " frame"], held: Int[ndarray, " frame"], none: int) -> float:
    """Computes the edit score, 0 to 1: one minus the Levenshtein distance of the segments' labels over the longer list.

    The order of the segments counts, and not their length (Farha and Gall 2019, MS-TCN); segments of "none" are left
    out. Where nothing was done and nothing was held it is 1.
    """
    one, two = (np.array([label for label, *_ in runs(labels) if label != none], int) for labels in (true, held))
    if not len(one) and not len(two):
        return 1.0
    columns = np.arange(len(two) + 1)
    row = columns
    for i, label in enumerate(one, start=1):
        kept = np.minimum(row[1:] + 1, row[:-1] + (two != label))  # left out of `one`, or put against each other
        row = np.minimum.accumulate(np.concatenate([[i], kept]) - columns) + columns  # left out of `two`
    return float(1 - row[-1] / max(len(one), len(two)))


def auroc(scores: Float[ndarray, " item"], positive: Bool[ndarray, " _"]) -> float:
    """Computes the area under the ROC curve; equal scores count half. NaN without items of both kinds.

    Raises:
        ActrecError: There are not as many scores as items.
    """
    if len(scores) != len(positive):
        raise ActrecError(f"AUROC got {len(scores)} scores of {len(positive)} items; expected one each.")
    positive = positive.astype(bool)
    n_positive, n_negative = int(positive.sum()), int((~positive).sum())
    if not n_positive or not n_negative:
        return float("nan")
    ranks = rankdata(scores)
    return float((ranks[positive].sum() - n_positive * (n_positive + 1) / 2) / (n_positive * n_negative))


def delays(record: SessionRecord, none: int) -> list[float]:
    """Returns for each true segment the seconds until its label is held within it; infinite if it never is."""
    found = []
    for label, start, end in runs(record.true):
        if label not in (none, NO_LABEL):
            right = np.flatnonzero(record.held[start:end] == label)
            found.append(float(right[0]) / record.fps if len(right) else float("inf"))
    return found


def wrong_stretches(record: SessionRecord, none: int) -> tuple[int, int]:
    """Counts the stretches in which a label is held and that overlap no frame of this label, nor an unlabelled one.

    Returns:
        The number of false alarms, in which mostly nothing is done, and that of confusions, in which mostly other
        actions are.
    """
    alarms = confusions = 0
    for label, start, end in runs(record.held):
        truth = record.true[start:end]
        if label != none and not ((truth == label) | (truth == NO_LABEL)).any():
            idle = 2 * int((truth == none).sum()) >= len(truth)
            alarms, confusions = alarms + idle, confusions + (not idle)
    return alarms, confusions


def counted_repetitions(record: SessionRecord) -> list[tuple[int, int]]:
    """Returns true and predicted repetitions of every true set with a count.

    Predicted are those of all sets of the same label that overlap it.
    """
    return [
        (
            true.repetitions,
            sum(
                each.repetitions or 0
                for each in record.sets
                if each.label == true.label and min(each.end, true.end) > max(each.start, true.start)
            ),
        )
        for true in record.true_sets
        if true.repetitions is not None
    ]
