"""What watches a training: its checkpoints, and the history of its figures."""

from __future__ import annotations

import math
import os
import time
from pathlib import Path
from typing import Any

import lightning as L
from lightning.pytorch.callbacks import EarlyStopping, ModelCheckpoint
from lightning.pytorch.plugins.io import TorchCheckpointIO
from torch import Tensor

from actrec.files import csv_text, replace_file

_OF_EPOCH = "-{epoch}"
LOSSES = ("loss", "loss_cls", "loss_pred", "loss_feat")
LOGGED = (*(f"{split}/{name}" for split in ("train", "val") for name in LOSSES), "val/accuracy")  # of each epoch


class RunCheckpoint(ModelCheckpoint):
    """A checkpoint in its run's folder, wherever that has moved since.

    With something to monitor it is the best; of equally good ones the latest, which has been trained the longest.
    Without, it is the last epoch's, validated or not.
    """

    @property
    def _name(self) -> str:
        return (self.filename or "").removesuffix(_OF_EPOCH)

    @property
    def state_key(self) -> str:
        return f"{super().state_key} as {self._name}"  # best and last may otherwise be alike

    def setup(self, trainer: L.Trainer, pl_module: L.LightningModule, stage: str) -> None:
        if self.save_top_k not in (0, 1):  # several, which may not overwrite one another
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
        """Where the config does not say it: when the figure to monitor is there, of val or of train."""
        if self._save_on_train_epoch_end is None and not (self.monitor or "").startswith("val/"):
            return True
        return super()._should_save_on_train_epoch_end(trainer)

    def check_monitor_top_k(self, trainer: L.Trainer, current: Tensor | None = None) -> bool:
        if current is not None and self.best_model_score is not None and bool(current == self.best_model_score):
            return True
        return super().check_monitor_top_k(trainer, current)


class EarlyStop(EarlyStopping):
    """Ends a training whose figure has not become better for `patience` epochs, however seldom there is a val."""

    def setup(self, trainer: L.Trainer, pl_module: L.LightningModule, stage: str) -> None:
        if self.monitor.startswith("train/"):
            self._check_on_train_epoch_end = True
        else:
            self.patience = math.ceil(self.patience / (trainer.check_val_every_n_epoch or 1))  # of vals from here on
        super().setup(trainer, pl_module, stage)


class AtomicCheckpoints(TorchCheckpointIO):
    """Writes each checkpoint beside its place and moves it there, so that a kill leaves the last one whole."""

    def save_checkpoint(self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any = None) -> None:
        super().save_checkpoint(checkpoint, f"{path}.tmp", storage_options)
        os.replace(f"{path}.tmp", path)


class History(L.Callback):
    """Writes each epoch's figures to `history.csv` in the run's folder; a resumed run goes on with its rows."""

    def __init__(self) -> None:
        self.folder = Path()
        self.rows: list[dict[str, float]] = []
        self._start, self._validated = 0.0, False

    def state_dict(self) -> dict[str, Any]:
        return {"rows": self.rows}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.rows = state_dict["rows"]

    def on_train_epoch_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self._start, self._validated = time.perf_counter(), False

    def on_validation_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self._validated = True

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        metrics = trainer.callback_metrics.items()  # those of val are the latest, be they of this epoch or not
        figures = {name: float(value) for name, value in metrics if self._validated or not name.startswith("val/")}
        rate = trainer.optimizers[0].param_groups[0]["lr"]
        seconds = time.perf_counter() - self._start
        self.rows.append({"epoch": trainer.current_epoch, "lr": rate, "seconds": seconds, **figures})
        if trainer.is_global_zero:
            columns = list(dict.fromkeys(name for row in self.rows for name in row))
            text = csv_text(columns, ([row.get(name, "") for name in columns] for row in self.rows))
            replace_file(self.folder / "history.csv", text)
