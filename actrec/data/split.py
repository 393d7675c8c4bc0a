"""Divides clips into train, val and test by group, before they are cut into windows or augmented."""

from __future__ import annotations

import logging
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from actrec.data.clips import whole_sessions
from actrec.data.excluded_labels import exclude_override
from actrec.types import ActrecError, SkeletonSequence

log = logging.getLogger(__name__)

PROTOCOLS = ("official", "grouped", "random_windows")
UNLISTED = ("error", "leave_out")
Parts = dict[str, list[SkeletonSequence]]
_SESSIONS = "clips with segments\n"  # no label has a line break


@dataclass(frozen=True)
class Split:
    """Splits clips into train, val and test; the result depends on the clips and the seed, not on their order.

    Val is the official one if there is one; otherwise it is drawn from train, stratified by label. Clips with segments
    are drawn as one class, whatever their labels, and clips of none beside them too: each has several. Clips of a
    variant other than "original" are only in train, and left out if their group is in another part. The split is
    logged.

    Attributes:
        protocol: "official" uses train, val and test as stored (val as test if no clip is of test); "grouped" draws
            test by group, stratified by label; "random_windows" cuts clips into windows and draws from those, which
            inflates results; None is "official" if any clip has a stored split, and otherwise "grouped".
        val_share: Share of each class's training groups that become val; 0 for none.
        test_share: Share of each class's groups that become test, if it is drawn.
        clips_per_class: If given, train keeps that many clips of each class, of the variant "original".
        unlisted: Treatment of clips without a stored split if others have one: "error" or "leave_out".
        seed: Seed of the draw.
        length: Frames of a window, for "random_windows".
        stride: Frames from one window to the next, for "random_windows".
    """

    protocol: str | None = "official"
    val_share: float = 0.1
    test_share: float = 0.2
    clips_per_class: int | None = None
    seed: int = 0
    length: int = 64
    stride: int = 32
    unlisted: str = "error"

    def __post_init__(self) -> None:
        if self.protocol is not None and self.protocol not in PROTOCOLS:
            raise ActrecError(f"split.protocol is '{self.protocol}'; expected one of: {', '.join(PROTOCOLS)}.")
        if self.unlisted not in UNLISTED:
            raise ActrecError(f"split.unlisted is '{self.unlisted}'; expected one of: {', '.join(UNLISTED)}.")
        for name in ("val_share", "test_share"):
            if not 0 <= getattr(self, name) < 1:
                raise ActrecError(f"split.{name} is {getattr(self, name)}; expected 0 or more and less than 1.")
        few = self.clips_per_class
        if few is not None and (type(few) is not int or few < 1):
            raise ActrecError(f"split.clips_per_class is {few!r}; expected a whole number of at least 1, or null.")
        if self.length < 1 or self.stride < 1:
            raise ActrecError(f"split.length is {self.length} and split.stride {self.stride}; expected at least 1.")

    def __call__(self, sequences: Sequence[SkeletonSequence]) -> Parts:
        """Divides clips into "train", "val" and "test", each sorted by clip id.

        Raises:
            ActrecError: A class has too few groups, a group is in two official parts, or a clip has no official split.
        """
        sequences = sorted(sequences, key=lambda sequence: sequence.clip_id)
        official = self.protocol == "official" or (self.protocol is None and any(each.split for each in sequences))
        if self.protocol == "random_windows":
            log.warning(
                "split.protocol=random_windows puts windows of one video into train and test alike: its results are "
                "too high. Report split.protocol=official or grouped."
            )
            sequences = [window for sequence in sequences for window in cut_windows(sequence, self.length, self.stride)]
            groups = {sequence.clip_id: sequence.clip_id for sequence in sequences}
        else:
            groups = {sequence.clip_id: sequence.group or sequence.clip_id for sequence in sequences}
        if official:
            sequences = self._listed(sequences)
            parts = self._official(sequences, groups)
        else:
            chosen = _draw(sequences, groups, {"test": self.test_share, "val": self.val_share}, self.seed)
            parts = _take(sequences, groups, chosen, ("train", "val", "test"))
        _check_disjoint(parts, groups)
        log.info("%s", self._summary(sequences, parts, groups, official))
        return self.with_few(parts)

    def _summary(
        self, sequences: Sequence[SkeletonSequence], parts: Parts, groups: Mapping[str, str], official: bool
    ) -> str:
        stored = {sequence.split for sequence in sequences if sequence.split}
        by = "window" if self.protocol == "random_windows" else "group"
        drawn = f"by {by}, stratified by label (split.val_share={self.val_share:g}"
        if not official:
            how = f"test and val drawn {drawn}, split.test_share={self.test_share:g}, split.seed={self.seed})"
            how += "; the store's own split is not used" if stored else ""
        elif "val" in stored and "test" in stored:
            how = "train, val and test as in the store"
        else:
            how = f"train and {'val, as test,' if 'val' in stored else 'test'} as in the store"
            how += f"; val drawn from train {drawn}, split.seed={self.seed})" if parts["val"] else "; no val"
        counts = ", ".join(
            f"{len(clips)} {part} ({len({groups[clip.clip_id] for clip in clips})} {by}s)"
            for part, clips in parts.items()
        )
        return f"Split: {how}. Clips: {counts}."

    def with_few(self, parts: Parts) -> Parts:
        """Keeps `clips_per_class` clips of each class in train; a smaller number keeps some of those of a larger."""
        if self.clips_per_class is None:
            return parts
        members: dict[str, list[str]] = {}
        for sequence in parts["train"]:
            if sequence.variant == "original":
                members.setdefault(sequence.label, []).append(sequence.clip_id)
        kept: set[str] = set()
        for label, names in members.items():
            generator = np.random.default_rng([self.seed, zlib.crc32(label.encode()), 1])  # 1: not the draw of val
            kept.update(generator.permutation(sorted(names))[: self.clips_per_class].tolist())
        return {**parts, "train": [sequence for sequence in parts["train"] if sequence.clip_id in kept]}

    def _listed(self, sequences: Sequence[SkeletonSequence]) -> list[SkeletonSequence]:
        """Returns the clips that have an official split; raises an ActrecError if others may not be left out."""
        without = [sequence.clip_id for sequence in sequences if not sequence.split]
        if not without and sequences:
            return list(sequences)
        first = f"{len(without)} of {len(sequences)} clips have no official split (the first: {first_names(without)})"
        draw = "split.protocol=grouped in training, split=grouped in evaluation"
        if len(without) == len(sequences):
            raise ActrecError(f"{first}. Draw one: {draw}.")
        if self.unlisted == "error":
            raise ActrecError(
                f"{first}; the others have one. Give each its split in the source and make the store again, leave "
                f"these out in training with split.unlisted=leave_out, or draw one for all: {draw}."
            )
        log.warning("%s and are left out.", first)
        return [sequence for sequence in sequences if sequence.split]

    def _official(self, sequences: Sequence[SkeletonSequence], groups: Mapping[str, str]) -> Parts:
        stored: Parts = {"train": [], "val": [], "test": []}
        for sequence in sequences:
            if sequence.split not in stored:
                raise ActrecError(
                    f"Clip '{sequence.clip_id}' is of the split '{sequence.split}'; expected train, val or test."
                )
            if sequence.split == "train" or sequence.variant == "original":
                stored[sequence.split].append(sequence)
        if stored["val"] and stored["test"]:
            return stored
        chosen = _draw(stored["train"], groups, {"val": self.val_share}, self.seed)
        return {**_take(stored["train"], groups, chosen, ("train", "val")), "test": stored["test"] or stored["val"]}


def first_names(names: Sequence[str]) -> str:
    """Joins the first three names for a message."""
    return ", ".join(names[:3]) + (", …" if len(names) > 3 else "")


def cut_windows(sequence: SkeletonSequence, length: int, stride: int) -> list[SkeletonSequence]:
    """Cuts a clip into windows, which are clips with the ids "x#0", "x#1" …; a short clip is one window."""
    starts = range(0, max(len(sequence) - length, 0) + 1, stride)
    return [
        replace(sequence.cut(start, start + length), clip_id=f"{sequence.clip_id}#{number}")
        for number, start in enumerate(starts)
    ]


def _draw(
    sequences: Sequence[SkeletonSequence], groups: Mapping[str, str], shares: Mapping[str, float], seed: int
) -> dict[str, str]:
    """Draws the groups of each part; returns the part of each drawn group. All other groups are in train.

    Each share is relative to the groups that earlier parts have left. A group with clips of several classes counts for
    each of them. Each class has its own generator, so that leaving out one class does not change the draw of another
    with which it shares no group. Clips with segments, and those without any action beside them, are one class,
    `_SESSIONS`.
    """
    strata = _strata(sequences)
    members: dict[str, set[str]] = {stratum: set() for stratum in strata}
    for sequence, stratum in zip(sequences, strata, strict=True):
        if sequence.variant == "original":
            members[stratum].add(groups[sequence.clip_id])
    shares = {part: share for part, share in shares.items() if share > 0}
    part_of: dict[str, str] = {}
    for label in sorted(members, key=lambda label: (len(members[label]), label)):  # the rarest class first
        left = len(members[label])
        if left <= len(shares):
            what, hint = _told(label)
            raise ActrecError(
                f"{what} {left} group{'s' * (left != 1)} to draw from, and {', '.join(['train', *shares])} need one "
                f"each. Add clips of it from other videos{hint}"
            )
        generator = np.random.default_rng([seed, zlib.crc32(label.encode())])
        order = generator.permutation(sorted(members[label])).tolist()
        for place, (part, share) in enumerate(shares.items(), start=1):
            size = min(max(round(share * left), 1), left - (len(shares) - place) - 1)
            left -= size
            _fill(part_of, order, part, size)
        _fill(part_of, order, "train", 1)  # so that another class cannot take all of these groups
    for label in sorted(members):
        without = {"train", *shares} - {part_of.get(group, "train") for group in members[label]}
        if without:
            what, hint = _told(label, "would have no clips in")
            raise ActrecError(
                f"{what} {' and '.join(sorted(without))}: its {len(members[label])} groups have clips of other classes "
                f"too, which were drawn first. Add groups, or try another split.seed{hint}"
            )
    return part_of


def _strata(sequences: Sequence[SkeletonSequence]) -> list[str]:
    """Returns the class that each clip counts for: `_SESSIONS` or its label."""
    sessions = {sequence.clip_id for sequence in whole_sessions(sequences)}
    return [_SESSIONS if each.clip_id in sessions else each.label for each in sequences]


def _told(label: str, verb: str = "has") -> tuple[str, str]:
    """Returns the beginning of a message about a class, and the hint how to do without it."""
    if label == _SESSIONS:
        return f"The class of all clips with segments {verb}", "."
    return f"Class '{label}' {verb}", f", or leave it out: {exclude_override([label])}"


def _fill(part_of: dict[str, str], order: Sequence[str], part: str, size: int) -> None:
    """Assigns free groups to the part, in that order, until it has `size` groups of them."""
    free = [group for group in order if group not in part_of]
    wanted = size - sum(part_of.get(group) == part for group in order)
    part_of |= dict.fromkeys(free[: max(wanted, 0)], part)


def _take(
    sequences: Sequence[SkeletonSequence], groups: Mapping[str, str], chosen: Mapping[str, str], names: Sequence[str]
) -> Parts:
    parts: Parts = {name: [] for name in names}
    for sequence in sequences:
        part = chosen.get(groups[sequence.clip_id], "train")
        if part == "train" or sequence.variant == "original":
            parts[part].append(sequence)
    return parts


def _check_disjoint(parts: Parts, groups: Mapping[str, str]) -> None:
    part_of: dict[str, str] = {}
    for part, sequences in parts.items():
        for sequence in sequences:
            group = groups[sequence.clip_id]
            other = part_of.setdefault(group, part)
            if other != part:
                raise ActrecError(
                    f"Group '{group}' has clips in {other} and in {part} (the latter: '{sequence.clip_id}'), so the "
                    "parts are not independent. Correct the column split or group, or use split.protocol=grouped."
                )
