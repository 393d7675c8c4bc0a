"""Imports videos: a `Finder` lists the videos of a data set, and `Videos` extracts the skeletons of each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from actrec.data.store import fingerprints
from actrec.data.store.clip_source import ClipSource
from actrec.data.store.given_segments import GivenSegment, pack
from actrec.types import ActrecError, SetupError, SkeletonSequence
from actrec.video.augmentation import ORIGINAL, Variant, VideoTransform, draw_transform
from actrec.video.extraction import Extractor


@dataclass(frozen=True)
class VideoClip:
    """A video of a data set, as a finder lists it.

    Attributes:
        path: The file, or the folder of pictures.
        clip_id: Unique in the source.
        group: Clips of one group are never divided between train, val and test.
        split: The source's official split: "train", "val", "test" or empty.
        fps: Frames per second of a folder of pictures.
        problem: The reason for which the clip is rejected, if the finder knows one.
        segments: Its actions, if it is longer than an action; `label` is then the main one.
    """

    path: Path
    clip_id: str
    label: str
    group: str
    split: str = ""
    fps: float = 30.0
    problem: str = ""
    segments: tuple[GivenSegment, ...] = ()


@runtime_checkable
class Finder(Protocol):
    """Lists the videos of a data set in a fixed order, each with its label, group and official split."""

    @property
    def source(self) -> str:
        """The name of the data set in the label map."""

    @property
    def expected(self) -> str:
        """A description of the files that are expected, for the error message when there are none."""

    def __call__(self, raw: Path) -> Iterable[VideoClip]: ...


@dataclass(frozen=True)
class Videos:
    """Imports the videos of a data set.

    Attributes:
        finder: Lists the videos.
        extractor: Extracts the skeletons. None where nothing is extracted, as in training, which reads the store.
        variants: Video augmentations by name, each a further clip; clips of val and test have none.
    """

    finder: Finder
    extractor: Extractor | None = None
    variants: Mapping[str, Variant] | None = None

    def __call__(self, raw: Path) -> list[ClipSource]:
        clips = list(self.finder(raw))
        if not clips:
            raise ActrecError(f"There are no videos in {raw}; expected {self.finder.expected}.")
        inputs = self._inputs()
        return [source for clip in clips for source in self._sources(clip, inputs)]

    def _inputs(self) -> dict[str, Any]:
        """Returns the options that determine the keypoints of every clip, besides its video."""
        if self.extractor is None:
            return {}
        options = {name: getattr(self.extractor, name) for name in ("person", "min_presence", "gap")}
        pose = self.extractor.pose
        options |= {name: getattr(pose, name) for name in ("min_score", "min_confidence")}
        return {**options, "weights": fingerprints.content(Path(pose.weights).expanduser())}

    def _sources(self, clip: VideoClip, inputs: Mapping[str, Any]) -> Iterator[ClipSource]:
        pose = self.extractor.pose.description if self.extractor else None
        if clip.segments and self.extractor is not None and self.extractor.person == "all":
            raise ActrecError(
                f"{clip.path} has segments, which are of one person; person=all keeps several, each from when they "
                "are first seen. Use person=main, or leave the segments out."
            )
        row = {"label": clip.label, "group": clip.group, "split": clip.split}
        if clip.path.is_dir():
            inputs = {**inputs, "picture_fps": clip.fps}
        if clip.problem:
            inputs = {**inputs, "problem": clip.problem}
        for name in (ORIGINAL, *(self.variants or {} if clip.split not in ("val", "test") else {})):
            changed = {} if name == ORIGINAL else {"variant": repr((self.variants or {})[name])}
            yield ClipSource(
                clip.clip_id if name == ORIGINAL else f"{clip.clip_id}.{name}",
                self.finder.source,
                str(clip.path),
                partial(self._load, clip, name),
                clip.label or None,
                pose,
                row={
                    **row,
                    "segments": pack([each.faster(self._transform(clip, name).speed) for each in clip.segments]),
                },
                inputs={**inputs, **changed},
            )

    def _transform(self, clip: VideoClip, name: str) -> VideoTransform:
        return VideoTransform() if name == ORIGINAL else draw_transform(clip.clip_id, name, (self.variants or {})[name])

    def _load(self, clip: VideoClip, name: str) -> SkeletonSequence | list[SkeletonSequence]:
        if self.extractor is None:
            raise SetupError("dataset.importer.extractor is null; videos cannot be read without one.")
        if clip.problem:
            raise ActrecError(clip.problem)
        transform = None if name == ORIGINAL else self._transform(clip, name)
        sequences = [
            replace(sequence, label=clip.label, group=clip.group, split=clip.split, variant=name)
            for sequence in self.extractor(clip.path, transform, clip.fps)
        ]
        return sequences if self.extractor.person == "all" else sequences[0]


def unreadable(raw: Path, folder: Path) -> VideoClip:
    """Makes a clip for a folder that cannot be read, so that it is rejected and listed."""
    name = str(folder.relative_to(raw))
    return VideoClip(folder, name, "", name, problem="the folder cannot be read.")
