"""Draws sheets of clips for the report: a row of skeletons over time for each clip.

Poses of three dimensions are seen obliquely from above (`actrec.drawing.projection`).
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Bool, Float, Int
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from numpy import ndarray

from actrec.drawing.colors import LIGHT, Theme
from actrec.drawing.lettering import lettered, shorten, width
from actrec.drawing.projection import project
from actrec.evaluation.samples import SampleClip
from actrec.report.figures import LARGE, NORMAL, SMALL, new_sheet
from actrec.report.stretches import caption, longest_stretches, summary, typical_frame
from actrec.skeleton import Skeleton, get_skeleton
from actrec.types import NONE, SkeletonSequence

CONTACTS = 30  # most clips on a sheet
_POSES = 6
_TEXT = 1.9  # width of a row's text, where a pose is 1 wide
_ROW = 1.24  # height of a row
_INCH = 1.34  # inches per unit
_LINE, _LABEL = 17, 50  # characters of a label's line, and of the whole label
_MANY = 8  # more clips than this are drawn in two columns


def sample_sheet(samples: Sequence[SampleClip], theme: Theme = LIGHT, names: Mapping[str, str] | None = None) -> Figure:
    """Draws a row of poses for each clip, with its true and predicted label and its pose forecasts in violet.

    Left and right limbs have different colours. Joints that were not observed (confidence 0) are omitted.

    Args:
        names: The names to show for classes; see `actrec.drawing.lettering.pictured`.
    """
    samples = samples[:CONTACTS]
    across, height = _TEXT + _POSES, _ROW * len(samples) + 0.4
    figure, axes = new_sheet(across * _INCH, height * _INCH, theme)
    axes.set(xlim=(-_TEXT, _POSES), ylim=(height - 0.4, -0.4))
    forecast = any(each.forecasts is not None and np.isfinite(each.forecasts).any() for each in samples)
    _draw_legend(axes, theme, forecast)
    for number, sample in enumerate(samples):
        _draw_text(axes, theme, sample, number * _ROW, names)
        _draw_times(axes, theme, sample.sequence, number * _ROW)
        frames = _chosen_frames(sample.sequence)
        _draw_poses(axes, theme, sample.sequence, (0.0, number * _ROW), frames, sample.forecasts)
    return figure


def contact_sheet(
    clips: Sequence[SkeletonSequence],
    theme: Theme = LIGHT,
    with_ids: bool = False,
    names: Mapping[str, str] | None = None,
) -> Figure:
    """Draws a row of poses for each clip, with its label; for clips with segments, a pose of each of these.

    More than 8 clips without segments are drawn in two columns, the first column first; those after the 30th are
    omitted.

    Args:
        names: The names to show for classes; see `actrec.drawing.lettering.pictured`.
    """
    clips = clips[:CONTACTS]
    are_long = any(clip.segments for clip in clips)
    columns, pitch = (1 if len(clips) <= _MANY or are_long else 2), (1.4 if are_long else 1.1)
    rows = -(-len(clips) // columns)
    label = 0.6 + columns  # width of the label, relative to a pose
    across, height = columns * (label + _POSES), pitch * rows + 0.2
    inch = (_TEXT + _POSES) * _INCH / across  # every sheet is as wide, so that its text is as large
    figure, axes = new_sheet(across * inch, height * inch, theme)
    axes.set(xlim=(0, across), ylim=(height - 0.1, -0.1))
    for number, clip in enumerate(clips):
        column, row = divmod(number, rows)
        left, top = column * (label + _POSES), row * pitch
        axes.hlines(top - 0.02, left + 0.16, left + label + _POSES - 0.1, color=theme.grid, linewidth=0.8)
        what = f"{len(clip) / clip.fps:.1f} s"
        if with_ids:
            what += f", {clip.clip_id if len(clip.clip_id) < 16 else f'…{clip.clip_id[-14:]}'}"
        frames = _chosen_frames(clip)
        if clip.segments:
            what += f"\n{summary(clip)}"
            stretches = longest_stretches(clip, _POSES)
            frames = np.array([typical_frame(clip, each) for each in stretches], dtype=int)
            for place, each in enumerate(stretches):
                colour = theme.muted if each.label in ("", NONE) else theme.ink
                middle, text = left + label + place + 0.5, caption(each, clip.fps, names)
                axes.text(middle, top + 1.2, text, ha="center", va="center", fontsize=SMALL, color=colour)
        name = "no action" if clip.label == NONE else lettered(clip.label, names, _LABEL)
        _draw_label(axes, theme, name, what, (left + 0.2, top + 0.42))
        _draw_poses(axes, theme, clip, (left + label, top), frames, weight=1 / columns)
    return figure


def _draw_label(axes: Axes, theme: Theme, label: str, what: str, place: tuple[float, float]) -> None:
    letters = max(_LINE * len(label) // max(width(label), 1), 1)  # per line: half as many if they are wide
    text = textwrap.fill(label, letters, max_lines=3, placeholder=" …")
    name = axes.text(*place, text, va="center", fontsize=NORMAL, color=theme.ink, weight="bold")
    under = axes.annotate(what, (0, 0), (0, -4), name, "offset points", va="top")
    under.set(fontsize=SMALL, color=theme.muted)


def _draw_legend(axes: Axes, theme: Theme, with_forecasts: bool) -> None:
    entries = [("left limbs", theme.left), ("right limbs", theme.right)]
    if with_forecasts:
        entries.append(("forecast", theme.forecast))
    for number, (name, colour) in enumerate(entries):
        x = 0.12 + 1.1 * number
        axes.plot((x, x + 0.16), (-0.2, -0.2), color=colour, linewidth=2.4, solid_capstyle="round")
        axes.text(x + 0.24, -0.2, name, va="center", fontsize=NORMAL, color=theme.muted)


def _draw_text(axes: Axes, theme: Theme, sample: SampleClip, top: float, names: Mapping[str, str] | None) -> None:
    right = sample.prediction == sample.sequence.label
    x, colour = 0.16 - _TEXT, theme.good if right else theme.bad
    axes.hlines(top - 0.04, x, _POSES - 0.16, color=theme.grid, linewidth=0.8)
    verdict = f"{lettered(sample.prediction, names, 17)}  {100 * sample.probability:.0f} %"
    axes.text(x, top + 0.3, f"{'✓' if right else '✗'} {verdict}", fontsize=LARGE, color=colour, weight="bold")
    if not right:
        axes.text(x, top + 0.5, f"true: {lettered(sample.sequence.label, names, 24)}", fontsize=NORMAL, color=theme.ink)
    clip = f"clip {shorten(sample.sequence.clip_id, 30)}"
    axes.text(x, top + (0.5 if right else 0.7), clip, fontsize=SMALL, color=theme.muted)


def _chosen_frames(sequence: SkeletonSequence) -> Int[ndarray, " pose"]:
    """Selects frames evenly among those with an observed joint."""
    seen = np.flatnonzero((sequence.keypoints[..., -1] > 0).any(1))
    return seen[np.unique(np.linspace(0, len(seen) - 1, min(_POSES, len(seen))).round().astype(int))]


def _draw_times(axes: Axes, theme: Theme, sequence: SkeletonSequence, top: float) -> None:
    for column, frame in enumerate(_chosen_frames(sequence)):
        text = f"{frame / sequence.fps:.1f} s"
        axes.text(column + 0.5, top + 1.12, text, ha="center", fontsize=SMALL, color=theme.muted)


def _draw_poses(
    axes: Axes,
    theme: Theme,
    sequence: SkeletonSequence,
    corner: tuple[float, float],
    frames: Int[ndarray, " pose"],
    forecasts: Float[ndarray, "frame joint coordinate"] | None = None,
    weight: float = 1.0,
) -> None:
    """Draws a clip's poses side by side from the corner (x, y), top left; `weight` scales the line width."""
    skeleton = get_skeleton(sequence.skeleton)
    poses, observed = project(sequence.keypoints[frames, :, :-1]), sequence.keypoints[frames, :, -1] > 0
    left, top = corner
    if not len(frames):
        axes.text(left + 0.2, top + 0.5, "no joint was observed", fontsize=NORMAL, color=theme.muted)
        return
    seen = np.where(observed[..., None], poses, np.nan)
    low, high = np.nanmin(seen, axis=1), np.nanmax(seen, axis=1)
    y_middle = (low[:, 1].min() + high[:, 1].max()) / 2  # the same for the whole clip, so that a jump is visible
    extent = max((high - low)[:, 0].max() / 0.8, (high[:, 1].max() - low[:, 1].min()) / 0.9, 1e-6)
    for column, frame in enumerate(frames):
        middle = np.array([(low[column, 0] + high[column, 0]) / 2, y_middle])
        place = np.array([left + column + 0.5, top + 0.52])
        if forecasts is not None and np.isfinite(forecasts[frame]).any():
            ghost = (project(forecasts[frame]) - middle) / extent + place
            _draw_skeleton(axes, theme, skeleton, ghost, np.isfinite(ghost).all(-1), ghostly=True)
        pose = (poses[column] - middle) / extent + place
        _draw_skeleton(axes, theme, skeleton, pose, observed[column], weight=weight)


def _draw_skeleton(
    axes: Axes,
    theme: Theme,
    skeleton: Skeleton,
    pose: Float[ndarray, "joint 2"],
    observed: Bool[ndarray, " joint"],
    ghostly: bool = False,
    weight: float = 1.0,
) -> None:
    bones = [bone for bone, ends in zip(skeleton.bones, skeleton.bone_index, strict=True) if observed[ends].all()]
    colours = [theme.limb(bone, theme.muted) for bone in bones]
    lines = [pose[skeleton.index(bone)] for bone in bones]
    if ghostly:
        ghost = LineCollection(lines, colors=theme.forecast, linewidths=3.6, alpha=0.45, capstyle="round")
        axes.add_collection(ghost, autolim=False)
        return
    axes.add_collection(LineCollection(lines, colors=colours, linewidths=2 * weight, capstyle="round"), autolim=False)
    axes.plot(*pose[observed].T, "o", color=theme.ink, markersize=2.2 * weight)
