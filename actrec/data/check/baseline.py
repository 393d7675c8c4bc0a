"""Measures what simple rules reach on the poses, and what can be guessed without them, as from clip length or rate."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy import ndarray

from actrec.data.check.findings import ERROR, NOTE, WARNING, Baseline, Finding, Text, Value
from actrec.data.check.similarity import squared_distances
from actrec.data.check.traits import Traits

_SHORTCUT = 0.5  # of what the poses reach above the most frequent class
_AT_LEAST = 0.25  # accuracy above that of the most frequent class
_NEIGHBOURS = 9
_FAR = np.float32(1e12)

Vectors = Float[ndarray, "clip feature"]

TEXTS = {
    "shortcut": Text(
        "The label can be guessed without the pose",
        "From {cue} alone, {accuracy:.0%} of the labels are guessed (the most frequent class: {majority:.0%}; simple "
        "rules on poses: {poses:.0%}).",
        "A network can learn this shortcut instead of the motion, and fails where it does not hold. Some is due to the "
        "actions: a throw is shorter than ten squats.",
        "Make clips of all classes alike in {cue}: cut, resample or film them in the same way.",
    ),
    "cue": Text(
        "The label depends on more than the pose",
        "From {cue} alone, {accuracy:.0%} of the labels are guessed (the most frequent class: {majority:.0%}).",
        "A network may learn some of this.",
        "Keep it in mind when you film more clips.",
    ),
    "no_signal": Text(
        "Poses do not tell the labels",
        "From poses, {poses:.0%} of the labels are guessed; the most frequent class has {majority:.0%}.",
        "Labels may be shifted against the clips, or the actions do not differ in the poses seen.",
        "Compare some clips with their labels: python -m actrec.view source={store}",
    ),
}


class Protocol:
    """Which clips judge which: those of train the others if there is a stored split, else those of other groups.

    Args:
        clips: The clips.
        groups: The number of each clip's group.
    """

    def __init__(self, clips: Sequence[Traits], groups: Int[ndarray, " clip"]) -> None:
        train = np.array([clip.split == "train" for clip in clips])
        test = np.array([clip.split == "test" for clip in clips])
        self.is_official = bool(train.any() and test.any())
        self.judged: Bool[ndarray, " clip"] = test if self.is_official else np.ones(len(clips), bool)
        self._train, self._groups = train, groups

    @property
    def name(self) -> str:
        return "official split" if self.is_official else "each group left out in turn"

    def may_use(self, rows: slice | Int[ndarray, " row"]) -> Bool[ndarray, "row clip"]:
        """Returns for some clips which others may be used to judge them."""
        others = self._groups[rows, None] != self._groups
        return others & self._train if self.is_official else others

    def folds(self, most: int = 20) -> Iterator[tuple[Bool[ndarray, " clip"], Bool[ndarray, " clip"]]]:
        """Yields the clips to use and the clips to judge: once for a stored split, else up to 20 times, by group."""
        if self.is_official:
            yield self._train, self.judged
            return
        fold = self._groups % most
        for number in np.unique(fold):
            yield fold != number, fold == number


def measure_baseline(
    clips: Sequence[Traits],
    vectors: Vectors,
    mirrored: Vectors,
    ridge: Int[ndarray, " clip"],
    labels: Int[ndarray, " clip"],
    protocol: Protocol,
) -> Baseline:
    """Measures the accuracy of simple rules.

    Args:
        vectors: Descriptor of each clip.
        mirrored: Descriptor of its mirror image.
        ridge: The class that regression on all other groups gives each clip.
    """
    judged = protocol.judged
    mean = _nearest_means((vectors + mirrored) / 2, labels, protocol)
    nearest = _nearest_neighbours(vectors, mirrored, labels, protocol)
    counts = np.bincount(labels[~judged] if protocol.is_official else labels)

    def accuracy(guess: Int[ndarray, " clip"]) -> float:
        return float((guess == labels)[judged].mean())

    poses = {
        "nearest class mean": accuracy(mean),
        "nearest neighbour": accuracy(nearest),
        "kernel ridge": accuracy(ridge),
    }
    without = {
        name: accuracy(_vote(values, labels, protocol))
        for name, values in _cues(clips).items()
        if len(np.unique(values, axis=0)) > 1
    }
    majority = float((labels == counts.argmax())[judged].mean())
    return Baseline(protocol.name, int(judged.sum()), majority, poses, without)


def _nearest_neighbours(
    vectors: Vectors, mirrored: Vectors, labels: Int[ndarray, " clip"], protocol: Protocol
) -> Int[ndarray, " clip"]:
    """Classifies each clip as the clip that is most similar to it or to its mirror image."""
    guess = np.zeros_like(labels)
    for start in range(0, len(vectors), 512):
        rows = slice(start, min(start + 512, len(vectors)))
        distances = np.minimum(squared_distances(vectors[rows], vectors), squared_distances(mirrored[rows], vectors))
        guess[rows] = labels[np.where(protocol.may_use(rows), distances, _FAR).argmin(1)]
    return guess


def _nearest_means(vectors: Vectors, labels: Int[ndarray, " clip"], protocol: Protocol) -> Int[ndarray, " clip"]:
    """Classifies each clip as the class whose mean is nearest."""
    ones = np.eye(int(labels.max()) + 1, dtype=np.float32)[labels]
    guess = np.zeros_like(labels)
    for used, members in protocol.folds():
        counts = used.astype(np.float32) @ ones
        means = (ones * used[:, None]).T @ vectors / np.maximum(counts, 1)[:, None]
        distances = squared_distances(vectors[members], means)
        guess[members] = np.where(counts > 0, distances, _FAR).argmin(1)
    return guess


def nearest_of_class(vectors: Vectors, mirrored: Vectors, row: int, members: Int[ndarray, " member"]) -> int:
    """Finds the member that is most similar to a clip."""
    one = np.stack([vectors[row], mirrored[row]])
    return int(members[squared_distances(one, vectors[members]).min(0).argmin()])


def _cues(clips: Sequence[Traits]) -> dict[str, Vectors]:
    """Returns the measures from which a label should not be guessed, in units of which a tenth matters little."""
    sizes = np.array([clip.size for clip in clips], float)
    aspect = np.log((sizes[:, 0] + 1) / (sizes[:, 1] + 1))
    cues = {
        "clip length": np.log([[clip.n_frames] for clip in clips]),
        "frame rate": np.log([[clip.fps] for clip in clips]),
        "picture size": np.stack([np.log(sizes[:, 0] + 1), aspect], axis=1),
        "missing joints": np.stack([clip.seen for clip in clips]),
    }
    if any(clip.is_part for clip in clips):
        del cues["clip length"]  # a stream does not show how long its parts will be
    return {name: values.astype(np.float32) for name, values in cues.items()}


def _vote(values: Vectors, labels: Int[ndarray, " clip"], protocol: Protocol) -> Int[ndarray, " clip"]:
    """Classifies each clip by its nearest neighbours; those that are equally near all vote."""
    n_classes, guess = int(labels.max()) + 1, np.zeros_like(labels)
    ones = np.eye(n_classes, dtype=np.float32)[labels]
    for start in range(0, len(values), 512):
        rows = slice(start, min(start + 512, len(values)))
        distances = np.where(protocol.may_use(rows), squared_distances(values[rows], values), _FAR)
        nth = min(_NEIGHBOURS, len(values)) - 1
        limit = np.partition(distances, nth, axis=1)[:, nth : nth + 1]
        votes = ((distances <= limit + 1e-6) & (distances < _FAR)).astype(np.float32)
        guess[rows] = (votes @ ones).argmax(1)
    return guess


def shortcuts(baseline: Baseline, left_out: float, of: int) -> Iterator[Finding]:
    """Finds cues other than the poses by which the label can be guessed, and poses that say nothing of the label.

    Args:
        left_out: Accuracy of regression on poses over all clips, each from the clips of other groups.
        of: Number of clips.
    """
    best = max(baseline.poses.values())
    for cue, accuracy in baseline.without.items():
        gain, poses = accuracy - baseline.majority, best - baseline.majority
        if gain > max(_AT_LEAST, _SHORTCUT * poses):
            values: dict[str, Value] = {"cue": cue, "accuracy": accuracy, "majority": baseline.majority}
            yield Finding("shortcut", WARNING, (), of, {**values, "poses": best})
        elif gain > 0.1:
            values = {"cue": cue, "accuracy": accuracy, "majority": baseline.majority}
            yield Finding("cue", NOTE, (), of, values)
    if left_out - baseline.majority < 0.1 * (1 - baseline.majority) and baseline.majority < 0.85:
        yield Finding("no_signal", ERROR, (), of, {"poses": left_out, "majority": baseline.majority})
