from pathlib import Path
from types import SimpleNamespace
from unittest.mock import Mock

import lightning as L
import torch

from actrec.callbacks import History, RunCheckpoint
from actrec.report import read_history


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
        history.folder = tmp_path
        history.on_train_epoch_start(trainer, Mock(spec=L.LightningModule))
        history.on_validation_end(trainer, Mock(spec=L.LightningModule))
        history.on_train_epoch_end(trainer, Mock(spec=L.LightningModule))

    first = History()
    epoch(first, 0, 0.25)
    second = History()
    second.load_state_dict(first.state_dict())
    epoch(second, 1, 0.5)
    rows = read_history(tmp_path / "history.csv")
    assert [(row["epoch"], row["val/accuracy"]) for row in rows] == [(0, 0.25), (1, 0.5)]
