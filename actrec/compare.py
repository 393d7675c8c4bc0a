"""Compares runs on the clips of one test split: `python -m actrec.compare runs=[a,b]`, or with `against=[c,d]`."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float
from numpy import ndarray
from omegaconf import DictConfig
from scipy.stats import binomtest

from actrec.config import main
from actrec.evaluation.metrics import paired_interval
from actrec.evaluation.probabilities import RATIOS
from actrec.types import ActrecError


def read_correct(run: Path) -> tuple[dict[str, str], Float[ndarray, "clip ratio"]]:
    """The group of each clip of a run, by clip and in the order of clips; and 1 where the run was right on it, else 0.

    Args:
        run: A folder with the `predictions.csv` of training or evaluation.

    Raises:
        ActrecError: It has none, or one without the column of an observation ratio.
    """
    file = run / "predictions.csv"
    columns = [f"correct_{ratio}" if ratio < 1 else "correct" for ratio in RATIOS]
    try:
        with file.open(newline="", encoding="utf-8") as stream:
            rows = sorted(csv.DictReader(stream), key=lambda row: row["clip_id"])
        correct = np.array([[row[column] == "true" for column in columns] for row in rows], dtype=float)
        return {row["clip_id"]: row["group"] or row["clip_id"] for row in rows}, correct
    except FileNotFoundError:
        raise ActrecError(f"There is no '{file}'. Give the folder of a finished run.") from None
    except KeyError as error:
        raise ActrecError(f"'{file}' has no column {error}. Evaluate the run's model again.") from None


def _read(folders: Sequence[Path]) -> tuple[list[str], dict[Path, Float[ndarray, "clip ratio"]]]:
    read = {folder: read_correct(folder) for folder in folders}
    clips = read[folders[0]][0]
    for run, (others, _) in read.items():
        if others != clips:
            raise ActrecError(
                f"The clips of '{run}' and '{folders[0]}' are not the same. Compare runs on one test split."
            )
    return list(clips.values()), {run: correct for run, (_, correct) in read.items()}


def mcnemar(a: Bool[ndarray, " clip"], b: Bool[ndarray, " clip"]) -> tuple[int, int, float]:
    """On how many clips `a` alone is right, on how many `b` alone, and the probability of so uneven a split or a more
    uneven one where neither is better: McNemar's exact test, two-sided (McNemar 1947).

    Args:
        a: Whether one network was right on each clip.
        b: The same of the other, in the same order.
    """
    first, second = int((a & ~b).sum()), int((b & ~a).sum())
    p = binomtest(first, first + second).pvalue if first + second else 1.0
    return first, second, float(p)


def _mcnemar_line(first: Float[ndarray, "clip ratio"], second: Float[ndarray, "clip ratio"], names: str) -> str:
    a, b, p = mcnemar(first[:, len(RATIOS) - 1] > 0.5, second[:, len(RATIOS) - 1] > 0.5)
    return f"McNemar, whole clips: {names} alone right on {a} and {b}; p = {p:.2g}"


def compare(runs: Sequence[Path], against: Sequence[Path]) -> str:
    """A table: accuracy at each observation ratio and AUC of either side, each the mean over its runs, and by how much
    the first side is ahead, with a 95 % interval by paired bootstrap over the groups of the clips. In the end McNemar's
    test on whole clips, on which a side is right if more than half of its runs are.

    Args:
        runs: Folders of runs that differ in their seeds alone.
        against: The same of what they are compared with.

    Raises:
        ActrecError: A side is empty, a folder holds no predictions, or the clips are not the same.
    """
    if not runs or not against:
        raise ActrecError("Give at least one run on either side: runs=[…] against=[…].")
    groups, read = _read([*runs, *against])
    first, second = (np.mean([read[run] for run in side], axis=0) for side in (runs, against))
    first, second = (np.hstack([side, side.mean(1, keepdims=True)]) for side in (first, second))
    lines = [f"{len(groups)} clips          runs  against  difference (95 % interval)"]
    for column, name in enumerate([*(f"accuracy at {ratio:.0%}" for ratio in RATIOS), "AUC"]):
        ahead, low, high = paired_interval(first[:, column], second[:, column], groups)
        means = f"{first[:, column].mean():.4f}   {second[:, column].mean():.4f}"
        lines.append(f"{name:<17} {means}   {ahead:+.4f} ({low:+.4f} to {high:+.4f})")
    return "\n".join([*lines, _mcnemar_line(first, second, "runs and against")])


def side_by_side(runs: Sequence[Path]) -> str:
    """A table of several runs, a row each: accuracy, AUC, and how far each is ahead of the first, in accuracy, with a
    95 % interval by paired bootstrap over the groups of the clips and the p of McNemar's test.

    Args:
        runs: Their folders.

    Raises:
        ActrecError: There is one alone, a folder holds no predictions, or the clips are not the same.
    """
    if len(runs) < 2:
        raise ActrecError("Give several runs: runs=[a,b,…], or runs=[a] against=[b].")
    groups, read = _read(runs)
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


@main("compare")
def run(cfg: DictConfig) -> None:
    """Compose, run."""
    runs, against = (
        [Path(folder) for folder in ([value] if isinstance(value, str) else value or [])]
        for value in (cfg.runs, cfg.against)
    )
    print(side_by_side(runs) if cfg.against is None else compare(runs, against))


if __name__ == "__main__":
    run()
