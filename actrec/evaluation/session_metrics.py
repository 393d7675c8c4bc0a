"""Puts the figures of sessions together, for `metrics.json` and the report. Metrics without data are NaN."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy import ndarray

from actrec.evaluation.segments import (
    SessionRecord,
    auroc,
    counted_repetitions,
    delays,
    edit_score,
    segment_counts,
    set_counts,
    wrong_stretches,
)
from actrec.types import NO_LABEL, NONE, ActrecError

OVERLAPS = (10, 25, 50)  # per cent


def session_metrics(records: Sequence[SessionRecord], labels: Sequence[str]) -> dict[str, Any]:
    """Computes the metrics of sessions.

    Args:
        labels: The classes; the last one is "none".

    Returns:
        Of frames: `frame_accuracy`, and `frame_macro_f1` over the classes that are done or held. Of segments of the
        held label: `segment_f1_10`, `_25`, `_50`, and `edit`, the mean over the sessions with labelled frames. Of sets,
        which go on in short pauses and begin before their label is held: `set_f1_10`, `_25`, `_50`. All are 0 to 1.
        `false_alarm_share` is the share of frames without action in which one is held; `false_alarms_a_minute` and
        `confusions_a_minute` are the numbers of `wrong_stretches` for each minute that is labelled. `action_auroc` is
        of the labelled frames that have a score. `delay_median` and `delay_p90` are in seconds, of the segments whose
        label is held at all; `missed` is the share of the others. `repetition_mae` is the mean of the error over the
        true count, of sets with at least one; `repetition_obo` is the share of counted sets off by at most one (Hu et
        al. 2022, RepCount). Further `n_sessions`, `n_sets`, and `minutes`, labelled or not.

    Raises:
        ActrecError: "none" is not the last class, or a frame or a set has a number beyond the classes.
    """
    _check_labels(records, labels)
    return {
        **_frame_metrics(records, len(labels)),
        **_segment_metrics(records, len(labels) - 1),
        **_delay_metrics(records, len(labels) - 1),
        **_repetition_metrics(records),
        "n_sessions": len(records),
        "n_sets": sum(len(record.true_sets) for record in records),
        "minutes": sum(len(record.true) / record.fps for record in records) / 60,
    }


def held_by_motion(records: Sequence[SessionRecord], labels: Sequence[str]) -> dict[str, dict[str, float]]:
    """Returns for each motion the share of its frames in which each label is held, of those that ever are.

    Raises:
        ActrecError: As `session_metrics`.
    """
    _check_labels(records, labels)
    numbers: dict[str, int] = {}
    named = [record for record in records if record.motions]
    rows = [numbers.setdefault(motion, len(numbers)) for record in named for motion in record.motions]
    pairs = np.array(rows, int) * len(labels) + _joined(named, "held").astype(int)
    counts = np.bincount(pairs, minlength=len(numbers) * len(labels)).reshape(len(numbers), len(labels))
    shares = counts / counts.sum(1, keepdims=True)
    return {
        motion: {labels[i]: float(shares[row, i]) for i in np.argsort(-counts[row], kind="stable") if counts[row, i]}
        for motion, row in sorted(numbers.items())
    }


def _check_labels(records: Sequence[SessionRecord], labels: Sequence[str]) -> None:
    if not labels or labels[-1] != NONE:
        raise ActrecError(f"The classes of sessions are {', '.join(labels) or 'missing'}; expected '{NONE}' last.")
    for record in records:
        of_sets = np.array([each.label for each in (*record.true_sets, *record.sets)], int)
        for numbers, least in ((record.true, NO_LABEL), (record.held, 0), (of_sets, 0)):
            if len(numbers) and not (numbers.min() >= least and numbers.max() < len(labels)):
                raise ActrecError(f"A session has class numbers beyond the {len(labels)} classes.")


def _frame_metrics(records: Sequence[SessionRecord], n_classes: int) -> dict[str, float]:
    true, held = (_joined(records, name).astype(int) for name in ("true", "held"))
    action = _joined(records, "action")
    known, none = true != NO_LABEL, n_classes - 1
    confusion = np.bincount(true[known] * n_classes + held[known], minlength=n_classes**2).reshape(n_classes, n_classes)
    hits, sums = confusion.diagonal(), confusion.sum(0) + confusion.sum(1)
    scored = known & np.isfinite(action)
    return {
        "frame_accuracy": _mean(true[known] == held[known]),
        "frame_macro_f1": _mean(2 * hits[sums > 0] / sums[sums > 0]),
        "false_alarm_share": _mean(held[true == none] != none),
        "action_auroc": auroc(action[scored], true[scored] != none),
    }


def _segment_metrics(records: Sequence[SessionRecord], none: int) -> dict[str, float]:
    pairs = [(record.true[known], record.held[known]) for record in records for known in [record.true != NO_LABEL]]
    metrics = {}
    for overlap in OVERLAPS:
        metrics[f"segment_f1_{overlap}"] = _f1([segment_counts(*pair, none, overlap / 100) for pair in pairs])
        metrics[f"set_f1_{overlap}"] = _f1([set_counts(record, overlap / 100) for record in records])
    metrics["edit"] = _mean([edit_score(*pair, none) for pair in pairs if len(pair[0])])
    minutes = sum((record.true != NO_LABEL).sum() / record.fps for record in records) / 60
    wrong = np.array([wrong_stretches(record, none) for record in records], int).reshape(-1, 2).sum(0)
    for name, count in zip(("false_alarms", "confusions"), wrong.tolist(), strict=True):
        metrics[f"{name}_a_minute"] = float(count / minutes) if minutes else float("nan")
    return metrics


def _f1(counts: Sequence[tuple[int, int, int]]) -> float:
    right, wrong, missed = np.array(counts, int).reshape(-1, 3).sum(0).tolist()
    total = 2 * right + wrong + missed
    return 2 * right / total if total else float("nan")


def _delay_metrics(records: Sequence[SessionRecord], none: int) -> dict[str, float]:
    waits = np.array([wait for record in records for wait in delays(record, none)])
    reached = waits[np.isfinite(waits)]
    median, ninth = np.percentile(reached, (50, 90)).tolist() if len(reached) else (float("nan"), float("nan"))
    return {"delay_median": median, "delay_p90": ninth, "missed": _mean(np.isinf(waits))}


def _repetition_metrics(records: Sequence[SessionRecord]) -> dict[str, float]:
    counted = [pair for record in records for pair in counted_repetitions(record)]
    return {
        "repetition_mae": _mean([abs(found - wanted) / wanted for wanted, found in counted if wanted]),
        "repetition_obo": _mean([abs(found - wanted) <= 1 for wanted, found in counted]),
    }


def _joined(records: Sequence[SessionRecord], name: str) -> ndarray:
    return np.concatenate([getattr(record, name) for record in records]) if records else np.zeros(0)


def _mean(values: Sequence[float | bool] | ndarray) -> float:
    return float(np.mean(values)) if len(values) else float("nan")
