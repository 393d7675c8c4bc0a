"""Creates the folder of a skeleton store, or checks by its `store.json` that an existing one was made the same way."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from actrec.data.store.reading import INFO, read_info
from actrec.files import replace_file
from actrec.types import ActrecError

# The pose models of all clips together: the list changes when clips are added or removed.
_POSES = ("pose_model", "pose_model_version")


def initialize_store(path: Path, info: dict[str, Any], keep: bool) -> bool:
    """Creates a store's folder and `store.json`, or checks that they agree with `info`.

    Args:
        path: The folder, made if need be.
        info: For `store.json`.
        keep: Whether clips that were made with another `info` are an error, as in a finished store or one that other
            workers write; without it they are discarded.

    Returns:
        Whether what an earlier run has left in the folder must be discarded.

    Raises:
        ActrecError: The folder holds another store, or something else.
    """
    if path.exists() and not path.is_dir():
        raise ActrecError(f"store={path} is a file; give a folder.")
    old = read_info(path)
    if (
        old is None and path.is_dir() and any(file.suffix != ".tmp" for file in path.iterdir())
    ):  # of another worker that is creating it
        raise ActrecError(f"The folder {path} has files in it and is no skeleton store. Give an empty or new store=.")
    differing = (
        [] if old is None else [key for key in info if _by_class_names(old.get(key)) != _by_class_names(info[key])]
    )
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


def _by_class_names(value: Any) -> Any:
    """Returns options without the modules of their `_target_`s, which other versions may have elsewhere."""
    if isinstance(value, dict):
        plain = {name: _by_class_names(each) for name, each in value.items()}
        return plain | {
            name: plain[name].rpartition(".")[2] for name in ("_target_",) if isinstance(plain.get(name), str)
        }
    return [_by_class_names(each) for each in value] if isinstance(value, list) else value


def _grown(old: dict[str, Any], new: dict[str, Any], differing: list[str]) -> bool:
    """Whether the only difference is that pose models were added, or that some are no longer used."""
    if not set(differing) <= set(_POSES):
        return False
    pairs = [[set(str(info.get(key) or "").split(", ")) - {""} for info in (old, new)] for key in _POSES]
    joined, left = all(was <= now for was, now in pairs), all(now <= was for was, now in pairs)
    return all(pairs[0]) and (joined or left)


def _difference(key: str, old: Any, new: Any) -> tuple[str, Any, Any]:
    """Returns the dotted path of the first difference between two values, and both values there."""
    if isinstance(old, dict) and isinstance(new, dict):
        for name in dict.fromkeys([*old, *new]):
            if _by_class_names(old.get(name)) != _by_class_names(new.get(name)):
                return _difference(f"{key}.{name}", old.get(name), new.get(name))
    return key, old, new
