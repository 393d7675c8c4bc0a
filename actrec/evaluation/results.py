"""Evaluates a model on a split, and writes `metrics.json`, `predictions.csv` and the report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from numpy import ndarray
from torch import nn
from tqdm import tqdm

from actrec.data.excluded_labels import exclude_override
from actrec.evaluation.metrics import HEADLINES, summarize
from actrec.evaluation.probabilities import RATIOS, clip_probabilities
from actrec.explain.explanation import Why
from actrec.model.spec import ModelSpec
from actrec.pipeline.batching import collate
from actrec.pipeline.windows import ResizeWindows
from actrec.report.page import (
    ClipPrediction,
    clip_predictions,
    pick_samples,
    write_metrics,
    write_predictions,
    write_report,
)
from actrec.report.poses import SampleClip
from actrec.types import ActrecError, SkeletonSequence


@dataclass(frozen=True)
class Results:
    """Figures of a split, the prediction of each of its clips, and some clips to show."""

    metrics: dict[str, Any]
    predictions: list[ClipPrediction]
    samples: list[SampleClip]
    why: Why | None = None

    @property
    def headlines(self) -> dict[str, float]:
        return {name: self.metrics[name] for name in (*HEADLINES, "auc")}


class Voice(NamedTuple):
    """A model of an ensemble.

    Attributes:
        network: In eval mode, on the device to use.
        spec: What it is.
        weight: Of its probabilities in the sum.
    """

    network: nn.Module
    spec: ModelSpec
    weight: float | int = 1.0


def judge(network: nn.Module, spec: ModelSpec, clips: Sequence[SkeletonSequence], batch_size: int = 64) -> Results:
    """Runs a model over every clip at every observation ratio.

    Args:
        network: In eval mode, on the device to use.
        spec: What it is.
        clips: A split's clips.
        batch_size: Windows at once.

    Raises:
        ActrecError: There are no clips, or one has a label that the model does not know.
    """
    return judge_fused([Voice(network, spec)], clips, batch_size)


def judge_fused(voices: Sequence[Voice], clips: Sequence[SkeletonSequence], batch_size: int = 64) -> Results:
    """Runs several models over every clip at every observation ratio; their probabilities are averaged by weight, as
    those of joint, bone and velocity streams are (late fusion; Shi et al. 2019, 2s-AGCN, section 3.5).

    Args:
        voices: The models. Classes are in the order of the first.
        clips: A split's clips.
        batch_size: Windows at once.

    Raises:
        ActrecError: There are no clips, one has a label that the models do not know, or the models' labels differ.
    """
    spec = voices[0].spec
    for voice in voices:
        if set(voice.spec.labels) != set(spec.labels):
            raise ActrecError("The models do not know the same labels. Fuse models of one label set.")
    unknown = sorted({clip.label for clip in clips} - set(spec.labels))
    if unknown or not clips:
        raise ActrecError(
            f"The clips have labels that the model does not know: {', '.join(unknown)}. It knows: "
            f"{', '.join(spec.labels)}. Leave the others out with {exclude_override(unknown)}."
            if unknown
            else "There are no clips in this split."
        )
    weights = np.array([voice.weight for voice in voices], dtype=float)
    by_ratio = {}
    for ratio in tqdm(RATIOS, desc="Observation ratios", leave=False):
        found = np.zeros((len(clips), len(spec.labels)))
        for voice, share in zip(voices, weights / weights.sum(), strict=True):
            found += share * _probabilities(voice, clips, spec.labels, ratio, batch_size)
        by_ratio[str(ratio)] = found if ratio == 1 else found.argmax(1)  # all of them are 600 MB for Kinetics-400
    number = {label: k for k, label in enumerate(spec.labels)}
    labels = np.array([number[clip.label] for clip in clips])
    groups = [clip.group or clip.clip_id for clip in clips]
    predictions = clip_predictions(clips, by_ratio, spec.labels)
    shown = pick_samples(predictions) if spec.pipeline.features.stream == "joint" else []  # bones are no poses
    samples = [sample(voices[0].network, spec, clips[number], predictions[number]) for number in shown]
    return Results(summarize(by_ratio, labels, groups, spec.labels), predictions, samples)


def _probabilities(
    voice: Voice, clips: Sequence[SkeletonSequence], labels: Sequence[str], ratio: float, batch_size: int
) -> Float[ndarray, "clip class"]:
    network, spec, _ = voice
    found = clip_probabilities(network, spec.pipeline, clips, len(labels), ratio, spec.decision, batch_size)
    return found[:, [spec.labels.index(label) for label in labels]]


@torch.inference_mode()
def sample(network: nn.Module, spec: ModelSpec, clip: SkeletonSequence, prediction: ClipPrediction) -> SampleClip:
    """A clip's first window as the network saw it, with the pose that it forecast the whole horizon before."""
    batch = collate(spec.pipeline.evaluation_items(clip, 0, 0)[:1])
    device = next(network.parameters()).device
    forecasts = network(batch.features.to(device), batch.valid.to(device)).pose_forecasts[..., :2].float().cpu().numpy()
    length, horizon = int(batch.valid.sum()), len(forecasts)
    keypoints = batch.features[0, :length, :, :3].numpy()
    poses = np.full((length, *keypoints.shape[1:2], 2), np.nan, dtype=np.float32)
    if 0 < horizon < length:
        poses[horizon:] = forecasts[-1, 0, : length - horizon]
    resized = isinstance(spec.pipeline.windows, ResizeWindows)
    rate = clip.fps * length / len(clip) if resized else float(spec.pipeline.preprocess.fps or clip.fps)
    window = replace(clip, keypoints=keypoints, skeleton=spec.pipeline.skeleton.name, fps=rate)
    return SampleClip(window, prediction.prediction, prediction.probability, poses)


def write_results(
    folder: Path,
    results: Results,
    title: str,
    history: Sequence[Mapping[str, float]] | None = None,
    typical: Sequence[SkeletonSequence] = (),
    config: str | None = None,
    facts: Mapping[str, str] | None = None,
) -> Path:
    """Writes the results into a folder: first `predictions.csv` and `metrics.json`, then the report, so that no figure
    is lost where a picture fails.

    Returns:
        The report's page.
    """
    metrics = results.metrics | ({"why": results.why.figures()} if results.why else {})
    write_predictions(folder / "predictions.csv", results.predictions)
    write_metrics(folder / "metrics.json", metrics)
    return write_report(
        folder / "report",
        metrics,
        results.predictions,
        title=title,
        history=history,
        samples=results.samples,
        why=results.why,
        typical=typical,
        config=config,
        facts=facts,
    )


def summary(results: Results) -> str:
    """The headline figures in a sentence."""
    metrics = results.metrics
    low, high = metrics["intervals"]["accuracy"]
    interval = f"95 % {low:.4f} to {high:.4f}" if metrics["n_groups"] > 1 else "one group, so no interval"
    return (
        f"{metrics['n_clips']} clips: accuracy {metrics['accuracy']:.4f} ({interval}), macro-F1 "
        f"{metrics['macro_f1']:.4f}, AUC {metrics['auc']:.4f}"
    )
