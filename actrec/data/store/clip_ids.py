"""Makes clip ids: file names that are valid and distinct on every file system."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Sequence

LONGEST = 240  # bytes in UTF-8; file systems allow 255, and ".p99999" and ".npz.tmp" are appended
_RESERVED = {"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in "123456789")}


def safe_id(text: str) -> str:
    """Makes a file name of an id: characters that a name cannot have become "_", and a long name ends in a hash.

    Names that Windows reserves for devices ("con", "nul.flip") get a leading "_".
    """
    name = re.sub(r"[^\w.-]", "_", text).lstrip(".") or "_"
    if name.split(".")[0].lower() in _RESERVED:
        name = f"_{name}"
    return name if len(name.encode()) <= LONGEST else _hashed(name, text)


def distinct_ids(ids: Sequence[str], given: Sequence[str]) -> list[str]:
    """Makes different ids distinct on every file system.

    Of ids that `safe_id` makes equal, or that differ only in case, all but one get a hash of the given id. An id that
    could be that of a person of another clip gets one too.
    """
    taken: dict[str, str] = {}
    whole, out = set(ids), list(ids)
    for number in sorted(range(len(ids)), key=lambda number: (ids[number] != given[number], given[number])):
        name, person = ids[number], re.fullmatch(r"(.+)\.p\d+", ids[number])
        holder = taken.setdefault(_folded(name), given[number])
        if holder != given[number] or (person and person[1] in whole):
            out[number] = _hashed(name, given[number])
            taken.setdefault(_folded(out[number]), given[number])
    return out


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name).lower()


def _hashed(name: str, text: str) -> str:
    ending = f"-{hashlib.blake2b(text.encode(errors='surrogatepass'), digest_size=4).hexdigest()}"
    return name.encode()[: LONGEST - len(ending)].decode(errors="ignore") + ending
