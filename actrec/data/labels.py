"""How a data set's own label spellings become the project's labels, on the way into a skeleton store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from actrec.types import ActrecError


@dataclass(frozen=True)
class LabelMap:
    """Label, then source, then that source's spellings; without any labels, each clip keeps its source's label.

    Spellings are matched without regard to case and to what is neither letter nor digit: "Push Ups", "PushUps" and
    "push_ups" are one. Only what is listed for a source is matched, so a label can be left out for one source.

    Attributes:
        labels: The table; the order of its labels is the order of the classes.
        unmapped: What becomes of a clip whose label is not in the table: "error" ends the run, "skip" leaves it out.
    """

    labels: Mapping[str, Mapping[str, str | Sequence[str]]] = field(default_factory=dict)
    unmapped: str = "error"

    def __post_init__(self) -> None:
        if self.unmapped not in ("error", "skip"):
            raise ActrecError(f"label_map.unmapped is '{self.unmapped}'; expected 'error' or 'skip'.")
        _ = self._table

    @property
    def names(self) -> tuple[str, ...]:
        """The project's labels, in order."""
        return tuple(self.labels)

    @property
    def sources(self) -> tuple[str, ...]:
        """The sources that the table has spellings for."""
        return tuple(dict.fromkeys(source for spellings in self.labels.values() for source in spellings))

    @cached_property
    def _table(self) -> dict[tuple[str, str], str]:
        table: dict[tuple[str, str], str] = {}
        for label, sources in self.labels.items():
            for source, spellings in sources.items():
                for spelling in [spellings] if isinstance(spellings, str) else spellings:
                    other = table.setdefault((source, _plain(str(spelling))), label)
                    if other != label:
                        raise ActrecError(
                            f"The label map gives '{spelling}' of source '{source}' to both '{other}' and '{label}'. "
                            "Keep one."
                        )
        return table

    def __call__(self, source: str, label: str) -> str | None:
        """The project's label for a source's, or None where the clip is to be left out.

        Raises:
            ActrecError: The label is not in the table, and `unmapped` is "error".
        """
        if not self.labels:
            return label
        found = self._table.get((source, _plain(label)))
        if found is None and self.unmapped == "error":
            known = sorted(spelling for name, spelling in self._table if name == source)
            raise ActrecError(
                f"Label '{label}' of source '{source}' is not in the label map, which has for that source: "
                f"{', '.join(known) or 'nothing'}. Add it to the dataset's label_map.labels, or leave such clips out "
                "with dataset.label_map.unmapped=skip."
            )
        return found


def _plain(label: str) -> str:
    return "".join(character for character in label.casefold() if character.isalnum())
