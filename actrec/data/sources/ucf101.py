"""Finds the videos of UCF101, with its official splits."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from actrec.data.sources.folders import videos_in, warn_misnamed
from actrec.data.sources.official_splits import official_splits, warn_unlisted
from actrec.data.sources.videos import VideoClip, unreadable
from actrec.types import ActrecError

_NAME = re.compile(r"v_(?P<label>\w+)_g(?P<group>\d+)_c\d+")


@dataclass(frozen=True)
class Ucf101:
    """Finds the videos `v_<Class>_gXX_cYY.avi` of UCF101 (Soomro et al., 2012) anywhere in the folder.

    Clips of one class with the same gXX are from one video, and so a group. The official split is read from
    `trainlist0N.txt` and `testlist0N.txt` in the folder or beside it; without these lists, clips have no split.

    Attributes:
        official: Number of the official split: 1, 2 or 3.
    """

    source: str = "ucf101"
    official: int = 1

    expected: ClassVar[str] = "UCF101's v_<Class>_gXX_cYY.avi"

    def __call__(self, raw: Path) -> Iterator[VideoClip]:
        splits = self._splits(raw)
        clips, others = [], []
        for file in videos_in(raw, read=(".txt",)):
            match = _NAME.fullmatch(file.stem)
            if match is not None:
                group = f"{match['label']}_g{match['group']}"
                clips.append(VideoClip(file, file.stem, match["label"], group, splits.get(file.stem, "")))
            elif file.is_dir():
                clips.append(unreadable(raw, file))
            else:
                others.append(file)
        warn_misnamed(raw, others, self.expected)
        if splits:
            without = [clip.clip_id for clip in clips if not clip.split and not clip.problem]
            warn_unlisted(without, len(clips), f"trainlist{self.official:02d}.txt and testlist{self.official:02d}.txt")
        yield from clips

    def _splits(self, raw: Path) -> dict[str, str]:
        members: dict[str, set[str]] = {}
        for split in ("train", "test"):
            name = f"{split}list{self.official:02d}.txt"
            for file in self._lists(raw, name)[:1]:
                lines = file.read_text(encoding="utf-8-sig", errors="replace").splitlines()
                members[split] = {Path(line.split()[0]).stem for line in lines if line.strip()}
        there = self._lists(raw, "trainlist*.txt") + self._lists(raw, "testlist*.txt")
        if there and not members:
            raise ActrecError(
                f"There is {there[0]}, but no list of official={self.official}, trainlist{self.official:02d}.txt. Add "
                "it, choose another official split (1, 2 or 3), or remove the lists."
            )
        return official_splits(members, f"the lists of official={self.official}")

    def _lists(self, raw: Path, pattern: str) -> list[Path]:
        return [*sorted(raw.rglob(pattern)), *sorted(raw.parent.glob(f"*/{pattern}"))]
