"""Finds clips that are the same, or overlap, under two labels, in two groups or in two parts of the split."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

import numpy as np
from scipy.spatial import cKDTree

from actrec.data.check.findings import ERROR, NOTE, WARNING, Finding, Text, Value, few
from actrec.data.check.similarity import Posed
from actrec.data.check.traits import Traits, names

_SHARED = 0.3  # share of the shorter clip's frames
_LEAST = 5  # frames
_NEAR = 0.015  # torso lengths between the joints of two clips, on average
_COMMON = 20  # clips; a pose that more have is no sign of a copy
_MOST_OF_TEST = 1 / 3  # share of copies in val and test above which results say nothing
_MANY = 0.1  # share of clips with two labels that make a model worthless

Pair = tuple[Traits, Traits]

TEXTS = {
    "copies_in_two_parts": Text(
        "The same motion is in train and test",
        "{which} share motion with a clip in another part of the split ({n_pairs:g} pairs). They are {share:.0%} of "
        "the clips of val and test.",
        "These clips are judged by a model that has seen them in training: results are too high.",
        "Give copies and parts of one video the same group and split. If the split is given, as in a benchmark, report "
        "the result without these clips too: check.json lists them all.",
    ),
    "copies_with_two_labels": Text(
        "The same motion has two labels",
        "{which} share motion with a clip of another label ({n_pairs:g} pairs).",
        "At least one of the two labels is wrong, or the clips are cut so that they overlap.",
        "Look at the pairs; leave the wrong ones out, or cut them apart.",
    ),
    "copies_in_two_groups": Text(
        "The same motion is in two groups",
        "{which} share motion with a clip of another group ({n_pairs:g} pairs).",
        "A split may put one in train and one in test.",
        "Give copies and parts of one video one group, or leave them out.",
    ),
}


def copies(clips: Sequence[Traits], data: Posed | None) -> Iterator[Finding]:
    """Finds pairs of clips that show the same, by their frames' poses; with `data`, also where the values differ a bit.

    Poses are compared without place and size in the picture.
    """
    pairs = list({_ids(pair): pair for pair in (*_overlapping(clips), *(_near(data) if data else ()))}.values())
    for kind, differ in (
        ("copies_in_two_parts", lambda a, b: a.split and b.split and a.split != b.split),
        ("copies_with_two_labels", lambda a, b: a.label != b.label),
        ("copies_in_two_groups", lambda a, b: a.group != b.group and not (a.split and b.split)),
    ):
        found = [pair for pair in pairs if differ(*pair)]
        if found:
            copied = list({clip.clip_id: clip for pair in found for clip in pair}.values())
            other = {one.clip_id: two.clip_id for pair in found for one, two in (pair, pair[::-1])}
            values: dict[str, Value] = {"n_pairs": len(found), "share": _held_out(copied) / max(_held_out(clips), 1)}
            yield Finding(kind, _severity(kind, copied, clips), names(copied), len(clips), values, pairs=other)


def _held_out(clips: Sequence[Traits]) -> int:
    return sum(clip.split in ("val", "test") for clip in clips)


def _severity(kind: str, copied: Sequence[Traits], clips: Sequence[Traits]) -> str:
    if few(len(copied), len(clips), 0.01):
        return NOTE
    parts = kind == "copies_in_two_parts"
    grave = _held_out(copied) > _MOST_OF_TEST * _held_out(clips) if parts else len(copied) > _MANY * len(clips)
    return ERROR if grave and kind != "copies_in_two_groups" else WARNING


def _ids(pair: Pair) -> tuple[str, str]:
    one, two = sorted(clip.clip_id for clip in pair)
    return one, two


def _overlapping(clips: Sequence[Traits]) -> Iterator[Pair]:
    """Finds pairs that share many frames' poses."""
    frames = [np.unique(clip.frame_hashes[clip.frame_hashes != 0]) for clip in clips]
    hashes = np.concatenate([*frames, np.zeros(0, np.int64)])
    owners = np.repeat(np.arange(len(clips)), [len(each) for each in frames])
    order = np.argsort(hashes, kind="stable")
    hashes, owners = hashes[order], owners[order]
    starts = np.flatnonzero(np.concatenate([[True], hashes[1:] != hashes[:-1]])) if len(hashes) else np.zeros(0, int)
    shared: Counter[tuple[int, int]] = Counter()
    ends = np.append(starts[1:], len(hashes))
    for start, end in zip(starts[ends - starts > 1], ends[ends - starts > 1], strict=True):
        members = owners[start:end].tolist()
        if len(members) <= _COMMON:
            shared.update((a, b) for k, a in enumerate(members) for b in members[k + 1 :])
    for (a, b), count in shared.most_common():
        if count >= max(_LEAST, _SHARED * min(len(frames[a]), len(frames[b]))):
            yield clips[a], clips[b]


def _near(data: Posed) -> Iterator[Pair]:
    """Finds pairs whose poses are nearly the same all through."""
    vectors = np.nan_to_num(data.poses).reshape(len(data.poses), -1)
    spread = data.poses.std(1)
    moving = np.flatnonzero(np.nan_to_num(spread).mean((1, 2)) > _NEAR)  # still clips are all alike
    if len(moving) < 2:
        return
    counts = np.isfinite(data.poses[:, 0, :, 0]).sum(1) * data.poses.shape[1]
    tree = cKDTree(vectors[moving])
    distances, nearest = tree.query(vectors[moving], k=min(3, len(moving)), workers=1)
    met: defaultdict[int, set[int]] = defaultdict(set)
    for row, (lengths, others) in enumerate(zip(distances, nearest, strict=True)):
        for length, other in zip(lengths, others, strict=True):
            a, b = sorted((int(moving[row]), int(moving[other])))
            if a != b and length < _NEAR * np.sqrt(counts[a]) and b not in met[a]:
                met[a].add(b)
                yield data.clips[a], data.clips[b]
