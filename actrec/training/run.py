"""Finds or makes the folder of a run, new or resumed, writes its log, and collects the facts about the run."""

from __future__ import annotations

import logging
import os
import pickle
import shlex
import sys
import traceback
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from logging.handlers import MemoryHandler
from pathlib import Path
from typing import Any, NamedTuple

import torch
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

from actrec.data.saved_split import FILE, SavedSplit
from actrec.files import replace_file
from actrec.types import ActrecError

log = logging.getLogger(__name__)

_OPEN = "ACTREC_RUN_FOLDER"  # tells the other processes of a run which folder the first one opened
_NODES = ("data", "model", "trainer", "callbacks", "logger")


class Run(NamedTuple):
    """A run's folder and, if the run is resumed, its checkpoint and split."""

    folder: Path
    checkpoint: Path | None
    split: SavedSplit | None

    @property
    def best(self) -> Path | None:
        """The best checkpoint, if one was kept."""
        file = self.folder / "checkpoints" / "best.ckpt"
        return file if file.exists() else None


def recorded(cfg: DictConfig) -> dict[str, Any]:
    """Returns the config for the run's folder, without keys that may differ between a run and its resumption.

    Values are resolved, except in the nodes that train.py instantiates, which refer to the others.
    """
    resolved: Any = OmegaConf.to_container(cfg, resolve=True)
    referring: Any = OmegaConf.to_container(cfg)
    plain = {key: referring[key] if key in _NODES else value for key, value in resolved.items()}
    return {key: value for key, value in plain.items() if key not in ("resume", "output_dir")}


def _fingerprint(cfg: DictConfig) -> str:
    return OmegaConf.to_yaml(recorded(cfg))


def _is_of(folder: Path, fingerprint: str) -> bool:
    """Returns whether a folder holds a run, finished or not, of the config with that fingerprint."""
    config = folder / "config.yaml"
    return config.is_file() and config.read_text(encoding="utf-8") == fingerprint


def _unfinished(folder: Path, fingerprint: str) -> bool:
    return _is_of(folder, fingerprint) and not (folder / "metrics.json").exists()


def is_finished(folder: Path, cfg: DictConfig) -> bool:
    """Returns whether a folder holds a finished run of this config."""
    return _is_of(folder, _fingerprint(cfg)) and (folder / "metrics.json").exists()


def _new_name(root: Path) -> Path:
    return root / datetime.now().strftime("%Y-%m-%d_%H-%M-%S_%f")[:-3]


def _is_first_process() -> bool:
    """Returns whether this process is the first of a training, started by Lightning, torchrun or srun."""
    for name in ("RANK", "SLURM_PROCID"):
        if name in os.environ:
            return int(os.environ[name]) == 0
    return all(int(os.environ.get(name, 0)) == 0 for name in ("LOCAL_RANK", "NODE_RANK"))


def find_run(cfg: DictConfig) -> Run:
    """Finds the folder for a run of this config: a new one, or with `resume` the folder of an interrupted run.

    Nothing is written; the config's `output_dir` becomes the folder.

    Raises:
        ActrecError: The folder holds another or a finished run, there is no such run to resume, or a file of the run is
            damaged.
    """
    fingerprint, opened = _fingerprint(cfg), None
    if not _is_first_process():
        opened = os.environ.get(_OPEN) or cfg.output_dir
        if opened is None:
            raise ActrecError("Processes that torchrun or srun has started need a common folder: give output_dir=…")
    folder = Path(opened or _folder(cfg, fingerprint))
    if opened is None:
        _check_free(folder, cfg, fingerprint)
    cfg.output_dir = str(folder)
    goes_on = opened is not None or (cfg.resume is not None and _unfinished(folder, fingerprint))
    return Run(folder, _checkpoint(folder), SavedSplit.read(folder) if goes_on else None)


def _check_free(folder: Path, cfg: DictConfig, fingerprint: str) -> None:
    """Raises an ActrecError unless a run of this config may begin or continue in a folder."""
    if folder.is_dir() and any(folder.iterdir()):
        if cfg.resume is None:
            raise ActrecError(
                f"The folder '{folder}' is not empty. Give another output_dir, or, if a run was interrupted there, "
                "resume=auto to continue it."
            )
        if not _unfinished(folder, fingerprint):
            raise ActrecError(
                f"The run in '{folder}' cannot be resumed: it is finished, or it had another configuration (see its "
                "config.yaml). Give the same overrides as it had, or another output_dir."
            )
    elif cfg.resume not in (None, "auto"):
        raise ActrecError(f"There is no run to resume in '{folder}'. Use resume=auto to find one, or leave it out.")


def open_run(run: Run, cfg: DictConfig, saved: SavedSplit) -> None:
    """Makes the folder of a run, with its config, Hydra's record of overrides, and its split."""
    if not _is_first_process():
        return
    run.folder.mkdir(parents=True, exist_ok=True)
    if not (run.folder / FILE).exists():
        replace_file(run.folder / FILE, saved.to_json())
    replace_file(run.folder / "config.yaml", _fingerprint(cfg))
    overrides = run.folder / ".hydra" / "overrides.yaml"
    if HydraConfig.initialized() and not overrides.exists():
        overrides.parent.mkdir(exist_ok=True)
        replace_file(overrides, OmegaConf.to_yaml(HydraConfig.get().overrides.task))
    os.environ[_OPEN] = str(run.folder.absolute())
    log.info("Run in %s%s", run.folder, ", resumed" if run.checkpoint else "")


def _folder(cfg: DictConfig, fingerprint: str) -> Path:
    if cfg.resume not in (None, "auto"):
        return Path(cfg.resume)
    if cfg.output_dir is not None:
        return Path(cfg.output_dir)
    root = Path("outputs") / cfg.name
    found = sorted(path for path in root.glob("*") if _unfinished(path, fingerprint)) if cfg.resume else []
    return found[-1] if found else _new_name(root)


def _checkpoint(folder: Path) -> Path | None:
    last = folder / "checkpoints" / "last.ckpt"
    if not last.exists():
        return None
    try:
        torch.load(last, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, pickle.UnpicklingError) as error:
        raise ActrecError(
            f"The checkpoint '{last}' cannot be read ({str(error).splitlines()[0]}). Remove it to start that run again."
        ) from error
    return last


def free_folder(output_dir: str | None, name: str) -> Path:
    """Returns the path of an empty folder for results, without making it: `output_dir`, or outputs/<name>/<date_time>.

    Raises:
        ActrecError: The folder is not empty, or is a file.
    """
    folder = Path(output_dir or _new_name(Path("outputs") / name))
    if folder.is_dir() and any(folder.iterdir()):
        raise ActrecError(f"The folder '{folder}' is not empty. Give another output_dir.")
    if folder.exists() and not folder.is_dir():
        raise ActrecError(f"'{folder}' is a file. Give a folder as output_dir.")
    return folder


def run_facts(cfg: DictConfig, run: Run, history: Sequence[Mapping[str, float]]) -> dict[str, str]:
    """Returns facts about the training for the head of the run's report; warns if no best checkpoint was kept."""
    minutes = sum(row["seconds"] for row in history) / 60
    facts = {"training time": f"{minutes:.1f} min", "seed": str(cfg.seed)}
    if cfg.init:
        facts["started from"] = str(cfg.init)
    if run.best is not None:
        epoch = torch.load(run.best, map_location="cpu", weights_only=True)["epoch"]
        return facts | {"checkpoint of epoch": str(epoch)}
    if not cfg.fast_dev_run:
        log.warning("There is no checkpoints/best.ckpt: the model is the last epoch's.")
    return facts | {"checkpoint": "the last, as no best one was kept"}


def next_steps(steps: Mapping[str, str], folder: Path) -> str:
    """Returns the commands to try after a run, each with its purpose; empty if there are none."""
    python, here = Path(sys.executable), Path.cwd()
    python = python.relative_to(here) if python.is_relative_to(here) else python
    text = "".join(f"\n  # {purpose}\n  {command}" for purpose, command in steps.items())
    text = text.replace("{python}", shlex.quote(str(python))).replace("{run}", shlex.quote(str(folder)))
    return f"\nWhat to try next:{text}" if steps else ""


@contextmanager
def kept_log() -> Iterator[list[logging.LogRecord]]:
    """Collects the log records of actrec until the run's folder exists; `log_to` writes them."""
    handler = MemoryHandler(capacity=sys.maxsize, flushLevel=sys.maxsize, flushOnClose=False)
    logger = logging.getLogger("actrec")
    logger.addHandler(handler)
    try:
        yield handler.buffer
    finally:
        logger.removeHandler(handler)


@contextmanager
def log_to(file: Path, earlier: Iterable[logging.LogRecord] = ()) -> Iterator[None]:
    """Appends what actrec and Lightning log in this context to a file, after the `earlier` records."""
    handler = logging.FileHandler(file, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    for record in earlier:
        handler.handle(record)
    loggers = [logging.getLogger(name) for name in ("actrec", "lightning.pytorch", "py.warnings")]
    for logger in loggers:
        logger.addHandler(handler)
    try:
        yield
    except BaseException:
        with file.open("a", encoding="utf-8") as stream:  # not logged: the console shows one sentence
            stream.write(traceback.format_exc())
        raise
    finally:
        for logger in loggers:
            logger.removeHandler(handler)
        handler.close()
