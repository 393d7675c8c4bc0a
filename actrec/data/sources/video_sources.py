"""Importers of videos: a finder knows how a data set lies in its folder, and `Videos` takes the skeletons out."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Protocol, runtime_checkable

from actrec.data.sources.folders import (
    distinct_names,
    files_below,
    split_level,
    videos_in,
    warn_misnamed,
    warn_unlisted_files,
)
from actrec.data.sources.importers import PennAction
from actrec.data.sources.labels import clean_label
from actrec.data.sources.official_splits import official_splits, split_named, val_is, warn_unlisted
from actrec.data.sources.tables import COLUMNS, check_rate, locate, read_records, read_table
from actrec.data.store import fingerprints
from actrec.data.store.writing import ClipSource
from actrec.types import ActrecError, SetupError, SkeletonSequence
from actrec.video.augmentation import ORIGINAL, Variant, drawn_for
from actrec.video.extraction import Extractor
from actrec.video.video import VIDEOS

log = logging.getLogger(__name__)

_UCF = re.compile(r"v_(?P<label>\w+)_g(?P<group>\d+)_c\d+")
_KINETICS = re.compile(r"(?P<id>[\w-]{11})(?:_\d{6}_\d{6})?")


@dataclass(frozen=True)
class VideoClip:
    """A video that an importer has found.

    Attributes:
        path: The file, or the folder of pictures.
        clip_id: Unique in the source.
        label: The source's own.
        group: What must never be split.
        split: The source's official one: "train", "val", "test" or empty.
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
        variants: Video augmentations by name. A clip of val or test has none.
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
        return {**options, "weights": fingerprints.content(Path(pose.weights).expanduser())}

    def _sources(self, clip: VideoClip, inputs: Mapping[str, Any]) -> Iterator[ClipSource]:
        pose = self.extractor.pose.description if self.extractor else None
        row = {"label": clip.label, "group": clip.group, "split": clip.split}
        if clip.path.is_dir():
            inputs = {**inputs, "picture_fps": clip.fps}
        if clip.problem:
            inputs = {**inputs, "problem": clip.problem}
        for name in (ORIGINAL, *(self.variants or {} if clip.split not in ("val", "test") else {})):
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
    """A folder of class folders: the first folder is the label, whatever is below it. Each video is its own group.

    Folders train, val and test may be above the class folders, or be all that is in them: the official split.
    """

    source: str = "folder"
    expected: ClassVar[str] = "a folder for each class, with videos in it (.mp4, .mov, .avi, .mkv and the like)"

    def __call__(self, raw: Path) -> Iterator[VideoClip]:
        files = videos_in(raw)
        places = [file.relative_to(raw) for file in files]
        for file, place in zip(files, places, strict=True):
            if file == raw:
                raise ActrecError(f"The folder {raw} cannot be read. May you read it?")
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


@dataclass(frozen=True)
class VideoTable:
    """A CSV of videos, a row a clip: `file` (relative to the folder) and `label`; clip_id, group, split may be there.

    A column fps has the frames a second of folders of pictures.

    Attributes:
        table: The CSV; `labels.csv` in the folder if not given.
    """

    source: str = "videos"
    table: str | None = None

    expected: ClassVar[str] = "a CSV that lists them"

    def __call__(self, raw: Path) -> Iterator[VideoClip]:
        table = Path(self.table).expanduser() if self.table else raw / "labels.csv"
        rows = read_table(table, (*COLUMNS, "fps"))
        files = [locate(raw, row["file"]) for row in rows]
        warn_unlisted_files(raw, files_below(raw).files, files, table, VIDEOS)
        for row, file, name in zip(rows, files, distinct_names([row.path for row in rows]), strict=True):
            fps, problem = 30.0, ""
            try:
                fps = row.rate(fps)
            except ActrecError as error:
                problem = str(error)
            group = row.get("group") or row.stem
            yield VideoClip(
                file, row.get("clip_id") or name, row["label"], group, row.get("split"), fps, problem=problem
            )


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
        clips, others = [], []
        for file in videos_in(raw, read=(".txt",)):
            match = _UCF.fullmatch(file.stem)
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
                f"There is {there[0]}, and no list of official={self.official}, trainlist{self.official:02d}.txt. Put "
                "it there, choose another official split (1, 2 or 3), or take the lists away."
            )
        return official_splits(members, f"the lists of official={self.official}")

    def _lists(self, raw: Path, pattern: str) -> list[Path]:
        return [*sorted(raw.rglob(pattern)), *sorted(raw.parent.glob(f"*/{pattern}"))]


@dataclass(frozen=True)
class Kinetics400:
    """Kinetics-400 (Kay et al., 2017), trimmed: class folders, or any folders and the official CSV files.

    Files are `<YouTube id>_<start>_<end>.mp4`, start and end in seconds of six digits, or `<YouTube id>.mp4`. A group
    is a YouTube id. A file's label and split are the CSV's (label, youtube_id, split), else the names of the folders
    that it is in; val counts as test where no clip is of test.
    """

    source: str = "kinetics400"

    expected: ClassVar[str] = "Kinetics' <YouTube id>_<start>_<end>.mp4"

    def __call__(self, raw: Path) -> Iterator[VideoClip]:
        listed = self._listed(raw)
        clips: list[VideoClip] = []
        others: list[Path] = []
        unlabelled: list[Path] = []
        for file in videos_in(raw, read=(".csv",)):
            match = _KINETICS.fullmatch(file.stem)
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
        """Label and split of each YouTube id in the official CSVs."""
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


def unreadable(raw: Path, folder: Path) -> VideoClip:
    """A clip that stands for a folder which may not be read, so that it is rejected and listed."""
    name = str(folder.relative_to(raw))
    return VideoClip(folder, name, "", name, problem="the folder cannot be read.")


@dataclass(frozen=True)
class PennActionFrames:
    """Penn Action's pictures, `frames/0001/000001.jpg`; label and split are those of `labels/0001.mat`.

    Attributes:
        fps: Frames a second, which the data set does not store.
    """

    source: str = "penn_action"
    fps: float = 30.0
    expected: ClassVar[str] = "frames/0001/000001.jpg and so on"

    def __post_init__(self) -> None:
        check_rate(self.fps)

    def __call__(self, raw: Path) -> Iterator[VideoClip]:
        root = raw.parent if raw.name == "frames" else raw
        for folder in sorted(path for path in (root / "frames").glob("*") if path.is_dir()):
            file, name = root / "labels" / f"{folder.name}.mat", folder.name
            try:
                annotation = PennAction().read(file)
            except ActrecError as error:
                yield VideoClip(folder, name, "", name, fps=self.fps, problem=f"its annotation {file}: {error}")
            else:
                yield VideoClip(folder, name, annotation.label, name, annotation.split, self.fps)
