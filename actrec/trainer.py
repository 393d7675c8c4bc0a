"""Lightning's trainer, as a run's config has it."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any, cast

import lightning as L
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from hydra.utils import instantiate
from lightning.fabric.utilities.exceptions import MisconfigurationException
from omegaconf import DictConfig

from actrec.callbacks import AtomicCheckpoints, History, RunCheckpoint
from actrec.data.datamodule import ActionData
from actrec.module import ActionModule
from actrec.sync import SyncOnCpu
from actrec.types import ActrecError


def make_trainer(cfg: DictConfig) -> L.Trainer:
    """The Lightning trainer of a run's config; `put_in` says where its callbacks write."""
    hardware, callbacks = (instantiate(node, _convert_="all") for node in (cfg.hardware, cfg.callbacks))
    for name in ("best", "last"):
        if name not in callbacks:
            raise ActrecError(
                f"callbacks={list(callbacks)} lacks '{name}'. Begin the list with default: [default,ema]."
            )
    on_cpu = hardware["accelerator"] == "cpu"  # where PyTorch's synchronised batch norm does not run
    plugins: list[Any] = [AtomicCheckpoints(), *([SyncOnCpu()] if on_cpu and hardware["sync_batchnorm"] else [])]
    try:
        trainer = L.Trainer(
            accelerator=hardware["accelerator"],
            devices=hardware["devices"],
            num_nodes=hardware["num_nodes"],
            strategy=hardware["strategy"],
            precision=hardware["precision"],
            sync_batchnorm=hardware["sync_batchnorm"] and not on_cpu,
            plugins=plugins,
            use_distributed_sampler=False,  # the sampler shares out its items itself
            max_epochs=cfg.epochs,
            check_val_every_n_epoch=cfg.val_every,
            gradient_clip_val=cfg.grad_clip,
            callbacks=list(callbacks.values()),
            logger=False,  # those of the config know the folder of the run, which is opened later
            log_every_n_steps=1,  # figures are of epochs; fewer steps than an interval would be warned of
            num_sanity_val_steps=0,
            enable_model_summary=False,
            fast_dev_run=cfg.fast_dev_run,
        )
    except (MisconfigurationException, ValueError) as error:
        raise ActrecError(f"hardware does not fit this machine: {str(error).splitlines()[0]}") from error
    starts_others = not getattr(trainer.strategy, "cluster_environment", None) or not (
        trainer.strategy.cluster_environment.creates_processes_externally  # type: ignore[attr-defined]
    )
    if trainer.world_size > 1 and starts_others and HydraConfig.get().mode is RunMode.MULTIRUN:
        raise ActrecError(
            "A sweep (-m) cannot start the processes of runs on several devices. Give each run one device, or let "
            "hydra/launcher=submitit_slurm start them with hydra.launcher.tasks_per_node=<devices>."
        )
    return trainer


def put_in(folder: Path, trainer: L.Trainer) -> None:
    """Lets a trainer's checkpoints and history write into a run's folder."""
    for callback in cast(list[L.Callback], trainer.callbacks):  # type: ignore[attr-defined]
        if isinstance(callback, RunCheckpoint):
            callback.dirpath = str(folder.absolute() / "checkpoints")
        elif isinstance(callback, History):
            callback.folder = folder


def fit(trainer: L.Trainer, module: ActionModule, data: ActionData, checkpoint: Path | None) -> None:
    """Trains, from the checkpoint on if there is one.

    Raises:
        KeyboardInterrupt: Someone pressed Ctrl-C.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*does not have many workers.*")  # chosen: see conf/hardware
        try:
            trainer.fit(module, data, ckpt_path=checkpoint, weights_only=True)
        except SystemExit:  # Lightning's answer to Ctrl-C
            raise KeyboardInterrupt from None
