"""Compares runs on the clips of one test split, from their `predictions.csv`."""

from __future__ import annotations

import csv
from collections.abc import Collection, Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float
from numpy import ndarray
from scipy.stats import binomtest

from actrec.evaluation.metrics import paired_interval
from actrec.pipeline.observation import RATIOS
from actrec.types import ActrecError


def read_correct(
    run: Path, exclude_labels: Collection[str] = ()
) -> tuple[dict[str, str], Float[ndarray, "clip ratio"]]:
    """Reads `predictions.csv`: each clip's group, and 1 where its prediction was correct.

    Args:
        exclude_labels: Labels whose clips are left out.

    Raises:
        ActrecError: There is no such file, no clip has one of these labels, or all have.
    """
    file = run / "predictions.csv"
    columns = [f"correct_{ratio}" if ratio < 1 else "correct" for ratio in RATIOS]
    try:
        with file.open(newline="", encoding="utf-8") as stream:
            rows = sorted(csv.DictReader(stream), key=lambda row: row["clip_id"])
        if unknown := sorted(set(exclude_labels) - {row.get("label") for row in rows}):
            raise ActrecError(f"No clip in '{file}' has the label {unknown[0]!r}, which exclude_labels names.")
        rows = [row for row in rows if row.get("label") not in exclude_labels]
        if exclude_labels and not rows:
            raise ActrecError(f"exclude_labels leaves out all clips of '{file}'.")
        correct = np.array([[row[column] == "true" for column in columns] for row in rows], dtype=float)
        return {row["clip_id"]: row["group"] or row["clip_id"] for row in rows}, correct
    except FileNotFoundError:
        raise ActrecError(f"There is no '{file}'. Give the folder of a finished run.") from None
    except KeyError as error:
        raise ActrecError(f"'{file}' has no column {error}. Evaluate the run's model again.") from None


def _read(
    folders: Sequence[Path], exclude_labels: Collection[str]
) -> tuple[list[str], dict[Path, Float[ndarray, "clip ratio"]]]:
    read = {folder: read_correct(folder, exclude_labels) for folder in folders}
    clips = read[folders[0]][0]
    for run, (others, _) in read.items():
        if others != clips:
            raise ActrecError(
                f"The clips of '{run}' and '{folders[0]}' are not the same. Compare runs on one test split."
            )
    return list(clips.values()), {run: correct for run, (_, correct) in read.items()}


def mcnemar(a: Bool[ndarray, " clip"], b: Bool[ndarray, " clip"]) -> tuple[int, int, float]:
    """Computes McNemar's exact two-sided test (McNemar 1947): the number of clips on which only `a` is right, the
    number on which only `b` is, and the p-value under the hypothesis that both are equally good.
    """
    first, second = int((a & ~b).sum()), int((b & ~a).sum())
    p = binomtest(first, first + second).pvalue if first + second else 1.0
    return first, second, float(p)


def compare_sides(runs: Sequence[Path], against: Sequence[Path], exclude_labels: Collection[str] = ()) -> str:
    """Formats a table of two sets of runs: mean accuracy at each observation ratio and AUC of either side, and their
    difference with a 95 % interval by paired bootstrap over groups. The last line is McNemar's test on whole clips, on
    which a side is right if more than half of its runs are.

    Args:
        exclude_labels: Labels whose clips are left out.

    Raises:
        ActrecError: A side is empty, a folder holds no predictions, or the clips are not the same.
    """
    if not runs or not against:
        raise ActrecError("Give at least one run on either side: runs=[…] against=[…].")
    groups, read = _read([*runs, *against], exclude_labels)
    first, second = (np.mean([read[run] for run in side], axis=0) for side in (runs, against))
    first, second = (np.hstack([side, side.mean(1, keepdims=True)]) for side in (first, second))
    lines = [f"{len(groups)} clips          runs  against  difference (95 % interval)"]
    for column, name in enumerate([*(f"accuracy at {ratio:.0%}" for ratio in RATIOS), "AUC"]):
        ahead, low, high = paired_interval(first[:, column], second[:, column], groups)
        means = f"{first[:, column].mean():.4f}   {second[:, column].mean():.4f}"
        lines.append(f"{name:<17} {means}   {ahead:+.4f} ({low:+.4f} to {high:+.4f})")
    a, b, p = mcnemar(first[:, len(RATIOS) - 1] > 0.5, second[:, len(RATIOS) - 1] > 0.5)
    lines.append(f"McNemar, whole clips: runs and against alone right on {a} and {b}; p = {p:.2g}")
    return "\n".join(lines)


def compare_runs(runs: Sequence[Path], exclude_labels: Collection[str] = ()) -> str:
    """Formats a table with a row for each run: accuracy, AUC, and the difference in accuracy to the first run with a
    95 % interval by paired bootstrap over groups and the p-value of McNemar's test.

    Raises:
        ActrecError: There is only one run, a folder holds no predictions, or the clips are not the same.
    """
    if len(runs) < 2:
        raise ActrecError("Give several runs: runs=[a,b,…], or runs=[a] against=[b].")
    groups, read = _read(runs, exclude_labels)
    last = len(RATIOS) - 1
    base = read[runs[0]]
    width = max(len(str(run)) for run in runs)
    lines = [f"{f'{len(groups)} clips':<{width}}  accuracy  AUC     ahead of the first (95 % interval)     McNemar's p"]
    for run in runs:
        correct = read[run]
        line = f"{run!s:<{width}}  {correct[:, last].mean():.4f}    {correct.mean():.4f}"
        if run != runs[0]:
            ahead, low, high = paired_interval(correct[:, last], base[:, last], groups)
            p = mcnemar(correct[:, last] > 0.5, base[:, last] > 0.5)[2]
            line += f"  {ahead:+.4f} ({low:+.4f} to {high:+.4f})           {p:.2g}"
        lines.append(line)
    return "\n".join(lines)
