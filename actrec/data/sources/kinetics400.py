"""Finds the videos of Kinetics-400, with the labels and splits of its CSV files or folders."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

from actrec.data.sources.csv_files import read_records
from actrec.data.sources.folders import videos_in, warn_misnamed
from actrec.data.sources.labels import clean_label
from actrec.data.sources.official_splits import split_named, val_is, warn_unlisted
from actrec.data.sources.videos import VideoClip, unreadable
from actrec.types import ActrecError

log = logging.getLogger(__name__)

_NAME = re.compile(r"(?P<id>[\w-]{11})(?:_\d{6}_\d{6})?")


@dataclass(frozen=True)
class Kinetics400:
    """Finds the trimmed videos of Kinetics-400 (Kay et al., 2017) in class folders, or in any folders with its CSVs.

    Files are named `<YouTube id>_<start>_<end>.mp4`, start and end being seconds in six digits, or `<YouTube id>.mp4`.
    The YouTube id is the group. Label and split are those of the CSVs (label, youtube_id, split), else the names of the
    file's folders. If there are no clips of test, val is the test split.
    """

    source: str = "kinetics400"

    expected: ClassVar[str] = "Kinetics' <YouTube id>_<start>_<end>.mp4"

    def __call__(self, raw: Path) -> Iterator[VideoClip]:
        listed = self._listed(raw)
        clips: list[VideoClip] = []
        others: list[Path] = []
        unlabelled: list[Path] = []
        for file in videos_in(raw, read=(".csv",)):
            match = _NAME.fullmatch(file.stem)
            if match is None and file.is_dir():
                clips.append(unreadable(raw, file))
                continue
            if match is None:
                others.append(file)
                continue
            folders = list(file.relative_to(raw).parts[:-1])
            label, split = listed.get(match["id"], ("", ""))
            label = label or next((name for name in reversed(folders) if not split_named(name)), "")
            named = next((name for name in map(split_named, folders) if name), "")
            if label:
                clips.append(VideoClip(file, file.stem, clean_label(label), match["id"], split or named))
            else:
                unlabelled.append(file)
        warn_misnamed(raw, others, self.expected)
        warn_misnamed(raw, unlabelled, "a row in a CSV, or a class folder")
        val = val_is(clip.split for clip in clips)
        without = [clip.clip_id for clip in clips if not clip.split and not clip.problem]
        if len(without) < len(clips):
            warn_unlisted(without, len(clips), "the lists and folders of train, val and test")
        yield from (replace(clip, split=val) if clip.split == "val" else clip for clip in clips)

    def _listed(self, raw: Path) -> dict[str, tuple[str, str]]:
        """Reads the label and split of each YouTube id from the official CSVs."""
        found: dict[str, tuple[str, str]] = {}
        for table in sorted(raw.rglob("*.csv")):
            header, records = read_records(table)
            if not {"label", "youtube_id"} <= set(header):
                log.info("%s is not read: it has no columns label and youtube_id.", table)
                continue
            for _, cells in records:
                split = split_named(cells.get("split") or table.stem) or ""
                new = (cells.get("label", ""), split)
                old = found.setdefault(cells.get("youtube_id", ""), new)
                if old != new:
                    raise ActrecError(
                        f"The CSVs in {raw} have {cells['youtube_id']} as {old} and, in {table}, as {new}. Keep one."
                    )
        return found
