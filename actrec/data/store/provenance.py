"""The provenance of a store's clips: the rows of `sources.csv`, compared with the sources as they are now."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from actrec.data.store import fingerprints
from actrec.data.store.clip_source import ClipSource
from actrec.data.store.given_segments import NO_SEGMENTS
from actrec.data.store.reading import Row
from actrec.files import printable

SOURCES = "sources.csv"
# `given` is the clip's row and inputs as JSON; `people` is 0 for a clip that is one sequence; of a clip that was left
# out, `people` and `keypoints` (a hash of the stored arrays) are empty.
COLUMNS = ("clip_id", "file", "status", "content", "given", "people", "keypoints")
_AGAIN = "again"  # instead of the hash of the content: the next run reads the clip again

NOTHING, ROW, SOURCE = "nothing", "row", "source"  # possible changes


class Provenance:
    """The source of a clip as it is now. Its content is hashed on first use."""

    def __init__(self, clip: ClipSource) -> None:
        self.clip = clip
        self.status = fingerprints.file_status(Path(clip.file))
        self._content: str | None = None

    @property
    def content(self) -> str:
        """The hash of the content."""
        if self._content is None:
            self._content = self.clip.content() if self.clip.content else fingerprints.content(Path(self.clip.file))
        return self._content

    @cached_property
    def _given(self) -> str:
        given = {"row": dict(self.clip.row), "inputs": dict(self.clip.inputs)}
        return json.dumps(given, sort_keys=True, default=str)

    def change(self, record: Row) -> str:
        """Returns what has changed since the record was written: NOTHING, only the ROW, or the SOURCE."""
        if record["content"] == _AGAIN:
            return SOURCE
        if record["status"] == self.status:
            self._content = record["content"]
        row = inputs = False
        if record["given"] != self._given:
            now = json.loads(self._given)
            try:
                was = json.loads(record["given"])
                row, inputs = (_differ(was[part], now[part]) for part in ("row", "inputs"))
            except (ValueError, KeyError, TypeError):  # the file was edited by hand
                return SOURCE
        if inputs or record["content"] != self.content:
            return SOURCE
        return ROW if row else NOTHING

    def is_done(self, record: Row) -> bool:
        """Returns whether other workers than the one that wrote the record have nothing to do for the clip."""
        return record["content"] == _AGAIN or self.change(record) == NOTHING

    def is_recorded(self, record: Row | None) -> bool:
        """Returns whether the record has the present status, row and inputs."""
        return record is not None and (record["status"], record["given"]) == (self.status, self._given)

    def agrees(self, rows: Sequence[Row], made: int) -> bool:
        """Returns whether rows without a record can be from this source: equal in number, and not older than it.

        Args:
            made: The time at which their arrays were written, in ns since 1970.
        """
        inputs = {name: value for name, value in self.clip.inputs.items() if name in _NUMBERS}
        same = all(_equal(value, row[name]) for name, value in inputs.items() for row in rows)
        return same and fingerprints.modified(Path(self.clip.file)) <= made

    def record(self, people: int | None, keypoints: str, retry: bool = False) -> Row:
        """Makes the row of `sources.csv` for a clip that was just stored or left out.

        Args:
            people: Number of people, 0 for a clip that is one sequence; None if it was left out.
            retry: Whether the next run tries a clip that was left out again, even if nothing has changed.
        """
        number = "" if people is None else str(people)
        content = _AGAIN if retry else self.content
        values = (self.clip.clip_id, printable(self.clip.file), self.status, content, self._given, number, keypoints)
        return dict(zip(COLUMNS, values, strict=True))


_NUMBERS = ("fps", "width", "height")
_EARLIER = {"segments": NO_SEGMENTS, "coordinates": 2}  # in records of earlier versions


def _differ(was: Mapping[str, Any], now: Mapping[str, Any]) -> bool:
    """Returns whether a value that is in both differs; a later version may have more values."""
    return any(was.get(name, _EARLIER.get(name, value)) != value for name, value in now.items())


def _equal(given: Any, stored: str) -> bool:
    try:
        return float(given) == float(stored)
    except ValueError:
        return False
