"""Compares what a recogniser held in long clips with what was done: frames, segments, delays, repetitions.

All of it is plain data: no network, no pictures. Metrics without data are NaN.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy import ndarray
from scipy.stats import rankdata

from actrec.types import NO_LABEL, ActrecError

OVERLAPS = (10, 25, 50)  # per cent


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

    Raises:
        ActrecError: The arrays have different lengths, or a set ends before it begins.
    """

    fps: float
    true: Int[ndarray, " frame"]
    held: Int[ndarray, " _"]
    action: Float[ndarray, " _"]
    true_sets: Sequence[LabelledSet] = ()
    sets: Sequence[LabelledSet] = ()
    motions: Sequence[str] = ()

    def __post_init__(self) -> None:
        lengths = {len(self.true), len(self.held), len(self.action)} | ({len(self.motions)} if self.motions else set())
        if len(lengths) != 1:
            raise ActrecError(f"A session has labels of {sorted(lengths)} frames; expected as many of each kind.")
        for each in (*self.true_sets, *self.sets):
            if each.end < each.start:
                raise ActrecError(f"A set ends at {each.end} s, before it begins at {each.start} s.")


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
    wanted = [run for run in runs(true) if run[0] != none]
    matched = [False] * len(wanted)
    right = wrong = 0
    for label, start, end in (run for run in runs(held) if run[0] != none):
        shares = [
            max(min(end, last) - max(start, first), 0) / (max(end, last) - min(start, first)) if label == other else 0.0
            for other, first, last in wanted
        ]
        best = int(np.argmax(shares)) if shares else -1
        if best >= 0 and shares[best] >= overlap and not matched[best]:
            right, matched[best] = right + 1, True
        else:
            wrong += 1
    return right, wrong, len(wanted) - right


def edit_score(true: Int[ndarray, " frame"], held: Int[ndarray, " frame"], none: int) -> float:
    """Computes the edit score, 0 to 1: one minus the Levenshtein distance of the segments' labels over the longer list.

    The order of the segments counts, and not their length (Farha and Gall 2019, MS-TCN); segments of "none" are left
    out.
    """
    one, two = ([label for label, *_ in runs(labels) if label != none] for labels in (true, held))
    if not one and not two:
        return 1.0
    row = list(range(len(two) + 1))
    for i, a in enumerate(one, start=1):
        before, row[0] = row[0], i
        for j, b in enumerate(two, start=1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (a != b))
    return 1 - row[-1] / max(len(one), len(two))


def auroc(scores: Float[ndarray, " item"], positive: Bool[ndarray, " item"]) -> float:
    """Computes the area under the ROC curve; equal scores count half. NaN without items of both kinds."""
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


def false_alarms(record: SessionRecord, none: int) -> int:
    """Counts the stretches in which one label is held that overlap no frame of this label, nor an unlabelled one."""
    return sum(
        label != none and not np.isin(record.true[start:end], (label, NO_LABEL)).any()
        for label, start, end in runs(record.held)
    )


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


def held_by_motion(records: Sequence[SessionRecord], labels: Sequence[str]) -> dict[str, dict[str, float]]:
    """Returns for each motion the share of its frames in which each label is held, of those that ever are."""
    totals: dict[str, ndarray] = {}
    for record in records:
        for motion in dict.fromkeys(record.motions):
            frames = np.array([name == motion for name in record.motions])
            counts = np.bincount(record.held[frames], minlength=len(labels))
            totals[motion] = totals.get(motion, np.zeros(len(labels))) + counts
    return {
        motion: {labels[i]: float(counts[i] / counts.sum()) for i in np.argsort(-counts) if counts[i]}
        for motion, counts in sorted(totals.items())
    }


def session_metrics(records: Sequence[SessionRecord], labels: Sequence[str]) -> dict[str, Any]:
    """Computes the metrics of sessions.

    Args:
        labels: The classes; the last one is "none".

    Returns:
        Of frames: `frame_accuracy`, and `frame_macro_f1` over the classes that are done or held. Of segments:
        `segment_f1_10`, `_25`, `_50`, and `edit`. `false_alarm_share` is the share of frames without action in which
        one is held; `false_alarms_a_minute` is the number of `false_alarms` for each minute. `action_auroc` is of the
        frames. `delay_median` and `delay_p90` are in seconds, of the segments whose label is held at all; `missed` is
        the share of the others. `repetition_mae` is the mean of the error over the true count, `repetition_obo` the
        share of sets off by at most one (Hu et al. 2022, RepCount). Further `n_sessions`, `n_sets`, `minutes`.
    """
    none, n_classes = len(labels) - 1, len(labels)
    nan = float("nan")
    true, held, action = (
        np.concatenate([getattr(record, name) for record in records]) for name in ("true", "held", "action")
    )
    if len(true) and not (true.min() >= NO_LABEL and held.min() >= 0 and max(true.max(), held.max()) <= none):
        raise ActrecError(f"A session has class numbers beyond the {n_classes} classes.")
    known = true != NO_LABEL
    confusion = np.bincount(true[known] * n_classes + held[known], minlength=n_classes**2).reshape(n_classes, n_classes)
    hits, sums = confusion.diagonal(), confusion.sum(0) + confusion.sum(1)
    f1 = 2 * hits[sums > 0] / sums[sums > 0]
    metrics: dict[str, Any] = {
        "frame_accuracy": float(hits.sum() / known.sum()) if known.any() else nan,
        "frame_macro_f1": float(f1.mean()) if len(f1) else nan,
    }
    for overlap in OVERLAPS:
        counts = [segment_counts(*_labelled(record), none, overlap / 100) for record in records]
        right, wrong, missed = (sum(each) for each in zip(*counts, strict=True))
        total = 2 * right + wrong + missed
        metrics[f"segment_f1_{overlap}"] = 2 * right / total if total else nan
    metrics["edit"] = float(np.mean([edit_score(*_labelled(record), none) for record in records]))
    idle = true == none
    minutes = sum(len(record.true) / record.fps for record in records) / 60
    metrics["false_alarm_share"] = float((held[idle] != none).mean()) if idle.any() else nan
    metrics["false_alarms_a_minute"] = sum(false_alarms(record, none) for record in records) / minutes
    scored = known & np.isfinite(action)
    metrics["action_auroc"] = auroc(action[scored], true[scored] != none)
    waits = np.array([wait for record in records for wait in delays(record, none)])
    reached = waits[np.isfinite(waits)]
    metrics["delay_median"], metrics["delay_p90"] = (
        (float(np.median(reached)), float(np.percentile(reached, 90))) if len(reached) else (nan, nan)
    )
    metrics["missed"] = float(np.isinf(waits).mean()) if len(waits) else nan
    counted = [pair for record in records for pair in counted_repetitions(record)]
    errors = [abs(found - wanted) / wanted for wanted, found in counted if wanted]
    metrics["repetition_mae"] = float(np.mean(errors)) if errors else nan
    metrics["repetition_obo"] = float(np.mean([abs(a - b) <= 1 for a, b in counted])) if counted else nan
    return metrics | {
        "n_sessions": len(records),
        "n_sets": sum(len(record.true_sets) for record in records),
        "minutes": minutes,
    }


def _labelled(record: SessionRecord) -> tuple[Int[ndarray, " known"], Int[ndarray, " known"]]:
    known = record.true != NO_LABEL
    return record.true[known], record.held[known]
