"""Lightning's trainer, as a run's config has it."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import lightning as L
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from hydra.utils import instantiate
from lightning.fabric.utilities.exceptions import MisconfigurationException
from omegaconf import DictConfig

from actrec.config_keys import nearest
from actrec.data.datamodule import ActionData
from actrec.training.callbacks import LOGGED, AtomicCheckpoints, History, RunCheckpoint
from actrec.training.module import ActionModule
from actrec.training.sync import SyncOnCpu
from actrec.types import ActrecError

log = logging.getLogger(__name__)


def make_trainer(cfg: DictConfig) -> L.Trainer:
    """The Lightning trainer of a run's config; `put_in` says where its callbacks write."""
    hardware, callbacks = instantiate(cfg.hardware, _convert_="all"), make_callbacks(cfg)
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


def make_callbacks(cfg: DictConfig) -> dict[str, L.Callback]:
    """The callbacks of a run's config; an entry that is null is left out.

    Raises:
        ActrecError: A checkpoint is lacking, or one monitors what is never logged or not when it saves.
    """
    made = instantiate(cfg.callbacks, _convert_="all") or {}
    callbacks = {name: callback for name, callback in made.items() if callback is not None}
    for name in ("best", "last"):
        if not isinstance(callbacks.get(name), RunCheckpoint):
            raise ActrecError(
                f"callbacks={list(callbacks)} lacks '{name}'. Begin the list with default: [default,ema]."
            )
    is_ours = all(type(each).__module__.startswith(("actrec.", "lightning.")) for each in callbacks.values())
    for name, callback in callbacks.items():
        monitor, key = getattr(callback, "monitor", None), f"callbacks.{name}.monitor"
        if monitor is not None and is_ours:
            check_monitor(key, monitor)
        if isinstance(callback, RunCheckpoint):
            _check_checkpoint(f"callbacks.{name}", callback, cfg.val_every)
    return callbacks


def check_monitor(key: str, monitor: str) -> None:
    """Raises an ActrecError where a config key names a figure that no training logs."""
    if monitor not in LOGGED:
        near = nearest(str(monitor), LOGGED)
        raise ActrecError(f"{key} is {monitor!r}, which is never logged.{near} Choose one of: {', '.join(LOGGED)}.")


def _check_checkpoint(key: str, callback: RunCheckpoint, val_every: int) -> None:
    at_end, monitor = callback._save_on_train_epoch_end, callback.monitor
    is_val = monitor is not None and monitor.startswith("val/")
    if monitor is not None and at_end is not None and at_end == is_val and (not at_end or val_every > 1):
        raise ActrecError(
            f"{key} cannot save by {monitor} with save_on_train_epoch_end={at_end}: there is no new figure then. Set "
            f"{key}.save_on_train_epoch_end=null."
        )


def check_val(trainer: L.Trainer, n_val_clips: int) -> None:
    """Warns where no epoch is validated, and keeps Lightning from validating on nothing.

    Raises:
        ActrecError: A callback needs a val, and there is none.
    """
    every: list[Any] = trainer.callbacks  # type: ignore[attr-defined]
    needs = [each for each in every if str(getattr(each, "monitor", None)).startswith("val/")]
    if n_val_clips == 0:
        trainer.limit_val_batches = 0
        if needs:
            raise ActrecError(
                f"There are no clips in val, and {type(needs[0]).__name__} goes by {needs[0].monitor}. Give val a "
                "share (split.val_share=0.1); or do without: callbacks=[default] callbacks.best.monitor=null keeps the "
                "last epoch's model."
            )
        return
    every_n, epochs = trainer.check_val_every_n_epoch or 1, trainer.max_epochs or 1
    if every_n > epochs:
        log.warning(
            "val_every is %d and epochs is %d: no epoch is validated, and the last is kept. Lower val_every to "
            "keep the best.",
            every_n,
            epochs,
        )


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
    with warnings.catch_warnings(), _without_words_on_interrupts():
        warnings.filterwarnings("ignore", ".*does not have many workers.*")  # chosen: see conf/hardware
        try:
            trainer.fit(module, data, ckpt_path=checkpoint, weights_only=True)
        except SystemExit:  # Lightning's answer to Ctrl-C
            raise KeyboardInterrupt from None


@contextmanager
def _without_words_on_interrupts() -> Iterator[None]:
    """Keeps Lightning's lines about an interrupt from the console: the command says it in one word."""

    def is_other(record: logging.LogRecord) -> bool:
        return "Detected KeyboardInterrupt" not in record.getMessage()

    logger = logging.getLogger("lightning.pytorch.utilities.rank_zero")
    logger.addFilter(is_other)
    try:
        yield
    finally:
        logger.removeFilter(is_other)
