"""Plots a sweep: a heat map of two values, or a bar for each setting."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from actrec.drawing.colors import LIGHT, Theme
from actrec.drawing.lettering import drawable
from actrec.report.figures import NORMAL, color_ramp, new_figure, percent, style

MOST = 20  # greatest number of values of a key in a heat map
_LONGEST = 60  # characters of a setting's name


def grid(settings: Sequence[Any], theme: Theme = LIGHT) -> Figure:
    """Plots the accuracy on val and test over two swept values; `settings` are of :mod:`actrec.sweep.settings`."""
    x, y = settings[0].values
    xs, ys = (sorted({setting.values[key] for setting in settings}) for key in (x, y))
    figure = new_figure(2 * (0.85 * len(xs) + 1.4), 0.62 * len(ys) + 1.7, theme)
    for axes, title in zip(figure.subplots(1, 2), ("val", "test"), strict=True):
        values = np.full((len(ys), len(xs)), np.nan)
        for setting in settings:
            figure_of = setting.val_accuracy if title == "val" else setting.accuracy
            values[ys.index(setting.values[y]), xs.index(setting.values[x])] = figure_of
        low, high = (np.nanmin(values), np.nanmax(values)) if np.isfinite(values).any() else (0.0, 1.0)
        axes.imshow(
            values, cmap=color_ramp(theme), origin="lower", aspect="auto", vmin=low - 0.4 * (high - low), vmax=high
        )
        style(axes, theme, f"Accuracy, {title}", x, y)
        axes.grid(False)
        axes.set_xticks(range(len(xs)), [f"{value:g}" for value in xs])
        axes.set_yticks(range(len(ys)), [f"{value:g}" for value in ys])
        for (row, column), value in np.ndenumerate(values):
            colour = theme.surface if value > (low + high) / 2 else theme.ink
            text = f"{value:.3f}" if np.isfinite(value) else "none"
            axes.text(column, row, text, ha="center", va="center", fontsize=NORMAL, color=colour)
    return figure


def settings_bars(settings: Sequence[Any], theme: Theme = LIGHT, most: int = 30) -> Figure:
    """Plots the accuracy on test of each setting with its 95 % interval, the best by val on top, `most` at most."""
    shown = list(settings[:most])[::-1]
    figure = new_figure(7.6, 0.3 * len(shown) + 1.2, theme)
    axes = figure.add_subplot()
    style(axes, theme, x="accuracy, test")
    axes.grid(False, axis="y")
    rows = range(len(shown))
    lows, highs = [each.low for each in shown], [each.high for each in shown]
    axes.hlines(rows, lows, highs, theme.series[0], alpha=0.3, linewidth=7)
    axes.plot([each.accuracy for each in shown], rows, "o", color=theme.series[0], markersize=7)
    named = (", ".join(f"{key}={_short(value)}" for key, value in each.values.items()) or "all" for each in shown)
    names = [drawable(name, _LONGEST) for name in named]
    axes.set_yticks(rows, names)
    axes.set_ylim(-0.6, len(shown) - 0.4)
    axes.xaxis.set_major_formatter(percent)
    return figure


def _short(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
