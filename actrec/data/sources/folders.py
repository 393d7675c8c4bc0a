"""Lists the files in a folder of videos or arrays, and logs the kinds of files that are skipped."""

from __future__ import annotations

import logging
import os
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePath

from actrec.data.sources.official_splits import split_named
from actrec.types import ActrecError
from actrec.video.video import VIDEOS

log = logging.getLogger(__name__)


@dataclass
class Listing:
    """The files below a folder.

    Attributes:
        files: Files that are not hidden, in no particular order.
        unreadable: Folders that cannot be read.
        hidden: Number of hidden files and folders, such as macOS's "._x.mp4" and ".DS_Store".
    """

    files: list[Path] = field(default_factory=list)
    unreadable: list[Path] = field(default_factory=list)
    hidden: int = 0


def files_below(folder: Path) -> Listing:
    """Lists all files below a folder; links to folders are followed, except in loops."""
    listing = Listing()
    for entry in _walk(folder, (), listing):
        if entry.name.startswith("."):
            listing.hidden += 1
        else:
            listing.files.append(Path(entry.path))
    return listing


def _walk(folder: Path, above: tuple[str, ...], listing: Listing) -> Iterator[os.DirEntry[str]]:
    real = os.path.realpath(folder)
    if real in above:
        log.warning("%s is skipped: it is a link to a folder that contains it.", folder)
        return
    try:
        with os.scandir(folder) as entries:
            found = list(entries)
    except OSError:
        listing.unreadable.append(folder)
        return
    for entry in found:
        if entry.name.startswith(".") or not os.path.isdir(entry.path):
            yield entry
        else:
            yield from _walk(Path(entry.path), (*above, real), listing)


def videos_in(folder: Path, read: Sequence[str] = ()) -> list[Path]:
    """Lists every video below a folder, and every folder that cannot be read, sorted by path.

    Args:
        read: Endings of other files that are read, and so not logged as skipped.
    """
    listing = files_below(folder)
    videos = [file for file in listing.files if file.name.lower().endswith(VIDEOS)]
    kinds = Counter(
        file.suffix.lower() or "without an ending"
        for file in listing.files
        if not file.name.lower().endswith((*VIDEOS, *read))
    )
    log_skipped(folder, kinds, listing.hidden)
    return sorted(videos + listing.unreadable)


def log_skipped(folder: Path, kinds: Counter[str], hidden: int = 0) -> None:
    """Logs the kinds of files that are skipped; as a warning, unless they are all hidden."""
    parts = [f"{count} {kind}" for kind, count in kinds.most_common()] + ([f"{hidden} hidden"] if hidden else [])
    if parts:
        log.log(logging.WARNING if kinds else logging.INFO, "Skipped in %s: %s.", folder, ", ".join(parts))


def warn_unlisted_files(
    folder: Path, files: Sequence[Path], listed: Sequence[Path], table: Path, endings: Sequence[str]
) -> None:
    """Warns of files with one of these endings that the table does not list."""
    known = {os.path.normpath(file) for file in listed}
    others = sorted(
        file for file in files if file.name.lower().endswith(tuple(endings)) and os.path.normpath(file) not in known
    )
    if others:
        log.warning("%d files in %s are not in %s (the first: %s).", len(others), folder, table, others[0])


def warn_misnamed(raw: Path, files: Sequence[Path], expected: str) -> None:
    """Warns of videos that are skipped because of their names."""
    if files:
        log.warning("Skipped in %s: %d videos, the first %s; expected %s.", raw, len(files), files[0], expected)


def split_level(raw: Path, places: Sequence[Path]) -> int | None:
    """Finds the level at which the folders of videos are named as splits: 0, 1 (inside class folders), or None.

    Raises:
        ActrecError: Some are, and whether they are splits or classes is ambiguous.
    """
    tops = sorted({place.parts[0] for place in places})
    named = [top for top in tops if split_named(top)]
    with_classes = {place.parts[0] for place in places if len(place.parts) > 2}
    inner = [split_named(place.parts[1]) if len(place.parts) > 2 else None for place in places]
    if named and named == tops:
        loose = next((place for place in places if len(place.parts) == 2), None)
        if loose is not None:
            raise ActrecError(
                f"{raw / loose} is in the folder {loose.parts[0]}, which is named as a split, and in no class folder. "
                f"Put it into a folder with its label for a name: {loose.parts[0]}/<label>/{loose.name}."
            )
        return 0
    if with_classes & set(named):
        raise ActrecError(
            f"{raw} has folders named as splits ({', '.join(named)}) beside others "
            f"({', '.join(top for top in tops if top not in named)[:80]}). Put all class folders into train, val and "
            "test, or none; or list the videos in a CSV: dataset=videos csv=…"
        )
    if len(set(inner) - {None}) > 1 and "train" in inner:
        if None in inner:
            raise ActrecError(
                f"{raw} has class folders with folders named as splits in them, and {raw / places[inner.index(None)]} "
                "is in none of those. Put it into one; or list the videos in a CSV: dataset=videos csv=…"
            )
        return 1
    if len(tops) == 1 and len({place.parts[1] for place in places if len(place.parts) > 2}) > 1:
        log.warning(
            "All videos are in the one folder %s, which is then the only label. If its folders are the classes, give "
            "raw=%s.",
            tops[0],
            raw / tops[0],
        )
    return None


def distinct_names(files: Sequence[PurePath]) -> list[str]:
    """Names each file by its path without the ending; with the ending if two paths differ only in that."""
    stems = [unicodedata.normalize("NFC", str(file.with_suffix(""))) for file in files]
    counts = Counter(stems)
    return [
        unicodedata.normalize("NFC", str(file)) if counts[stem] > 1 else stem
        for file, stem in zip(files, stems, strict=True)
    ]
