"""Checks confidences, and which joints are missing when, and in which classes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from actrec.data.check.findings import NOTE, WARNING, Finding, Text, Value, few
from actrec.data.check.traits import Traits, by_label, by_source, names
from actrec.skeleton import get_skeleton

_OF_CLASS = 10  # clips of a class that is judged by its missing joints
_MOST = 0.5
_HARDLY = 0.05
_GAP = 0.5  # seconds,
_GAP_SHARE = 0.2  # and this share of the clip
_GUESSED = 0.003  # share of joints far from the body
_GONE, _PRESENT = 0.15, 0.6  # share of frames in which a joint is seen: in one class, and in the others

TEXTS = {
    "unseen": Text(
        "No joint is observed",
        "{which} {have} no observed joint in any frame.",
        "The network gets no input, but learns or is judged by the label.",
        "Leave them out.",
    ),
    "hardly": Text(
        "Hardly a joint is observed",
        "{which} {have} hardly a joint with a confidence of {threshold:g} or more.",
        "The network gets no input.",
        "Extract these clips with a better pose model, or leave them out.",
    ),
    "faint": Text(
        "Most confidences are low",
        "Source '{source}': {share:.0%} of the confidences above 0 are below {threshold:g}, at which joints count as "
        "missing.",
        "The network gets little input. A third value of z instead of a confidence does this too.",
        "Give the confidence as third value; or lower preprocess.confidence_threshold in training.",
    ),
    "constant": Text(
        "Confidence is always the same",
        "Source '{source}': every joint of every frame has the confidence {confidence:g}, so none is ever missing.",
        "A pose model that is unsure says so; the network then trusts every joint, also the wrong ones.",
        "If the pose model gives confidences, keep them; mark missing joints as (0, 0, 0) or NaN. If the sensor has "
        "none, as Kinect, train with joint dropout (augmentation.joint_dropout) for cameras that miss joints.",
    ),
    "gaps": Text(
        "Long gaps",
        "{which} {have} a stretch of more than half a second, and a fifth of the clip, with hardly a joint observed "
        "(up to {seconds:.1f} s).",
        "What happens there is unseen; interpolation makes up a motion.",
        "Cut the clips to the part in which the person is seen, or find out why detection failed there.",
    ),
    "missing_joints": Text(
        "A class is told by its missing joints",
        "In the clips of '{label}' these joints are hardly observed, but mostly in the other classes: {joints}.",
        "A network learns the class from what is missing, not from the motion: a shortcut that fails elsewhere.",
        "Film or annotate all classes alike; train with joint dropout (augmentation.joint_dropout); and evaluate with "
        "unseen_joints=4 to see how much depends on it.",
    ),
}


def confidence(clips: Sequence[Traits]) -> Iterator[Finding]:
    """Finds wrong confidences and missing joints."""
    unseen = [clip for clip in clips if not clip.ranges.any]
    if unseen:
        yield Finding("unseen", _severity(unseen, clips, 0.01), names(unseen), len(clips))
    hardly = [
        clip
        for clip in clips
        if clip.ranges.any and clip.ranges.seen.sum() < _HARDLY * clip.ranges.seen.size * clip.n_frames
    ]
    if hardly:
        yield Finding("hardly", _severity(hardly, clips, 0.01), names(hardly), len(clips))
    for source in by_source(clips):
        yield from _of_source(source)
    yield from _gaps(clips)
    yield from _missing_in_a_class(clips)


def _severity(found: Sequence[Traits], clips: Sequence[Traits], share: float) -> str:
    return NOTE if few(len(found), len(clips), share) else WARNING


def _of_source(clips: Sequence[Traits]) -> Iterator[Finding]:
    values: dict[str, Value] = {"source": clips[0].source}
    seen, above_zero = sum(int(clip.ranges.seen.sum()) for clip in clips), sum(clip.ranges.any for clip in clips)
    if above_zero and seen < _MOST * above_zero:
        yield Finding("faint", WARNING, (), len(clips), {**values, "share": 1 - seen / above_zero})
    joints = sum(clip.n_frames * clip.ranges.seen.size for clip in clips)
    if above_zero == joints and len(clips) > 1:
        least, greatest = min(clip.ranges.low[2] for clip in clips), max(clip.ranges.high[2] for clip in clips)
        if least == greatest:
            guessed = sum(clip.astray for clip in clips) > _GUESSED * joints
            severity = WARNING if guessed else NOTE  # some sensors have no confidences
            yield Finding("constant", severity, (), len(clips), {**values, "confidence": float(least)})


def _gaps(clips: Sequence[Traits]) -> Iterator[Finding]:
    """Finds clips with a long stretch without observed joints."""
    found = [
        clip
        for clip in clips
        if clip.ranges.any and clip.gap[1] > _GAP * clip.fps and clip.gap[1] > _GAP_SHARE * clip.n_frames
    ]
    if found:
        found.sort(key=lambda clip: -clip.gap[1] / clip.n_frames)
        frames = {clip.clip_id: clip.gap[0] for clip in found}
        values: dict[str, Value] = {"seconds": found[0].gap[1] / found[0].fps}
        yield Finding("gaps", _severity(found, clips, 0.04), names(found), len(clips), values, frames=frames)


def _missing_in_a_class(clips: Sequence[Traits]) -> Iterator[Finding]:
    """Finds joints that are hardly observed in one class, and mostly in the others."""
    for source in by_source(clips):
        joints = get_skeleton(source[0].skeleton).joints
        labels = {label: members for label, members in by_label(source).items() if len(members) >= _OF_CLASS}
        if len(labels) < 2:
            continue
        shares = np.array([np.mean([clip.seen for clip in members], axis=0) for members in labels.values()])
        for number, (label, members) in enumerate(labels.items()):
            others = np.median(np.delete(shares, number, axis=0), axis=0)
            missing = np.flatnonzero((shares[number] < _GONE) & (others > _PRESENT))
            if len(missing):
                listed = ", ".join(joints[k].replace("_", " ") for k in missing)
                values: dict[str, Value] = {"label": label, "joints": listed}
                yield Finding("missing_joints", WARNING, (), len(source), values, names(members[:6]))
