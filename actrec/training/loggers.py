"""What a run tells the loggers that it was given (`logger=wandb | tensorboard | csv | many`). Without one, nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import lightning as L
import numpy as np
import torch
from hydra.utils import instantiate
from lightning.pytorch.loggers import Logger, TensorBoardLogger, WandbLogger
from omegaconf import DictConfig, OmegaConf

from actrec.drawing.colors import LIGHT
from actrec.drawing.frames import draw_skeleton, write_video
from actrec.evaluation.metrics import confusion_counts
from actrec.evaluation.results import Results
from actrec.report.plots import confusion_matrix, observation_curve
from actrec.report.poses import SampleClip
from actrec.skeleton import get_skeleton
from actrec.types import Picture, SetupError

_SIDE = 320  # pixels of a sample's video


class WatchTraining(L.Callback):
    """Logs the norm of the gradients, before clipping, and the learning rate."""

    def on_before_optimizer_step(
        self, trainer: L.Trainer, pl_module: L.LightningModule, optimizer: torch.optim.Optimizer
    ) -> None:
        gradients = [p.grad for p in pl_module.parameters() if p.grad is not None]
        rate = float(optimizer.param_groups[0]["lr"])
        for name, value in (("grad_norm", torch.nn.utils.get_total_norm(gradients)), ("lr", rate)):
            pl_module.log(f"train/{name}", value, on_step=False, on_epoch=True, batch_size=1)


def wandb_logger(save_dir: str, project: str, entity: str | None, mode: str, group: str, name: str) -> Logger:
    """A run of Weights & Biases; a run that is resumed goes on with its own.

    Args:
        save_dir: The run's folder.
        project: Of W&B.
        entity: Of W&B; None is the account's.
        mode: online, offline or disabled.
        group: Of the runs of one sweep.
        name: Of the run.

    Raises:
        SetupError: wandb is not installed, or does not let the run begin: no account, no network.
    """
    try:
        import wandb
    except ImportError:
        raise SetupError("logger=wandb needs wandb, which is not installed: pip install 'actrec[track]'") from None
    number = hashlib.sha256(str(Path(save_dir).absolute()).encode()).hexdigest()[:12]
    logger = WandbLogger(
        name=name,
        save_dir=save_dir,
        id=number,
        project=project,
        entity=entity,
        group=group,
        offline=mode == "offline",
        mode=mode,
        resume=None if mode == "offline" else "allow",
        settings=wandb.Settings(silent=True, console="off"),
    )
    try:
        _ = logger.experiment  # begins the run
    except wandb.errors.Error as error:
        raise SetupError(f"W&B: {error} Or log offline, and send it later: logger.wandb.mode=offline.") from None
    return logger


def make_loggers(cfg: DictConfig, folder: Path) -> list[Logger]:
    """The loggers of a run's config, with that config in each.

    Args:
        cfg: A composed `train` config.
        folder: The run's.
    """
    made: list[Logger] = []
    group = Path(cfg.sweep.folder).name if cfg.get("sweep") else cfg.name
    for name, node in (cfg.get("logger") or {}).items():
        more = {"group": group, "name": folder.name} if name == "wandb" else {}
        logger: Logger = instantiate(node, save_dir=str(folder), **more)
        logger.log_hyperparams(OmegaConf.to_container(cfg, resolve=True))  # type: ignore[arg-type]
        made.append(logger)
    return made


def log_results(loggers: Sequence[Logger], cfg: DictConfig, folder: Path, results: Results, store: Path | None) -> None:
    """Tells the loggers what a finished run has reached, and ends them.

    Args:
        loggers: See `make_loggers`.
        cfg: The run's config.
        folder: The run's, with its model folder.
        results: On the test split.
        store: What it was trained on, if that was a skeleton store.
    """
    metrics = results.metrics
    figures = {f"test/{name}": float(value) for name, value in results.headlines.items()}
    curve = {float(ratio): value for ratio, value in metrics["observation_accuracy"].items()}
    for logger in loggers:
        logger.log_metrics(figures)
        if isinstance(logger, TensorBoardLogger):
            known = list(metrics["classes"])
            true, given = ([known.index(label) for label in column] for column in _labels(results))
            counts = confusion_counts(np.array(true), np.array(given), len(known))
            logger.experiment.add_figure("test/confusion", confusion_matrix(counts, metrics["classes"]))
            logger.experiment.add_figure("test/observation", observation_curve(metrics))
            for ratio, value in curve.items():
                logger.experiment.add_scalar("test/accuracy_by_observation", value, round(100 * ratio))
        elif isinstance(logger, WandbLogger):
            _to_wandb(logger, cfg, folder, results, curve, store)
        logger.finalize("success")


def _labels(results: Results) -> tuple[list[str], list[str]]:
    """The true and the predicted label of each clip."""
    return [each.label for each in results.predictions], [each.prediction for each in results.predictions]


def _to_wandb(
    logger: WandbLogger, cfg: DictConfig, folder: Path, results: Results, curve: dict[float, float], store: Path | None
) -> None:
    import wandb

    run, classes = logger.experiment, results.metrics["classes"]
    numbers, (true, given) = {name: number for number, name in enumerate(classes)}, _labels(results)
    table = wandb.Table(columns=["observation_ratio", "accuracy"], data=[list(row) for row in curve.items()])
    run.log(
        {
            "test/confusion": wandb.plot.confusion_matrix(
                y_true=[numbers[label] for label in true],
                preds=[numbers[label] for label in given],
                class_names=list(classes),
            ),
            "test/observation": wandb.plot.line(
                table, "observation_ratio", "accuracy", title="Accuracy by observation"
            ),
        }
    )
    videos = []
    for number, sample in enumerate(results.samples):
        file = folder / "samples" / f"{number}.mp4"
        file.parent.mkdir(exist_ok=True)
        write_video(file, sample_frames(sample), sample.sequence.fps)
        verdict = f"{sample.sequence.label}, taken for {sample.prediction}"
        videos.append(wandb.Video(str(file), caption=verdict, format="mp4"))
    if videos:
        run.log({"test/samples": videos})
    trained_on = {"dataset": cfg.dataset.name}
    if store is not None:
        data = wandb.Artifact(f"{cfg.dataset.name}-store", "dataset")
        data.add_file(str(store / "store.json"))
        data.add_file(str(store / "manifest.csv"))
        trained_on |= {"store": data.name, "digest": data.digest}
        if run.offline:  # which cannot say that it uses one
            run.log_artifact(data)
        else:
            run.use_artifact(data)
    model = wandb.Artifact(f"{cfg.name}-model", "model", metadata={"trained_on": trained_on})
    model.add_dir(str(folder / "model"))
    run.log_artifact(model)
    run.finish()


def sample_frames(sample: SampleClip) -> Any:
    """The frames of a sample's video: its skeleton, and the pose that was forecast for each moment, in violet.

    Args:
        sample: A window as the network saw it; x and y from -1 to 1 or so.

    Returns:
        An iterator of time in seconds and RGB picture.
    """
    keypoints, skeleton = sample.sequence.keypoints, get_skeleton(sample.sequence.skeleton)
    seen = keypoints[keypoints[..., 2] > 0][:, :2]
    low, high = (seen.min(0), seen.max(0)) if len(seen) else (np.zeros(2), np.ones(2))
    scale = 0.8 * _SIDE / max(float((high - low).max()), 1e-6)
    shift = _SIDE / 2 - scale * (low + high) / 2
    for number, frame in enumerate(keypoints):
        picture: Picture = np.full((_SIDE, _SIDE, 3), 255, dtype=np.uint8)
        if sample.forecasts is not None:
            there = np.isfinite(sample.forecasts[number]).all(-1) & (frame[:, 2] > 0)
            ghost = np.concatenate([np.nan_to_num(sample.forecasts[number]) * scale + shift, there[:, None]], axis=1)
            draw_skeleton(picture, ghost, skeleton, LIGHT.forecast)
        placed = np.concatenate([frame[:, :2] * scale + shift, frame[:, 2:]], axis=1)
        draw_skeleton(picture, placed, skeleton)
        yield number / sample.sequence.fps, picture
