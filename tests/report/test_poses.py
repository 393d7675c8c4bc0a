from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from matplotlib.collections import LineCollection
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from actrec.drawing.colors import DARK, LIGHT, Theme
from actrec.evaluation.samples import SampleClip
from actrec.report.poses import contact_sheet, sample_sheet
from actrec.skeleton import SKELETONS
from actrec.types import ActrecError, Segment


def _bones(figure: Figure) -> list[tuple[str, np.ndarray]]:
    """Colour and ends of every bone drawn, ghosts and rules aside."""
    return [
        (to_hex(colour), np.asarray(segment))
        for collection in figure.axes[0].collections
        if isinstance(collection, LineCollection) and collection.get_linewidth()[0] == 2
        for colour, segment in zip(collection.get_colors(), collection.get_segments(), strict=True)
    ]


@pytest.mark.parametrize("theme", [LIGHT, DARK])
@pytest.mark.parametrize("skeleton", list(SKELETONS))
def test_every_skeleton_is_drawn_with_a_colour_for_each_side(
    make_sequences: Callable[..., Any], skeleton: str, theme: Theme
) -> None:
    sequence = make_sequences(1, 1, skeleton=skeleton)[0]
    figure = sample_sheet([SampleClip(sequence, sequence.label, 0.9)], theme)
    bones = _bones(figure)
    assert len(bones) == 6 * len(SKELETONS[skeleton].bones)
    colours = [colour for colour, _ in bones]
    assert colours.count(theme.series[0]) == colours.count(theme.series[1]) > 0
    figure.savefig(io.BytesIO(), format="png", dpi=40)


def test_up_is_up_and_proportions_are_kept(make_sequences: Callable[..., Any]) -> None:
    sequence = make_sequences(1, 1)[0]
    figure = sample_sheet([SampleClip(sequence, sequence.label, 0.9)])
    axes = figure.axes[0]
    low, high = axes.get_ylim()
    assert low > high  # y down, as in the image
    width, height = figure.get_size_inches()
    across, down = np.ptp(axes.get_xlim()), np.ptp(axes.get_ylim())
    assert width / across == pytest.approx(height / down)


def test_unobserved_joints_are_left_out(make_sequences: Callable[..., Any]) -> None:
    sequence = make_sequences(1, 1, skeleton="penn13")[0]
    keypoints = sequence.keypoints.copy()
    wrist = SKELETONS["penn13"].joints.index("left_wrist")
    keypoints[:, wrist] = 0
    bones = _bones(sample_sheet([SampleClip(replace(sequence, keypoints=keypoints), sequence.label, 0.9)]))
    assert len(bones) == 6 * (len(SKELETONS["penn13"].bones) - 1)
    keypoints[:] = 0
    nothing = sample_sheet([SampleClip(replace(sequence, keypoints=keypoints), sequence.label, 0.9)])
    assert _bones(nothing) == []
    assert "no joint was observed" in [text.get_text() for text in nothing.axes[0].texts]


def test_right_and_wrong_are_told_apart(make_sequences: Callable[..., Any]) -> None:
    sequence = make_sequences(1, 1)[0]
    figure = sample_sheet([SampleClip(sequence, "label_0", 0.91), SampleClip(sequence, "squat_jump", 0.62)])
    texts = {text.get_text(): to_hex(text.get_color()) for text in figure.axes[0].texts}
    assert texts["✓ label 0  91 %"] == LIGHT.good
    assert texts["✗ squat jump  62 %"] == LIGHT.bad
    assert "true: label 0" in texts


def test_forecasts_are_ghosts_where_there_are_any(make_sequences: Callable[..., Any]) -> None:
    sequence = make_sequences(1, 1)[0]
    forecasts = sequence.keypoints[..., :2].copy()
    forecasts[:1] = np.nan
    figure = sample_sheet([SampleClip(sequence, sequence.label, 0.9, forecasts)])
    ghosts = [each for each in figure.axes[0].collections if each.get_alpha() is not None]
    assert len(ghosts) == 5  # the first of six poses has no forecast
    assert "forecast" in [text.get_text() for text in figure.axes[0].texts]
    without = sample_sheet([SampleClip(sequence, sequence.label, 0.9, np.full_like(forecasts, np.nan))])
    assert "forecast" not in [text.get_text() for text in without.axes[0].texts]
    with pytest.raises(ActrecError, match="forecasts of clip"):
        SampleClip(sequence, sequence.label, 0.9, forecasts[:-1])


def test_a_clip_of_one_frame(make_sequences: Callable[..., Any]) -> None:
    sequence = make_sequences(1, 1)[0]
    still = replace(sequence, keypoints=sequence.keypoints[:1])
    assert len(_bones(sample_sheet([SampleClip(still, still.label, 1.0)]))) == len(SKELETONS["coco17"].bones)


@pytest.mark.parametrize("theme", [LIGHT, DARK])
@pytest.mark.parametrize(("n", "drawn", "columns"), [(2, 2, 1), (8, 8, 1), (9, 9, 2), (60, 30, 2)])
def test_a_contact_sheet_has_a_row_a_class(
    make_sequences: Callable[..., Any], n: int, drawn: int, columns: int, theme: Theme
) -> None:
    clips = make_sequences(n, 1)
    figure = contact_sheet(clips, theme)
    axes = figure.axes[0]
    places = {text.get_text(): text.get_position() for text in axes.texts}
    names = [f"label {k}" for k in range(drawn)]
    assert [name for name in places if name.startswith("label")] == names
    assert len({places[name][0] for name in names}) == columns
    segments = [
        (to_hex(colour), np.asarray(segment))
        for collection in axes.collections
        if isinstance(collection, LineCollection) and len(collection.get_segments()) > 1
        for colour, segment in zip(collection.get_colors(), collection.get_segments(), strict=True)
    ]
    assert len(segments) == drawn * 6 * len(SKELETONS["coco17"].bones)
    low, high = axes.get_xlim(), axes.get_ylim()[::-1]
    points = np.concatenate([segment for _, segment in segments])
    assert ((points >= (low[0], high[0])) & (points <= (low[1], high[1]))).all()
    width, height = figure.get_size_inches()
    assert width / np.ptp(low) == pytest.approx(height / np.ptp(high))
    assert width == pytest.approx(contact_sheet(clips[:1]).get_size_inches()[0])


def test_a_contact_sheet_of_a_clip_that_shows_nothing(make_sequences: Callable[..., Any]) -> None:
    clip = make_sequences(1, 1)[0]
    unseen = replace(clip, keypoints=np.zeros_like(clip.keypoints), label="a_name_of_many_words_indeed")
    texts = [text.get_text() for text in contact_sheet([unseen]).axes[0].texts]
    assert "no joint was observed" in texts
    assert "a name of many\nwords indeed" in texts


def test_a_session_has_a_pose_and_a_caption_for_each_stretch(make_sequences: Callable[..., Any]) -> None:
    clip, idle = make_sequences(2, 1, frames=(90, 90))
    segments = (Segment("squat", 15, 45, 3), Segment("", 45, 60))
    sheet = contact_sheet([replace(clip, segments=segments, label="squat"), replace(idle, label="none")])
    texts = [text.get_text() for text in sheet.axes[0].texts]
    captions = [text for text in texts if " to " in text]
    assert captions == [
        *("no action\n0.0 to 0.5 s", "squat\n0.5 to 1.5 s, 3 reps", "not labelled\n1.5 to 2.0 s"),
        "no action\n2.0 to 3.0 s",
    ]
    assert {"squat", "no action", "3.0 s\n1 segment, 3 reps"} <= set(texts)
    collections = [each for each in sheet.axes[0].collections if isinstance(each, LineCollection)]
    assert len(collections) == 2 + 4 + 6  # two rules, the stretches of the session, and six poses of the other clip
