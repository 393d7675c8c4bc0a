"""The folder of a run: finding the one to resume, and its log."""

from __future__ import annotations

import logging
import os
import pickle
import sys
import traceback
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from logging.handlers import MemoryHandler
from pathlib import Path
from typing import NamedTuple

import torch
from omegaconf import DictConfig, OmegaConf

from actrec.data.saved_split import FILE, SavedSplit
from actrec.files import replace_file
from actrec.types import ActrecError

_OPEN = "ACTREC_RUN_FOLDER"  # tells the other processes of a run which folder the first one opened


class Run(NamedTuple):
    """A run's folder, and the checkpoint from which it goes on, if it does."""

    folder: Path
    checkpoint: Path | None


def _fingerprint(cfg: DictConfig) -> str:
    """The resolved config without what may differ between a run and its resumption."""
    plain = OmegaConf.to_container(cfg, resolve=True)
    assert isinstance(plain, dict)
    return OmegaConf.to_yaml({key: value for key, value in plain.items() if key not in ("resume", "output_dir")})


def _is_of(folder: Path, fingerprint: str) -> bool:
    """Whether a folder holds a run, finished or not, of the config with that fingerprint."""
    config = folder / "config.yaml"
    return config.is_file() and config.read_text(encoding="utf-8") == fingerprint


def _unfinished(folder: Path, fingerprint: str) -> bool:
    return _is_of(folder, fingerprint) and not (folder / "metrics.json").exists()


def is_finished(folder: Path, cfg: DictConfig) -> bool:
    """Whether a folder holds a whole run of this config."""
    return _is_of(folder, _fingerprint(cfg)) and (folder / "metrics.json").exists()


def _new_name(root: Path) -> Path:
    return root / datetime.now().strftime("%Y-%m-%d_%H-%M-%S_%f")[:-3]


def _is_first_process() -> bool:
    """Whether this process is the first of a training, whoever has started the others: Lightning, torchrun or srun."""
    for name in ("RANK", "SLURM_PROCID"):
        if name in os.environ:
            return int(os.environ[name]) == 0
    return all(int(os.environ.get(name, 0)) == 0 for name in ("LOCAL_RANK", "NODE_RANK"))


def split_of_resumed(cfg: DictConfig) -> SavedSplit | None:
    """The split that a run of this config goes on with: of the run that it resumes, or that another process opened.

    Raises:
        ActrecError: The file is damaged.
    """
    if not _is_first_process():
        opened = os.environ.get(_OPEN) or cfg.output_dir
        return None if opened is None else SavedSplit.read(Path(opened))
    fingerprint = _fingerprint(cfg)
    folder = _folder(cfg, fingerprint) if cfg.resume else None
    return SavedSplit.read(folder) if folder is not None and _unfinished(folder, fingerprint) else None


def open_run(cfg: DictConfig, saved: SavedSplit | None = None) -> Run:
    """The folder for a run of this config: a new one, or with `resume` that of a run which was cut off.

    Args:
        cfg: A composed `train` config.
        saved: The run's split, which is kept in the folder from the beginning.

    Raises:
        ActrecError: The folder asked for holds another or a finished run, or there is no such run to resume.
    """
    if not _is_first_process():
        opened = os.environ.get(_OPEN) or cfg.output_dir
        if opened is None:
            raise ActrecError("Several processes that something else has started need one folder: give output_dir=…")
        return _with_checkpoint(Path(opened))
    fingerprint = _fingerprint(cfg)
    folder = _folder(cfg, fingerprint)
    if folder.is_dir() and any(folder.iterdir()):
        if cfg.resume is None:
            raise ActrecError(
                f"The folder '{folder}' is not empty. Give another output_dir, or, if a run was cut off there, "
                "resume=auto to go on with it."
            )
        if not _unfinished(folder, fingerprint):
            raise ActrecError(
                f"The run in '{folder}' cannot be resumed: it is finished, or it had another configuration (see its "
                "config.yaml). Give the same overrides as it had, or another output_dir."
            )
    elif cfg.resume not in (None, "auto"):
        raise ActrecError(f"There is no run to resume in '{folder}'. Use resume=auto to find one, or leave it out.")
    folder.mkdir(parents=True, exist_ok=True)
    if saved is not None and not (folder / FILE).exists():
        replace_file(folder / FILE, saved.to_json())
    replace_file(folder / "config.yaml", fingerprint)
    os.environ[_OPEN] = str(folder.absolute())
    return _with_checkpoint(folder)


def _folder(cfg: DictConfig, fingerprint: str) -> Path:
    """Where a run of this config is, or is to be."""
    if cfg.resume not in (None, "auto"):
        return Path(cfg.resume)
    if cfg.output_dir is not None:
        return Path(cfg.output_dir)
    root = Path("outputs") / cfg.name
    found = sorted(path for path in root.glob("*") if _unfinished(path, fingerprint)) if cfg.resume else []
    return found[-1] if found else _new_name(root)


def _with_checkpoint(folder: Path) -> Run:
    last = folder / "checkpoints" / "last.ckpt"
    if not last.exists():
        return Run(folder, None)
    try:
        torch.load(last, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, pickle.UnpicklingError) as error:
        raise ActrecError(
            f"The checkpoint '{last}' cannot be read ({str(error).splitlines()[0]}). Remove it to begin that run anew."
        ) from error
    return Run(folder, last)


def free_folder(output_dir: str | None, name: str) -> Path:
    """Where results may go: `output_dir`, or a folder named after the moment under outputs/<name>. It is not made yet.

    Raises:
        ActrecError: There is something already.
    """
    folder = Path(output_dir or _new_name(Path("outputs") / name))
    if folder.is_dir() and any(folder.iterdir()):
        raise ActrecError(f"The folder '{folder}' is not empty. Give another output_dir.")
    if folder.exists() and not folder.is_dir():
        raise ActrecError(f"'{folder}' is a file. Give a folder as output_dir.")
    return folder


@contextmanager
def kept_log() -> Iterator[list[logging.LogRecord]]:
    """Collects the log records of actrec until a run has its folder, for `log_to`."""
    handler = MemoryHandler(capacity=sys.maxsize, flushLevel=sys.maxsize, flushOnClose=False)
    logger = logging.getLogger("actrec")
    logger.addHandler(handler)
    try:
        yield handler.buffer
    finally:
        logger.removeHandler(handler)


@contextmanager
def log_to(file: Path, earlier: Iterable[logging.LogRecord] = ()) -> Iterator[None]:
    """Appends what actrec and Lightning log to a file, as long as this lasts, after what they logged earlier."""
    handler = logging.FileHandler(file, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    for record in earlier:
        handler.handle(record)
    loggers: Sequence[logging.Logger] = [
        logging.getLogger(name) for name in ("actrec", "lightning.pytorch", "py.warnings")
    ]
    for logger in loggers:
        logger.addHandler(handler)
    try:
        yield
    except BaseException:
        with file.open("a", encoding="utf-8") as stream:  # not logged: on the console a user's mistake is one sentence
            stream.write(traceback.format_exc())
        raise
    finally:
        for logger in loggers:
            logger.removeHandler(handler)
        handler.close()
