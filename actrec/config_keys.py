"""Checks the keys of a composed config: finds those that nothing reads, and names near a misspelt one."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from hydra.utils import get_object
from omegaconf import DictConfig, OmegaConf

from actrec.types import ActrecError

_FREE = ("next_steps", "class_weights", "weigh")  # mappings with arbitrary keys
_LISTS = ("callbacks", "logger", "variants")  # mappings of named entries, each with a _target_
_GIVEN_BY_THE_RUN = {  # constructor parameters that the commands pass themselves
    "network": ("skeleton", "in_channels", "n_classes"),
    "schedule": ("optimizer", "epochs", "steps_per_epoch"),
    "optimizer": ("params",),
    "trainer": ("callbacks", "logger"),
    "data": ("saved",),
    "model": ("data",),
}


class Unread(NamedTuple):
    """A key that nothing reads: its dotted path, and the reason as a clause."""

    key: str
    reason: str


def check_keys(config: Mapping[str, Any], declared: Mapping[str, Any], groups: Sequence[str]) -> None:
    """Raises an ActrecError for an added key that nothing reads.

    Both configs are plain data that is not resolved: the composed one, and the same without what was added.
    """
    for key, reason in _unread(config, declared):
        near = nearest(key, [*groups, *paths(OmegaConf.create(dict(declared)))])
        raise ActrecError(
            f"Nothing reads the config key '{key}': {reason}.{near} Leave it out; --cfg job shows all keys."
        )


def can_be_added(key: str, cfg: DictConfig) -> bool:
    """Returns whether something would read a key that the config lacks, if it were added by +key=…"""
    path, _, name = key.rpartition(".")
    if path in _FREE or (name == "_target_" and path.rpartition(".")[0] in _LISTS):
        return True
    node = OmegaConf.select(cfg, path) if path else None
    if not isinstance(node, DictConfig) or "_target_" not in node or name in _GIVEN_BY_THE_RUN.get(path, ()):
        return False
    return name in (_parameters(str(node["_target_"])) or ())


def _unread(
    node: Mapping[Any, Any], known: Mapping[Any, Any], path: str = "", is_free: bool = False
) -> Iterator[Unread]:
    """Yields the keys of a node that are not declared and that nothing can read."""
    target = node.get("_target_")
    for key, value in node.items():
        name = f"{path}.{key}" if path else str(key)
        if str(key).startswith("_"):
            continue
        if key not in known and not (is_free and target is None):
            reason = _reason_unread(path, str(key), value, target)
            if reason:
                yield Unread(".".join([name, *_first_leaf(value)]), reason)
                continue
        if isinstance(value, Mapping):
            below = known.get(key)
            inside = is_free or target is not None or path in _FREE or name in _FREE
            yield from _unread(value, below if isinstance(below, Mapping) else {}, name, inside)


def _first_leaf(value: Any) -> Iterator[str]:
    while isinstance(value, Mapping) and value:
        key, value = next(iter(value.items()))
        yield str(key)


def _reason_unread(path: str, key: str, value: Any, target: Any) -> str | None:
    if target is not None:
        if key in _GIVEN_BY_THE_RUN.get(path, ()):
            return f"the command itself sets {key} of {path}"
        parameters = _parameters(str(target))
        if parameters is None or key in parameters:
            return None
        open_ones = [name for name in parameters if name not in _GIVEN_BY_THE_RUN.get(path, ())]
        return f"{target} takes no {key}; it takes {', '.join(open_ones) or 'nothing'}"
    if path in _FREE or (path in _LISTS and isinstance(value, Mapping) and "_target_" in value):
        return None
    if path in _LISTS:
        return f"there is no entry {key} in {path}, and a new one needs a _target_"
    where = f" in {path}" if path else ""
    return f"there is no {key}{where}"


def _parameters(target: str) -> list[str] | None:
    """Returns the names of a constructor's parameters; None where it takes any, or cannot be imported."""
    try:
        signature = inspect.signature(get_object(target))
    except Exception:  # importing a user's module can raise anything; instantiation reports it
        return None
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in signature.parameters.values()):
        return None
    return list(signature.parameters)


def paths(cfg: Any, prefix: str = "") -> Iterator[str]:
    """Yields the dotted path of every key of a config."""
    if not isinstance(cfg, DictConfig):
        return
    for key in map(str, cfg):
        yield f"{prefix}{key}"
        if not OmegaConf.is_interpolation(cfg, key) and not OmegaConf.is_missing(cfg, key):
            yield from paths(cfg[key], f"{prefix}{key}.")


def nearest(name: str, known: Sequence[str]) -> str:
    """Returns a question that names the nearest known names, by dotted path or by its last part; or an empty text."""
    others = [
        key for key in known if not f"{name}.".startswith(f"{key}.") and ("_target_" in name or "_target_" not in key)
    ]
    scores = {
        key: max(_likeness(name, key), _likeness(name.split(".")[-1], key.split(".")[-1]) - 0.1) for key in others
    }
    best = max(scores.values(), default=0)
    near = [key for key in sorted(scores, key=lambda key: -scores[key]) if scores[key] >= max(0.65, best - 0.1)][:3]
    return f" Did you mean {' or '.join(repr(key) for key in near)}?" if near else ""


def _likeness(a: str, b: str) -> float:
    return difflib.SequenceMatcher(None, a, b).ratio()
