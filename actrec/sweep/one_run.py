"""Trains one run of a sweep, unless it has been finished already."""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Callable, Sequence
from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from hydra.utils import instantiate
from omegaconf import DictConfig, open_dict

from actrec.sweep.runs import kept_figures
from actrec.training.checks import check_monitor
from actrec.training.run import is_finished
from actrec.types import ActrecError

log = logging.getLogger(__name__)

_LONGEST = 150  # characters of a run's name


def run_one(cfg: DictConfig, train: Callable[[DictConfig], Path]) -> None:
    """Trains one run of a sweep in the folder named after its overrides; a finished run is not repeated.

    Raises:
        ActrecError: Hydra was not started with -m, or the folder holds a run of another configuration.
    """
    hydra = HydraConfig.get()
    if hydra.mode is not RunMode.MULTIRUN:
        raise ActrecError("sweep= needs several runs: python -m actrec.train -m … (--multirun).")
    folder = Path(cfg.sweep.folder) / "runs" / _name(hydra.overrides.task)
    search = instantiate(cfg.sweep.search, _convert_="all") if cfg.sweep.search else None
    if search is not None:
        check_monitor("sweep.search.metric", search.metric)
        if search.metric.startswith("val/") and cfg.val_every > cfg.epochs:
            raise ActrecError(
                f"val_every is {cfg.val_every}: no epoch of {cfg.epochs} has the {search.metric} to search by."
            )
    with open_dict(cfg):
        cfg.output_dir, cfg.resume = str(folder), "auto"
    if search is None:
        if is_finished(folder, cfg):
            log.info("There already: %s", folder)
        else:
            train(cfg)
        return
    with search.trial(Path(cfg.sweep.folder), cfg.trial) as trial:
        if trial.is_done:
            log.info("There already: %s", folder)
            return
        trial.choose(cfg)
        if not is_finished(folder, cfg):
            train(cfg)
        trial.value = kept_figures(folder).get(search.metric)
        if trial.value is None:
            raise ActrecError(
                f"The run in '{folder}' has no {search.metric}, which the search optimises: no epoch was validated. "
                "Set val_every=1, and give val a share (split.val_share)."
            )


def _name(overrides: Sequence[str]) -> str:
    """Returns a folder name made of the overrides that may differ between runs; it needs no quotes in an override."""
    plain = sorted(override.lstrip("+~") for override in overrides)
    parts = [part for part in plain if not part.startswith(("experiment=", "name=", "sweep=", "sweep.", "store="))]
    name = re.sub(r"[^\w.-]", "_", "_".join(part.replace("=", "-", 1) for part in parts)) or "run"
    return name if len(name) <= _LONGEST else f"{name[: _LONGEST - 9]}_{hashlib.sha256(name.encode()).hexdigest()[:8]}"
