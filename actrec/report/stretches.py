"""Selects the stretches of a session, its segments and what is between them, that a contact sheet shows."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from jaxtyping import Int
from numpy import ndarray

from actrec.drawing.lettering import lettered
from actrec.types import NONE, Segment, SkeletonSequence


def longest_stretches(clip: SkeletonSequence, most: int) -> list[Segment]:
    """Returns the longest stretches with an observed joint, in order; those in no segment have the label "none"."""
    bounds = [0, *(frame for each in clip.segments for frame in (each.start, each.end)), len(clip)]
    gaps = [Segment(NONE, start, end) for start, end in zip(bounds[::2], bounds[1::2], strict=True) if start < end]
    seen = [each for each in (*clip.segments, *gaps) if len(_observed(clip, each))]
    longest = sorted(seen, key=lambda each: each.start - each.end)[:most]
    return sorted(longest, key=lambda each: each.start)


def typical_frame(clip: SkeletonSequence, stretch: Segment) -> int:
    """Returns the frame nearest to the middle of a stretch in which a joint is observed."""
    frames = _observed(clip, stretch)
    return int(frames[np.abs(frames - (stretch.start + stretch.end) / 2).argmin()])


def _observed(clip: SkeletonSequence, stretch: Segment) -> Int[ndarray, " frame"]:
    observed = (clip.keypoints[stretch.start : stretch.end, :, -1] > 0).any(1)
    return stretch.start + np.flatnonzero(observed)


def summary(clip: SkeletonSequence) -> str:
    """Counts the segments and repetitions of a session."""
    actions = [each for each in clip.segments if each.label not in ("", NONE)]
    counts = [each.repetitions for each in actions if each.repetitions is not None]
    text = f"{len(actions)} segment{'s' * (len(actions) != 1)}"
    return f"{text}, {sum(counts)} reps" if counts else text


def caption(stretch: Segment, fps: float, names: Mapping[str, str] | None = None) -> str:
    """Returns what is done in a stretch, when, and how often, in two lines."""
    fixed = {"": "not labelled", NONE: "no action"}
    label = fixed[stretch.label] if stretch.label in fixed else lettered(stretch.label, names, 20)
    text = f"{label}\n{stretch.start / fps:.1f} to {stretch.end / fps:.1f} s"
    return text if stretch.repetitions is None else f"{text}, {stretch.repetitions} reps"
