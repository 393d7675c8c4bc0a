"""Writes the summary of a sweep: a table and a picture of its settings, and the model of its best run."""

from __future__ import annotations

import math
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from actrec.files import csv_text, replace_file, replace_folder
from actrec.sweep.plots import MOST, grid, settings_bars
from actrec.sweep.runs import read_runs
from actrec.sweep.settings import Setting, settings_of

METRICS = ("accuracy", "macro_f1", "auc")


def summarize(folder: Path) -> list[Setting]:
    """Writes `summary.csv`, `summary.png` and `model`, the model folder of the best run by val, into a sweep's folder.

    If no run was validated, no `model` is written. The settings are returned, the best by val first.
    """
    settings = settings_of(read_runs(folder))
    if not settings:
        return []
    columns = [*settings[0].values, "n_runs", "val_accuracy", "accuracy", "low", "high", "interval_over"]
    columns += [*METRICS[1:], "minutes", "run"]
    rows = []
    for setting in settings:
        means = [np.mean([run.figures[name] for run in setting.runs]) for name in METRICS[1:]]
        minutes = np.mean([run.minutes for run in setting.runs])
        figures = [setting.val_accuracy, setting.accuracy, setting.low, setting.high]
        over = "seeds" if len(setting.runs) > 1 else "clips"
        rows.append([*setting.values.values(), len(setting.runs), *(_cell(value) for value in figures), over])
        rows[-1] += [*(f"{value:.4f}" for value in means), f"{minutes:.1f}", setting.runs[0].folder.name]
    replace_file(folder / "summary.csv", csv_text(columns, rows))
    if math.isfinite(settings[0].val_accuracy):
        with replace_folder(folder / "model") as made:
            shutil.copytree(settings[0].runs[0].folder / "model", made, dirs_exist_ok=True)
    figure = grid(settings) if _is_grid(settings) else settings_bars(settings)
    figure.savefig(folder / "summary.png", dpi=150)  # last, so that a failure loses nothing else
    return settings


def _cell(value: float) -> str:
    return f"{value:.4f}" if math.isfinite(value) else ""


def _is_grid(settings: Sequence[Setting]) -> bool:
    """Returns whether the sweep is a full grid of two numeric keys that is small enough to draw."""
    values = [list(setting.values.values()) for setting in settings]
    if len(values[0]) != 2 or not all(isinstance(value, int | float) for row in values for value in row):
        return False
    sizes = [len({row[axis] for row in values}) for axis in (0, 1)]
    return min(sizes) > 1 and max(sizes) <= MOST and sizes[0] * sizes[1] == len(values)
