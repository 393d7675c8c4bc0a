"""Compares runs on the clips of one test split: `python -m actrec.compare runs=[a,b] against=[c,d]`."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float
from numpy import ndarray
from omegaconf import DictConfig

from actrec.config import main
from actrec.evaluation import RATIOS
from actrec.metrics import paired_interval
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


def compare(runs: Sequence[Path], against: Sequence[Path]) -> str:
    """A table: accuracy at each observation ratio and AUC of either side, each the mean over its runs, and by how much
    the first side is ahead, with a 95 % interval by paired bootstrap over the groups of the clips.

    Args:
        runs: Folders of runs that differ in their seeds alone.
        against: The same of what they are compared with.

    Raises:
        ActrecError: A side is empty, a folder holds no predictions, or the clips are not the same.
    """
    if not runs or not against:
        raise ActrecError("Give at least one run on either side: runs=[…] against=[…].")
    read = {run: read_correct(run) for run in (*runs, *against)}
    clips = read[runs[0]][0]
    for run, (others, _) in read.items():
        if others != clips:
            raise ActrecError(f"The clips of '{run}' and '{runs[0]}' are not the same. Compare runs on one test split.")
    first, second = (np.mean([read[run][1] for run in side], axis=0) for side in (runs, against))
    first, second = (np.hstack([side, side.mean(1, keepdims=True)]) for side in (first, second))
    lines = [f"{len(clips)} clips          runs  against  difference (95 % interval)"]
    for column, name in enumerate([*(f"accuracy at {ratio:.0%}" for ratio in RATIOS), "AUC"]):
        ahead, low, high = paired_interval(first[:, column], second[:, column], list(clips.values()))
        means = f"{first[:, column].mean():.4f}   {second[:, column].mean():.4f}"
        lines.append(f"{name:<17} {means}   {ahead:+.4f} ({low:+.4f} to {high:+.4f})")
    return "\n".join(lines)


@main("compare")
def run(cfg: DictConfig) -> None:
    """Compose, run."""
    runs, against = ([value] if isinstance(value, str) else value for value in (cfg.runs, cfg.against))
    print(compare([Path(folder) for folder in runs], [Path(folder) for folder in against]))


if __name__ == "__main__":
    run()
