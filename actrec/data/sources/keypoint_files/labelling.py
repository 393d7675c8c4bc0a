"""Labels the clips of keypoint files, and gives them groups and splits: from a CSV, class folders, or their names."""

from __future__ import annotations

import logging
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from actrec.data.sources.folders import split_level
from actrec.data.sources.keypoint_files import ntu
from actrec.data.sources.keypoint_files.finding import Found
from actrec.data.sources.labels import clean_label
from actrec.data.sources.official_splits import split_named
from actrec.data.sources.tables import Row, locate

log = logging.getLogger(__name__)

# Words of folders that are named after a tool or what is in them, and so not after an action.
_TOOLS = frozenset(
    """
    mmpose sapiens rtmpose openpose alphapose halpe coco body25 yolo yolov8 yolo11 ultralytics movenet posenet
    tfjs mediapipe blazepose deeplabcut dlc sleap ntu nturgb rgb d 2d json jsons csv txt keypoints keypoint kp
    kpts joints landmarks pose poses skeleton skeletons labels label predictions preds results result output
    outputs out sep frames clips videos data raw files run runs predict
    """.split()  # noqa: SIM905
)
_NUMBER = re.compile(r"[ _.-]*\d+$")


@dataclass(frozen=True)
class Labelled:
    """A clip with all that is known of it.

    Attributes:
        clip_id: Unique among the clips.
        label: Its action; empty if it is not known.
        row: Its row of the CSV, if there is one.
        problem: The reason for which it cannot be used.
    """

    found: Found
    clip_id: str
    label: str
    group: str
    split: str = ""
    row: Row | None = field(default=None)
    problem: str = ""


def by_table(raw: Path, clips: Sequence[Found], table: Path, rows: Sequence[Row]) -> list[Labelled]:
    """Labels the clips that a CSV lists, by their files, by the folders of their frames or by their names."""
    base = raw.parent if raw.is_file() else raw
    known = _known(base, clips)
    listed = []
    for row in rows:
        found = known.get(_normal(row.path)) or _missing(base, row, clips)
        clip_id = row.get("clip_id") or str(found.place)
        listed.append(
            Labelled(found, clip_id, row["label"], row.get("group") or row.stem, row.get("split"), row, found.problem)
        )
    used = {id(each.found) for each in listed}
    others = [each for each in clips if id(each) not in used]
    if others:
        log.warning("%d clips are not in %s (the first: %s) and are left out.", len(others), table, others[0].place)
    return listed


def _missing(base: Path, row: Row, clips: Sequence[Found]) -> Found:
    """Returns a clip with the reason for which a row names none."""
    file = locate(base, row["file"])
    inside = [each.key or str(each.place) for each in clips if each.file == file]
    if inside:
        problem = f"it has {len(inside)} clips: {', '.join(inside[:3])}, …; list each by its name."
    elif file.exists():
        problem = "no known format of keypoints was found in it. Give format=…"
    else:
        problem = f"there is no such file, folder or clip in {base}."
    return Found(row.path, (file,), problem=problem)


def _known(base: Path, clips: Sequence[Found]) -> dict[str, Found]:
    """Returns the clips by all names by which a CSV may list them; a surer name comes before a less sure one."""
    counts = Counter(each.file for each in clips)
    files = [PurePosixPath(each.file.relative_to(base)) for each in clips]
    names = [(file, each) for file, each in zip(files, clips, strict=True) if counts[each.file] == 1]
    names += [(each.place, each) for each in clips]
    names += [(file / each.key, each) for file, each in zip(files, clips, strict=True)]
    names += [(PurePosixPath(each.key), each) for each in clips if each.key]
    known: dict[str, Found] = {}
    for name, each in names:
        known.setdefault(_normal(name), each)
    return known


def _normal(path: PurePosixPath) -> str:
    return unicodedata.normalize("NFC", str(path))


def by_folders(raw: Path, clips: Sequence[Found]) -> list[Labelled]:
    """Labels clips by class folders; without them by the file, or by their names without a number at the end.

    Folders that are named after a tool or kind of file are no class folders. Folders train, val and test are the
    official split.
    """
    places = _without_tools([each.place for each in clips])
    inside = [place for place in places if len(place.parts) > 1]
    has_split = any(split_named(part) for place in inside for part in place.parts[:2])
    level = split_level(raw, inside) if has_split else None
    labelled = []
    for found, place, clip_id in zip(clips, places, _ids(raw, clips), strict=True):
        parts = list(place.parts)
        split = split_named(parts.pop(level)) if level is not None and len(parts) > level + 1 else None
        group, problem = place.as_posix(), found.problem
        match = ntu.NAME.fullmatch(parts[-1])
        if found.told.label:
            label = found.told.label
        elif len(parts) > 1:
            label = parts[0]
        elif match:
            label, group = match["action"].upper(), match["person"].upper()
        else:
            label = _NUMBER.sub("", parts[-1])
            if inside and level is None:
                problem = problem or "it is in no class folder, and others are. Put it into one, or list all in a CSV."
        label = clean_label(label)
        if not label:
            problem = problem or "it has no label: put it into a folder with its label for a name, or list it in a CSV."
        labelled.append(Labelled(found, clip_id, label, group, split or "", problem=problem))
    _log_labels(labelled, bool(inside))
    return labelled


def _without_tools(places: Sequence[PurePosixPath]) -> list[Path]:
    """Takes off the first and last folders of all places, as long as all are named after tools or kinds of files."""
    parts = [list(place.parts) for place in places]
    for end in (0, -1):
        while (deep := [each for each in parts if len(each) > 1]) and all(_is_tool(each[end]) for each in deep):
            for each in deep:
                del each[end]
    return [Path(*each) for each in parts]


def _is_tool(part: str) -> bool:
    words = [word for word in re.split(r"[\W_]+", part.casefold()) if word]
    return bool(words) and all(word in _TOOLS or word.rstrip("0123456789") in _TOOLS for word in words)


def _ids(raw: Path, clips: Sequence[Found]) -> list[str]:
    """Returns the place of each clip, with the file's ending where two have the same."""
    counts = Counter(each.place for each in clips)
    return [str(each.place) + (each.file.suffix if counts[each.place] > 1 else "") for each in clips]


def _log_labels(clips: Sequence[Labelled], has_folders: bool) -> None:
    if has_folders or any(each.found.told.label for each in clips):
        return
    counts = Counter(each.label for each in clips if each.label)
    log.info(
        "There are no class folders and no labels.csv: labels are the names of files (or folders of frames) without "
        "the number at the end: %s.",
        ", ".join(f"{label} {count}" for label, count in sorted(counts.items())),
    )
