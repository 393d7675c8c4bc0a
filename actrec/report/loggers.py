"""Logs the results of a finished run to TensorBoard, W&B and CSV: metrics, plots, sample videos, the model folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from lightning.pytorch.loggers import Logger, TensorBoardLogger, WandbLogger
from omegaconf import DictConfig

from actrec.drawing.colors import LIGHT
from actrec.drawing.frames import draw_skeleton, write_video
from actrec.drawing.projection import centre, fit, turning
from actrec.evaluation.metrics import confusion_counts
from actrec.evaluation.predictions import class_numbers
from actrec.evaluation.results import Results
from actrec.evaluation.samples import SampleClip
from actrec.report.plots import confusion_matrix, observation_curve
from actrec.skeleton import get_skeleton
from actrec.types import Picture

_SIDE = 320  # width and height of a sample's video, in pixels


def log_results(loggers: Sequence[Logger], cfg: DictConfig, folder: Path, results: Results, store: Path | None) -> None:
    """Logs a finished run's results on the test split, and ends the loggers.

    Args:
        folder: The run's folder, which holds the model folder.
        store: The skeleton store that it was trained on; None where clips were generated.
    """
    metrics = results.metrics
    figures = {f"test/{name}": float(value) for name, value in results.headlines.items()}
    curve = {float(ratio): value for ratio, value in metrics["observation_accuracy"].items()}
    for logger in loggers:
        logger.log_metrics(figures)
        if isinstance(logger, TensorBoardLogger):
            classes = metrics["classes"]
            counts = confusion_counts(*class_numbers(results.predictions, classes), len(classes))
            logger.experiment.add_figure("test/confusion", confusion_matrix(counts, classes))
            logger.experiment.add_figure("test/observation", observation_curve(metrics))
            for ratio, value in curve.items():
                logger.experiment.add_scalar("test/accuracy_by_observation", value, round(100 * ratio))
        elif isinstance(logger, WandbLogger):
            _to_wandb(logger, cfg, folder, results, curve, store)
        logger.finalize("success")


def _to_wandb(
    logger: WandbLogger, cfg: DictConfig, folder: Path, results: Results, curve: dict[float, float], store: Path | None
) -> None:
    import wandb

    run, classes = logger.experiment, results.metrics["classes"]
    table = wandb.Table(columns=["observation_ratio", "accuracy"], data=[list(row) for row in curve.items()])
    true, given = class_numbers(results.predictions, classes)
    confusion = wandb.plot.confusion_matrix(y_true=true.tolist(), preds=given.tolist(), class_names=list(classes))
    curve_plot = wandb.plot.line(table, "observation_ratio", "accuracy", title="Accuracy by observation")
    run.log({"test/confusion": confusion, "test/observation": curve_plot})
    videos = []
    for number, sample in enumerate(results.samples):
        file = folder / "samples" / f"{number}.mp4"
        file.parent.mkdir(exist_ok=True)
        write_video(file, sample_frames(sample), sample.sequence.fps)
        verdict = f"{sample.sequence.label}, predicted as {sample.prediction}"
        videos.append(wandb.Video(str(file), caption=verdict, format="mp4"))
    if videos:
        run.log({"test/samples": videos})
    trained_on = {"dataset": cfg.dataset.name}
    if store is not None:
        data = wandb.Artifact(f"{cfg.dataset.name}-store", "dataset")
        data.add_file(str(store / "store.json"))
        data.add_file(str(store / "manifest.csv"))
        trained_on |= {"store": data.name, "digest": data.digest}
        if run.offline:  # an offline run cannot declare that it uses an artifact
            run.log_artifact(data)
        else:
            run.use_artifact(data)
    model = wandb.Artifact(f"{cfg.name}-model", "model", metadata={"trained_on": trained_on})
    model.add_dir(str(folder / "model"))
    run.log_artifact(model)
    run.finish()


def sample_frames(sample: SampleClip) -> Any:
    """Draws the frames of a sample's video: the skeleton, and in violet the pose that was forecast for the frame.

    Args:
        sample: A window as the network saw it; coordinates from -1 to 1 or so. In three dimensions the camera goes
            about it.

    Returns:
        An iterator of time in seconds and RGB picture.
    """
    clip, skeleton = sample.sequence, get_skeleton(sample.sequence.skeleton)
    observed, middle = clip.keypoints[..., -1:], centre(clip.keypoints)
    poses = turning(clip.keypoints[..., :-1], middle, clip.fps)
    ghosts = None if sample.forecasts is None else turning(sample.forecasts, middle, clip.fps)
    scale, shift = fit(poses, observed[..., 0] > 0, _SIDE)
    for number, (pose, confidence) in enumerate(zip(poses, observed, strict=True)):
        picture: Picture = np.full((_SIDE, _SIDE, 3), 255, dtype=np.uint8)
        if ghosts is not None:
            there = np.isfinite(ghosts[number]).all(-1) & (confidence[:, 0] > 0)
            ghost = np.concatenate([np.nan_to_num(ghosts[number]) * scale + shift, there[:, None]], axis=1)
            draw_skeleton(picture, ghost, skeleton, LIGHT.forecast)
        draw_skeleton(picture, np.concatenate([pose * scale + shift, confidence], axis=1), skeleton)
        yield number / clip.fps, picture
