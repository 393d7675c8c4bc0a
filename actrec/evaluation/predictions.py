"""Makes the predictions of a split from class probabilities at each observation ratio; writes `predictions.csv`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray

from actrec.evaluation.metrics import likeliest
from actrec.files import csv_text, replace_file
from actrec.types import SkeletonSequence

_COLUMNS = ("clip_id", "group", "label", "prediction", "probability", "correct")


@dataclass(frozen=True)
class ClipPrediction:
    """The prediction of a clip.

    Attributes:
        probability: The probability of the predicted class.
        correct_at: Whether the prediction was correct at each observation ratio, "0.1" to "1.0".
    """

    clip_id: str
    group: str
    label: str
    prediction: str
    probability: float
    correct_at: Mapping[str, bool]

    @property
    def correct(self) -> bool:
        return self.prediction == self.label


def clip_predictions(
    sequences: Sequence[SkeletonSequence],
    by_ratio: Mapping[str, Float[ndarray, "clip class"] | Int[ndarray, " clip"]],
    classes: Sequence[str],
) -> list[ClipPrediction]:
    """Makes the prediction of each clip, in order; `by_ratio` is as for `actrec.evaluation.metrics.summarize`."""
    best = {ratio: likeliest(probabilities) for ratio, probabilities in by_ratio.items()}
    predictions = []
    for number, (clip, row) in enumerate(zip(sequences, by_ratio["1.0"], strict=True)):
        given = {ratio: classes[classified[number]] for ratio, classified in best.items()}
        correct_at = {ratio: label == clip.label for ratio, label in given.items()}
        probability = float(row[best["1.0"][number]])
        predictions.append(ClipPrediction(clip.clip_id, clip.group, clip.label, given["1.0"], probability, correct_at))
    return predictions


def class_numbers(
    predictions: Sequence[ClipPrediction], classes: Sequence[str]
) -> tuple[Int[ndarray, " clip"], Int[ndarray, " clip"]]:
    """Returns the numbers of the true and of the predicted class of each clip."""
    number = {name: k for k, name in enumerate(classes)}
    pairs = [(number[clip.label], number[clip.prediction]) for clip in predictions]
    true, predicted = np.array(pairs, dtype=int).reshape(-1, 2).T
    return true, predicted


def write_predictions(path: Path, predictions: Sequence[ClipPrediction]) -> None:
    """Writes `predictions.csv`, a row for each clip; column `correct_0.1` is for observation ratio 0.1, and so on."""
    ratios = [ratio for ratio in (predictions[0].correct_at if predictions else ()) if ratio != "1.0"]
    rows = [
        [clip.clip_id, clip.group, clip.label, clip.prediction, f"{clip.probability:.6f}"]
        + [str(right).lower() for right in (clip.correct, *(clip.correct_at[ratio] for ratio in ratios))]
        for clip in predictions
    ]
    replace_file(path, csv_text((*_COLUMNS, *(f"correct_{ratio}" for ratio in ratios)), rows))
