"""Finds the pictures of Penn Action, with labels and splits from its annotations."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from actrec.data.sources.penn_action import PennAction
from actrec.data.sources.tables import check_rate
from actrec.data.sources.videos import VideoClip
from actrec.types import ActrecError


@dataclass(frozen=True)
class PennActionFrames:
    """Finds Penn Action's pictures, `frames/0001/000001.jpg`; label and split are from `labels/0001.mat`.

    Attributes:
        fps: Frames per second, which the data set does not store.
    """

    source: str = "penn_action"
    fps: float = 30.0

    expected: ClassVar[str] = "frames/0001/000001.jpg and so on"

    def __post_init__(self) -> None:
        check_rate(self.fps)

    def __call__(self, raw: Path) -> Iterator[VideoClip]:
        root = raw.parent if raw.name == "frames" else raw
        for folder in sorted(path for path in (root / "frames").glob("*") if path.is_dir()):
            file, name = root / "labels" / f"{folder.name}.mat", folder.name
            try:
                annotation = PennAction().read(file)
            except ActrecError as error:
                yield VideoClip(folder, name, "", name, fps=self.fps, problem=f"its annotation {file}: {error}")
            else:
                yield VideoClip(folder, name, annotation.label, name, annotation.split, self.fps)
