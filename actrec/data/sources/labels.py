"""Maps the labels of data sets to the project's labels, when clips are imported into a skeleton store."""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from actrec.files import printable
from actrec.types import NONE, ActrecError


def clean_label(text: str) -> str:
    """Normalises a label: accents are composed (macOS decomposes them), and spaces are stripped or collapsed."""
    return " ".join(unicodedata.normalize("NFC", printable(text)).split())


@dataclass(frozen=True)
class LabelMap:
    """Maps the spellings of each source to labels; without any labels, each clip keeps its source's label.

    Spellings are matched without regard to case and to characters other than letters and digits: "Push Ups", "PushUps"
    and "push_ups" are the same; a whole number needs no quotes. A spelling is matched only for the source that has it.

    Attributes:
        labels: For each label, the spellings by source; the order of the labels is the order of the classes,
            and "none", for frames in which none of the actions is done, is the last one.
        unmapped: Treatment of a clip whose label is not in the table: "error" ends the run, "skip" leaves it out.
    """

    labels: Mapping[Any, Any] = field(default_factory=dict)  # as YAML reads it; converted to strings
    unmapped: str = "error"

    def __post_init__(self) -> None:
        if self.unmapped not in ("error", "skip"):
            raise ActrecError(f"label_map.unmapped is '{self.unmapped}'; expected 'error' or 'skip'.")
        labels = {_as_text(label, "a label"): sources for label, sources in (self.labels or {}).items()}
        if NONE in list(labels)[:-1]:
            raise ActrecError(
                f"The label map has '{NONE}' before other labels; put it last: it is the class of no action."
            )
        object.__setattr__(self, "labels", labels)
        _ = self._table

    @property
    def names(self) -> tuple[str, ...]:
        """The project's labels, in order."""
        return tuple(self.labels)

    @property
    def sources(self) -> tuple[str, ...]:
        """The sources for which the table has spellings."""
        return tuple(dict.fromkeys(source for spellings in self.labels.values() for source in spellings))

    @cached_property
    def _table(self) -> dict[tuple[str, str], str]:
        table: dict[tuple[str, str], str] = {}
        for label, sources in self.labels.items():
            if not isinstance(sources, Mapping):
                raise ActrecError(
                    f"The label map has {sources!r} for label '{label}'; expected spellings by source: "
                    f"{label}: {{csv: {label}}}"
                )
            for source, spellings in sources.items():
                for value in spellings if isinstance(spellings, (list, tuple)) else [spellings]:
                    spelling = _as_text(value, f"a spelling of '{label}'")
                    other = table.setdefault((source, _plain(spelling)), label)
                    if other != label:
                        raise ActrecError(
                            f"The label map gives '{spelling}' of source '{source}' to both '{other}' and '{label}'. "
                            "Keep one."
                        )
        return table

    def __call__(self, source: str, label: str) -> str | None:
        """Returns the project's label for a source's label, or None if the clip is left out.

        Raises:
            ActrecError: The label is not in the table, and `unmapped` is "error".
        """
        if not self.labels:
            return clean_label(label)
        found = self._table.get((source, _plain(label)))
        if found is None and self.unmapped == "error":
            known = sorted(spelling for name, spelling in self._table if name == source)
            near = difflib.get_close_matches(_plain(label), known, 1)
            hint = f" Did you mean '{near[0]}'?" if near else ""
            raise ActrecError(
                f"Label '{label}' of source '{source}' is not in the label map, which has for that source: "
                f"{', '.join(known) or 'nothing'}.{hint} Add it to the dataset's label_map.labels, or "
                "leave such clips out with dataset.label_map.unmapped=skip."
            )
        return found


def _plain(label: str) -> str:
    """Reduces a spelling to lower-case letters, digits and accents; keeps it whole if nothing is left."""
    text = clean_label(label)
    kept = "".join(each for each in text.casefold() if each.isalnum() or unicodedata.category(each).startswith("M"))
    return kept or text


def _as_text(value: object, what: str) -> str:
    """Converts a label as YAML has read it to text."""
    if isinstance(value, str):
        return clean_label(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise ActrecError(
        f'The label map has {what} that YAML reads as {value!r}, not as text. Put it in quotes: "null", "on", "1e3".'
    )
