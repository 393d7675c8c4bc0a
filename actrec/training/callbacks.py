"""Callbacks of a training: its checkpoints, early stopping, and the norm of its gradients for loggers."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Any

import lightning as L
import torch
from lightning.pytorch.callbacks import EarlyStopping, ModelCheckpoint
from lightning.pytorch.plugins.io import TorchCheckpointIO
from torch import Tensor

from actrec.files import replace_file

_OF_EPOCH = "-{epoch}"


class RunCheckpoint(ModelCheckpoint):
    """Keeps a checkpoint in the run's folder, which may be moved between a run's start and its resumption.

    If a metric is monitored, it keeps the best epoch, and the latest of equally good ones. Otherwise it keeps the last
    epoch, validated or not.
    """

    @property
    def _name(self) -> str:
        return (self.filename or "").removesuffix(_OF_EPOCH)

    @property
    def state_key(self) -> str:
        return f"{super().state_key} as {self._name}"  # best and last may otherwise have the same key

    def setup(self, trainer: L.Trainer, pl_module: L.LightningModule, stage: str) -> None:
        if self.save_top_k not in (0, 1):  # several checkpoints, which must not overwrite one another
            self.filename = self._name + _OF_EPOCH
        super().setup(trainer, pl_module, stage)

    def on_train_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        super().on_train_end(trainer, pl_module)
        best = Path(self.best_model_path)
        if trainer.is_global_zero and self.save_top_k not in (0, 1) and best.is_file():
            replace_file(best.with_name(f"{self._name}.ckpt"), best.read_bytes())

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        def here(path: str) -> str:
            return str(Path(self.dirpath or "") / Path(path).name) if path else path

        paths = {name: here(path) for name, path in state_dict.items() if name.endswith("_model_path")}
        kept = {here(path): score for path, score in state_dict["best_k_models"].items()}
        super().load_state_dict({**state_dict, **paths, "best_k_models": kept, "dirpath": self.dirpath})

    def _should_save_on_train_epoch_end(self, trainer: L.Trainer) -> bool:
        """Decides by the split of the monitored metric, unless the config sets it."""
        if self._save_on_train_epoch_end is None and not (self.monitor or "").startswith("val/"):
            return True
        return super()._should_save_on_train_epoch_end(trainer)

    def check_monitor_top_k(self, trainer: L.Trainer, current: Tensor | None = None) -> bool:
        if current is not None and self.best_model_score is not None and bool(current == self.best_model_score):
            return True
        return super().check_monitor_top_k(trainer, current)


class EarlyStop(EarlyStopping):
    """Stops training if the metric has not improved for `patience` epochs, however often validation runs."""

    def setup(self, trainer: L.Trainer, pl_module: L.LightningModule, stage: str) -> None:
        if self.monitor.startswith("train/"):
            self._check_on_train_epoch_end = True
        else:
            self.patience = math.ceil(self.patience / (trainer.check_val_every_n_epoch or 1))
        super().setup(trainer, pl_module, stage)


class AtomicCheckpoints(TorchCheckpointIO):
    """Writes each checkpoint under a temporary name and renames it, so that a killed run keeps a complete one."""

    def save_checkpoint(self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any = None) -> None:
        super().save_checkpoint(checkpoint, f"{path}.tmp", storage_options)
        os.replace(f"{path}.tmp", path)


class GradientNorm(L.Callback):
    """Logs the norm of the gradients, before clipping, averaged over an epoch."""

    def on_before_optimizer_step(
        self, trainer: L.Trainer, pl_module: L.LightningModule, optimizer: torch.optim.Optimizer
    ) -> None:
        gradients = [p.grad for p in pl_module.parameters() if p.grad is not None]
        norm = torch.nn.utils.get_total_norm(gradients)
        pl_module.log("train/grad_norm", norm, on_step=False, on_epoch=True, batch_size=1)
