"""Trains a recogniser: `python -m actrec.train experiment=sport14`."""

from __future__ import annotations

import logging
import math
import shlex
import statistics
import sys
from collections.abc import Mapping
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any

import lightning as L
import torch
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf

from actrec.config import check_whole, main
from actrec.data.clips import load_clips
from actrec.data.datamodule import ActionData
from actrec.data.saved_split import SavedSplit
from actrec.data.store.reading import read_info
from actrec.evaluation.results import Results, evaluate_model
from actrec.evaluation.samples import typical_clips
from actrec.model.folder import save_model
from actrec.model.network import build_network
from actrec.model.spec import ModelSpec
from actrec.model.transfer import load_matching_weights
from actrec.network.compiled import compile_network
from actrec.online.mismatch import streaming_advice, streaming_mismatches, training_mismatches
from actrec.pipeline.pipeline import Pipeline
from actrec.report.loggers import log_results
from actrec.report.page import write_report
from actrec.skeleton import get_skeleton
from actrec.sweep.one_run import run_one
from actrec.training.history import read_history
from actrec.training.loggers import WatchTraining, make_loggers
from actrec.training.malloc import keep_freed_memory
from actrec.training.module import ActionModule
from actrec.training.run import kept_log, log_to, open_run, split_of_resumed
from actrec.training.trainer import check_val, fit, make_trainer, put_in
from actrec.types import ActrecError

log = logging.getLogger("actrec.train")  # run as a script, __name__ is __main__
build = partial(instantiate, _convert_="all")  # plain lists and dicts: DictConfig goes no further than here


_LEAST = {"epochs": 1, "val_every": 1, "batch_size": 1, "seed": 0, "patience": 1}  # whole numbers
_NUMBERS = ("base_lr", "weight_decay", "warmup_epochs", "lr_decay", "grad_clip", "lambda_1", "lambda_2", "ema_decay")


def check_numbers(cfg: DictConfig) -> None:
    """Raises an ActrecError for a top-level value that is not the number it must be."""
    for name, least in _LEAST.items():
        check_whole(cfg, name, least)
    check_whole(cfg.hardware, "workers", 0)
    if cfg.seed >= 2**32:
        raise ActrecError(f"seed is {cfg.seed}; expected less than 2^32, which NumPy takes.")
    if cfg.split is None:
        raise ActrecError("split has no value. Leave out split=null; split.val_share=0 is for a training without val.")
    for name in _NUMBERS:
        if type(cfg[name]) not in (int, float) or not 0 <= cfg[name] < math.inf:
            raise ActrecError(f"{name} is {cfg[name]!r}; expected a number of at least 0.")


def _store_info(cfg: DictConfig) -> dict[str, Any]:
    """What `store.json` says; where the clips are generated, what it would say."""
    if cfg.store is None:
        return {"dataset": cfg.dataset.name, "pose_model": cfg.dataset.pose_model}
    return read_info(Path(cfg.store)) or {}


def make_data(cfg: DictConfig) -> ActionData:
    """The data module of a run's config."""
    info, dataset = _store_info(cfg), cfg.dataset
    if info.get("dataset", dataset.name) != dataset.name:
        log.warning(
            "The store %s was made with dataset=%s; labels and split are now those of dataset=%s.",
            cfg.store,
            info["dataset"],
            dataset.name,
        )
    label_map = build(dataset.label_map)
    pipeline = Pipeline(get_skeleton(cfg.skeleton), build(cfg.preprocess), build(cfg.windows), build(cfg.features))
    data = ActionData(
        load_clips(cfg.store, dataset.name, build(dataset.importer), label_map, dataset.skeleton),
        build(cfg.split),
        pipeline,
        build(cfg.augmentation),
        labels=label_map.names,
        exclude_labels=dataset.exclude_labels,
        batch_size=cfg.batch_size,
        workers=cfg.hardware.workers,
        preload=cfg.preload,
        preload_to_tensor=cfg.preload_to_tensor,
        seed=cfg.seed,
        saved=split_of_resumed(cfg),
    )
    generated: Any = OmegaConf.to_container(dataset.importer, resolve=True) if cfg.store is None else None
    data.saved = replace(data.saved, dataset=dataset.name, generated=generated)
    return data


def make_spec(cfg: DictConfig, data: ActionData) -> ModelSpec:
    """What the model of a run's config is."""
    options: dict[str, Any] = OmegaConf.to_container(cfg.network, resolve=True)  # type: ignore[assignment]
    channels = data.pipeline.features.n_channels
    options |= {"skeleton": cfg.skeleton, "in_channels": channels, "n_classes": len(data.labels)}
    return ModelSpec(
        network=options.pop("_target_"),
        network_options=options,
        pipeline=data.pipeline,
        labels=tuple(data.labels),
        decision=cfg.decision,
        fps=statistics.median(clip.fps for clip in data.splits["train"]),
        pose_model=_store_info(cfg).get("pose_model") or "",
        dataset=cfg.dataset.name,
        split=asdict(data.split),
    )


def check_recipe(cfg: DictConfig) -> None:
    """Raises an ActrecError where optimiser or schedule cannot do a step."""
    try:
        optimizer = build(cfg.optimizer)([torch.zeros(1, requires_grad=True)])
        schedule = build(cfg.schedule)(optimizer, epochs=cfg.epochs, steps_per_epoch=1)
        optimizer.step()
        schedule.step()
    except (TypeError, ValueError) as error:
        raise ActrecError(f"The optimizer or the schedule does not work with its values: {error}") from error


def warn_seen(init: str, data: ActionData) -> None:
    """Warns where the model that a run starts from was trained on clips of the run's test."""
    saved, test = SavedSplit.read(Path(init)), data.splits["test"]
    covered = saved is not None and saved.covers(test, data.saved.dataset, data.saved.generated)
    seen = saved.trained_on(test) if saved is not None and covered else []
    if seen:
        log.warning(
            "%d of the %d clips of test are of groups that '%s' was trained or validated on: the test will be too "
            "good. Give this run that model's split, or another model.",
            len(seen),
            len(test),
            init,
        )


def train(cfg: DictConfig) -> Path:
    """One run: training, the best checkpoint's model folder, and its figures on the test split.

    Args:
        cfg: A composed `train` config.

    Returns:
        The run's folder.

    Raises:
        ActrecError: The store, the config or the run to resume is not right.
    """
    check_numbers(cfg)
    check_recipe(cfg)
    L.seed_everything(cfg.seed, workers=True, verbose=False)
    with kept_log() as earlier:
        data = make_data(cfg)
    if not data.splits["test"]:
        raise ActrecError(
            "The split has no clips in test, on which a training is judged in the end. Mend the column split, or draw "
            "one: split.protocol=grouped."
        )
    keep_freed_memory()
    spec = make_spec(cfg, data)
    network = build_network(spec, trust=spec.network)
    known = load_matching_weights(network, spec, cfg.init) if cfg.init else None
    if cfg.hardware.compile:
        compile_network(network)
    module = ActionModule(
        network,
        build(cfg.objective),
        build(cfg.optimizer),
        build(cfg.schedule),
        n_classes=len(data.labels),
        n_val_clips=len(data.splits["val"]),
        decision=cfg.decision,
        seed=cfg.seed,
    )
    trainer = make_trainer(cfg)
    check_val(trainer, len(data.splits["val"]))
    run = open_run(cfg, data.saved)
    put_in(run.folder, trainer)
    trainer.loggers = make_loggers(cfg, run.folder)
    if trainer.loggers:
        trainer.callbacks.append(WatchTraining())  # type: ignore[attr-defined]
    with log_to(run.folder / "train.log", earlier):
        parts = ", ".join(f"{len(clips)} {name}" for name, clips in data.splits.items())
        size = sum(parameter.numel() for parameter in network.parameters())
        log.info("Run in %s%s", run.folder, ", resumed" if run.checkpoint else "")
        log.info("%s, %s parameters; %d classes; clips: %s.", spec.network_name, f"{size:,}", len(data.labels), parts)
        if known:
            joints = f"{known.joints} of {data.pipeline.skeleton.n_joints} joints"
            log.info(
                "Starts from %s: %d of %d classes and %s known.", cfg.init, known.classes, len(data.labels), joints
            )
            warn_seen(cfg.init, data)
        warn_of_streams(spec, data)
        fit(trainer, module, data, run.checkpoint)
        if trainer.is_global_zero:
            module.to(trainer.strategy.root_device)
            results = finish(cfg, run.folder, module, data, spec)
            store = None if cfg.store is None else Path(cfg.store)
            log_results(trainer.loggers, cfg, run.folder, results, store)
    return run.folder


def warn_of_streams(spec: ModelSpec, data: ActionData) -> None:
    """Says what the model will lack where it is streamed, and what to do about it."""
    crop, clips = data.augmentation.temporal_crop, data.splits["train"]
    lengths = [spec.pipeline.preprocess.length(len(clip), clip.fps) for clip in clips]
    for mismatch in training_mismatches(spec.pipeline, lengths, (crop.p or 0.0) if crop else 0.0):
        log.warning("%s", mismatch)
    if streaming_mismatches(spec):
        log.info("This model is for whole clips. One for streams (predict, serve): %s", streaming_advice(spec))


def finish(cfg: DictConfig, folder: Path, module: ActionModule, data: ActionData, spec: ModelSpec) -> Results:
    """Leaves the best checkpoint's model folder, and reads the test split with it: once."""
    file = folder / "history.csv"
    history = read_history(file) if file.exists() else []
    seconds = sum(row["seconds"] for row in history)
    facts = {"training time": f"{seconds / 60:.1f} min", "seed": str(cfg.seed)}
    if cfg.init:
        facts["started from"] = str(cfg.init)
    best = folder / "checkpoints" / "best.ckpt"
    if best.exists():
        checkpoint = torch.load(best, map_location="cpu", weights_only=True)
        module.load_state_dict(checkpoint["state_dict"])
        facts["checkpoint of epoch"] = str(checkpoint["epoch"])
    elif not cfg.fast_dev_run:
        facts["checkpoint"] = "the last: none was kept as the best"
        log.warning("There is no checkpoints/best.ckpt: the model is the last epoch's.")
    results = evaluate_model(module.network.eval(), spec, data.splits["test"])
    save_model(folder / "model", module.network, replace(spec, metrics=results.headlines), data.saved)
    results.write(folder)
    page = write_report(
        folder / "report",
        results,
        title=f"{cfg.name}: {spec.network_name} on {cfg.dataset.name}",
        history=history,
        typical=typical_clips(data.stored_train, data.labels),
        config=OmegaConf.to_yaml(cfg, resolve=True),
        facts=facts,
    )
    log.info("%s.\nTrained in %.1f min. Look at %s", results, seconds / 60, page)
    if cfg.next_steps:
        log.info("%s", next_steps(cfg.next_steps, folder))
    return results


def next_steps(steps: Mapping[str, str], folder: Path) -> str:
    """What to try after a run, each command as it can be pasted."""
    python, here = Path(sys.executable), Path.cwd()
    python = python.relative_to(here) if python.is_relative_to(here) else python
    text = "What to try next:" + "".join(f"\n  # {what}\n  {step}" for what, step in steps.items())
    return text.replace("{python}", shlex.quote(str(python))).replace("{run}", shlex.quote(str(folder)))


@main("train")
def run(cfg: DictConfig) -> None:
    if cfg.get("sweep"):
        run_one(cfg, train)
    else:
        train(cfg)


if __name__ == "__main__":
    run()
