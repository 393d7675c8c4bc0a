"""Writes the metrics of each epoch to a run's `history.csv` (a callback), and reads them."""

from __future__ import annotations

import csv
import time
from pathlib import Path
from typing import Any

import lightning as L

from actrec.files import csv_text, replace_file
from actrec.training.losses import Losses
from actrec.types import ActrecError

LOGGED = (
    *(f"{split}/{name}" for split in ("train", "val") for name in Losses._fields),
    "val/accuracy",
)  # of each epoch
EPOCH, RATE, SECONDS = "epoch", "lr", "seconds"  # the columns before those


class History(L.Callback):
    """Writes each epoch's metrics to a CSV file; a resumed run continues its rows."""

    def __init__(self, file: str | Path) -> None:
        self.file = Path(file)
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
        metrics = trainer.callback_metrics.items()  # metrics of val are the latest, even from an earlier epoch
        figures = {name: float(value) for name, value in metrics if self._validated or not name.startswith("val/")}
        rate = trainer.optimizers[0].param_groups[0]["lr"]
        seconds = time.perf_counter() - self._start
        self.rows.append({EPOCH: trainer.current_epoch, RATE: rate, SECONDS: seconds, **figures})
        if trainer.is_global_zero:
            columns = list(dict.fromkeys(name for row in self.rows for name in row))
            text = csv_text(columns, ([row.get(name, "") for name in columns] for row in self.rows))
            replace_file(self.file, text)


def read_history(path: Path) -> list[dict[str, float]]:
    """Reads the metrics of each epoch from a CSV file with a column `epoch`; other cells may be empty.

    Without a file, as before the end of the first epoch, the result is empty.

    Raises:
        ActrecError: There is no `epoch` column, or a metric is not a number.
    """
    rows: list[dict[str, float]] = []
    if not path.is_file():
        return rows
    with path.open(newline="", encoding="utf-8") as file:
        for number, row in enumerate(csv.DictReader(file), start=2):
            try:
                figures = {name: float(value) for name, value in row.items() if value}
                rows.append({EPOCH: figures.pop(EPOCH), **figures})
            except (KeyError, TypeError, ValueError) as error:
                raise ActrecError(
                    f"Row {number} of '{path}' is not a row of a training history ({type(error).__name__}: {error}); "
                    "expected numbers, and one in the column 'epoch'. Give the history.csv that a run has written."
                ) from None
    return rows
