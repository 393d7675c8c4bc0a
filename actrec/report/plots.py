"""Plots of a report, each a matplotlib figure: confusion matrix, observation curve, class bars, learning curves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import cycle
from typing import Any

import numpy as np
from jaxtyping import Float, Int
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, NullFormatter
from numpy import ndarray

from actrec.drawing.colors import LIGHT, Theme
from actrec.drawing.lettering import pictured
from actrec.evaluation.confusion import classes_shown
from actrec.report.figures import SMALL, color_ramp, new_figure, percent, style

BARS = 40  # most classes in a plot of bars
_TERMS = {"loss": "total", "loss_cls": "classification", "loss_pred": "pose forecast", "loss_feat": "latent forecast",
          "loss_phase": "phase"}  # fmt: skip


def confusion_matrix(counts: Int[ndarray, "class class"], classes: Sequence[str], theme: Theme = LIGHT) -> Figure:
    """Draws a confusion matrix: rows are true classes, columns predictions, and the colour is the share of the row.

    Of many classes only the most confused ones are drawn; shares are still of all their clips.
    """
    numbers, called = classes_shown(counts), pictured(classes)
    share = (counts / np.maximum(counts.sum(1, keepdims=True), 1))[np.ix_(numbers, numbers)]
    names, shown = [called[classes[number]] for number in numbers], counts[np.ix_(numbers, numbers)]
    size = max(0.44 * len(names) + 2.2, 4.4)
    figure = new_figure(size, size, theme)
    axes = figure.add_subplot()
    axes.imshow(share, cmap=color_ramp(theme), vmin=0, vmax=1)
    style(axes, theme, x="predicted", y="true")
    axes.set_xticks(range(len(names)), names, rotation=45, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(len(names)), names)
    axes.grid(False)
    axes.set_xticks(np.arange(len(names) + 1) - 0.5, minor=True)
    axes.set_yticks(np.arange(len(names) + 1) - 0.5, minor=True)
    axes.grid(True, which="minor", color=theme.grid, linewidth=0.8)
    if len(names) < len(classes):
        axes.set_title(f"The {len(names)} most confused of {len(classes)} classes", fontsize=SMALL, color=theme.muted)
    for row, column in np.argwhere(shown):
        on_colour = share[row, column] > 0.5
        colour = theme.surface if on_colour else theme.ink if row == column else theme.bad
        weight = "normal" if row == column else "bold"
        text = str(shown[row, column])
        axes.text(column, row, text, ha="center", va="center", fontsize=SMALL, color=colour, weight=weight)
    return figure


def observation_curve(metrics: Mapping[str, Any], theme: Theme = LIGHT) -> Figure:
    """Draws the accuracy against the observation ratio, with its 95 % band.

    Args:
        metrics: See `actrec.evaluation.metrics.summarize`.
    """
    figure = new_figure(5.4, 4.6, theme)
    axes = figure.add_subplot()
    accuracy, intervals = metrics["observation_accuracy"], metrics["intervals"]["observation_accuracy"]
    ratios = np.array([float(ratio) for ratio in accuracy])
    values, (low, high) = np.array(list(accuracy.values())), np.array([intervals[ratio] for ratio in accuracy]).T
    style(axes, theme, x="share of the clip seen", y="accuracy")
    axes.fill_between(ratios, low, high, color=theme.series[0], alpha=0.18, linewidth=0, label="95 % interval")
    axes.plot(ratios, values, color=theme.series[0], linewidth=2, marker="o", markersize=4.5, label="accuracy")
    room = max(high.max() - low.min(), 0.02)
    axes.set_ylim(max(low.min() - 0.15 * room, -0.03), min(high.max() + 0.2 * room, 1 + 0.12 * room))
    axes.set_xticks(ratios)
    axes.xaxis.set_major_formatter(percent)
    axes.yaxis.set_major_locator(MaxNLocator(7, steps=[1, 2, 5, 10]))
    axes.yaxis.set_major_formatter(percent)
    for i in sorted({0, int(np.abs(ratios - 0.3).argmin()), int(np.abs(ratios - 0.5).argmin()), len(ratios) - 1}):
        text, place = f"{100 * values[i]:.1f}", (ratios[i], values[i])
        note = axes.annotate(text, place, (0, -14), textcoords="offset points", ha="center", fontsize=SMALL)
        note.set(color=theme.ink, weight="bold")
    axes.legend(fontsize=SMALL, labelcolor=theme.ink, frameon=False, loc="lower right")
    return figure


def class_bars(metrics: Mapping[str, Any], theme: Theme = LIGHT) -> Figure:
    """Draws each class's F1 with its 95 % interval, the best on top; of many classes only the best and the worst.

    Args:
        metrics: See `actrec.evaluation.metrics.summarize`.
    """
    order = sorted(metrics["per_class"], key=lambda name: metrics["per_class"][name]["f1"])
    names = order if len(order) <= BARS else [*order[: BARS // 2], *order[-BARS // 2 :]]
    values = np.array([metrics["per_class"][name]["f1"] for name in names])
    low, high = np.array([metrics["intervals"]["per_class"][name]["f1"] for name in names]).T
    figure = new_figure(5.4, 0.28 * len(names) + 1.1, theme)
    axes = figure.add_subplot()
    style(axes, theme, x="F1")
    axes.grid(False, axis="y")
    rows = np.arange(len(names), dtype=float)
    if len(names) < len(order):
        rows[BARS // 2 :] += 1
        left_out = f"{len(order) - len(names)} classes between"
        axes.text(0.5, BARS / 2, left_out, transform=axes.get_yaxis_transform(), ha="center", va="center").set(
            fontsize=SMALL, color=theme.muted
        )
    axes.hlines(rows, low, high, color=theme.series[0], alpha=0.3, linewidth=7)
    axes.plot(values, rows, "o", color=theme.series[0], markersize=7)
    left = float(np.clip(np.floor(20 * low.min() - 0.5) / 20, 0, 0.9))
    for row, value in zip(rows, values, strict=True):
        axes.text(1 + 0.04 * (1 - left), row, f"{value:.3f}", va="center", fontsize=SMALL, color=theme.ink)
    called = pictured(metrics.get("classes", names))
    axes.set_yticks(rows, [called[name] for name in names])
    axes.set_ylim(-0.6, rows[-1] + 0.6)
    axes.set_xlim(left, 1 + 0.17 * (1 - left))
    axes.set_xticks([tick for tick in MaxNLocator(5, steps=[1, 2, 5, 10]).tick_values(left, 1) if left <= tick <= 1])
    return figure


def _column(history: Sequence[Mapping[str, float]], name: str) -> Float[ndarray, "2 epoch"]:
    rows = [(row["epoch"], row[name]) for row in history if name in row]
    return np.array(rows, dtype=float).reshape(-1, 2).T


def learning_curves(history: Sequence[Mapping[str, float]], theme: Theme = LIGHT) -> Figure:
    """Draws the loss terms, the val accuracy and the learning rate against the epoch.

    Args:
        history: Rows of `history.csv`: the metrics of each epoch.
    """
    figure = new_figure(11.0, 3.7, theme)
    losses, accuracy, rate = figure.subplots(1, 3, width_ratios=(1.5, 1.25, 1))
    marker = "o" if len(history) == 1 else None  # a line through one point is invisible
    terms = dict.fromkeys(key.removeprefix("train/") for row in history for key in row if key.startswith("train/loss"))
    for term, colour in zip(terms, cycle(theme.series), strict=False):
        for split, line in (("train", "-"), ("val", ":")):
            epochs, values = _column(history, f"{split}/{term}")
            if (values > 0).any():
                label, width = (_TERMS.get(term, term) if split == "train" else None), (3 if term == "loss" else 1.6)
                shown = np.where(values > 0, values, np.nan)
                losses.plot(epochs, shown, line, color=colour, linewidth=width, label=label, marker=marker)
    style(losses, theme, "Loss (dotted: val)", "epoch")
    low, high = losses.dataLim.intervaly
    if 10 * low < high < np.inf:
        losses.set_yscale("log")
        losses.yaxis.set_major_formatter("{x:g}")
        losses.yaxis.set_minor_formatter(NullFormatter())
    figure.legend(fontsize=SMALL, labelcolor=theme.ink, frameon=False, loc="outside lower left", ncols=4)
    epochs, values = _column(history, "val/accuracy")
    accuracy.plot(epochs, values, color=theme.series[0], linewidth=1.6)
    style(accuracy, theme, "Val accuracy", "epoch")
    if len(values):
        best = len(values) - 1 - int(values[::-1].argmax())  # the latest of equal ones, as for the checkpoint
        accuracy.plot(epochs[best], values[best], "o", color=theme.series[1], markersize=6)
        text = f"best {100 * values[best]:.1f} % in epoch {epochs[best]:.0f}"
        accuracy.text(0.97, 0.06, text, transform=accuracy.transAxes, ha="right", fontsize=SMALL, color=theme.ink)
    accuracy.yaxis.set_major_formatter(percent)
    rate.plot(*_column(history, "lr"), color=theme.series[0], linewidth=1.6, marker=marker)
    style(rate, theme, "Learning rate", "epoch")
    rate.yaxis.set_major_formatter("{x:g}")
    rate.set_ylim(bottom=0)
    for axes in (losses, accuracy, rate):
        axes.xaxis.set_major_locator(MaxNLocator(6, integer=True, min_n_ticks=1))
    return figure
