"""The config's trainer node reaches lightning.Trainer."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path

import lightning as L
import pytest
import torch
from hydra import compose, initialize_config_dir
from omegaconf import DictConfig

import actrec.train
from actrec.config import config_dir
from actrec.training.history import read_history

Run = Callable[..., tuple[int, str, str]]
TINY = ["experiment=synthetic_mini", "network=transformer", "network.dim=8", "network.layers=1", "windows.length=8"]
TINY += ["hardware=cpu", "batch_size=8", "dataset.importer.n_clips=140", "callbacks=[default]"]


def config(*overrides: str) -> DictConfig:
    with initialize_config_dir(str(config_dir()), version_base="1.3"):
        return compose("train", list(overrides))


def test_it_has_every_argument_of_the_trainer() -> None:
    given = {"callbacks", "logger"}  # the command instantiates their nodes
    assert {*config().trainer, *given} - {"_target_"} == set(inspect.signature(L.Trainer).parameters)


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (
            ["trainer.accumulate_grad_batch=4"],
            "'trainer.accumulate_grad_batch'. Did you mean 'trainer.accumulate_grad_",
        ),
        (["trainer.max_epoch=4"], "'trainer.max_epoch'. Did you mean 'trainer.max_epochs'"),
        (["+trainer.max_epoch=4"], "Trainer takes no max_epoch; it takes accelerator, strategy, "),
        (["+trainer.logger=false"], "the command itself sets logger of trainer"),
        (["trainer.precision=12"], "The trainer cannot be made with its arguments: Precision 12 is invalid"),
        (["trainer.accumulate_grad_batches=x"], "accumulate_grad_batches is 'x'; expected a whole number"),
    ],
)
def test_a_wrong_argument_is_one_sentence(overrides: list[str], message: str, run_command: Run, tmp_path: Path) -> None:
    code, _, err = run_command(actrec.train.run, *TINY, *overrides, f"output_dir={tmp_path}/run")
    assert code == 1
    assert message in err
    assert err.count("\n") == 1
    assert not (tmp_path / "run").exists()


def test_arguments_reach_the_trainer(run_command: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of accumulated batches each draws its own random numbers, and schedule and run end together."""
    seeds: list[int] = []
    steps: list[int] = []
    seed, end = torch.manual_seed, L.LightningModule.on_train_end

    def watched(number: int) -> torch.Generator:
        seeds.append(number)
        return seed(number)

    def ended(module: L.LightningModule) -> None:
        steps.append(module.trainer.global_step)
        end(module)

    monkeypatch.setattr(torch, "manual_seed", watched)
    monkeypatch.setattr(L.LightningModule, "on_train_end", ended)
    given = ["trainer.accumulate_grad_batches=3", "trainer.limit_train_batches=7", "trainer.precision=bf16-mixed"]
    code, _, err = run_command(
        actrec.train.run, *TINY, *given, "epochs=2", "warmup_epochs=0", f"output_dir={tmp_path}/run"
    )
    assert code == 0, err
    assert steps == [6]  # of 3, 3 and 1 batches in each epoch
    assert len(set(seeds[-14:])) == 14
    rates = [row["lr"] for row in read_history(tmp_path / "run/history.csv")]
    assert rates[1] == pytest.approx(0, abs=1e-12)
    assert 0 < rates[0] < 4e-3
