"""The timelines of sessions in a report: what was done above what was held, over time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from actrec.drawing.colors import CLASS_COLORS, GREY, LIGHT, Theme
from actrec.evaluation.segments import LabelledSet, SessionRecord, runs
from actrec.evaluation.sessions import session_labels
from actrec.report.figures import SMALL, new_figure, style

SHOWN = 4  # sessions in the picture


def shown_sessions(records: Sequence[SessionRecord]) -> list[SessionRecord]:
    """Selects the sessions with the most sets, at most `SHOWN`."""
    order = sorted(range(len(records)), key=lambda number: -len(records[number].true_sets))
    return [records[number] for number in sorted(order[:SHOWN])]


def timelines(
    records: Sequence[SessionRecord],
    labels: Sequence[str],
    theme: Theme = LIGHT,
    names: Mapping[str, str] | None = None,
) -> Figure:
    """Draws for each session what was done and what was held, with the repetitions of each set.

    Args:
        labels: The model's.
        names: How labels are written.
    """
    labels = session_labels(labels)
    figure = new_figure(9.6, 1.0 * len(records) + 0.9, theme)
    used: dict[int, str] = {}
    for record, axes in zip(records, figure.subplots(len(records), 1, squeeze=False)[:, 0], strict=True):
        style(axes, theme, x="seconds" if record is records[-1] else "")
        for y, frames, sets in ((1, record.true, record.true_sets), (0, record.held, record.sets)):
            for label, start, end in runs(frames):
                if 0 <= label < len(labels) - 1:
                    color = used.setdefault(label, CLASS_COLORS[len(used) % len(CLASS_COLORS)])
                    axes.broken_barh([(start / record.fps, (end - start) / record.fps)], (y + 0.1, 0.8), color=color)
                elif label < 0:
                    axes.broken_barh([(start / record.fps, (end - start) / record.fps)], (y + 0.4, 0.2), color=GREY)
            _write_counts(axes, sets, y)
        axes.set_yticks([0.5, 1.5], ["held", "done"])
        axes.set_xlim(0, len(record.true) / record.fps)
        axes.set_ylim(0, 2)
    called = names or {}
    handles = [Patch(color=color, label=called.get(labels[label], labels[label])) for label, color in used.items()]
    if handles:
        options = {"fontsize": SMALL, "labelcolor": theme.ink, "frameon": False}
        figure.legend(handles=handles, loc="outside upper center", ncols=min(len(handles), 6), **options)
    return figure


def _write_counts(axes: Axes, sets: Sequence[LabelledSet], y: float) -> None:
    for each in sets:
        if each.repetitions is not None:
            middle = 0.5 * (each.start + each.end)
            axes.text(middle, y + 0.5, str(each.repetitions), ha="center", va="center", fontsize=SMALL, color="white")
