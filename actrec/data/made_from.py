"""What each clip of a store was made from: the rows of `sources.csv`, and whether that is what is there now."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from actrec.data import stamps
from actrec.data.clip_source import ClipSource
from actrec.data.store import Row
from actrec.files import printable

SOURCES = "sources.csv"
# `given` is the clip's row and inputs as JSON; `people` is 0 for a clip that is one sequence; of a clip that was left
# out, `people` and `keypoints` (a hash of the stored arrays) are empty.
COLUMNS = ("clip_id", "file", "glance", "content", "given", "people", "keypoints")
_AGAIN = "again"  # in place of the content's stamp: the clip is tried again in any case

NOTHING, ROW, SOURCE = "nothing", "row", "source"  # what has changed


class MadeFrom:
    """What a clip would be made from now. The content is read only where it is asked for.

    Args:
        clip: As the importer has found it.
    """

    def __init__(self, clip: ClipSource) -> None:
        self.clip = clip
        self.glance = stamps.glance(Path(clip.file))
        self._content: str | None = None

    @property
    def content(self) -> str:
        """The content's stamp."""
        if self._content is None:
            self._content = self.clip.content() if self.clip.content else stamps.content(Path(self.clip.file))
        return self._content

    @cached_property
    def _given(self) -> str:
        given = {"row": dict(self.clip.row), "inputs": dict(self.clip.inputs)}
        return json.dumps(given, sort_keys=True, default=str)

    def change(self, record: Row) -> str:
        """What has changed since the record was written: NOTHING, the ROW alone, or the SOURCE."""
        if record["content"] == _AGAIN:
            return SOURCE
        if record["glance"] == self.glance:
            self._content = record["content"]
        row = inputs = False
        if record["given"] != self._given:
            now = json.loads(self._given)
            try:
                was = json.loads(record["given"])
                row, inputs = (_differ(was[part], now[part]) for part in ("row", "inputs"))
            except (ValueError, KeyError, TypeError):  # somebody has edited it
                return SOURCE
        if inputs or record["content"] != self.content:
            return SOURCE
        return ROW if row else NOTHING

    def settled(self, record: Row) -> bool:
        """Whether nothing is to be done for the clip by another worker than the one that wrote the record."""
        return record["content"] == _AGAIN or self.change(record) == NOTHING

    def is_noted(self, record: Row | None) -> bool:
        """Whether the record says all that there is to say now."""
        return record is not None and (record["glance"], record["given"]) == (self.glance, self._given)

    def agrees(self, rows: Sequence[Row], made: int) -> bool:
        """Whether stored rows of which there is no record can be from this source, as far as can be told.

        Args:
            rows: Of the manifest.
            made: When their arrays were written, in ns since 1970.
        """
        inputs = {name: value for name, value in self.clip.inputs.items() if name in _NUMBERS}
        same = all(_equal(value, row[name]) for name, value in inputs.items() for row in rows)
        return same and stamps.modified(Path(self.clip.file)) <= made

    def record(self, people: int | None, keypoints: str, again: bool = False) -> Row:
        """The row of `sources.csv` for a clip that was made, or left out, just now.

        Args:
            people: How many sequences it is, 0 for the only one; None where it was left out.
            keypoints: Hash of their arrays.
            again: Whether a clip that was left out is to be tried again though nothing has changed.
        """
        number = "" if people is None else str(people)
        content = _AGAIN if again else self.content
        values = (self.clip.clip_id, printable(self.clip.file), self.glance, content, self._given, number, keypoints)
        return dict(zip(COLUMNS, values, strict=True))


_NUMBERS = ("fps", "width", "height")


def _differ(was: Mapping[str, Any], now: Mapping[str, Any]) -> bool:
    """Whether a value differs that both have: a later version may give more of them."""
    return any(name in was and was[name] != value for name, value in now.items())


def _equal(given: Any, stored: str) -> bool:
    try:
        return float(given) == float(stored)
    except ValueError:
        return False
