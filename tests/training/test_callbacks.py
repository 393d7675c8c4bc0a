from pathlib import Path
from types import SimpleNamespace
from unittest.mock import Mock

import lightning as L
import pytest
import torch

from actrec.training.callbacks import EarlyStop, RunCheckpoint
from actrec.training.history import History, read_history


def test_of_equals_the_latest_is_kept() -> None:
    callback, trainer = RunCheckpoint(monitor="val/accuracy", mode="max"), Mock(spec=L.Trainer)
    trainer.strategy.reduce_boolean_decision = bool
    assert callback.check_monitor_top_k(trainer, torch.tensor(0.5))
    callback.best_k_models = {"a": torch.tensor(0.5)}
    callback.kth_best_model_path, callback.best_model_score = "a", torch.tensor(0.5)
    assert callback.check_monitor_top_k(trainer, torch.tensor(0.5))
    assert callback.check_monitor_top_k(trainer, torch.tensor(0.6))
    assert not callback.check_monitor_top_k(trainer, torch.tensor(0.4))


def test_a_moved_run_still_knows_its_best(tmp_path: Path) -> None:
    old, new = (RunCheckpoint(tmp_path / name, monitor="val/accuracy", mode="max") for name in ("old", "new"))
    old.best_model_path = old.kth_best_model_path = str(tmp_path / "old" / "best.ckpt")
    old.best_model_score = torch.tensor(0.5)
    old.best_k_models = {old.best_model_path: old.best_model_score}
    new.load_state_dict(old.state_dict())
    moved = str(tmp_path / "new" / "best.ckpt")
    assert (new.best_model_path, new.kth_best_model_path, new.best_k_models) == (moved, moved, {moved: 0.5})
    assert new.best_model_score == 0.5


def test_history_goes_on_after_a_resumption(tmp_path: Path) -> None:
    def epoch(history: History, number: int, accuracy: float) -> None:
        trainer = Mock(spec=L.Trainer, current_epoch=number, is_global_zero=True)
        trainer.callback_metrics = {"val/accuracy": torch.tensor(accuracy)}
        trainer.optimizers = [SimpleNamespace(param_groups=[{"lr": 0.1}])]
        history.on_train_epoch_start(trainer, Mock(spec=L.LightningModule))
        history.on_validation_end(trainer, Mock(spec=L.LightningModule))
        history.on_train_epoch_end(trainer, Mock(spec=L.LightningModule))

    first = History(tmp_path / "history.csv")
    epoch(first, 0, 0.25)
    second = History(tmp_path / "history.csv")
    second.load_state_dict(first.state_dict())
    epoch(second, 1, 0.5)
    rows = read_history(tmp_path / "history.csv")
    assert [(row["epoch"], row["val/accuracy"]) for row in rows] == [(0, 0.25), (1, 0.5)]


@pytest.mark.parametrize(
    ("monitor", "every", "at_end"),
    [
        ("val/accuracy", 1, True),  # val has been run by then
        ("val/accuracy", 2, False),
        ("train/loss", 1, True),
        ("train/loss", 2, True),
        (None, 1, True),
        (None, 2, True),  # the last epoch's, validated or not
    ],
)
def test_a_checkpoint_is_saved_when_its_figure_is_there(monitor: str | None, every: int, at_end: bool) -> None:
    callback = RunCheckpoint(monitor=monitor)
    trainer = Mock(spec=L.Trainer, check_val_every_n_epoch=every, val_check_interval=1.0, num_val_batches=[3])
    assert callback._should_save_on_train_epoch_end(trainer) == at_end


@pytest.mark.parametrize(
    ("monitor", "patience", "every", "checks"),
    [("val/accuracy", 15, 1, 15), ("val/accuracy", 15, 2, 8), ("val/loss", 3, 20, 1), ("train/loss", 15, 2, 15)],
)
def test_patience_is_in_epochs(monitor: str, patience: int, every: int, checks: int) -> None:
    callback = EarlyStop(monitor, patience=patience)
    trainer = Mock(spec=L.Trainer, check_val_every_n_epoch=every, val_check_interval=1.0)
    callback.setup(trainer, Mock(spec=L.LightningModule), "fit")
    assert callback.patience == checks
    assert callback._check_on_train_epoch_end == (every == 1 or monitor.startswith("train/"))
