"""Checks the config, data, callbacks and processes of a training before it starts."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import lightning as L
import torch
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from hydra.utils import instantiate
from lightning.fabric.utilities.exceptions import MisconfigurationException
from omegaconf import DictConfig

from actrec.config import check_whole
from actrec.config_keys import nearest
from actrec.data.datamodule import ActionData
from actrec.data.quick_check import log_warnings
from actrec.data.saved_split import SavedSplit
from actrec.model.spec import ModelSpec
from actrec.online.train_serve_skew import streaming_advice, streaming_mismatches, training_mismatches
from actrec.training.callbacks import RunCheckpoint
from actrec.training.history import LOGGED
from actrec.types import NONE, ActrecError

log = logging.getLogger(__name__)

_LEAST = {"epochs": 1, "val_every": 1, "batch_size": 1, "seed": 0, "patience": 1}  # whole numbers
_NUMBERS = ("base_lr", "weight_decay", "warmup_epochs", "lr_decay", "grad_clip", "lambda_1", "lambda_2", "ema_decay")


def check_config(cfg: DictConfig) -> None:
    """Raises an ActrecError for a value that is out of range or fails in an optimiser step."""
    for name, least in _LEAST.items():
        check_whole(cfg, name, least)
    check_whole(cfg.data, "workers", 0)
    if cfg.seed >= 2**32:
        raise ActrecError(f"seed is {cfg.seed}; expected less than 2^32, which NumPy takes.")
    if cfg.split is None:
        raise ActrecError("split has no value. Leave out split=null; split.val_share=0 trains without val.")
    for name in _NUMBERS:
        if type(cfg[name]) not in (int, float) or not 0 <= cfg[name] < math.inf:
            raise ActrecError(f"{name} is {cfg[name]!r}; expected a number of at least 0.")
    try:
        optimizer = instantiate(cfg.optimizer, _convert_="all")([torch.zeros(1, requires_grad=True)])
        schedule = instantiate(cfg.schedule, _convert_="all")(optimizer, epochs=cfg.epochs, steps_per_epoch=1)
        optimizer.step()
        schedule.step()
    except (TypeError, ValueError) as error:
        raise ActrecError(f"The optimizer or the schedule does not work with its values: {error}") from error


def make_trainer(trainer: Callable[..., L.Trainer], **more: Any) -> L.Trainer:
    """Constructs the trainer; raises an ActrecError for an argument that is wrong or does not fit this machine."""
    try:
        made = trainer(**more)
    except (MisconfigurationException, TypeError, ValueError) as error:
        raise ActrecError(f"The trainer cannot be made with its arguments: {str(error).splitlines()[0]}") from error
    batches = made.accumulate_grad_batches  # which Lightning divides by without a check
    if type(batches) is not int or batches < 1:
        raise ActrecError(f"trainer.accumulate_grad_batches is {batches!r}; expected a whole number of at least 1.")
    return made


def check_setup(
    cfg: DictConfig, trainer: L.Trainer, callbacks: Mapping[str, L.Callback], data: ActionData, spec: ModelSpec
) -> None:
    """Checks the objects that the config has constructed, and warns about limits of the model.

    Raises:
        ActrecError: A checkpoint is missing or cannot be saved, a callback monitors a metric that is not logged, or a
            run of a sweep would start processes.
    """
    for name in ("best", "last"):
        if not isinstance(callbacks.get(name), RunCheckpoint):
            raise ActrecError(
                f"callbacks={list(callbacks)} lacks '{name}'. Begin the list with default: [default,ema]."
            )
    is_ours = all(type(each).__module__.startswith(("actrec.", "lightning.")) for each in callbacks.values())
    for name, callback in callbacks.items():
        monitor = getattr(callback, "monitor", None)
        if monitor is not None and is_ours:
            check_monitor(f"callbacks.{name}.monitor", monitor)
        if isinstance(callback, RunCheckpoint):
            _check_checkpoint(f"callbacks.{name}", callback, trainer.check_val_every_n_epoch or 1)
    _check_processes(trainer)
    _check_val(trainer, len(data.splits["val"]))
    if cfg.init:
        warn_of_seen_clips(cfg.init, data)
    if cfg.store is not None:
        kept = [clip for clip in data.dataset.clips if clip.segments or clip.label in data.labels]
        log_warnings(kept, len(kept), Path(cfg.store))
    _warn_of_streams(spec, data)


def check_monitor(key: str, monitor: str) -> None:
    """Raises an ActrecError if a config key names a metric that is not logged."""
    if monitor not in LOGGED:
        near = nearest(str(monitor), LOGGED)
        raise ActrecError(f"{key} is {monitor!r}, which is never logged.{near} Choose one of: {', '.join(LOGGED)}.")


def _check_checkpoint(key: str, callback: RunCheckpoint, val_every: int) -> None:
    at_end, monitor = callback._save_on_train_epoch_end, callback.monitor
    is_val = monitor is not None and monitor.startswith("val/")
    if monitor is not None and at_end is not None and at_end == is_val and (not at_end or val_every > 1):
        raise ActrecError(
            f"{key} cannot save by {monitor} with save_on_train_epoch_end={at_end}: the metric is not updated then. "
            f"Set {key}.save_on_train_epoch_end=null."
        )


def _check_processes(trainer: L.Trainer) -> None:
    environment = getattr(trainer.strategy, "cluster_environment", None)
    starts_others = not (environment and environment.creates_processes_externally)
    is_sweep = HydraConfig.initialized() and HydraConfig.get().mode is RunMode.MULTIRUN
    if trainer.world_size > 1 and starts_others and is_sweep:
        raise ActrecError(
            "A sweep (-m) cannot start the processes of runs on several devices. Give each run one device, or let "
            "hydra/launcher=submitit_slurm start them with hydra.launcher.tasks_per_node=<devices>."
        )


def _check_val(trainer: L.Trainer, n_val_clips: int) -> None:
    """Warns if no epoch is validated; raises an ActrecError if val is empty and a callback needs it."""
    every: list[Any] = trainer.callbacks  # type: ignore[attr-defined]
    needs = [each for each in every if str(getattr(each, "monitor", None)).startswith("val/")]
    if n_val_clips == 0:
        trainer.limit_val_batches = 0  # Lightning would otherwise warn of an empty loader
        if needs:
            raise ActrecError(
                f"There are no clips in val, and {type(needs[0]).__name__} monitors {needs[0].monitor}. Give val a "
                "share (split.val_share=0.1); or do without: callbacks=[default] callbacks.best.monitor=null keeps the "
                "last epoch's model."
            )
        return
    every_n, epochs = trainer.check_val_every_n_epoch or 1, trainer.max_epochs or 1
    if every_n > epochs:
        what = f"val_every is {every_n} and epochs is {epochs}: no epoch is validated, and the last is kept."
        log.warning("%s Lower val_every to keep the best.", what)


def warn_of_seen_clips(init: str, data: ActionData) -> None:
    """Warns if the model that a run starts from was trained on groups of the run's test split."""
    saved, test = SavedSplit.read(Path(init)), data.splits["test"]
    covered = saved is not None and saved.covers(test, data.saved.dataset, data.saved.generated)
    seen = saved.trained_on(test) if saved is not None and covered else []
    if seen:
        what = f"{len(seen)} of the {len(test)} clips of test are of groups that '{init}' was trained or validated on"
        advice = "Give this run that model's split, or another model."
        log.warning("%s: its accuracy on test will be too high. %s", what, advice)


def _warn_of_streams(spec: ModelSpec, data: ActionData) -> None:
    """Logs differences between the training data and streams, and how to remove them."""
    crop = data.augmentation.temporal_crop
    clips = [clip for clip in data.splits["train"] if not clip.segments and clip.label != NONE]  # others are cut
    lengths = [spec.pipeline.preprocess.length(len(clip), clip.fps) for clip in clips]
    for mismatch in training_mismatches(spec.pipeline, lengths, (crop.p or 0.0) if crop else 0.0):
        log.warning("%s", mismatch)
    if streaming_mismatches(spec):
        log.info("This model is for whole clips. One for streams (predict, serve): %s", streaming_advice(spec))
