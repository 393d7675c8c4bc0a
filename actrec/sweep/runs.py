"""Reads the finished runs of a sweep from their folders."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from omegaconf import OmegaConf

from actrec.training.history import read_history


class SweptRun(NamedTuple):
    """A finished run of a sweep."""

    folder: Path
    values: dict[str, Any]  # of its config, by dotted key
    figures: dict[str, Any]  # the metrics of the test split, from `metrics.json`
    val_accuracy: float  # at the epoch whose checkpoint is kept; NaN where no epoch was validated
    val_loss: float  # the classification loss on val at that epoch
    minutes: float  # duration of the training


def read_runs(folder: Path) -> list[SweptRun]:
    """Reads the finished runs in a sweep's folder."""
    found = []
    for file in sorted(folder.glob("runs/*/metrics.json")):
        run = file.parent
        history, kept = read_history(run / "history.csv"), kept_figures(run)
        values = dict(_flat(OmegaConf.to_container(OmegaConf.load(run / "config.yaml"))))
        minutes = sum(row["seconds"] for row in history) / 60
        figures = json.loads(file.read_text(encoding="utf-8"))
        accuracy, loss = (kept.get(name, math.nan) for name in ("val/accuracy", "val/loss_cls"))
        found.append(SweptRun(run, values, figures, accuracy, loss, minutes))
    return found


def kept_figures(run: Path) -> dict[str, float]:
    """Returns the metrics of the epoch whose checkpoint a run kept; those of val may be from an earlier epoch."""
    best = OmegaConf.load(run / "config.yaml").callbacks.best
    rows = read_history(run / "history.csv")
    values = [row.get(best.monitor, math.nan) for row in rows]
    finite = [value for value in values if math.isfinite(value)]
    last = len(rows) - 1
    if finite:
        value = max(finite) if best.mode == "max" else min(finite)
        last = max(number for number, each in enumerate(values) if each == value)
    figures: dict[str, float] = {}
    for row in rows[: last + 1]:
        figures |= row
    return figures


def _flat(node: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yields dotted key and value of every leaf of a config."""
    if isinstance(node, dict):
        for key, value in node.items():
            yield from _flat(value, f"{prefix}{key}.")
    else:
        yield prefix[:-1], json.dumps(node) if isinstance(node, list) else node
