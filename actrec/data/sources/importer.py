"""The interface of importers: they list the clips of a data set, each of which is read when it is needed.

An importer is a frozen dataclass of options in a module of its own, one for each format. Calling it with the data
set's folder returns a `ClipSource` for each clip; `actrec.data.build_store` writes them to a skeleton store.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol, runtime_checkable

from actrec.data.store.clip_source import ClipSource
from actrec.types import SkeletonSequence

Importer = Callable[[Path], list[ClipSource]]


@runtime_checkable
class ClipGenerator(Protocol):
    """An importer that generates its clips, and reads no files."""

    def __call__(self, raw: Path | None = None) -> list[ClipSource]: ...

    def clips(self) -> list[SkeletonSequence]:
        """Generates all clips."""
