"""Finds videos in class folders: the folder's name is the label."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from actrec.data.sources.folders import distinct_names, split_level, videos_in
from actrec.data.sources.labels import clean_label
from actrec.data.sources.official_splits import split_named
from actrec.data.sources.videos import VideoClip
from actrec.types import ActrecError


@dataclass(frozen=True)
class ClassFolders:
    """Finds videos in class folders: the outermost folder is the label. Each video is a group.

    Folders train, val and test above the class folders, or inside all of them, are the official split.
    """

    source: str = "folder"
    expected: ClassVar[str] = "a folder for each class, with videos in it (.mp4, .mov, .avi, .mkv and the like)"

    def __call__(self, raw: Path) -> Iterator[VideoClip]:
        files = videos_in(raw)
        places = [file.relative_to(raw) for file in files]
        for file, place in zip(files, places, strict=True):
            if file == raw:
                raise ActrecError(f"The folder {raw} cannot be read. Check its permissions.")
            if len(place.parts) < 2 and not file.is_dir():
                raise ActrecError(
                    f"{file} is in no class folder. Put each video in a folder with its label for a name, or list them "
                    "in a CSV: dataset=videos csv=…"
                )
        level = split_level(raw, [place for file, place in zip(files, places, strict=True) if not file.is_dir()])
        for file, place, name in zip(files, places, distinct_names(places), strict=True):
            split = split_named(place.parts[level]) if level is not None and len(place.parts) > level else None
            label = place.parts[1 if level == 0 and len(place.parts) > 1 else 0]
            yield VideoClip(file, name, clean_label(label), str(place.with_suffix("")), split or "")
