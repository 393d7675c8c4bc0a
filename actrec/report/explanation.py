"""Draws an explanation: joint importance, connections, attention over time, forecast error."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

import numpy as np
from jaxtyping import Float
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy import ndarray

from actrec.drawing.colors import LIGHT, Theme
from actrec.drawing.projection import project
from actrec.explain.explanation import Explanation
from actrec.report.bodies import adjacency_and_bones, importance_bodies
from actrec.report.figures import SMALL, new_figure, style


def explanation_pictures(
    explanation: Explanation, names: Mapping[str, str] | None = None
) -> dict[str, Callable[[Theme], Figure]]:
    """Returns functions that draw an explanation's pictures, by file name without ending.

    Args:
        names: The names to show for classes; see `actrec.drawing.lettering.pictured`.
    """
    skeleton, attention = explanation.skeleton, explanation.attention
    pictures: dict[str, Callable[[Theme], Figure]] = {
        "why_joints": partial(importance_bodies, explanation.importance, explanation.poses, skeleton, names=names)
    }
    if attention:
        widest = max(explanation.poses.values(), key=lambda pose: float(np.ptp(project(pose), axis=0).min()))
        pictures["why_connections"] = partial(
            adjacency_and_bones, attention.adjacency, attention.joints, widest, skeleton
        )
        pictures["why_time"] = partial(attention_curve, attention.time)
    if len(explanation.forecast_error):
        pictures["why_forecast"] = partial(forecast_curve, explanation.forecast_error, explanation.still_error)
    return pictures


def forecast_curve(
    error: Float[ndarray, "horizon joint"], still: Float[ndarray, "horizon joint"], theme: Theme = LIGHT
) -> Figure:
    """Draws the forecast error over the horizon beside that of repeating the present pose; see
    `actrec.explain.forecast_error`."""
    figure = new_figure(5.4, 3.6, theme)
    axes = figure.add_subplot()
    style(axes, theme, x="frames ahead", y="error, torso lengths")
    ahead = np.arange(1, len(error) + 1)
    for values, name, colour in ((still, "pose stays", theme.muted), (error, "forecast", theme.series[0])):
        mean = np.ma.masked_invalid(values).mean(1).filled(np.nan)
        axes.plot(ahead, mean, color=colour, linewidth=2, marker="o", markersize=4.5, label=name)
        last = int(np.flatnonzero(np.isfinite(mean))[-1]) if np.isfinite(mean).any() else 0
        place, text = (ahead[last], mean[last]), f"{mean[last]:.3f}"
        note = axes.annotate(text, place, (6, 0), textcoords="offset points", va="center", fontsize=SMALL)
        note.set_color(theme.ink)
    axes.set_ylim(bottom=0)
    axes.margins(x=0.15)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    axes.legend(fontsize=SMALL, labelcolor=theme.ink, frameon=False, loc="lower right")
    return figure


def attention_curve(weights: Float[ndarray, "layer lag"], theme: Theme = LIGHT) -> Figure:
    """Draws the attention of a window's last frame to the frames before it, with a line for each layer."""
    figure = new_figure(5.4, 3.6, theme)
    axes = figure.add_subplot()
    style(axes, theme, x="frames back", y="attention")
    for layer, values in enumerate(weights):
        colour = theme.series[layer % len(theme.series)]
        axes.plot(np.arange(len(values)), values, color=colour, linewidth=1.8, label=f"layer {layer + 1}")
    axes.axhline(1 / max(weights.shape[1], 1), color=theme.muted, linewidth=1, linestyle=":", label="all alike")
    axes.set_ylim(bottom=0)
    axes.invert_xaxis()  # time runs to the right
    figure.legend(fontsize=SMALL, labelcolor=theme.ink, frameon=False, loc="outside lower center", ncols=6)
    return figure
