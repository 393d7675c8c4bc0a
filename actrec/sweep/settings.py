"""Groups the runs of a sweep that differ only in their seeds, and ranks the groups by their val metrics."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from scipy.stats import t as student

from actrec.sweep.runs import SweptRun

_SEEDS = ("seed", "split.seed", "trial")  # keys in which runs of one setting may differ
_NOT_SETTINGS = ("resume", "output_dir", "sweep", "store")


class Setting(NamedTuple):
    """The runs of a sweep that differ only in their seeds, with their mean accuracy on test."""

    values: dict[str, Any]  # of the keys that differ within the sweep
    runs: list[SweptRun]  # the best by val first
    accuracy: float
    low: float  # end of the accuracy's 95 % interval: Student's t over seeds, or the bootstrap interval of a single run
    high: float

    @property
    def val_accuracy(self) -> float:
        """Mean accuracy on val of the runs that were validated; NaN where none was."""
        known = [run.val_accuracy for run in self.runs if math.isfinite(run.val_accuracy)]
        return float(np.mean(known)) if known else math.nan

    @property
    def rank(self) -> tuple[float, float]:
        """Sort key from the val split; greater for a better setting."""
        return _rank(self.val_accuracy, float(np.mean([run.val_loss for run in self.runs])))


def settings_of(runs: Sequence[SweptRun]) -> list[Setting]:
    """Groups runs into settings, the best by val first."""
    keys, groups = differing(runs), dict[str, list[SweptRun]]()
    for run in runs:
        groups.setdefault(repr([run.values.get(key) for key in keys]), []).append(run)
    settings = []
    for group in groups.values():
        group.sort(key=lambda run: _rank(run.val_accuracy, run.val_loss), reverse=True)
        accuracy = np.array([run.figures["accuracy"] for run in group])
        if len(group) == 1:
            low, high = group[0].figures["intervals"]["accuracy"]
        else:
            half = float(student.ppf(0.975, len(group) - 1) * accuracy.std(ddof=1) / len(group) ** 0.5)
            low, high = accuracy.mean() - half, accuracy.mean() + half
        values = {key: group[0].values.get(key) for key in keys}
        settings.append(Setting(values, group, float(accuracy.mean()), float(low), float(high)))
    return sorted(settings, key=lambda setting: setting.rank, reverse=True)


def differing(runs: Sequence[SweptRun]) -> list[str]:
    """Lists the keys whose values differ between runs, without seeds; of keys that vary together, the topmost one."""
    keys = dict.fromkeys(key for run in runs for key in run.values)
    columns: dict[tuple[Any, ...], str] = {}
    for key in sorted(keys, key=lambda key: (key.count("."), list(keys).index(key))):
        column = tuple(repr(run.values.get(key)) for run in runs)
        if key not in _SEEDS and key.split(".")[0] not in _NOT_SETTINGS and len(set(column)) > 1:
            columns.setdefault(column, key)
    return list(columns.values())


def _rank(accuracy: float, loss: float) -> tuple[float, float]:
    """Sort key, greater for better val metrics; least for a run that was not validated."""
    return tuple(value if math.isfinite(value) else -math.inf for value in (accuracy, -loss))  # type: ignore[return-value]
