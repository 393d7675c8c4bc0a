"""Constructs the Weights & Biases logger (`logger=wandb`)."""

from __future__ import annotations

import hashlib
from pathlib import Path

from lightning.pytorch.loggers import Logger, WandbLogger

from actrec.types import SetupError


def wandb_logger(save_dir: str, project: str, entity: str | None, mode: str, group: str) -> Logger:
    """Starts a run of Weights & Biases, or continues that of a resumed training.

    Args:
        save_dir: Folder of the training, whose name the run takes.
        project: Project in W&B.
        entity: Account or team in W&B; None is the account's default.
        mode: online, offline or disabled.
        group: Name of the group of runs, or a sweep's folder of that name.

    Raises:
        SetupError: wandb is not installed, or cannot start the run: no account, no network.
    """
    try:
        import wandb
    except ImportError:
        raise SetupError("logger=wandb needs wandb, which is not installed: pip install 'actrec[track]'") from None
    number = hashlib.sha256(str(Path(save_dir).absolute()).encode()).hexdigest()[:12]
    logger = WandbLogger(
        name=Path(save_dir).name,
        save_dir=save_dir,
        id=number,
        project=project,
        entity=entity,
        group=Path(group).name,
        offline=mode == "offline",
        mode=mode,
        resume=None if mode == "offline" else "allow",
        settings=wandb.Settings(silent=True, console="off"),
    )
    try:
        _ = logger.experiment  # starts the run
    except wandb.errors.Error as error:
        raise SetupError(f"W&B: {error} Or log offline, and send it later: logger.wandb.mode=offline.") from None
    return logger
