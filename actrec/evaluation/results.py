"""Evaluates a model, or an ensemble of models, on clips; writes `metrics.json` and `predictions.csv`."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float
from numpy import ndarray
from torch import nn

from actrec.data.excluded_labels import exclude_override
from actrec.evaluation.metrics import HEADLINES, summarize
from actrec.evaluation.people import together
from actrec.evaluation.predictions import ClipPrediction, clip_predictions, write_predictions
from actrec.evaluation.probabilities import probabilities_at_ratios
from actrec.evaluation.samples import SampleClip, pick_samples, sample_clip
from actrec.evaluation.segments import SessionRecord
from actrec.evaluation.session_sets import sets_csv, sets_table
from actrec.evaluation.sessions import (
    Motions,
    session_labels,
    session_records,
    sessions_summary,
    summarize_sessions,
)
from actrec.files import replace_file
from actrec.model.spec import ModelSpec
from actrec.online.recognizer import OnlineRecognizer
from actrec.pipeline.observation import RATIOS
from actrec.types import ActrecError, SkeletonSequence


@dataclass(frozen=True)
class Results:
    """The result of an evaluation.

    Attributes:
        metrics: The content of `metrics.json`; see `actrec.evaluation.metrics.summarize`.
        samples: A few clips to show.
        sessions: What was held in sessions, if there are any; their metrics are `metrics["sessions"]`.
    """

    metrics: dict[str, Any]
    predictions: list[ClipPrediction]
    samples: list[SampleClip]
    sessions: Sequence[SessionRecord] = ()

    def with_sessions(
        self,
        recognizer: OnlineRecognizer,
        sessions: Sequence[SkeletonSequence],
        motions: Mapping[str, Motions] | None = None,
    ) -> Results:
        """Returns the results with those of sessions, streamed through a recogniser; see `session_records`."""
        if not sessions:
            return self
        records = session_records(recognizer, sessions, motions)
        figures = summarize_sessions(records, recognizer.labels)
        return replace(self, metrics={**self.metrics, "sessions": figures}, sessions=records)

    @property
    def headlines(self) -> dict[str, float]:
        """The metrics that are logged and saved with the model."""
        return {name: self.metrics[name] for name in (*HEADLINES, "auc")}

    def online(self) -> str:
        """Formats the metrics of the sessions, and the sets of the one in which most actions were done."""
        labels = session_labels(self.metrics["classes"])
        shown = max(self.sessions, key=lambda each: (len({done.label for done in each.true_sets}), len(each.true_sets)))
        summary = sessions_summary(self.metrics["sessions"])
        return f"{summary}. Sets of {shown.name}:\n{sets_table(shown, labels)}"

    def __str__(self) -> str:
        metrics = self.metrics
        low, high = metrics["intervals"]["accuracy"]
        interval = f"95 % {low:.4f} to {high:.4f}" if metrics["n_groups"] > 1 else "one group, so no interval"
        return (
            f"{metrics['n_clips']} clips: accuracy {metrics['accuracy']:.4f} ({interval}), macro-F1 "
            f"{metrics['macro_f1']:.4f}, AUC {metrics['auc']:.4f}"
        )

    def write(self, folder: Path) -> None:
        """Writes `predictions.csv`, `metrics.json` and, for sessions, `sets.csv` into a folder that exists."""
        write_predictions(folder / "predictions.csv", self.predictions)
        if self.sessions:
            replace_file(folder / "sets.csv", sets_csv(self.sessions, session_labels(self.metrics["classes"])))
        write_metrics(folder / "metrics.json", self.metrics)


class EnsembleMember(NamedTuple):
    """A model of an ensemble.

    Attributes:
        network: In eval mode, on the device to use.
        weight: The weight of its probabilities in the average.
    """

    network: nn.Module
    spec: ModelSpec
    weight: float | int = 1.0


def evaluate_model(
    network: nn.Module, spec: ModelSpec, clips: Sequence[SkeletonSequence], batch_size: int = 64
) -> Results:
    """Evaluates a model on clips at every observation ratio.

    Args:
        network: In eval mode, on the device to use.

    Raises:
        ActrecError: There are no clips, or one has a label that the model does not know.
    """
    return evaluate_ensemble([EnsembleMember(network, spec)], clips, batch_size)


def evaluate_ensemble(
    members: Sequence[EnsembleMember], clips: Sequence[SkeletonSequence], batch_size: int = 64, people: str = "each"
) -> Results:
    """Evaluates the weighted average of several models' probabilities (late fusion of joint, bone and velocity streams;
    Shi et al. 2019, 2s-AGCN, section 3.5) on clips at every observation ratio.

    Args:
        members: The models. Classes are in the order of the first.
        people: "each" counts every clip; "together" combines people of one clip, see `actrec.evaluation.people`.

    Raises:
        ActrecError: There are no clips, one has a label that the models do not know, or the models' labels differ.
    """
    spec = members[0].spec
    _check_labels(members, clips)
    weights = np.array([member.weight for member in members], dtype=float)
    probabilities = np.zeros((len(RATIOS), len(clips), len(spec.labels)))
    for member, share in zip(members, weights / weights.sum(), strict=True):
        network, own, _ = member
        found = probabilities_at_ratios(network, own.pipeline, clips, len(spec.labels), own.decision, batch_size)
        probabilities += share * found[..., [own.labels.index(label) for label in spec.labels]]
    return summarize_probabilities(probabilities, members[0].network, spec, clips, people)


def summarize_probabilities(
    probabilities: Float[ndarray, "ratio clip class"],
    network: nn.Module,
    spec: ModelSpec,
    clips: Sequence[SkeletonSequence],
    people: str = "each",
) -> Results:
    """Makes the results from class probabilities at every observation ratio.

    Args:
        probabilities: Those of each clip, at each ratio of `actrec.pipeline.observation.RATIOS`.
        network: In eval mode; it forecasts the poses of the clips to show.
        people: See `evaluate_ensemble`.
    """
    if people == "together":
        probabilities, clips = together(probabilities, clips)
    by_ratio = {
        str(ratio): given if ratio == 1 else given.argmax(1) for ratio, given in zip(RATIOS, probabilities, strict=True)
    }
    number = {label: k for k, label in enumerate(spec.labels)}
    labels = np.array([number[clip.label] for clip in clips])
    groups = [clip.group or clip.clip_id for clip in clips]
    predictions = clip_predictions(clips, by_ratio, spec.labels)
    shown = pick_samples(predictions) if spec.pipeline.features.stream == "joint" else []  # bones are not poses
    samples = [sample_clip(network, spec, clips[number], predictions[number]) for number in shown]
    return Results(summarize(by_ratio, labels, groups, spec.labels), predictions, samples)


def _check_labels(members: Sequence[EnsembleMember], clips: Sequence[SkeletonSequence]) -> None:
    labels = members[0].spec.labels
    if any(set(member.spec.labels) != set(labels) for member in members):
        raise ActrecError("The models have different labels. Average models with the same labels.")
    if not clips:
        raise ActrecError("There are no clips in this split.")
    if unknown := sorted({clip.label for clip in clips} - set(labels)):
        raise ActrecError(
            f"The clips have labels that the model does not know: {', '.join(unknown)}. It knows: {', '.join(labels)}. "
            f"Leave the others out with {exclude_override(unknown)}."
        )


def write_metrics(path: Path, metrics: Mapping[str, Any]) -> None:
    """Writes `metrics.json`; NaN and infinite numbers, which JSON cannot represent, become null."""
    replace_file(path, json.dumps(_finite(metrics), indent=2, allow_nan=False) + "\n")


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _finite(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
