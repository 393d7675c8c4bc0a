"""What an evaluation leaves: `metrics.json`, `predictions.csv`, and a report for people to look at.

Every file is written whole or not at all. The report's page is written before its pictures, with what it says in words
and tables, and again when they are there: a picture that fails, or a process that is ended, loses no figure.
"""

from __future__ import annotations

import csv
import gc
import io
import json
import logging
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, Int
from jinja2 import Environment, PackageLoader, StrictUndefined
from matplotlib.figure import Figure
from numpy import ndarray

from actrec.drawing.colors import DARK, LIGHT, Theme
from actrec.drawing.lettering import coded, pictured, spaced
from actrec.evaluation.confusion import WHOLE, classes_shown, most_frequent
from actrec.evaluation.metrics import confusion_counts, likeliest
from actrec.explain.explanation import Why
from actrec.files import csv_text, replace_file
from actrec.report.bodies import BODIES
from actrec.report.plots import (
    BARS,
    class_bars,
    confusion_matrix,
    learning_curves,
    observation_curve,
)
from actrec.report.poses import CONTACTS, SampleClip, contact_sheet, sample_sheet
from actrec.types import ActrecError, SkeletonSequence

log = logging.getLogger(__name__)

_COLUMNS = ("clip_id", "group", "label", "prediction", "probability", "correct")
_N_MISTAKES = 20
_NOT_YET = "it has not been drawn yet, or the process was ended; actrec.evaluate with this model draws a report anew"
_CANDIDATES = 10  # clips of a class among which one is chosen to show it


@dataclass(frozen=True)
class ClipPrediction:
    """What a network made of a clip.

    Attributes:
        probability: That of the predicted class.
        correct_at: Whether it was right at each observation ratio, "0.1" to "1.0".
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
    """A prediction for each clip, in order, from the probabilities at each observation ratio; see `summarize`."""
    best = {ratio: likeliest(probabilities) for ratio, probabilities in by_ratio.items()}
    predictions = []
    for number, (clip, row) in enumerate(zip(sequences, by_ratio["1.0"], strict=True)):
        given = {ratio: classes[classified[number]] for ratio, classified in best.items()}
        correct_at = {ratio: label == clip.label for ratio, label in given.items()}
        probability = float(row[best["1.0"][number]])
        predictions.append(ClipPrediction(clip.clip_id, clip.group, clip.label, given["1.0"], probability, correct_at))
    return predictions


def pick_samples(predictions: Sequence[ClipPrediction], n: int = 8) -> list[int]:
    """Numbers of clips to show: the most confident mistakes, up to half, and clips of other labels that were right.

    Of the clips of a label that were right it is the one of median probability, which is what the label's clips are
    usually like.
    """
    mistakes = [number for number, clip in enumerate(predictions) if not clip.correct]
    mistakes = sorted(mistakes, key=lambda number: -predictions[number].probability)[: n // 2]
    right: dict[str, list[int]] = {}
    for number in sorted(range(len(predictions)), key=lambda number: predictions[number].probability):
        if predictions[number].correct:
            right.setdefault(predictions[number].label, []).append(number)
    shown = {predictions[number].label for number in mistakes}
    labels = sorted(right, key=lambda label: (label in shown, label))[: n - len(mistakes)]
    return [right[label][len(right[label]) // 2] for label in sorted(labels)] + mistakes


def pick_typical(clips: Sequence[SkeletonSequence], classes: Sequence[str]) -> list[SkeletonSequence]:
    """A clip of each class that has any: of its first few, the one of which most joints are observed."""
    first: dict[str, list[SkeletonSequence]] = {name: [] for name in classes}
    for clip in clips:
        if len(first[clip.label]) < _CANDIDATES:
            first[clip.label].append(clip)
    return [max(few, key=lambda clip: float((clip.keypoints[..., 2] > 0).mean())) for few in first.values() if few]


def write_metrics(path: Path, metrics: Mapping[str, Any]) -> None:
    """Writes `metrics.json`; a figure that is not finite, which JSON cannot represent, is null."""
    replace_file(path, json.dumps(_plain(metrics), indent=2, allow_nan=False) + "\n")


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def write_predictions(path: Path, predictions: Sequence[ClipPrediction]) -> None:
    """Writes `predictions.csv`, a row a clip; `correct_0.1` is whether it was right after a tenth, and so on."""
    ratios = [ratio for ratio in (predictions[0].correct_at if predictions else ()) if ratio != "1.0"]
    rows = [
        [clip.clip_id, clip.group, clip.label, clip.prediction, f"{clip.probability:.6f}"]
        + [str(right).lower() for right in (clip.correct, *(clip.correct_at[ratio] for ratio in ratios))]
        for clip in predictions
    ]
    replace_file(path, csv_text((*_COLUMNS, *(f"correct_{ratio}" for ratio in ratios)), rows))


def read_history(path: Path) -> list[dict[str, float]]:
    """The figures of each epoch from a CSV whose rows have an `epoch` and may leave columns empty.

    Raises:
        ActrecError: There is no `epoch` column, or a figure is not a number.
    """
    rows: list[dict[str, float]] = []
    with path.open(newline="", encoding="utf-8") as file:
        for number, row in enumerate(csv.DictReader(file), start=2):
            try:
                figures = {name: float(value) for name, value in row.items() if value}
                rows.append({"epoch": figures.pop("epoch"), **figures})
            except (KeyError, TypeError, ValueError) as error:
                raise ActrecError(
                    f"Row {number} of '{path}' is not of a training history ({type(error).__name__}: {error}); "
                    "expected numbers, and one in the column 'epoch'. Give the history.csv that a run has written."
                ) from None
    return rows


def write_report(
    folder: Path,
    metrics: Mapping[str, Any],
    predictions: Sequence[ClipPrediction],
    *,
    title: str,
    history: Sequence[Mapping[str, float]] | None = None,
    samples: Sequence[SampleClip] = (),
    typical: Sequence[SkeletonSequence] = (),
    why: Why | None = None,
    config: str | None = None,
    facts: Mapping[str, str] | None = None,
) -> Path:
    """Writes `index.html` and the pictures beside it, which need nothing outside the folder.

    Args:
        folder: The report's folder; made where it is missing.
        metrics: See `actrec.evaluation.metrics.summarize`.
        predictions: Of the clips that the metrics are about.
        title: The page's heading.
        history: See `read_history`; without one there are no learning curves.
        samples: Clips to draw.
        typical: A clip of each class of the training data; see `pick_typical`.
        why: Why the model decided so; its figures are in `metrics`.
        config: The run's resolved config, as YAML.
        facts: What else the head of the page shows: network, store, …

    Returns:
        The page.
    """
    folder.mkdir(parents=True, exist_ok=True)
    classes, names = list(metrics["classes"]), pictured(metrics["classes"])
    counts = _counts(predictions, classes)
    draw: dict[str, Callable[[Theme], Figure]] = {
        "observation": lambda theme: observation_curve(metrics, theme),
        "class_f1": lambda theme: class_bars(metrics, theme),
        "confusion": lambda theme: confusion_matrix(counts, classes, theme),
    }
    if history:
        draw["learning"] = lambda theme: learning_curves(history, theme)
    if typical:
        draw["typical"] = lambda theme: contact_sheet(typical, theme, names=names)
    if samples:
        draw["samples"] = lambda theme: sample_sheet(samples, theme, names=names)
    if why:
        draw |= why.pictures(names)
    mistakes = sorted((clip for clip in predictions if not clip.correct), key=lambda clip: -clip.probability)
    content = {
        "title": title,
        "metrics": metrics,
        "pictures": list(draw),
        "confused": {name: _taken_for(counts[k], k, classes) for k, name in enumerate(classes)},
        "n_shown": len(classes_shown(counts)),
        "confusions": most_frequent(counts, classes) if len(classes) > WHOLE else [],
        "coded": coded(names),
        "bars": BARS,
        "bodies": BODIES,
        "n_bodies": len(why.importance) if why else 0,
        "mistakes": mistakes[:_N_MISTAKES],
        "n_mistakes": len(mistakes),
        "n_typical": len(typical),
        "contacts": CONTACTS,
        "config": config,
        "facts": facts or {},
    }
    page = folder / "index.html"
    _write_page(page, content | {"missing": dict.fromkeys(draw, _NOT_YET)})
    missing = write_pictures(folder, draw)
    _write_page(page, content | {"missing": missing})
    return page


def write_pictures(folder: Path, draw: Mapping[str, Callable[[Theme], Figure]]) -> dict[str, str]:
    """Draws pictures, each in both themes, one after another.

    Args:
        folder: Where to.
        draw: Each picture by its name.

    Returns:
        Names of the pictures that could not be drawn, and why; each is logged, and no file of it is left.
    """
    missing = {}
    for name, figure in draw.items():
        files = {theme: folder / f"{name}{theme.suffix}.png" for theme in (LIGHT, DARK)}
        try:
            for theme, file in files.items():
                _write_picture(file, figure(theme))
        except Exception as error:  # of any kind: a failed picture must not lose the figures
            for file in files.values():
                file.unlink(missing_ok=True)
            missing[name] = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
            log.warning("The picture '%s' could not be drawn, and is left out (%s).", name, missing[name])
            log.debug("The picture '%s'", name, exc_info=True)
        gc.collect()  # a figure refers to itself: without this several would be in memory at once
    return missing


def _write_page(file: Path, content: Mapping[str, Any]) -> None:
    environment = Environment(
        loader=PackageLoader("actrec.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["spaced"] = spaced
    page = environment.get_template("report.html").render(**content)
    replace_file(file, page.encode(errors="replace"))  # a file name may contain bytes that are no characters


def _counts(predictions: Sequence[ClipPrediction], classes: Sequence[str]) -> Int[ndarray, "class class"]:
    number = {name: k for k, name in enumerate(classes)}
    labels = np.array([number[clip.label] for clip in predictions], dtype=int)
    given = np.array([number[clip.prediction] for clip in predictions], dtype=int)
    return confusion_counts(labels, given, len(classes))


def _taken_for(row: ndarray, own: int, classes: Sequence[str]) -> tuple[str, int] | None:
    """The other class that a class was most often taken for, and how often."""
    others = np.where(np.arange(len(row)) == own, 0, row)
    return (classes[int(others.argmax())], int(others.max())) if others.any() else None


def _write_picture(path: Path, figure: Figure) -> None:
    data = io.BytesIO()
    figure.savefig(data, format="png", dpi=144)
    replace_file(path, data.getvalue())
