"""Importers of videos: a finder knows how a data set lies in its folder, and `Videos` takes the skeletons out."""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Protocol, runtime_checkable

from actrec.data import stamps
from actrec.data.extract import Extractor
from actrec.data.importers import PennAction, read_table
from actrec.data.variants import ORIGINAL, Variant, drawn_for
from actrec.data.video import VIDEOS
from actrec.data.writer import ClipSource
from actrec.types import ActrecError, SetupError, SkeletonSequence

_UCF = re.compile(r"v_(?P<label>\w+)_g(?P<group>\d+)_c\d+")
_KINETICS = re.compile(r"(?P<id>[\w-]{11})(?:_\d{6}_\d{6})?")
_KINETICS_SPLITS = {"train": "train", "val": "test", "validate": "test", "validation": "test", "test": "test"}


@dataclass(frozen=True)
class VideoClip:
    """A video that an importer has found.

    Attributes:
        path: The file, or the folder of pictures.
        clip_id: Unique in the source.
        label: The source's own.
        group: What must never be split.
        split: The source's official one: "train", "test" or empty.
        fps: Frames a second of a folder of pictures.
        problem: Why the clip cannot be had, where its finder knows; it is then rejected.
    """

    path: Path
    clip_id: str
    label: str
    group: str
    split: str = ""
    fps: float = 30.0
    problem: str = ""


@runtime_checkable
class Finder(Protocol):
    """Finds the videos of a data set, with label, group and official split, in a fixed order."""

    @property
    def source(self) -> str:
        """What the label map calls the data set."""

    @property
    def expected(self) -> str:
        """What should be in the folder, for the message when nothing is."""

    def __call__(self, raw: Path) -> Iterable[VideoClip]: ...


@dataclass(frozen=True)
class Videos:
    """The importer of a data set of videos.

    Attributes:
        finder: Knows where the videos are.
        extractor: Takes the skeletons out. None where a config is only read, as training does; no clip can then be.
        variants: Video augmentations by name. A test clip has none.
    """

    finder: Finder
    extractor: Extractor | None = None
    variants: Mapping[str, Variant] | None = None

    def __call__(self, raw: Path) -> list[ClipSource]:
        clips = list(self.finder(raw))
        if not clips:
            raise ActrecError(f"There are no videos in {raw}; expected {self.finder.expected}.")
        inputs = self._inputs()
        return [source for clip in clips for source in self._sources(clip, inputs)]

    def _inputs(self) -> dict[str, Any]:
        """What shapes every clip, besides its video."""
        if self.extractor is None:
            return {}
        options = {name: getattr(self.extractor, name) for name in ("person", "min_presence", "gap")}
        pose = self.extractor.pose
        options |= {name: getattr(pose, name) for name in ("min_score", "min_confidence")}
        return {**options, "weights": stamps.content(Path(pose.weights).expanduser())}

    def _sources(self, clip: VideoClip, inputs: Mapping[str, Any]) -> Iterator[ClipSource]:
        pose = self.extractor.pose.description if self.extractor else None
        row = {"label": clip.label, "group": clip.group, "split": clip.split}
        if clip.path.is_dir():
            inputs = {**inputs, "picture_fps": clip.fps}
        for name in (ORIGINAL, *(self.variants or {} if clip.split != "test" else {})):
            changed = {} if name == ORIGINAL else {"variant": repr((self.variants or {})[name])}
            yield ClipSource(
                clip.clip_id if name == ORIGINAL else f"{clip.clip_id}.{name}",
                self.finder.source,
                str(clip.path),
                partial(self._load, clip, name),
                clip.label or None,
                pose,
                row=row,
                inputs={**inputs, **changed},
            )

    def _load(self, clip: VideoClip, name: str) -> SkeletonSequence | list[SkeletonSequence]:
        if self.extractor is None:
            raise SetupError("dataset.importer.extractor is null; videos cannot be read without one.")
        if clip.problem:
            raise ActrecError(clip.problem)
        drawn = None if name == ORIGINAL else drawn_for(clip.clip_id, name, (self.variants or {})[name])
        sequences = [
            replace(sequence, label=clip.label, group=clip.group, split=clip.split, variant=name)
            for sequence in self.extractor(clip.path, drawn, clip.fps)
        ]
        return sequences if self.extractor.person == "all" else sequences[0]


@dataclass(frozen=True)
class ClassFolders:
    """A folder of class folders: the first folder is the label, whatever is below it. Each video is its own group."""

    source: str = "folder"
    expected: ClassVar[str] = f"a folder for each class, with videos in it ({', '.join(VIDEOS)})"

    def __call__(self, raw: Path) -> Iterator[VideoClip]:
        for file in videos_in(raw):
            place = file.relative_to(raw)
            if len(place.parts) < 2 and not file.is_dir():
                raise ActrecError(
                    f"{file} is in no class folder. Put each video in a folder with its label for a name, or list them "
                    "in a CSV: dataset=videos csv=…"
                )
            name = str(place.with_suffix(""))
            yield VideoClip(file, name, place.parts[0], name)


@dataclass(frozen=True)
class VideoTable:
    """A CSV of videos, a row a clip: `file` (relative to the folder) and `label`; clip_id, group, split may be there.

    Attributes:
        table: The CSV; `labels.csv` in the folder if not given.
    """

    source: str = "videos"
    table: str | None = None

    expected: ClassVar[str] = "a CSV that lists them"

    def __call__(self, raw: Path) -> Iterator[VideoClip]:
        for row in read_table(Path(self.table).expanduser() if self.table else raw / "labels.csv"):
            name = str(Path(row["file"]).with_suffix(""))
            clip_id, group = row.get("clip_id") or name, row.get("group") or name
            yield VideoClip(raw / row["file"], clip_id, row["label"], group, row.get("split") or "")


@dataclass(frozen=True)
class Ucf101:
    """UCF101 (Soomro et al., 2012): `v_<Class>_gXX_cYY.avi`, wherever they are in the folder.

    The clips of a class that have one number gXX are from one video, and a group. Official splits are read from
    `trainlist0N.txt` and `testlist0N.txt`, in the folder or beside it; without them no clip has one.

    Attributes:
        official: Which of the three official splits, from 1.
    """

    source: str = "ucf101"
    official: int = 1

    expected: ClassVar[str] = "UCF101's v_<Class>_gXX_cYY.avi"

    def __call__(self, raw: Path) -> Iterator[VideoClip]:
        splits = self._splits(raw)
        for file in videos_in(raw):
            match = _UCF.fullmatch(file.stem)
            if match is not None:
                group = f"{match['label']}_g{match['group']}"
                yield VideoClip(file, file.stem, match["label"], group, splits.get(file.stem, ""))

    def _splits(self, raw: Path) -> dict[str, str]:
        found: dict[str, str] = {}
        for split in ("train", "test"):
            name = f"{split}list{self.official:02d}.txt"
            for file in [*sorted(raw.rglob(name)), *sorted(raw.parent.glob(f"*/{name}"))][:1]:
                lines = file.read_text(encoding="utf-8").split("\n")
                found |= {Path(line.split()[0]).stem: split for line in lines if line.strip()}
        return found


@dataclass(frozen=True)
class Kinetics400:
    """Kinetics-400 (Kay et al., 2017), trimmed: class folders, or any folders and the official CSV files.

    Files are `<YouTube id>_<start>_<end>.mp4`, start and end in seconds of six digits, or `<YouTube id>.mp4`. A group
    is a YouTube id. A file's label and split are the CSV's (label, youtube_id, split), else the names of the folders
    that it is in; val counts as test.
    """

    source: str = "kinetics400"

    expected: ClassVar[str] = "Kinetics' <YouTube id>_<start>_<end>.mp4"

    def __call__(self, raw: Path) -> Iterator[VideoClip]:
        listed = self._listed(raw)
        for file in videos_in(raw):
            match = _KINETICS.fullmatch(file.stem)
            if match is None:
                continue
            folders = [part for part in file.relative_to(raw).parts[:-1]]
            label, split = listed.get(match["id"], ("", ""))
            label = label or next((name for name in reversed(folders) if name not in _KINETICS_SPLITS), "")
            named = next((_KINETICS_SPLITS[name] for name in folders if name in _KINETICS_SPLITS), "")
            if label:
                yield VideoClip(file, file.stem, label, match["id"], split or named)

    def _listed(self, raw: Path) -> dict[str, tuple[str, str]]:
        found: dict[str, tuple[str, str]] = {}
        for table in sorted(raw.rglob("*.csv")):
            with table.open(newline="", encoding="utf-8-sig") as stream:
                reader = csv.DictReader(stream)
                if {"label", "youtube_id"} <= set(reader.fieldnames or ()):
                    for row in reader:
                        split = _KINETICS_SPLITS.get((row.get("split") or table.stem).lower(), "")
                        found[row["youtube_id"]] = (row["label"], split)
        return found


@dataclass(frozen=True)
class PennActionFrames:
    """Penn Action's pictures, `frames/0001/000001.jpg`; label and split are those of `labels/0001.mat`.

    Attributes:
        fps: Frames a second, which the data set does not store.
    """

    source: str = "penn_action"
    fps: float = 30.0
    expected: ClassVar[str] = "frames/0001/000001.jpg and so on"

    def __call__(self, raw: Path) -> Iterator[VideoClip]:
        root = raw.parent if raw.name == "frames" else raw
        for folder in sorted(path for path in (root / "frames").glob("*") if path.is_dir()):
            label, split, problem = "", "", ""
            try:
                annotation = PennAction().read(root / "labels" / f"{folder.name}.mat")
                label, split = annotation.label, annotation.split
            except ActrecError as error:
                problem = f"labels/{folder.name}.mat: {error}"
            yield VideoClip(folder, folder.name, label, folder.name, split, self.fps, problem)


def videos_in(folder: Path) -> list[Path]:
    """Every video below a folder, in the order of names; and folders that may not be read, which are then listed."""
    found: list[Path] = []
    walk = os.walk(folder, onerror=lambda error: found.append(Path(error.filename)), followlinks=True)
    for place, folders, files in walk:
        folders[:] = [name for name in folders if not name.startswith(".")]
        found += [Path(place, name) for name in files if name.lower().endswith(VIDEOS) and not name.startswith(".")]
    return sorted(found)
