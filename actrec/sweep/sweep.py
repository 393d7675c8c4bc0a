"""Sweeps: `python -m actrec.train -m sweep=lambdas`. Runs that are there are not done again; the end is a table."""

from __future__ import annotations

import hashlib
import json
import logging
import math
import re
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from hydra.core.hydra_config import HydraConfig
from hydra.experimental.callback import Callback
from hydra.types import RunMode
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf, open_dict
from scipy.stats import t as student

from actrec.data.saved_split import SavedSplit
from actrec.files import csv_text, replace_file, replace_folder
from actrec.report.page import read_history
from actrec.sweep.plots import MOST, grid, settings_bars
from actrec.training.run import is_finished
from actrec.training.trainer import check_monitor
from actrec.types import ActrecError

log = logging.getLogger(__name__)

METRICS = ("accuracy", "macro_f1", "auc")
_SEEDS = ("seed", "split.seed", "trial")  # what sets runs of one setting apart
_LONGEST = 150  # characters of a run's name
_NOT_SETTINGS = ("resume", "output_dir", "sweep", "store")


def run_one(cfg: DictConfig, train: Callable[[DictConfig], Path]) -> None:
    """One run of a sweep, in the folder that its overrides name; one that is finished is left as it is.

    Raises:
        ActrecError: This is no multirun, or the folder holds a run of another configuration.
    """
    hydra = HydraConfig.get()
    if hydra.mode is not RunMode.MULTIRUN:
        raise ActrecError("sweep= is for several runs: python -m actrec.train -m … (--multirun).")
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
        if not is_finished(folder, cfg):
            train(cfg)
        else:
            log.info("There already: %s", folder)
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
                f"The run in '{folder}' has no {search.metric}, which the search goes by: no epoch was validated. Set "
                "val_every=1, and give val a share (split.val_share)."
            )


def _name(overrides: Sequence[str]) -> str:
    """A folder's name, of what may differ between the runs of a sweep; it can stand in an override as it is."""
    plain = sorted(override.lstrip("+~") for override in overrides)
    parts = [part for part in plain if not part.startswith(("experiment=", "name=", "sweep=", "sweep.", "store="))]
    name = re.sub(r"[^\w.-]", "_", "_".join(part.replace("=", "-", 1) for part in parts)) or "run"
    return name if len(name) <= _LONGEST else f"{name[: _LONGEST - 9]}_{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def kept_figures(run: Path) -> dict[str, float]:
    """The figures of the epoch whose checkpoint a run has kept; where that was not validated, val's are the latest.

    Args:
        run: A run's folder, with `config.yaml`, and `history.csv` if it has trained an epoch.
    """
    best = OmegaConf.load(run / "config.yaml").callbacks.best
    rows = _history(run)
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


def _history(run: Path) -> list[dict[str, float]]:
    file = run / "history.csv"
    return read_history(file) if file.is_file() else []


class SweptRun(NamedTuple):
    """A finished run of a sweep.

    Attributes:
        folder: Its folder.
        values: Every value of its config, by dotted key.
        figures: Of the test split, from `metrics.json`.
        val_accuracy: Of the epoch whose checkpoint is kept; NaN where none was validated.
        val_loss: The class term there.
        minutes: Of training.
    """

    folder: Path
    values: dict[str, Any]
    figures: dict[str, Any]
    val_accuracy: float
    val_loss: float
    minutes: float


class Setting(NamedTuple):
    """What runs that differ in their seeds alone have reached.

    Attributes:
        values: Those in which the settings of the sweep differ, by dotted key.
        runs: The best by val first.
        accuracy: Mean of the test split's.
        low: Lower end of its 95 % interval: Student's over several seeds, else the one run's over clips.
        high: Upper end.
    """

    values: dict[str, Any]
    runs: list[SweptRun]
    accuracy: float
    low: float
    high: float

    @property
    def val_accuracy(self) -> float:
        """Mean over the runs that were validated; NaN where none was."""
        known = [run.val_accuracy for run in self.runs if math.isfinite(run.val_accuracy)]
        return float(np.mean(known)) if known else math.nan

    @property
    def rank(self) -> tuple[float, float]:
        """Greater for a better one, by val alone."""
        return _rank(self.val_accuracy, float(np.mean([run.val_loss for run in self.runs])))


def _rank(accuracy: float, loss: float) -> tuple[float, float]:
    """Greater for a better run; one without a val is the worst."""
    return tuple(value if math.isfinite(value) else -math.inf for value in (accuracy, -loss))  # type: ignore[return-value]


def read_runs(folder: Path) -> list[SweptRun]:
    """The finished runs in a sweep's folder."""
    found = []
    for file in sorted(folder.glob("runs/*/metrics.json")):
        run = file.parent
        history, kept = _history(run), kept_figures(run)
        values = dict(_flat(OmegaConf.to_container(OmegaConf.load(run / "config.yaml"))))
        minutes = sum(row["seconds"] for row in history) / 60
        figures = json.loads(file.read_text(encoding="utf-8"))
        accuracy, loss = (kept.get(name, math.nan) for name in ("val/accuracy", "val/loss_cls"))
        found.append(SweptRun(run, values, figures, accuracy, loss, minutes))
    return found


def _flat(node: Any, prefix: str = "") -> Any:
    if isinstance(node, dict):
        for key, value in node.items():
            yield from _flat(value, f"{prefix}{key}.")
    else:
        yield prefix[:-1], json.dumps(node) if isinstance(node, list) else node


def differing(runs: Sequence[SweptRun]) -> list[str]:
    """The keys in whose values runs differ, seeds left out; of keys that always agree the one nearest to the top."""
    keys = dict.fromkeys(key for run in runs for key in run.values)
    columns: dict[tuple[Any, ...], str] = {}
    for key in sorted(keys, key=lambda key: (key.count("."), list(keys).index(key))):
        column = tuple(repr(run.values.get(key)) for run in runs)
        is_setting = key not in _SEEDS and key.split(".")[0] not in _NOT_SETTINGS
        if is_setting and len(set(column)) > 1:
            columns.setdefault(column, key)
    return list(columns.values())


def settings_of(runs: Sequence[SweptRun]) -> list[Setting]:
    """The settings of a sweep, the best by val first."""
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


def summarize(folder: Path) -> list[Setting]:
    """Writes `summary.csv`, `summary.png` and `model`, that of the best run by val, into a sweep's folder.

    Where no run was validated there is no best one, and no `model`.

    Returns:
        The settings, the best by val first; none where no run is finished.
    """
    runs = read_runs(folder)
    settings = settings_of(runs)
    if not settings:
        return []
    keys = list(settings[0].values)
    columns = [
        *keys,
        "n_runs",
        "val_accuracy",
        "accuracy",
        "low",
        "high",
        "interval_over",
        *METRICS[1:],
        "minutes",
        "run",
    ]
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
    figure.savefig(folder / "summary.png", dpi=150)  # the last: nothing else is lost if it fails
    return settings


def _cell(value: float) -> str:
    return f"{value:.4f}" if math.isfinite(value) else ""


def _is_grid(settings: Sequence[Setting]) -> bool:
    """Whether two numbers are swept, each over several values, but not too many to draw, and each with each."""
    values = [list(setting.values.values()) for setting in settings]
    if len(values[0]) != 2 or not all(isinstance(value, int | float) for row in values for value in row):
        return False
    sizes = [len({row[axis] for row in values}) for axis in (0, 1)]
    return min(sizes) > 1 and max(sizes) <= MOST and sizes[0] * sizes[1] == len(values)


def _clips(run: SweptRun) -> frozenset[str] | None:
    """Ids of all clips of a run, in whichever part; None where they are not known."""
    saved = SavedSplit.read(run.folder)
    return None if saved is None else saved.clip_ids


class Summarize(Callback):
    """Hydra's callback that ends a sweep with its summary."""

    def on_multirun_end(self, config: DictConfig, **kwargs: Any) -> None:
        """Writes it, and prints the settings."""
        folder = Path(config.sweep.folder)
        settings = summarize(folder)
        for setting in settings:
            values = ", ".join(f"{key}={value}" for key, value in setting.values.items()) or "all"
            figures = f"accuracy {setting.accuracy:.4f} ({setting.low:.4f} to {setting.high:.4f})"
            log.info("%s: %s, val %.4f, %d runs", values, figures, setting.val_accuracy, len(setting.runs))
        if settings and math.isfinite(settings[0].val_accuracy):
            log.info("The best by val is in %s; the table in %s", folder / "model", folder / "summary.csv")
        elif settings:
            log.warning("No run was validated, so none is the best by val. The table is in %s", folder / "summary.csv")
        if len({_clips(run) for setting in settings for run in setting.runs} - {None}) > 1:
            log.warning("The runs were not trained on the same clips: the store has changed between them.")
