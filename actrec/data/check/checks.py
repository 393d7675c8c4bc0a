"""Checks the clips of a data set: all checks of all clips, or the checks of single clips on a sample."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray

from actrec.data.check.baseline import Protocol, measure_baseline, nearest_of_class, shortcuts
from actrec.data.check.confidence import confidence
from actrec.data.check.coordinates import coordinates
from actrec.data.check.copies import copies
from actrec.data.check.findings import ERROR, SEVERITIES, Baseline, CheckResult, Finding, Suspect, Text
from actrec.data.check.label_errors import label_errors, one_hot, ranked
from actrec.data.check.labels import labels
from actrec.data.check.motion import motion, rates_by_class
from actrec.data.check.odd_poses import odd_poses
from actrec.data.check.plane import without_pictures
from actrec.data.check.similarity import Descriptor, Features, Posed, left_out_predictions, mirrored, posed
from actrec.data.check.traits import Described, Traits, by_label, describe, measure
from actrec.data.store.actions import actions_of
from actrec.types import SkeletonSequence

WINDOW = 64
SAMPLE = 400  # clips
_CONSEQUENCES = {
    "reordered": ("jumping", "jumps", "gaps", "layout"),
    "swapped_axes": ("outside",),
    "small": ("outside",),
    "marked": ("odd_y", "odd_xy", "odd_sides", "outside"),
    "no_signal": ("odd_y", "odd_xy", "odd_sides", "label_errors"),
}
_REASONS = 10  # clips that cannot be read, whose reasons are told
_SHOWN = 50  # suspects for which the most similar clip is looked up

TEXTS = {
    "unreadable": Text(
        "Clips that cannot be read",
        "{which} cannot be read.\n{reasons}",
        "They are missing from training and evaluation.",
        "Correct the files or their rows, or leave them out.",
    ),
    "empty": Text(
        "There are no clips",
        "No clip was found.",
        "There is nothing to train on.",
        "Look whether the folder, the table and the label map are the right ones.",
    ),
}


def check_clips(
    clips: Iterable[SkeletonSequence],
    *,
    window: int = WINDOW,
    unreadable: Sequence[tuple[str, str]] = (),
) -> CheckResult:
    """Checks clips of one label each; those with segments are to be divided before (`actions.trimmed`).

    Args:
        window: Number of frames that the network is to see.
        unreadable: The ids of clips that could not be read, each with the reason.
    """
    traits = [measure(clip) for clip in clips]
    found = list(_unreadable(unreadable, len(traits)))
    if not traits and not found:
        found.append(Finding("empty", ERROR, (), 0))
    suspects: list[Suspect] = []
    baseline = None
    if traits:
        found += [*_of_clips(traits, window), *labels(traits), *rates_by_class(traits)]
        data = posed(traits)
        found += copies(traits, data)
        if data is not None:
            rng = np.random.default_rng(0)
            found += [] if _is_misread(found) else odd_poses(data, rng)
            if len({clip.label for clip in data.clips}) > 1:
                more, suspects, baseline = _judge_labels(data, rng)
                found += more
    counts = {label: len(members) for label, members in by_label(traits).items()}
    return CheckResult(len(traits), counts, _sorted(found), suspects, baseline)


def check_sample(clips: Iterable[SkeletonSequence], n_clips: int, most: int = SAMPLE) -> CheckResult:
    """Checks the labels and rates of all clips, and the keypoints of some of them, which takes about a second.

    Clips are not compared with one another.

    Args:
        clips: They may have segments.
        n_clips: Number of `clips`.
        most: Number of clips whose keypoints are looked at, drawn at random; or of parts, where clips have segments.
    """
    chosen = set(np.random.default_rng(0).permutation(n_clips)[:most].tolist())
    described: list[Described] = []
    measured: list[Traits] = []
    for number, clip in enumerate(clips):
        parts = list(actions_of([clip]))
        described += map(describe, parts)
        measured += map(measure, parts) if number in chosen and len(measured) < most else ()
    counts = {label: len(members) for label, members in by_label(described).items()}
    found = [*labels(described), *rates_by_class(described)] if described else []
    found += _of_clips(measured, WINDOW) if measured else []
    return CheckResult(len(measured), counts, _sorted(found))


def _of_clips(clips: Sequence[Traits], window: int) -> list[Finding]:
    """Checks each clip by itself."""
    found = [*coordinates(clips), *confidence(clips), *motion(clips, window)]
    return without_pictures(found, sum(clip.n_coordinates == 3 for clip in clips))


def _sorted(found: Sequence[Finding]) -> list[Finding]:
    """Sorts findings by severity, without those that follow from a graver one."""
    return sorted(_without_consequences(found), key=lambda finding: SEVERITIES.index(finding.severity))


def _unreadable(clips: Sequence[tuple[str, str]], n_read: int) -> Iterator[Finding]:
    if clips:
        names = tuple(name for name, _ in clips)
        reasons = "\n".join(f"  {name}: {reason}" for name, reason in clips[:_REASONS])
        yield Finding("unreadable", ERROR, names, n_read + len(clips), {"reasons": reasons})


def _without_consequences(found: Sequence[Finding]) -> list[Finding]:
    """Leaves out what follows from a graver fault."""
    kinds = {finding.kind for finding in found}
    follows = {kind for grave in kinds & _CONSEQUENCES.keys() for kind in _CONSEQUENCES[grave]}
    return [finding for finding in found if finding.kind not in follows]


def _is_misread(found: Sequence[Finding]) -> bool:
    """Whether the poses of a whole source are wrong, so that single clips cannot be odd."""
    return any(finding.kind in ("reordered", "layout", "upside_down", "swapped_axes") for finding in found)


def _judge_labels(data: Posed, rng: np.random.Generator) -> tuple[list[Finding], list[Suspect], Baseline]:
    """Compares the labels of clips with those of similar clips."""
    numbers, classes = data.labels, sorted({clip.label for clip in data.clips})
    features = Features(data, rng)(data.poses, numbers)
    targets = one_hot(numbers, len(classes))
    share = targets.mean(0)
    scores = left_out_predictions(features, targets - share, data.groups) + share
    suspects = ranked(data, scores, classes)
    describe = Descriptor(data)
    vectors, images = describe(data.poses), describe(mirrored(data.poses, data.mirror_index))
    guess = _own_split(features, targets - share, data, scores).argmax(1)
    baseline = measure_baseline(data.clips, vectors, images, guess, numbers, Protocol(data.clips, data.groups))
    left_out = float((scores.argmax(1) == numbers).mean())
    nearest = _nearest(data, suspects[:_SHOWN], vectors, images)
    found = [*label_errors(suspects, nearest), *shortcuts(baseline, left_out, len(data.clips))]
    return found, suspects, baseline


def _own_split(
    features: Float[ndarray, "clip feature"],
    targets: Float[ndarray, "clip class"],
    data: Posed,
    left_out: Float[ndarray, "clip class"],
) -> Float[ndarray, "clip class"]:
    """Predicts test from train where there is a stored split; otherwise each group from the others."""
    protocol = Protocol(data.clips, data.groups)
    if not protocol.is_official:
        return left_out
    is_test: Int[ndarray, " clip"] = np.where(protocol.judged, 0, data.groups + 1)  # test as one group
    return left_out_predictions(features, targets, is_test)


def _nearest(
    data: Posed,
    suspects: Sequence[Suspect],
    vectors: Float[ndarray, "clip feature"],
    images: Float[ndarray, "clip feature"],
) -> dict[str, str]:
    """Finds for each suspect the most similar clip of the label that clips like it have."""
    ids = [clip.clip_id for clip in data.clips]
    members: dict[str, list[int]] = {each.other: [] for each in suspects}
    for number, clip in enumerate(data.clips):
        if clip.label in members:
            members[clip.label].append(number)
    return {
        each.clip_id: ids[nearest_of_class(vectors, images, ids.index(each.clip_id), np.array(members[each.other]))]
        for each in suspects
    }
