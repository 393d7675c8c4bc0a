"""What watches a training: the checkpoint by val accuracy, and the history of its figures."""

from __future__ import annotations

import csv
import os
import time
from pathlib import Path
from typing import Any

import lightning as L
import torch
from lightning.pytorch.callbacks import ModelCheckpoint
from torch import Tensor


class BestCheckpoint(ModelCheckpoint):
    """Keeps the best checkpoint; of equally good ones the latest, which has been trained the longest."""

    def check_monitor_top_k(self, trainer: L.Trainer, current: Tensor | None = None) -> bool:
        if current is not None and self.best_model_score is not None and torch.equal(current, self.best_model_score):
            return True
        return super().check_monitor_top_k(trainer, current)


class History(L.Callback):
    """Writes each epoch's figures to `history.csv` in the run's folder; a resumed run goes on with its rows."""

    def __init__(self) -> None:
        self.rows: list[dict[str, float]] = []
        self._start = 0.0

    def state_dict(self) -> dict[str, Any]:
        return {"rows": self.rows}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.rows = state_dict["rows"]

    def on_train_epoch_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self._start = time.perf_counter()

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        figures = {name: float(value) for name, value in trainer.callback_metrics.items()}
        rate = trainer.optimizers[0].param_groups[0]["lr"]
        seconds = time.perf_counter() - self._start
        self.rows.append({"epoch": trainer.current_epoch, "lr": rate, "seconds": seconds, **figures})
        if trainer.is_global_zero:
            write_rows(Path(trainer.default_root_dir) / "history.csv", self.rows)


def write_rows(path: Path, rows: list[dict[str, float]]) -> None:
    """Writes a CSV whole or not at all; its columns are all that occur in the rows."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    part = path.with_suffix(".part")
    with part.open("w", newline="") as file:
        writer = csv.DictWriter(file, names)
        writer.writeheader()
        writer.writerows(rows)
    os.replace(part, path)
