"""Trains a recogniser: `python -m actrec.train experiment=sport14`."""

from __future__ import annotations

import logging
from dataclasses import replace
from functools import partial
from pathlib import Path

import lightning as L
from hydra.utils import instantiate
from lightning.pytorch.callbacks import LearningRateMonitor
from omegaconf import DictConfig, OmegaConf

from actrec.config import main
from actrec.data.datamodule import ActionData
from actrec.evaluation.samples import typical_clips
from actrec.model.folder import save_model
from actrec.online.recognizer import OnlineRecognizer
from actrec.online.torch_backend import make_engine
from actrec.report.loggers import log_results
from actrec.report.page import write_report
from actrec.sweep.one_run import run_one
from actrec.training.auto import with_auto
from actrec.training.callbacks import GradientNorm
from actrec.training.checks import check_config, check_setup, make_trainer
from actrec.training.history import read_history
from actrec.training.interrupts import plain_interrupts
from actrec.training.module import ActionModule
from actrec.training.run import Run, find_run, kept_log, log_to, next_steps, open_run, recorded, run_facts

log = logging.getLogger("actrec.train")  # run as a script, __name__ is __main__
make = partial(instantiate, _convert_="all")  # with plain lists and dicts


def train(cfg: DictConfig) -> Path:
    """Trains a model, tests its best checkpoint, and returns the run's folder; `cfg` is a composed `train` config."""
    cfg, chosen = with_auto(cfg)
    check_config(cfg)
    run = find_run(cfg)
    L.seed_everything(cfg.seed, workers=True, verbose=False)
    with kept_log() as earlier:
        for line in chosen:
            log.info("%s", line)
        data: ActionData = make(cfg.data, _partial_=True)(saved=run.split)
        model: ActionModule = make(cfg.model, _partial_=True)(data)
        callbacks = {name: each for name, each in make(cfg.callbacks).items() if each is not None}
        loggers = list(make(cfg.get("logger") or {}).values())
        watching = [*callbacks.values(), *([GradientNorm(), LearningRateMonitor("epoch")] if loggers else [])]
        trainer = make_trainer(make(cfg.trainer, _partial_=True), callbacks=watching, logger=loggers)
        check_setup(cfg, trainer, callbacks, data, model.spec)
        open_run(run, cfg, data.saved)
    with log_to(run.folder / "train.log", earlier), plain_interrupts():
        for logger in loggers:
            logger.log_hyperparams(recorded(cfg))
        trainer.fit(model, data, ckpt_path=run.checkpoint, weights_only=True)
        model.load_best(run.best)
        trainer.test(model, data, verbose=False)
        if trainer.is_global_zero:
            write(cfg, run, model, data, loggers)
    return run.folder


def write(cfg: DictConfig, run: Run, model: ActionModule, data: ActionData, loggers: list) -> None:
    """Writes the model folder, the figures on the test split, and the report."""
    results = model.results(data.splits["test"])
    save_model(run.folder / "model", model.network, replace(model.spec, metrics=results.headlines), data.saved)
    if data.sessions["test"]:
        recognizer = OnlineRecognizer(model.spec, make_engine(model.network.cpu(), model.spec))
        results = results.with_sessions(recognizer, data.sessions["test"])
    results.write(run.folder)
    history = read_history(run.folder / "history.csv")
    title = f"{cfg.name}: {model.spec.network_name} on {cfg.dataset.name}"
    typical = typical_clips(data.stored_train, data.labels)
    facts, config = run_facts(cfg, run, history), OmegaConf.to_yaml(recorded(cfg))
    page = write_report(
        run.folder / "report", results, title=title, history=history, typical=typical, config=config, facts=facts
    )
    if results.sessions:
        log.info("Online: %s", results.online())
    log.info("%s. Look at %s%s", results, page, next_steps(cfg.next_steps, run.folder))
    log_results(loggers, cfg, run.folder, results, cfg.store and Path(cfg.store))


@main("train")
def run(cfg: DictConfig) -> None:
    run_one(with_auto(cfg)[0], train) if cfg.get("sweep") else train(cfg)


if __name__ == "__main__":
    run()
