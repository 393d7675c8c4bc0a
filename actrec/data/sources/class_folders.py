"""Finds videos in class folders: the folder's name is the label."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from actrec.data.sources.folders import distinct_names, split_level, videos_in
from actrec.data.sources.labels import clean_label
from actrec.data.sources.official_splits import split_named
from actrec.data.sources.segment_table import FILE, read_segment_table
from actrec.data.sources.videos import VideoClip
from actrec.data.store.segments import main_label
from actrec.types import ActrecError


@dataclass(frozen=True)
class ClassFolders:
    """Finds videos in class folders: the outermost folder is the label. Each video is a group.

    Folders train, val and test above the class folders, or inside all of them, are the official split.

    Attributes:
        segments: The table of the actions in long videos, see `read_segment_table`; by default `segments.csv` in the
            folder, if there is one. These videos need no class folder.
    """

    source: str = "folder"
    segments: str | None = None

    expected: ClassVar[str] = "a folder for each class, with videos in it (.mp4, .mov, .avi, .mkv and the like)"

    def __call__(self, raw: Path) -> Iterator[VideoClip]:
        segments = read_segment_table(raw, self.segments)
        files = videos_in(raw, (FILE,) if segments.clips else ())
        places = [file.relative_to(raw) for file in files]
        for file, place in zip(files, places, strict=True):
            if file == raw:
                raise ActrecError(f"The folder {raw} cannot be read. Check its permissions.")
            if len(place.parts) < 2 and not file.is_dir() and segments.of(str(place)) is None:
                raise ActrecError(
                    f"{file} is in no class folder. Put each video in a folder with its label for a name, or list them "
                    "in a CSV: dataset=videos csv=…"
                )
        names = distinct_names(places)
        segments.check(zip(map(str, places), names, strict=True))
        below = [place for file, place in zip(files, places, strict=True) if not file.is_dir() and len(place.parts) > 1]
        level = split_level(raw, below)
        for file, place, name in zip(files, places, names, strict=True):
            split = split_named(place.parts[level]) if level is not None and len(place.parts) > level else None
            label = place.parts[1 if level == 0 and len(place.parts) > 1 else 0]
            given = segments.of(str(place), name)
            label = clean_label(label) if given is None else main_label(given)
            group = str(place.with_suffix(""))
            yield VideoClip(file, name, label, group, split or "", segments=given or ())
