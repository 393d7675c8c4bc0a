"""Reads the labels that are excluded on the command line or in YAML: `dataset.exclude_labels=[bowl,"1e3"]`."""

from __future__ import annotations

import difflib
import math
import re
import shlex
from collections.abc import Collection, Iterable, Sequence

from actrec.data.sources.labels import clean_label
from actrec.types import ActrecError

_KEY = "dataset.exclude_labels"
_PLAIN = re.compile(r"[A-Za-z_][\w-]*", re.ASCII)
_WORDS = {  # words that YAML 1.1 or Hydra does not read as text
    None: ("null", "~"),
    True: ("true", "yes", "on", "y"),
    False: ("false", "no", "off", "n"),
}


def excluded(entries: object, known: Collection[str]) -> set[str]:
    """Returns the labels that are excluded.

    A number, truth value or null stands for the label with that spelling: 1 for "1", true for "on" or "true".

    Args:
        entries: The config's value: a list, one label, or None.
        known: All labels of the data set.

    Raises:
        ActrecError: An entry is no label, or can be several.
    """
    if entries is None:
        return set()
    listed = [entries] if isinstance(entries, (str, int, float)) else list(entries)  # type: ignore[call-overload]
    return {_meant(entry, known) for entry in listed}


def _meant(entry: object, known: Collection[str]) -> str:
    text = clean_label(str(entry))
    found = [label for label in known if label == text] or [label for label in known if _may_read(label, entry)]
    if len(found) == 1:
        return found[0]
    if found:
        raise ActrecError(
            f"{_KEY} has {entry!r}, which can be any of the labels {', '.join(sorted(found))}. Put the one that is "
            f"meant in quotes: {exclude_override(found[:1])}"
        )
    near = difflib.get_close_matches(text.casefold(), {label.casefold(): label for label in known}, 1, 0.5)
    names = [label for label in known if near and label.casefold() == near[0]]
    hint = f" Did you mean '{names[0]}'?" if names else ""
    raise ActrecError(
        f"{_KEY} has '{text}', and no clip has that label.{hint} The labels are: {', '.join(sorted(known))}."
    )


def _may_read(label: str, value: object) -> bool:
    """Returns whether YAML or Hydra may have read the label as that value."""
    if value is None or isinstance(value, bool):
        return label.casefold() in _WORDS[value]
    if not isinstance(value, (int, float)):
        return False
    try:
        number = float(label)
    except ValueError:
        return False
    return number == value or (math.isnan(number) and math.isnan(value))


def exclude_override(labels: Iterable[str]) -> str:
    """Returns the override that excludes these labels, quoted for a shell."""
    quoted = [_quoted(label) for label in labels]
    override = f"{_KEY}=[{','.join(quoted)}]"
    return override if all(map(_PLAIN.fullmatch, quoted)) and len(quoted) == 1 else shlex.quote(override)


def _quoted(label: str) -> str:
    special = [word for words in _WORDS.values() for word in words] + ["nan", "inf", "infinity"]
    if _PLAIN.fullmatch(label) and label.casefold() not in special:
        return label
    return '"' + label.replace('"', '\\"') + '"'


def alike(labels: Sequence[str]) -> list[tuple[str, ...]]:
    """Groups labels that differ only in case and punctuation, which are probably one label."""
    by_spelling: dict[str, list[str]] = {}
    for label in labels:
        by_spelling.setdefault("".join(filter(str.isalnum, label.casefold())) or label, []).append(label)
    return [tuple(each) for each in by_spelling.values() if len(each) > 1]
