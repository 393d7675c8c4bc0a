"""Whether a folder is the skeleton store that is to be made: `store.json` says what it was made as."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from actrec.data.store import INFO, read_info
from actrec.files import replace_file
from actrec.types import ActrecError

# What found the joints, of all clips together: it grows and shrinks with them.
_POSES = ("pose_model", "pose_model_version")


def claim(path: Path, info: dict[str, Any], keep: bool) -> bool:
    """Makes a folder the store that `info` describes, and says whether what another run left in it counts for nothing.

    Args:
        path: The folder, made if need be.
        info: For `store.json`.
        keep: Whether clips that were made otherwise may not be done again: the store is finished, or others work at it.

    Raises:
        ActrecError: The folder holds another store, or something else.
    """
    if path.exists() and not path.is_dir():
        raise ActrecError(f"store={path} is a file; give a folder.")
    old = read_info(path)
    if old is None and path.is_dir() and any(file.suffix != ".tmp" for file in path.iterdir()):  # another is about to
        raise ActrecError(f"The folder {path} has files in it and is no skeleton store. Give an empty or new store=.")
    differing = [] if old is None else [key for key in info if old.get(key) != info[key]]
    grown = old is not None and differing != [] and _grown(old, info, differing)
    if old is not None and differing and keep and not grown:
        key, was, wanted = _difference(differing[0], old.get(differing[0]), info[differing[0]])
        raise ActrecError(
            f"The store {path} was made otherwise: its {key} is {was!r}, and now {wanted!r} is wanted. "
            "Give another store=, or remove that folder."
        )
    if old is None or differing:
        replace_file(path / INFO, json.dumps(info, indent=2, ensure_ascii=False) + "\n")
    return bool(differing) and not grown


def _grown(old: dict[str, Any], new: dict[str, Any], differing: list[str]) -> bool:
    """Whether all that differs is that clips of another pose model have joined those that are there, or left them."""
    if not set(differing) <= set(_POSES):
        return False
    pairs = [[set(str(info.get(key) or "").split(", ")) - {""} for info in (old, new)] for key in _POSES]
    joined, left = all(was <= now for was, now in pairs), all(now <= was for was, now in pairs)
    return all(pairs[0]) and (joined or left)


def _difference(key: str, old: Any, new: Any) -> tuple[str, Any, Any]:
    """The dotted path of the first thing in which two values differ, and that thing in both."""
    if isinstance(old, dict) and isinstance(new, dict):
        for name in dict.fromkeys([*old, *new]):
            if old.get(name) != new.get(name):
                return _difference(f"{key}.{name}", old.get(name), new.get(name))
    return key, old, new
