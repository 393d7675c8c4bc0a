"""Imports a data set that consists of several others, any of which may be absent."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from actrec.data.sources.importer import Importer
from actrec.data.store.clip_source import ClipSource
from actrec.types import ActrecError

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Source:
    """One form in which a source may be present in the folder.

    Attributes:
        places: Glob patterns relative to the folder; the first with a match is used.
    """

    places: Sequence[str]
    importer: Importer


@dataclass(frozen=True)
class Sources:
    """Imports the clips of all sources that are present.

    Attributes:
        sources: The forms of each source, by its name; the first that is present is read.
    """

    sources: Mapping[str, Sequence[Source]]

    def __call__(self, raw: Path) -> list[ClipSource]:
        clips: list[ClipSource] = []
        for name, forms in self.sources.items():
            there = [(form, path) for form in forms for place in form.places for path in sorted(raw.glob(place))]
            if there:
                form, path = there[0]
                others = sorted({str(other) for _, other in there} - {str(path)})
                if others:
                    log.warning("%s: skipped %s.", name, ", ".join(others))
                log.info("%s: %s", name, path)
                clips += form.importer(path)
        if not clips:
            places = "; ".join(
                f"{name}: {', '.join(place for form in forms for place in form.places)}"
                for name, forms in self.sources.items()
            )
            raise ActrecError(f"None of the sources is in {raw}. Looked for {places}. Put at least one there.")
        return clips
