"""Writes the report of an evaluation: `index.html` and the pictures beside it.

Every file is replaced in one step. The page is written before the pictures, with its text and tables, and again after
them, so that no metric is lost if a picture fails or the process ends.
"""

from __future__ import annotations

import gc
import io
import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Int
from jinja2 import Environment, PackageLoader, StrictUndefined
from matplotlib.figure import Figure
from numpy import ndarray

from actrec.drawing.colors import DARK, LIGHT, Theme
from actrec.drawing.lettering import coded, pictured, spaced
from actrec.evaluation.confusion import WHOLE, classes_shown, most_frequent
from actrec.evaluation.metrics import confusion_counts
from actrec.evaluation.predictions import ClipPrediction, class_numbers
from actrec.evaluation.results import Results
from actrec.explain.explanation import Explanation
from actrec.files import replace_file
from actrec.report.bodies import BODIES
from actrec.report.explanation import explanation_pictures
from actrec.report.plots import BARS, class_bars, confusion_matrix, learning_curves, observation_curve
from actrec.report.poses import CONTACTS, contact_sheet, sample_sheet
from actrec.report.sessions import shown_sessions, timelines
from actrec.types import SkeletonSequence

log = logging.getLogger(__name__)

_N_MISTAKES = 20
_NOT_YET = "it has not been drawn yet, or the process was ended; actrec.evaluate with this model makes a new report"


def write_report(
    folder: Path,
    results: Results,
    *,
    title: str,
    history: Sequence[Mapping[str, float]] | None = None,
    typical: Sequence[SkeletonSequence] = (),
    explanation: Explanation | None = None,
    config: str | None = None,
    facts: Mapping[str, str] | None = None,
) -> Path:
    """Writes `index.html` and its pictures, which need nothing outside the folder.

    Args:
        history: The metrics of each epoch; without them there are no learning curves.
        typical: A clip of each class of the training data; see `actrec.evaluation.samples.typical_clips`.
        explanation: Its pictures are added; its numbers are in the metrics of `results`.
        config: The run's resolved config, as YAML.
        facts: Further entries for the head of the page: network, store, …

    Returns:
        The path of the page.
    """
    folder.mkdir(parents=True, exist_ok=True)
    metrics, predictions, samples = results.metrics, results.predictions, results.samples
    names = pictured(metrics["classes"])
    counts = confusion_counts(*class_numbers(predictions, metrics["classes"]), len(metrics["classes"]))
    draw: dict[str, Callable[[Theme], Figure]] = {
        "observation": lambda theme: observation_curve(metrics, theme),
        "class_f1": lambda theme: class_bars(metrics, theme),
        "confusion": lambda theme: confusion_matrix(counts, metrics["classes"], theme),
    }
    if history:
        draw["learning"] = lambda theme: learning_curves(history, theme)
    if typical:
        draw["typical"] = lambda theme: contact_sheet(typical, theme, names=names)
    if samples:
        draw["samples"] = lambda theme: sample_sheet(samples, theme, names=names)
    if results.sessions:
        shown = shown_sessions(results.sessions)
        draw["sessions"] = lambda theme: timelines(shown, metrics["classes"], theme, names)
    if explanation:
        draw |= explanation_pictures(explanation, names)
    content = _tables(metrics, predictions, counts) | {
        "title": title,
        "pictures": list(draw),
        "coded": coded(names),
        "n_bodies": len(explanation.importance) if explanation else 0,
        "n_typical": len(typical),
        "config": config,
        "facts": facts or {},
    }
    page = folder / "index.html"
    _write_page(page, content | {"missing": dict.fromkeys(draw, _NOT_YET)})
    missing = write_pictures(folder, draw)
    _write_page(page, content | {"missing": missing})
    return page


def write_pictures(folder: Path, draw: Mapping[str, Callable[[Theme], Figure]]) -> dict[str, str]:
    """Draws pictures in both themes into PNG files; `draw` has the functions by file name without ending.

    Returns the reason for each picture that could not be drawn; it is logged too, and no file of that picture is left.
    """
    missing = {}
    for name, figure in draw.items():
        files = {theme: folder / f"{name}{theme.suffix}.png" for theme in (LIGHT, DARK)}
        try:
            for theme, file in files.items():
                data = io.BytesIO()
                figure(theme).savefig(data, format="png", dpi=144)
                replace_file(file, data.getvalue())
        except Exception as error:  # of any kind: a failed picture must not lose the figures
            for file in files.values():
                file.unlink(missing_ok=True)
            missing[name] = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
            log.warning("The picture '%s' could not be drawn and is omitted (%s).", name, missing[name])
            log.debug("The picture '%s'", name, exc_info=True)
        gc.collect()  # a figure refers to itself: without this several would be in memory at once
    return missing


def _tables(
    metrics: Mapping[str, Any], predictions: Sequence[ClipPrediction], counts: Int[ndarray, "class class"]
) -> dict[str, Any]:
    classes = list(metrics["classes"])
    mistakes = sorted((clip for clip in predictions if not clip.correct), key=lambda clip: -clip.probability)
    return {
        "metrics": metrics,
        "confused": {name: _most_confused(counts[k], k, classes) for k, name in enumerate(classes)},
        "n_shown": len(classes_shown(counts)),
        "confusions": most_frequent(counts, classes) if len(classes) > WHOLE else [],
        "bars": BARS,
        "bodies": BODIES,
        "contacts": CONTACTS,
        "mistakes": mistakes[:_N_MISTAKES],
        "n_mistakes": len(mistakes),
    }


def _write_page(file: Path, content: Mapping[str, Any]) -> None:
    loader = PackageLoader("actrec.report")
    options: Any = {"autoescape": True, "undefined": StrictUndefined, "trim_blocks": True, "lstrip_blocks": True}
    environment = Environment(loader=loader, **options)
    environment.filters["spaced"] = spaced
    page = environment.get_template("report.html").render(**content)
    replace_file(file, page.encode(errors="replace"))  # a file name may contain bytes that are not characters


def _most_confused(row: ndarray, own: int, classes: Sequence[str]) -> tuple[str, int] | None:
    """Returns the other class that a class was most often predicted as, and how often."""
    others = np.where(np.arange(len(row)) == own, 0, row)
    return (classes[int(others.argmax())], int(others.max())) if others.any() else None
