"""Reads official splits of data sets from the names of lists, folders and table cells."""

from __future__ import annotations

import logging
import re
from collections.abc import Collection, Iterable, Mapping, Sequence

from actrec.types import ActrecError

log = logging.getLogger(__name__)

NAMES = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("val", "valid", "validate", "validation"), "val"),
    **dict.fromkeys(("test", "testing"), "test"),
}

_WORD = re.compile("|".join(sorted(NAMES, key=len, reverse=True)), re.IGNORECASE)
_WHOLE_WORD = re.compile(f"(?<![a-z])(?:{_WORD.pattern})(?![a-z])", re.IGNORECASE)


def split_named(text: str) -> str | None:
    """Returns the split that a word names, "train", "val" or "test", without regard to case; None if it names none."""
    return NAMES.get(text.strip().casefold())


def val_is(splits: Iterable[str]) -> str:
    """Returns the split that clips of val belong to: "test" if no clip is of test, as in Kinetics and NTU."""
    return "val" if "test" in set(splits) else "test"


def families_of(names: Iterable[str]) -> list[dict[str, str]]:
    """Groups lists that belong together, by split: train1, test1, xsub_train and xsub_val make two families.

    Each family has train, and val or test or both; families are sorted by the name of train.
    """
    families: dict[str, dict[str, str]] = {}
    for name in sorted(names):
        match = _WHOLE_WORD.search(name) or _WORD.search(name)
        if match:
            families.setdefault(name[: match.start()] + name[match.end() :], {})[NAMES[match[0].casefold()]] = name
    return [lists for lists in families.values() if "train" in lists and len(lists) > 1]


def official_splits(members: Mapping[str, Collection[str]], lists: str) -> dict[str, str]:
    """Returns the split of each clip in lists of train, val and test.

    Args:
        lists: Name of the lists, for messages.

    Raises:
        ActrecError: A clip is in two lists.
    """
    splits: dict[str, str] = {}
    for part, clips in members.items():
        for clip in sorted(clips):
            other = splits.setdefault(clip, part)
            if other != part:
                raise ActrecError(f"Clip '{clip}' is both in {other} and in {part} of {lists}. Keep it in one of them.")
    if "val" in splits.values() and val_is(splits.values()) == "test":
        log.info("There are no clips of test, so val is the test split (%s).", lists)
        return {clip: "test" if part == "val" else part for clip, part in splits.items()}
    return splits


def warn_unlisted(names: Sequence[str], n_clips: int, lists: str) -> None:
    """Warns of clips that are in none of the official lists."""
    if names:
        log.warning(
            "%d of %d clips are in none of %s and have no split (the first: %s). Training on the official split ends "
            "with an error while they have none; split.unlisted=leave_out leaves them out there.",
            len(names),
            n_clips,
            lists,
            ", ".join(names[:3]),
        )
