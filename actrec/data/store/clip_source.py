"""Defines the description of a clip that an importer gives to the store, by which changes are detected."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from actrec.data.store.clip_ids import safe_id
from actrec.files import printable
from actrec.types import SkeletonSequence


@dataclass(frozen=True)
class ClipSource:
    """A clip as an importer lists it, and the function that reads it.

    Attributes:
        clip_id: Unique in the store; `clip_ids.safe_id` makes it a safe file name.
        source: Name of the data set that it is from.
        origin: The file that it is in, for messages.
        load: Reads the clip: one sequence, or a list of sequences, one for each person; an empty one if there is
            nobody, and the clip is then skipped. Raises `ActrecError` if the file is bad; the clip is then left out and
            listed.
        label: The source's label, if it is known before the clip is read.
        pose: Name and version of the pose model that finds the joints; None if the joints are in the file.
        file: The file, or folder of pictures, from which the clip is made; by default `origin`.
        row: Label, group, split, and segments (as `given_segments.pack` writes them), as far as they are known before
            the clip is read. If they change, the tables are updated, and the clip is not read again.
        inputs: All else that determines the clip, by name, as plain JSON: frame rate, picture size, options of the
            importer. If it changes, the clip is made again.
        content: Hashes the clip's part of a file with many clips; by default the whole file is hashed.
        given_id: The id as it was given.
    """

    clip_id: str
    source: str
    origin: str
    load: Callable[[], SkeletonSequence | list[SkeletonSequence]]
    label: str | None = None
    pose: tuple[str, str] | None = None
    file: str = ""
    row: Mapping[str, str] = field(default_factory=dict)
    inputs: Mapping[str, Any] = field(default_factory=dict)
    content: Callable[[], str] | None = None
    given_id: str = field(init=False, default="")

    def __post_init__(self) -> None:
        object.__setattr__(self, "given_id", self.clip_id)
        object.__setattr__(self, "clip_id", safe_id(self.clip_id))
        object.__setattr__(self, "file", self.file or self.origin)
        object.__setattr__(self, "origin", printable(self.origin))
