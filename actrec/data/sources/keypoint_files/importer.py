"""Imports files of keypoints as pose estimators write them."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from actrec.data.sources.keypoint_files.detections import Told
from actrec.data.sources.keypoint_files.finding import Found, find_clips
from actrec.data.sources.keypoint_files.formats import FORMATS, NAMES
from actrec.data.sources.keypoint_files.joints import arranged
from actrec.data.sources.keypoint_files.labelling import Labelled, by_folders, by_table
from actrec.data.sources.keypoint_files.option_checks import check_options
from actrec.data.sources.keypoint_files.people import chosen, observed
from actrec.data.sources.keypoint_files.picture import in_pixels
from actrec.data.sources.keypoint_files.settling import settled
from actrec.data.sources.segment_table import FILE, SegmentTable, read_segment_table
from actrec.data.sources.tables import COLUMNS, Row, check_rate, list_clips
from actrec.data.store import fingerprints
from actrec.data.store.clip_source import ClipSource
from actrec.data.store.given_segments import GivenSegment, pack
from actrec.skeleton import get_skeleton
from actrec.types import ActrecError, SkeletonSequence
from actrec.video.tracks import PERSONS

log = logging.getLogger(__name__)

_SOURCE = "keypoints"
_USUAL = 30.0  # frames per second


@dataclass(frozen=True)
class KeypointFiles:
    """Imports keypoints from the files of pose estimators; docs/skeletons.md lists the formats.

    Each file's format is found from its content. Labels are from a CSV (columns file and label; group, split, fps,
    width, height and clip_id are optional), from class folders, or from the files' names.

    Attributes:
        skeleton: The joint layout of the store, which decides between layouts with the same number of joints.
        format: The only format to read; by default all, each file by its own.
        layout: The joint layout of the files; by default it follows from the names or the number of their joints.
        fps: Frames per second of clips for which neither the CSV nor the file gives any; by default 30.
        width: Width in pixels of pictures for which neither the CSV nor the file gives any; 0 if it is not known.
        height: Their height.
        padded: Whether x and y are, or were, shares of a square to which the picture was padded, see `in_pixels`.
        settle: Seconds at the beginning of a person in which an estimator may still jump to the body's place: frames
            before such a jump are left out, see `settled`; 0 keeps all.
        person: The persons to keep, as for videos: "main", "all" or "single".
        min_presence: Least share of the frames in which the person must be found.
        gap: Longest time, in seconds, after which a person who was lost is still recognised as the same.
        table: The CSV; by default `labels.csv` in the folder, if there is one.
        segments: The table of the actions in long clips, see `read_segment_table`; by default `segments.csv` in the
            folder, if there is one.
    """

    skeleton: str = "coco17"
    format: str | None = None
    layout: str | None = None
    fps: float | int | None = None
    width: int = 0
    height: int = 0
    padded: bool = False
    settle: float | int = 0.2
    person: str = "main"
    min_presence: float = 0.5
    gap: float = 1.0
    table: str | None = None
    segments: str | None = None

    def __post_init__(self) -> None:
        if self.format is not None and self.format not in NAMES:
            raise ActrecError(f"format is '{self.format}'; expected one of: {', '.join(NAMES)}; or leave it out.")
        if self.person not in PERSONS:
            raise ActrecError(f"person is '{self.person}'; expected one of: {', '.join(PERSONS)}.")
        if self.fps is not None:
            check_rate(self.fps)
        check_options(vars(self))
        for layout in filter(None, (self.skeleton, self.layout)):
            get_skeleton(layout)

    def __call__(self, raw: Path) -> list[ClipSource]:
        segments = SegmentTable() if raw.is_file() else read_segment_table(raw, self.segments)
        if segments.clips and self.person == "all":
            raise ActrecError(
                "segments are of one person; person=all keeps several. Use person=main, or leave them out."
            )
        table = Path(self.table).expanduser() if self.table else raw / "labels.csv"
        candidates = [each for each in FORMATS if self.format in (None, each.name)]
        clips, unknown = find_clips(raw, candidates, (table, raw / FILE, segments.path))
        if not clips and not unknown:
            raise ActrecError(
                f"There are no keypoint files in {raw}; expected files of: {', '.join(NAMES)} (docs/skeletons.md). "
                "Arrays are read by dataset=csv, videos by dataset=folder."
            )
        self._log_formats(clips, unknown)
        if self.table or table.is_file() or segments.files:
            path, rows = list_clips(raw, self.table, (*COLUMNS, "fps", "width", "height"), segments)
            labelled = by_table(raw, clips, path, rows)
        else:
            labelled = by_folders(raw, clips)
        self._log_assumptions(labelled)
        return [self._source(each, self._segments_of(each, segments)) for each in labelled]

    def _log_formats(self, clips: Sequence[Found], unknown: Sequence[Path]) -> None:
        files: dict[str, set[Path]] = {}
        counts = Counter(each.form.title for each in clips if each.form)
        for each in clips:
            if each.form:
                files.setdefault(each.form.title, set()).update(each.files)
        for title, found in files.items():
            clip_count = f", {counts[title]} clips" if counts[title] != len(found) else ""
            log.info("%s: %d files%s.", title, len(found), clip_count)
        if len(files) > 1:
            log.info("There are files of %d formats; each is read by its own. format=… reads one alone.", len(files))
        if unknown:
            log.warning(
                "%d files have no known format of keypoints and are left out (the first: %s). Formats: %s.",
                len(unknown),
                unknown[0],
                ", ".join(NAMES),
            )

    def _log_assumptions(self, clips: Sequence[Labelled]) -> None:
        """Logs what is assumed of rates and picture sizes that are not known."""
        usable = [each for each in clips if not each.problem]
        without_rate = sum(not (each.row and each.row.get("fps")) and not each.found.told.fps for each in usable)
        if without_rate and self.fps is None:
            log.info(
                "%d clips have no frame rate: they are read as %g frames a second. Give fps=…, or a column fps in "
                "labels.csv.",
                without_rate,
                _USUAL,
            )
        without_size = [each for each in usable if each.found.in_shares and not self._has_size(each)]
        if without_size:
            log.warning(
                "%d clips have x and y as shares of a picture whose size is not known (the first: %s): they are taken "
                "as they are, as of a square picture, so bodies are stretched by its aspect ratio. Give columns width "
                "and height in labels.csv, or dataset.importer.width=… dataset.importer.height=…",
                len(without_size),
                without_size[0].found.place,
            )

    def _segments_of(self, clip: Labelled, segments: SegmentTable) -> tuple[GivenSegment, ...]:
        return segments.of(clip.row["file"], clip.row.get("clip_id")) or () if clip.row else ()

    def _source(self, clip: Labelled, segments: Sequence[GivenSegment]) -> ClipSource:
        found = clip.found
        options = ("skeleton", "layout", "fps", "width", "height", "padded", "settle", "person", "min_presence", "gap")
        columns = {name: clip.row.get(name) for name in ("fps", "width", "height")} if clip.row else {}
        return ClipSource(
            clip.clip_id,
            _SOURCE,
            found.origin,
            partial(self._load, clip),
            file=str(found.file),
            row={"label": clip.label, "group": clip.group, "split": clip.split, "segments": pack(segments)},
            inputs={
                **{name: getattr(self, name) for name in options},
                "row": columns,
                "format": found.form.title if found.form else "",
                "clip": found.key,
                "problem": clip.problem,
            },
            content=partial(_content, found) if found.key or len(found.files) > 1 else None,
        )

    def _size(self, row: Row | None, told: Told) -> tuple[int, int]:
        """Returns width and height of the picture, from the CSV, the file or the options; zeros if it is not known."""
        width = (row.pixels("width") if row else 0) or told.width or self.width
        height = (row.pixels("height") if row else 0) or told.height or self.height
        return width, height

    def _has_size(self, clip: Labelled) -> bool:
        try:
            return 0 not in self._size(clip.row, clip.found.told)
        except ActrecError:  # a wrong cell; raised again when the clip is read
            return True

    def _load(self, clip: Labelled) -> SkeletonSequence | list[SkeletonSequence]:
        if clip.problem:
            raise ActrecError(clip.problem)
        detections = clip.found.read()
        if not len(detections.frames):
            raise ActrecError(f"no person was found in any of its {len(detections.looked)} frames.")
        layout, keypoints = arranged(detections, self.layout, self.skeleton)
        told = detections.told
        fps = clip.row.rate(0.0) if clip.row and clip.row.get("fps") else float(told.fps or self.fps or _USUAL)
        width, height = self._size(clip.row, told)
        keypoints = in_pixels(keypoints, detections.in_shares, (width, height), self.padded)
        in_shares = detections.in_shares and 0 in (width, height)
        people = chosen(detections, keypoints, in_shares, self.person, fps, self.min_presence, self.gap)
        people = [settled(each, fps, float(self.settle)) for each in people]
        if self.person == "all":
            people = [observed(each) for each in people]
        sequences = [
            SkeletonSequence(
                each, fps, layout, clip.label, clip.clip_id, "", clip.group, clip.split, width=width, height=height
            )
            for each in people
        ]
        return sequences if self.person == "all" else sequences[0]


def _content(found: Found) -> str:
    """Hashes the files of a clip's frames, or a clip of a file of many; an empty text if it cannot be read."""
    if not found.key:
        return fingerprints.values({file.name: fingerprints.content(file) for file in found.files})
    try:
        clip = found.read()
    except ActrecError:
        return ""
    return fingerprints.arrays([clip.frames, clip.looked, clip.people, clip.keypoints])
