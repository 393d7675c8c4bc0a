"""Trains a recogniser: `python -m actrec.train experiment=sport14`."""

from __future__ import annotations

import logging
import statistics
import time
import warnings
from datetime import datetime
from pathlib import Path
from typing import Any

import lightning as L
import torch
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf
from torch import nn

from actrec.checkpoint import ModelSpec, add_metrics, load_model, save_model
from actrec.config import main
from actrec.data.datamodule import ActionData
from actrec.data.pipeline import Pipeline
from actrec.data.store import read_info
from actrec.module import ActionModule
from actrec.report import read_history
from actrec.run import evaluate_split, log_to, open_run, write_text
from actrec.skeleton import get_skeleton
from actrec.types import ActrecError

log = logging.getLogger(__name__)


def make_data(cfg: DictConfig) -> ActionData:
    """The data module of a run's config."""
    pipeline = Pipeline(
        get_skeleton(cfg.skeleton), instantiate(cfg.preprocess), instantiate(cfg.windows), instantiate(cfg.features)
    )
    return ActionData(
        cfg.store,
        instantiate(cfg.split),
        pipeline,
        instantiate(cfg.augmentation),
        label_map=instantiate(cfg.dataset.label_map),
        exclude_labels=cfg.dataset.exclude_labels,
        batch_size=cfg.batch_size,
        workers=cfg.hardware.workers,
        preload=cfg.preload,
        preload_to_tensor=cfg.preload_to_tensor,
        seed=cfg.seed,
        build=f"python -m actrec.prepare dataset={cfg.dataset.name} raw=<folder> store={cfg.store}",
    )


def make_spec(cfg: DictConfig, data: ActionData) -> ModelSpec:
    """What the model of a run's config is."""
    options: dict[str, Any] = OmegaConf.to_container(cfg.network, resolve=True)  # type: ignore[assignment]
    name = options.pop("_target_").rpartition(".")[2]
    options |= {"skeleton": cfg.skeleton, "in_channels": data.pipeline.features.n_channels, "n_classes": len(data.labels)}
    info = read_info(Path(cfg.store)) or {}
    return ModelSpec(
        network=name,
        network_options=options,
        pipeline=data.pipeline,
        labels=tuple(data.labels),
        decision=cfg.decision,
        fps=statistics.median(clip.fps for clip in data.splits["train"]),
        pose_model=info.get("pose_model") or "",
    )


def make_trainer(cfg: DictConfig, folder: Path) -> L.Trainer:
    """The Lightning trainer of a run's config; several callback groups are one list."""
    hardware = cfg.hardware
    return L.Trainer(
        accelerator=hardware.accelerator,
        devices=hardware.devices,
        strategy=hardware.strategy,
        precision=hardware.precision,
        sync_batchnorm=hardware.sync_batchnorm,
        use_distributed_sampler=False,  # the sampler shares out its items itself
        max_epochs=cfg.epochs,
        gradient_clip_val=cfg.grad_clip,
        callbacks=list(instantiate(cfg.callbacks, checkpoints=folder / "checkpoints").values()),
        logger=False,
        default_root_dir=folder,
        num_sanity_val_steps=0,
        enable_model_summary=False,
        fast_dev_run=cfg.fast_dev_run,
    )


def compiled(network: nn.Module) -> nn.Module:
    """The network, its forward pass compiled; weights keep their names."""
    network.compile()
    return network


def train(cfg: DictConfig) -> Path:
    """One run: training, the best checkpoint's model folder, and its figures on the test split.

    Args:
        cfg: A composed `train` config.

    Returns:
        The run's folder.

    Raises:
        ActrecError: The store, the config or the run to resume is not right.
    """
    data = make_data(cfg)
    spec = make_spec(cfg, data)
    L.seed_everything(cfg.seed, workers=True, verbose=False)
    network = spec.build()
    run = open_run(cfg)
    with log_to(run.folder / "train.log"):
        start = time.perf_counter()
        log.info("Run in %s.", run.folder)
        parts = ", ".join(f"{len(clips)} {name}" for name, clips in data.splits.items())
        size = sum(parameter.numel() for parameter in network.parameters())
        log.info("%d classes; clips: %s; %s with %s parameters.", len(data.labels), parts, spec.network, f"{size:,}")
        module = ActionModule(
            compiled(network) if cfg.hardware.compile else network,
            instantiate(cfg.objective),
            instantiate(cfg.optimizer),
            instantiate(cfg.schedule),
            n_classes=len(data.labels),
            n_val_clips=len(data.splits["val"]),
            decision=cfg.decision,
            seed=cfg.seed,
        )
        trainer = make_trainer(cfg, run.folder)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", ".*does not have many workers.*")  # chosen: see conf/hardware
            trainer.fit(module, data, ckpt_path=run.checkpoint, weights_only=True)
        if trainer.interrupted:
            raise KeyboardInterrupt
        if not trainer.is_global_zero:
            return run.folder
        if not cfg.fast_dev_run:
            best = torch.load(run.folder / "checkpoints" / "best.ckpt", map_location="cpu", weights_only=True)
            module.load_state_dict(best["state_dict"])
            log.info("Best val accuracy %.4f in epoch %d.", best["callbacks_best"], best["epoch"]) if False else None
        model = save_model(run.folder / "model", network, spec)
        history = run.folder / "history.csv"
        metrics = evaluate_split(
            load_model(model),
            spec,
            data.splits["test"],
            run.folder,
            history=read_history(history) if history.exists() else None,
            config=OmegaConf.to_yaml(cfg, resolve=True),
        )
        add_metrics(model, metrics)
        log.info("Took %.1f min. Report: %s", (time.perf_counter() - start) / 60, run.folder / "report" / "index.html")
    return run.folder
