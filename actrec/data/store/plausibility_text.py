"""Formats the results of `plausibility.py` as the summary line and the warnings of `prepare`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from actrec.data.store.plausibility import RATES, SMALL, THRESHOLD, ClipMeasure, Finding

_SHOWN = 3


def plausibility_line(clips: Sequence[ClipMeasure]) -> str:
    """Describes the ranges of coordinates, confidences and frame rates."""
    rates = sorted(float(clip.row["fps"]) for clip in clips)
    sizes = [(int(clip.row["width"]), int(clip.row["height"])) for clip in clips if int(clip.row["width"]) > 0]
    low = np.array([clip.low for clip in clips if clip.any])
    high = np.array([clip.high for clip in clips if clip.any])
    if not len(low):
        return "No joint is observed in any clip."
    if np.isnan(low[:, 0]).all():
        return f"No joint is observed in any clip: no confidence is above {np.fmax.reduce(high[:, 2]):.2f}."
    least, greatest = np.fmin.reduce(low).tolist(), np.fmax.reduce(high).tolist()
    digits = 2 if max(map(abs, (*least[:2], *greatest[:2]))) < SMALL else 0
    pictures = ""
    if sizes:
        narrow, wide = np.min(sizes, axis=0).tolist(), np.max(sizes, axis=0).tolist()
        pictures = f" (pictures {_range(narrow[0], wide[0])} wide, {_range(narrow[1], wide[1])} high)"
    median = rates[len(rates) // 2]
    rate = f"{rates[0]:g}" if rates[0] == rates[-1] else f"{rates[0]:g} to {rates[-1]:g} (median {median:g})"
    return (
        f"Observed joints: x {_range(least[0], greatest[0], digits)} and y {_range(least[1], greatest[1], digits)} "
        f"pixels{pictures}, "
        f"confidence {_range(least[2], greatest[2], 2)}; {rate} frames a second."
    )


# The text for each kind of finding. {which} are the clips concerned, {source} is the source's name.
_TEXTS = {
    "small": (
        "{which} {have} a body of less than {small:g} pixels: are x and y {unit}? Give them in pixels of the "
        "picture (shares times its width and height)."
    ),
    "outside": (
        "{which} {have} most joints outside the picture: are width and height those of the picture that x and "
        "y are measured in, and not swapped?"
    ),
    "hardly": "{which} {have} hardly a joint with a confidence of {threshold:g} or more; the network gets no input.",
    "rate": (
        "{which} {have} fewer than {slow:g} or more than {fast:g} frames a second. Give the rate at which the "
        "frames were filmed (fps)."
    ),
    "single": "{which} {have} one frame, which shows no motion. Leave such clips out.",
    "faint": (
        "Source '{source}': {share:.0%} of the confidences above 0 are below {threshold:g}, at which joints "
        "count as missing. Is the third value a confidence, and not z? (preprocess.confidence_threshold sets "
        "the limit.)"
    ),
    "constant": (
        "Source '{source}': every joint of every frame has the confidence {confidence:g}, so none is ever "
        "missing. If the pose model gives confidences, keep them; mark missing joints as (0, 0, 0) or NaN."
    ),
    "inverted": (
        "Source '{source}': in {share:.0%} of frames the hips are above the shoulders. Does y grow upwards? "
        "It must grow downwards, as in pictures (height minus y)."
    ),
    "lying": (
        "Source '{source}': in {share:.0%} of frames the body lies with its head to the left. Are x and y "
        "swapped? x comes first, and grows to the right."
    ),
    "marked": (
        "Source '{source}': {share:.0%} of the observed joints are at exactly (0, 0) or (-1, -1). Does this "
        "mean that a joint is missing? Give missing joints as (0, 0, 0) or NaN."
    ),
    "two_labels": "{which} {have} the same keypoints as another, under another label. Leave the wrong ones out.",
    "two_groups": (
        "{which} {have} the same keypoints as another, in another group: a split may put one in training and "
        "one in test. Give copies one group, or leave them out."
    ),
}


def warning(finding: Finding) -> str:
    """Formats a finding, and what to do about it."""
    n = len(finding.clips)
    more = ", …" if n > _SHOWN else ""
    return _TEXTS[finding.kind].format(
        **finding.values,
        which=f"{n} of {finding.of} clips ({', '.join(finding.clips[:_SHOWN])}{more})",
        have="has" if n == 1 else "have",
        unit="shares of the picture" if float(finding.values.get("greatest", 0)) <= 2 else "metres, or other units",
        small=SMALL,
        threshold=THRESHOLD,
        slow=RATES[0],
        fast=RATES[1],
    )


def _range(low: float | int, high: float | int, digits: int = 0) -> str:
    return f"{low:.{digits}f}" if low == high else f"{low:.{digits}f} to {high:.{digits}f}"
