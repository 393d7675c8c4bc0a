"""Computes clip-level metrics with bootstrap intervals, from class probabilities; the content of `metrics.json`.

The bootstrap resamples groups, not clips: clips of one source video are similar, and an interval that treated them as
independent would be too narrow.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray
from scipy import sparse

from actrec.types import ActrecError

HEADLINES = ("accuracy", "macro_precision", "macro_recall", "macro_f1", "top5_accuracy")
_PER_CLASS = ("precision", "recall", "f1")
_PAIRED = 10_000  # resamples of a comparison
_BLOCK = 50  # resamples drawn at once, which bounds the memory


def confusion_counts(
    labels: Int[ndarray, " clip"], predictions: Int[ndarray, " clip"], n_classes: int
) -> Int[ndarray, "class class"]:
    """Counts the clips of each true class (row) and predicted class (column)."""
    return np.bincount(labels * n_classes + predictions, minlength=n_classes**2).reshape(n_classes, n_classes)


def classification_metrics(
    probabilities: Float[ndarray, "clip class"], labels: Int[ndarray, " clip"], classes: Sequence[str]
) -> dict[str, Any]:
    """Computes accuracy, macro averages, top-5 accuracy, and precision, recall and F1 of each class.

    Macro averages run over the classes that have clips; `absent_classes` lists the others. A class that is never
    predicted has precision 0.

    Args:
        probabilities: The class probabilities of each clip; a tie goes to the lower class number.

    Raises:
        ActrecError: There are no clips, or a probability is not finite.
    """
    _check(probabilities)
    figures = _figures(np.asarray(_tally(probabilities, labels).sum(0)).reshape(1, -1))
    counts = np.bincount(labels, minlength=len(classes))
    return {name: float(figures[name][0]) for name in HEADLINES} | {
        "per_class": {
            name: {figure: float(figures[figure][0, k]) for figure in _PER_CLASS} | {"n_clips": int(counts[k])}
            for k, name in enumerate(classes)
            if counts[k]
        },
        "absent_classes": [name for k, name in enumerate(classes) if not counts[k]],
    }


def summarize(
    by_ratio: Mapping[str, Float[ndarray, "clip class"] | Int[ndarray, " clip"]],
    labels: Int[ndarray, " clip"],
    groups: Sequence[str],
    classes: Sequence[str],
    n_bootstrap: int = 1000,
    seed: int = 0,
) -> dict[str, Any]:
    """Computes the content of `metrics.json`: the metrics of a split and their 95 % intervals.

    In each resample, as in the split itself, macro averages run over the classes that have clips.

    Args:
        by_ratio: Class probabilities of each clip at each observation ratio, "0.1" to "1.0"; below "1.0" the numbers of
            the predicted classes are enough.

    Raises:
        ActrecError: There are no clips, a probability is not finite, or ratio "1.0" is missing.
    """
    ratios = sorted(by_ratio, key=float)
    if "1.0" not in ratios:
        raise ActrecError(f"There are probabilities at the observation ratios {ratios}; expected '1.0' among them.")
    for probabilities in by_ratio.values():
        _check(probabilities)
    given = {ratio: likeliest(probabilities) for ratio, probabilities in by_ratio.items()}
    whole = classification_metrics(by_ratio["1.0"], labels, classes)
    correct = np.stack([given[ratio] == labels for ratio in ratios], axis=1)
    accuracies = {ratio: float(column.mean()) for ratio, column in zip(ratios, correct.T, strict=True)}

    counts = sparse.hstack([correct.astype(float), _tally(by_ratio["1.0"], labels)], format="csr")
    resamples = _resample(counts, groups, n_bootstrap, seed)
    drawn = _figures(resamples[:, len(ratios) :])
    drawn_accuracies = resamples[:, : len(ratios)] / drawn["n_clips"][:, None]
    return {
        "n_clips": len(labels),
        "n_groups": len(set(groups)),
        "classes": list(classes),
        **whole,
        "observation_accuracy": accuracies,
        "auc": float(np.mean(list(accuracies.values()))),
        "intervals": {name: _interval(drawn[name]) for name in HEADLINES}
        | {
            "auc": _interval(drawn_accuracies.mean(1)),
            "observation_accuracy": {ratio: _interval(drawn_accuracies[:, i]) for i, ratio in enumerate(ratios)},
            "per_class": {
                name: {figure: _interval(drawn[figure][:, k]) for figure in _PER_CLASS}
                for k, name in enumerate(classes)
                if name in whole["per_class"]
            },
        },
    }


def paired_interval(
    correct_a: Float[ndarray, " clip"], correct_b: Float[ndarray, " clip"], groups: Sequence[str]
) -> tuple[float, float, float]:
    """Computes the accuracy of `a` minus that of `b` on the same clips, and the ends of its 95 % interval.

    Args:
        correct_a: How often the first network was right on each clip, from 0 to 1: a mean over seeds or ratios.
    """
    difference = correct_a - correct_b
    resamples = _resample(np.stack([difference, np.ones_like(difference)], axis=1), groups, _PAIRED, seed=0)
    low, high = _interval(resamples[:, 0] / resamples[:, 1])
    return float(difference.mean()), low, high


def likeliest(probabilities: Float[ndarray, "clip class"] | Int[ndarray, " clip"]) -> Int[ndarray, " clip"]:
    """Returns the likeliest class of each clip, the lower number in a tie; class numbers are returned as they are."""
    return probabilities if probabilities.ndim == 1 else probabilities.argmax(1)


def _check(probabilities: Float[ndarray, "clip class"] | Int[ndarray, " clip"]) -> None:
    if len(probabilities) == 0:
        raise ActrecError("There are no clips to evaluate: the test split is empty. Choose another split or store.")
    if probabilities.ndim > 1 and not np.isfinite(probabilities).all():
        clip = int(np.argmin(np.isfinite(probabilities).all(1)))
        raise ActrecError(f"The class probabilities of clip number {clip} are not finite. The network has diverged.")


def _tally(probabilities: Float[ndarray, "clip class"], labels: Int[ndarray, " clip"]) -> Any:
    """Makes a sparse matrix (clip, count) of counts: label in the top 5; per class: right, true, predicted."""
    n_clips, n_classes = probabilities.shape
    clips, predicted = np.arange(n_clips), probabilities.argmax(1)
    own = probabilities[clips, labels][:, None]
    before = (probabilities > own) | ((probabilities == own) & (np.arange(n_classes) < labels[:, None]))
    top5, right = np.flatnonzero(before.sum(1) < 5), np.flatnonzero(predicted == labels)
    rows = np.concatenate([top5, right, clips, clips])
    columns = [np.zeros_like(top5), 1 + labels[right], 1 + n_classes + labels, 1 + 2 * n_classes + predicted]
    return sparse.csr_array((np.ones(len(rows)), (rows, np.concatenate(columns))), shape=(n_clips, 1 + 3 * n_classes))


def _figures(sums: ndarray) -> dict[str, ndarray]:
    """Computes metrics from sums of tallies, a row for each resample; NaN for a class without clips."""
    right, true, predicted = np.split(sums[:, 1:], 3, axis=1)
    n_clips = true.sum(1)
    of_class = {
        "precision": right / np.maximum(predicted, 1),
        "recall": right / np.maximum(true, 1),
        "f1": 2 * right / np.maximum(true + predicted, 1),
    }
    of_class = {name: np.where(true > 0, values, np.nan) for name, values in of_class.items()}
    macro = {f"macro_{name}": np.nanmean(values, axis=1) for name, values in of_class.items()}
    return (
        {"n_clips": n_clips, "accuracy": right.sum(1) / n_clips, "top5_accuracy": sums[:, 0] / n_clips}
        | macro
        | of_class
    )


def _resample(counts: Any, groups: Sequence[str], n_bootstrap: int, seed: int) -> Float[ndarray, "resample count"]:
    """Sums the counts (clip, count), dense or sparse, over as many groups as there are, drawn with replacement."""
    names, group = np.unique(np.asarray(groups), return_inverse=True)
    member = sparse.csr_array((np.ones(len(group)), (group, np.arange(len(group)))), shape=(len(names), len(group)))
    by_group = member @ sparse.csr_array(counts)
    rng, share = np.random.default_rng(seed), np.full(len(names), 1 / len(names))
    sizes = [min(_BLOCK, n_bootstrap - start) for start in range(0, n_bootstrap, _BLOCK)]
    return np.concatenate([rng.multinomial(len(names), share, size) @ by_group for size in sizes])


def _interval(values: Float[ndarray, " resample"]) -> list[float]:
    return [float(end) for end in np.nanpercentile(values, (2.5, 97.5))]
