"""A clip that an importer has found and not yet read, with what the store compares to find out whether it changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from actrec.data.store.clip_ids import safe_id
from actrec.files import printable
from actrec.types import SkeletonSequence


@dataclass(frozen=True)
class ClipSource:
    """A clip that an importer has found, not yet read.

    Attributes:
        clip_id: Unique in the store; made a safe file name by `ids.safe_id`.
        source: Which data set it is from.
        origin: The file that it is in, for messages.
        load: Reads it: one sequence, or a list of them, one a person. Raises `ActrecError` where the file is bad, and
            the clip is then left out and listed.
        label: The source's own, where it is known before the clip is read.
        pose: What is to find the joints: name and version; None where they are in the file.
        file: The file, or folder of pictures, whose content the clip is made from; `origin` if not given.
        row: What goes into the clip's row of the manifest as it is given here and leaves the keypoints alone: label,
            group and split, where they are known before the clip is read. With another row, it is not read again.
        inputs: What else shapes the clip, by name, as plain JSON: frame rate, picture size, options of the importer.
            With other inputs the clip is made again.
        content: Hashes the clip's part of a file that has many clips; by default the whole file is hashed.
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
