"""Draws explanations on a skeleton: the importance of joints, and connections between joints."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy import ndarray

from actrec.drawing.colors import LIGHT, Theme
from actrec.drawing.lettering import lettered, spaced
from actrec.drawing.projection import project
from actrec.report.figures import NORMAL, SMALL, color_ramp, new_figure
from actrec.skeleton import Skeleton

STRONGEST = 12  # number of connections that are drawn
BODIES = 30  # most classes in a picture
_COLUMNS = 5
_TITLE = 20  # most letters of a class name over a skeleton
_NAMED = 3  # joints that are named under a skeleton


def draw_connections(
    axes: Axes,
    weights: Float[ndarray, "joint source"],
    pose: Float[ndarray, "joint coordinate"],
    skeleton: Skeleton,
    theme: Theme = LIGHT,
) -> None:
    """Draws the strongest connections between different joints as arrows from source to joint; the size of a joint
    shows its total weight as a source.

    Args:
        weights: The weight of each source for each joint; their absolute values are drawn.
        pose: Positions of the joints; in two dimensions y down, in three y up.
    """
    pose = project(pose)
    strength = np.abs(weights) * ~np.eye(len(weights), dtype=bool)
    _draw_bones(axes, pose, skeleton, theme)
    order = np.dstack(np.unravel_index(np.argsort(-strength, axis=None), strength.shape))[0][:STRONGEST]
    for joint, source in order:
        share = strength[joint, source] / max(strength.max(), 1e-9)
        arrow: dict[str, Any] = {"arrowstyle": "-|>", "connectionstyle": "arc3,rad=0.15", "color": theme.series[0]}
        arrow |= {"alpha": 0.25 + 0.75 * share, "linewidth": 0.8 + 2 * share}
        axes.annotate("", pose[joint], pose[source], arrowprops=arrow, zorder=2)
    taken = strength.sum(0) / max(strength.sum(0).max(), 1e-9)
    axes.scatter(pose[:, 0], pose[:, 1], s=list(14 + 160 * taken), color=theme.series[1], zorder=3, clip_on=False)
    _frame(axes)


def connections(
    weights: Float[ndarray, "joint source"],
    pose: Float[ndarray, "joint coordinate"],
    skeleton: Skeleton,
    theme: Theme = LIGHT,
) -> Figure:
    """Draws the strongest connections in a figure of their own; see `draw_connections`."""
    figure = new_figure(4.6, 5.2, theme)
    draw_connections(figure.add_subplot(), weights, pose, skeleton, theme)
    return figure


def adjacency_and_bones(
    adjacency: Float[ndarray, "joint source"],
    attention: Float[ndarray, "joint source"],
    pose: Float[ndarray, "joint coordinate"],
    skeleton: Skeleton,
    theme: Theme = LIGHT,
) -> Figure:
    """Draws the effective adjacency as a matrix with the bones framed, and on skeletons its strongest connections and
    those of the attention.
    """
    size = 0.27 * skeleton.n_joints + 2
    figure = new_figure(size + 7, size, theme)
    matrix, *bodies = figure.subplots(1, 3, width_ratios=(size, 3.5, 3.5))
    matrix.imshow(np.abs(adjacency), cmap=color_ramp(theme), vmin=0)
    for a, b in [*skeleton.bone_index, *skeleton.bone_index[:, ::-1]]:
        box = Rectangle((b - 0.44, a - 0.44), 0.88, 0.88, fill=False, edgecolor=theme.series[1], linewidth=1.4)
        matrix.add_patch(box)
    names = [spaced(name) for name in skeleton.joints]
    matrix.set_xticks(range(len(names)), names, rotation=90)
    matrix.set_yticks(range(len(names)), names)
    matrix.tick_params(labelsize=SMALL, labelcolor=theme.ink, length=0)
    matrix.set_xlabel("takes from", fontsize=NORMAL, color=theme.muted)
    matrix.set_ylabel("joint", fontsize=NORMAL, color=theme.muted)
    matrix.spines[:].set_visible(False)
    for axes, weights, name in zip(bodies, (adjacency, attention), ("effective adjacency", "attention"), strict=True):
        draw_connections(axes, weights, pose, skeleton, theme)
        axes.set_title(name, fontsize=NORMAL, color=theme.ink, weight="bold")
    return figure


def importance_bodies(
    importance: Mapping[str, Float[ndarray, " joint"]],
    poses: Mapping[str, Float[ndarray, "joint coordinate"]],
    skeleton: Skeleton,
    theme: Theme = LIGHT,
    names: Mapping[str, str] | None = None,
) -> Figure:
    """Draws a skeleton for each class, on which more important joints are larger and darker.

    Classes after the 30th are omitted.

    Args:
        importance: See `actrec.explain.occlusion.class_importance`.
        poses: A pose of each class; in two dimensions y down, in three y up.
        names: The names to show for classes; see `actrec.drawing.lettering.pictured`.
    """
    importance = dict(list(importance.items())[:BODIES])
    columns = min(_COLUMNS, len(importance))
    rows = -(-len(importance) // columns)
    figure = new_figure(2.2 * columns, 2.75 * rows, theme)
    grid = figure.subplots(rows, columns, squeeze=False).flatten()
    for axes, (name, values) in zip(grid, importance.items(), strict=False):
        pose, share = project(poses[name]), np.clip(values, 0, None) / max(float(values.max()), 1e-9)
        _draw_bones(axes, pose, skeleton, theme)
        colours: dict[str, Any] = {"c": share, "cmap": color_ramp(theme, 1), "vmin": -0.3, "vmax": 1}
        axes.scatter(*pose.T, s=list(10 + 220 * share), zorder=3, clip_on=False, **colours)
        axes.set_title(lettered(name, names, _TITLE), fontsize=NORMAL, color=theme.ink, weight="bold")
        words = "\n".join(spaced(skeleton.joints[joint]) for joint in (-values).argsort()[:_NAMED] if values[joint] > 0)
        axes.text(0.5, -0.02, words, transform=axes.transAxes, ha="center", va="top", fontsize=SMALL, color=theme.muted)
        _frame(axes)
    for axes in grid[len(importance) :]:
        axes.axis("off")
    return figure


def _draw_bones(axes: Axes, pose: Float[ndarray, "joint 2"], skeleton: Skeleton, theme: Theme) -> None:
    for a, b in skeleton.bone_index:
        axes.plot(*pose[[a, b]].T, color=theme.grid, linewidth=5, solid_capstyle="round", zorder=1)


def _frame(axes: Axes) -> None:
    axes.margins(0.2)
    axes.set_aspect("equal", adjustable="datalim")
    axes.invert_yaxis()
    axes.axis("off")
