"""Creates the folder of a skeleton store, or checks that an existing one was made with the same options."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from actrec.data.store.reading import INFO, read_info
from actrec.files import replace_file
from actrec.types import ActrecError

# Keys of `store.json` that list the pose models of all clips; they may change when clips are added or removed.
_POSES = ("pose_model", "pose_model_version")


def initialize_store(path: Path, info: dict[str, Any], keep: bool) -> bool:
    """Creates a store's folder and `store.json`, or checks that they agree with `info`.

    Args:
        keep: Whether another `info` is an error, as in a finished store or one that other workers write; otherwise
            the clips in the folder are to be discarded.

    Returns:
        Whether the clips that an earlier run has left in the folder must be discarded.

    Raises:
        ActrecError: The folder holds another store, or other files.
    """
    if path.exists() and not path.is_dir():
        raise ActrecError(f"store={path} is a file; give a folder.")
    old = read_info(path)
    # A .tmp file is of another worker, which is creating the store.
    if old is None and path.is_dir() and any(file.suffix != ".tmp" for file in path.iterdir()):
        raise ActrecError(f"The folder {path} has files in it and is no skeleton store. Give an empty or new store=.")
    differing = [] if old is None else [key for key in info if _differ(old.get(key), info[key])]
    grown = old is not None and differing != [] and _grown(old, info, differing)
    if old is not None and differing and keep and not grown:
        key, was, wanted = _difference(differing[0], old.get(differing[0]), info[differing[0]])
        raise ActrecError(
            f"The store {path} was made differently: its {key} is {was!r}, and now {wanted!r} is wanted. "
            "Give another store=, or remove that folder."
        )
    if old is None or differing:
        replace_file(path / INFO, json.dumps(info, indent=2, ensure_ascii=False) + "\n")
    return bool(differing) and not grown


def _differ(old: Any, new: Any, key: str = "") -> bool:
    """Returns whether two values of `store.json` differ; of a `_target_` only the class name is compared."""
    if isinstance(old, dict) and isinstance(new, dict):
        return any(_differ(old.get(name), new.get(name), name) for name in {*old, *new})
    if isinstance(old, list) and isinstance(new, list):
        return len(old) != len(new) or any(map(_differ, old, new))
    if key == "_target_":
        return str(old).rpartition(".")[2] != str(new).rpartition(".")[2]
    return bool(old != new)


def _grown(old: dict[str, Any], new: dict[str, Any], differing: list[str]) -> bool:
    """Returns whether the only difference is that pose models were added or removed."""
    if not set(differing) <= set(_POSES):
        return False
    pairs = [[set(str(info.get(key) or "").split(", ")) - {""} for info in (old, new)] for key in _POSES]
    joined, left = all(was <= now for was, now in pairs), all(now <= was for was, now in pairs)
    return all(pairs[0]) and (joined or left)


def _difference(key: str, old: Any, new: Any) -> tuple[str, Any, Any]:
    """Returns the dotted path of the first difference between two values, and both values there."""
    if isinstance(old, dict) and isinstance(new, dict):
        for name in dict.fromkeys([*old, *new]):
            if _differ(old.get(name), new.get(name), name):
                return _difference(f"{key}.{name}", old.get(name), new.get(name))
    return key, old, new
