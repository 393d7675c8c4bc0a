"""Compares runs on one test split: `python -m actrec.compare runs=[a,b]`, or two sets: `runs=[a,b] against=[c,d]`."""

from __future__ import annotations

from pathlib import Path

from omegaconf import DictConfig

from actrec.config import main
from actrec.evaluation.comparison import compare_runs, compare_sides


@main("compare")
def run(cfg: DictConfig) -> None:
    runs, against = (
        [Path(folder) for folder in ([value] if isinstance(value, str) else value or [])]
        for value in (cfg.runs, cfg.against)
    )
    left_out = list(cfg.exclude_labels)
    print(compare_runs(runs, left_out) if cfg.against is None else compare_sides(runs, against, left_out))


if __name__ == "__main__":
    run()
