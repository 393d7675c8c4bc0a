"""Saves the split of a run as `split.json` in its folder and its model folder, so that every clip stays in its part.

A split is drawn from the clips of a store; after the store has grown, the same draw would put other groups in test.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from actrec.data.split import Parts, Split, cut_windows, first_names
from actrec.types import ActrecError, SkeletonSequence

FILE = "split.json"
_FORMAT = 1


@dataclass(frozen=True)
class SavedSplit:
    """The groups of each part of a run's split, and their clips.

    Attributes:
        groups: For "train", "val" and "test", the ids of the clips of each group. A clip without a group is a group of
            its own; with `windows`, every window is.
        unused: Ids of clips of train that `clips_per_class` left out.
        is_official: Whether test is the store's official split, to which clips may be added.
        windows: Length and stride of the windows that were split (`random_windows`); None if clips were.
        dataset: Name of the data set.
        generated: The options with which the clips were generated; None for clips of a store.
    """

    groups: Mapping[str, Mapping[str, Sequence[str]]]
    unused: Sequence[str] = ()
    is_official: bool = False
    windows: tuple[int, int] | None = None
    dataset: str = ""
    generated: Mapping[str, Any] | None = None

    @cached_property
    def _part_of(self) -> dict[str, str]:
        """Maps each group to its part."""
        return {group: part for part, groups in self.groups.items() for group in groups}

    @cached_property
    def _clips(self) -> dict[str, str]:
        """Maps the id of each clip, or window, to its part."""
        return {clip: part for part, groups in self.groups.items() for ids in groups.values() for clip in ids}

    @classmethod
    def of(cls, split: Split, clips: Sequence[SkeletonSequence]) -> SavedSplit:
        """Splits clips, and records the parts."""
        parts = replace(split, clips_per_class=None)(clips)
        used = {clip.clip_id for clip in split.with_few(parts)["train"]}
        is_cut = split.protocol == "random_windows"
        groups: dict[str, dict[str, list[str]]] = {part: {} for part in parts}
        for part, members in parts.items():
            for clip in members:
                group = clip.clip_id if is_cut else group_of(clip)
                groups[part].setdefault(group, []).append(clip.clip_id)
        return cls(
            groups,
            [clip.clip_id for clip in parts["train"] if clip.clip_id not in used],
            split.protocol == "official" or (split.protocol is None and any(clip.split for clip in clips)),
            (split.length, split.stride) if is_cut else None,
        )

    @classmethod
    def read(cls, folder: Path) -> SavedSplit | None:
        """Reads the split of a run or a model; None if there is none. Raises an ActrecError if the file is damaged."""
        file = folder / FILE
        if not file.is_file():
            return None
        try:
            data = json.loads(file.read_text(encoding="utf-8"))
            if data.pop("format") != _FORMAT:
                raise ValueError(f"its format is not {_FORMAT}")
            windows = data.pop("windows")
            return cls(**data, windows=None if windows is None else (int(windows[0]), int(windows[1])))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ActrecError(
                f"'{file}' is damaged ({type(error).__name__}: {error}). Copy it from the run's folder, or remove it "
                "to draw the split again."
            ) from error

    def to_json(self) -> str:
        """Returns the text of `split.json`."""
        names = ("groups", "unused", "is_official", "windows", "dataset", "generated")
        data = {name: getattr(self, name) for name in names}
        return json.dumps({"format": _FORMAT, **data}, ensure_ascii=False, separators=(",", ":")) + "\n"

    @property
    def clip_ids(self) -> frozenset[str]:
        """The ids of all clips, or windows."""
        return frozenset(self._clips)

    def covers(self, clips: Sequence[SkeletonSequence], dataset: str, generated: Mapping[str, Any] | None) -> bool:
        """Returns whether some of these clips are from the data that was split; other data may have the same names."""
        if generated is not None and self.generated is not None and _content(generated) != _content(self.generated):
            return False
        if dataset != self.dataset:
            return any(clip.clip_id in self._clips for clip in self._cut(clips))
        return any(self.part_of(clip) for clip in self._cut(clips))

    def part_of(self, clip: SkeletonSequence) -> str | None:
        """Returns the part in which training had the clip's group; None for a new group."""
        return self._part_of.get(clip.clip_id if self.windows else group_of(clip))

    def is_new(self, clip: SkeletonSequence) -> bool:
        """Returns whether a clip, or its first window, is missing from the saved split."""
        first, *_ = self._cut([clip])
        part = self.part_of(first)
        is_wanted = part == "train" or clip.variant == "original"  # variants are used only in train
        return part is None or (is_wanted and first.clip_id not in self._clips)

    def divide(self, clips: Sequence[SkeletonSequence]) -> Parts:
        """Divides clips into "train", "val", "test" and "new", each sorted by clip id.

        A clip of a known group is in the part of its group. A clip of a new group is in test if it is in the store's
        official test split, and the run used that; else it is new.
        """
        parts: Parts = {"train": [], "val": [], "test": [], "new": []}
        unused = set(self.unused)
        for clip in sorted(self._cut(clips), key=lambda clip: clip.clip_id):
            part = self.part_of(clip)
            if part is None:
                part = "test" if self.is_official and clip.split == "test" else "new"
            if clip.clip_id not in unused and (part == "train" or clip.variant == "original"):
                parts[part].append(clip)
        return parts

    def restore(self, clips: Sequence[SkeletonSequence]) -> Parts:
        """Returns the parts at the start of the run; raises an ActrecError if clips of them are missing."""
        unused = set(self.unused)
        there = {clip.clip_id: clip for clip in self._cut(clips)}
        missing = [name for name in self._clips if name not in there and name not in unused]
        if missing:
            raise ActrecError(
                f"{len(missing)} of the clips that this run began with are not in the store any more "
                f"({first_names(missing)}). Put them back, or begin a new run: without resume, in another output_dir."
            )
        parts: Parts = {part: [] for part in self.groups}
        for name in sorted(set(self._clips) - unused):
            parts[self._clips[name]].append(there[name])
        return parts

    def trained_on(self, clips: Sequence[SkeletonSequence]) -> list[SkeletonSequence]:
        """Returns the clips whose group was in train or val."""
        return [clip for clip in clips if self.part_of(clip) in ("train", "val")]

    def missing_groups(self, clips: Sequence[SkeletonSequence]) -> dict[str, int]:
        """Counts the groups of each part that are not among the clips; parts without missing groups are left out."""
        here = {clip.clip_id if self.windows else group_of(clip) for clip in self._cut(clips)}
        missing = {part: sum(group not in here for group in groups) for part, groups in self.groups.items()}
        return {part: count for part, count in missing.items() if count}

    def _cut(self, clips: Sequence[SkeletonSequence]) -> Sequence[SkeletonSequence]:
        if self.windows is None:
            return clips
        return [window for clip in clips for window in cut_windows(clip, *self.windows)]


def _content(generated: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the options that determine a generated clip, without the number of clips and the share of test."""
    return {name: value for name, value in generated.items() if name not in ("n_clips", "test_share")}


def group_of(clip: SkeletonSequence) -> str:
    """Returns the name of a clip's group; a clip without one is a group of its own."""
    return clip.group or clip.clip_id
