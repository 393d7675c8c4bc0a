"""What a run tells the loggers that it was given (`logger=wandb | tensorboard | csv | many`). Without one, nothing."""

from __future__ import annotations

import hashlib
from pathlib import Path

import lightning as L
import torch
from hydra.utils import instantiate
from lightning.pytorch.loggers import Logger, WandbLogger
from omegaconf import DictConfig, OmegaConf

from actrec.types import SetupError


class WatchTraining(L.Callback):
    """Logs the norm of the gradients, before clipping, and the learning rate."""

    def on_before_optimizer_step(
        self, trainer: L.Trainer, pl_module: L.LightningModule, optimizer: torch.optim.Optimizer
    ) -> None:
        gradients = [p.grad for p in pl_module.parameters() if p.grad is not None]
        rate = float(optimizer.param_groups[0]["lr"])
        for name, value in (("grad_norm", torch.nn.utils.get_total_norm(gradients)), ("lr", rate)):
            pl_module.log(f"train/{name}", value, on_step=False, on_epoch=True, batch_size=1)


def wandb_logger(save_dir: str, project: str, entity: str | None, mode: str, group: str, name: str) -> Logger:
    """A run of Weights & Biases; a run that is resumed goes on with its own.

    Args:
        save_dir: The run's folder.
        project: Of W&B.
        entity: Of W&B; None is the account's.
        mode: online, offline or disabled.
        group: Of the runs of one sweep.
        name: Of the run.

    Raises:
        SetupError: wandb is not installed, or does not let the run begin: no account, no network.
    """
    try:
        import wandb
    except ImportError:
        raise SetupError("logger=wandb needs wandb, which is not installed: pip install 'actrec[track]'") from None
    number = hashlib.sha256(str(Path(save_dir).absolute()).encode()).hexdigest()[:12]
    logger = WandbLogger(
        name=name,
        save_dir=save_dir,
        id=number,
        project=project,
        entity=entity,
        group=group,
        offline=mode == "offline",
        mode=mode,
        resume=None if mode == "offline" else "allow",
        settings=wandb.Settings(silent=True, console="off"),
    )
    try:
        _ = logger.experiment  # begins the run
    except wandb.errors.Error as error:
        raise SetupError(f"W&B: {error} Or log offline, and send it later: logger.wandb.mode=offline.") from None
    return logger


def make_loggers(cfg: DictConfig, folder: Path) -> list[Logger]:
    """The loggers of a run's config, with that config in each.

    Args:
        cfg: A composed `train` config.
        folder: The run's.
    """
    made: list[Logger] = []
    group = Path(cfg.sweep.folder).name if cfg.get("sweep") else cfg.name
    for name, node in (cfg.get("logger") or {}).items():
        more = {"group": group, "name": folder.name} if name == "wandb" else {}
        logger: Logger = instantiate(node, save_dir=str(folder), **more)
        logger.log_hyperparams(OmegaConf.to_container(cfg, resolve=True))  # type: ignore[arg-type]
        made.append(logger)
    return made
