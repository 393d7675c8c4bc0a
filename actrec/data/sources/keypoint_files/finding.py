"""Finds the clips in a folder of keypoint files: files of frames are grouped, and each file's format is found."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Any

from actrec.data.sources.folders import files_below
from actrec.data.sources.keypoint_files import content
from actrec.data.sources.keypoint_files.detections import Detections, Person, Told, detections
from actrec.data.sources.keypoint_files.formats import FORMATS, Format, format_of
from actrec.data.sources.keypoint_files.numbering import clip_name, frame_number
from actrec.data.store.fingerprints import file_status
from actrec.types import ActrecError

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Found:
    """A clip in keypoint files.

    Attributes:
        place: The path of the file, or of the folder or name of its frames, without the ending; relative to the folder.
        files: Its file, or the files of its frames in the order of their numbers.
        form: Its format; None if it is not known.
        key: Its name in a file of several clips.
        problem: The reason for which it cannot be read.
        told: What its file (or the first file of its frames) tells besides keypoints.
        in_shares: Whether x and y are shares of the picture.
    """

    place: PurePosixPath
    files: tuple[Path, ...]
    form: Format | None = None
    key: str = ""
    problem: str = ""
    told: Told = field(default_factory=Told)
    in_shares: bool = False

    @property
    def file(self) -> Path:
        """The file, or the folder of the files of frames."""
        return self.files[0].parent if self.form is not None and self.form.frame else self.files[0]

    @property
    def origin(self) -> str:
        """The file or folder, and the clip's name in it if it may have others."""
        name = self.key or (self.place.name if self.file != self.files[0] and self.place.name != self.file.name else "")
        return f"{self.file}#{name}" if name else str(self.file)

    def read(self) -> Detections:
        """Reads the clip; an ActrecError if it cannot be read."""
        if self.problem or self.form is None:
            raise ActrecError(self.problem)
        if self.form.clips is None:
            in_shares = True if self.form.kind == "text" else None
            return detections(_frames(self.form, self.files), Told(in_shares=in_shares))
        clips = _clips(self.form, self.files[0], file_status(self.files[0]))
        if self.key not in clips:
            raise ActrecError(f"it has no clip '{self.key}' any more.")
        return clips[self.key]


@lru_cache(maxsize=2)  # a file of many clips is read once for all of them
def _clips(form: Format, file: Path, status: str) -> dict[str, Detections]:
    return form.read_clips(content.load(file))


def _frames(form: Format, files: Iterable[Path]) -> dict[int, list[Person]]:
    """Reads the files of a clip's frames."""
    frames: dict[int, list[Person]] = {}
    for file in files:
        number = frame_number(file.stem)[1] or 0
        if number in frames:
            raise ActrecError(f"it has two files of frame {number}: one of them is {file.name}.")
        try:
            loaded = content.load(file)
            empty = loaded in ([], "") or (isinstance(loaded, str) and not loaded.strip())
            if not empty and not form.matches(loaded):
                raise ActrecError(f"it is not as {form.title} writes it.")
            frames[number] = [] if empty else form.read_frame(loaded)
        except ActrecError as error:
            raise ActrecError(f"its file {file.name} cannot be read: {error}") from None
    return frames


def find_clips(
    raw: Path, candidates: Sequence[Format] = FORMATS, without: Iterable[Path] = ()
) -> tuple[list[Found], list[Path]]:
    """Finds the clips in a folder, or in one file, sorted by place; and the files of no known format.

    Args:
        candidates: The formats to look for.
        without: Files that are not keypoints.
    """
    kinds = {each.kind for each in candidates}
    listed = [raw] if raw.is_file() else sorted(set(files_below(raw).files) - {file.absolute() for file in without})
    files = [file for file in listed if content.KINDS.get(file.suffix.lower()) in kinds]
    base = raw.parent if raw.is_file() else raw
    groups: dict[tuple[Path, str, str], list[Path]] = {}
    for file in files:
        groups.setdefault((file.parent, frame_number(file.stem)[0], file.suffix.lower()), []).append(file)
    clips: list[Found] = []
    unknown: list[Path] = []
    alone = Counter((folder, ending) for folder, _, ending in groups)
    for (folder, prefix, ending), members in groups.items():
        found = _of_frames(base, members, prefix, alone[folder, ending] == 1, candidates)
        for each in [found] if found else (each for file in members for each in _of_file(base, file, candidates)):
            if each.form is None and not each.problem:
                unknown.append(each.files[0])
            else:
                clips.append(each)
    return sorted(clips, key=lambda each: (str(each.place), str(each.files[0]))), unknown


def _of_frames(
    base: Path, files: Sequence[Path], prefix: str, is_alone: bool, candidates: Sequence[Format]
) -> Found | None:
    """Returns the clip of files with the same prefix, if the first whose format can be found is a file of one frame."""
    kind = content.KINDS[files[0].suffix.lower()]
    if kind == "table" or not any(each.frame and each.kind == kind for each in candidates):
        return None
    ordered = sorted(files, key=lambda file: (frame_number(file.stem)[1] or 0, file.name))
    form, loaded = _first_known(ordered, kind, candidates)
    if form is None or form.frame is None:
        return None
    folder = PurePosixPath(ordered[0].parent.relative_to(base))
    name = clip_name(prefix)
    place = folder if not name or (is_alone and name == folder.name) else folder / name
    if place == PurePosixPath():
        place = PurePosixPath(base.name)
    try:
        in_shares = form.kind == "text" or detections({0: form.read_frame(loaded)}).in_shares
    except ActrecError:  # raised again when the clip is read
        in_shares = False
    return Found(place, tuple(ordered), form, in_shares=in_shares)


def _first_known(files: Iterable[Path], kind: str, candidates: Sequence[Format]) -> tuple[Format | None, Any]:
    """Returns the format and content of the first file whose format is known."""
    for file in files:
        try:
            loaded = content.load(file)
        except ActrecError:
            continue
        if (form := format_of(loaded, kind, candidates)) is not None:
            return form, loaded
    return None, None


def _of_file(base: Path, file: Path, candidates: Sequence[Format]) -> Iterator[Found]:
    """Yields the clips of a file; one with a problem if it cannot be read, one without a format if none is known."""
    place = PurePosixPath(file.relative_to(base).with_suffix(""))
    try:
        loaded = content.load(file)
        if loaded == []:
            raise ActrecError("nobody was found in it: it is an empty list.")
        form = format_of(loaded, content.KINDS[file.suffix.lower()], candidates)
    except ActrecError as error:
        yield Found(place, (file,), problem=str(error))
        return
    if form is None or form.clips is None:
        yield Found(place, (file,), form)
        return
    try:
        clips = form.read_clips(loaded)
    except ActrecError as error:
        yield Found(place, (file,), form, problem=str(error))
        return
    for key, clip in clips.items():
        where = place.parent / key if key else place
        yield Found(where, (file,), form, key, told=clip.told, in_shares=clip.in_shares)
