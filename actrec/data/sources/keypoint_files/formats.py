"""The formats of keypoint files that are read, and how a file's format is found from its content."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from actrec.data.sources.keypoint_files import (
    alphapose,
    coco,
    deeplabcut,
    landmarks,
    mediapipe,
    mmpose,
    movenet,
    ntu,
    openpose,
    tables,
    ultralytics,
)
from actrec.data.sources.keypoint_files.detections import Detections, Person
from actrec.types import ActrecError

_DAMAGED = (AttributeError, IndexError, KeyError, OverflowError, TypeError, ValueError)


@dataclass(frozen=True)
class Format:
    """A format of keypoint files.

    Attributes:
        name: The value of the option `format`.
        title: Its name in messages.
        kind: The kind of content, as `content.KINDS` has it for the file's ending.
        matches: Returns whether content is of the format; the first format that matches is a file's.
        clips: Reads the clips of a file; None if a file holds one frame.
        frame: Reads the people of a file that holds one frame; None if it holds clips.
    """

    name: str
    title: str
    kind: str
    matches: Callable[[Any], bool]
    clips: Callable[[Any], dict[str, Detections]] | None = None
    frame: Callable[[Any], list[Person]] | None = None

    def read_clips(self, content: Any) -> dict[str, Detections]:
        """Reads the clips of a file, by their names in it; an ActrecError if they are not as the tool writes them."""
        assert self.clips is not None
        return self._read(self.clips, content)

    def read_frame(self, content: Any) -> list[Person]:
        """Reads the people of a file with one frame; an ActrecError if they are not as the tool writes them."""
        assert self.frame is not None
        return self._read(self.frame, content)

    def _read(self, read: Callable[[Any], Any], content: Any) -> Any:
        try:
            return read(content)
        except ActrecError:
            raise
        except _DAMAGED as error:
            raise ActrecError(f"it is not as {self.title} writes it ({type(error).__name__}: {error}).") from None


FORMATS = (
    Format("openpose", "OpenPose", "json", openpose.is_frame, frame=openpose.read_frame),
    Format("mmpose", "MMPose", "json", mmpose.is_frame, frame=mmpose.read_frame),
    Format("mmpose", "MMPose", "json", mmpose.is_clip, mmpose.read_clip),
    Format("coco", "COCO", "json", coco.is_annotations, coco.read_annotations),
    Format("coco", "COCO results", "json", coco.is_results, coco.read_results),
    Format("alphapose", "AlphaPose", "json", alphapose.is_clip, alphapose.read_clip),
    Format("ultralytics", "Ultralytics", "json", ultralytics.is_frame, frame=ultralytics.read_frame),
    Format("ultralytics", "Ultralytics", "json", ultralytics.is_clip, ultralytics.read_clip),
    Format("mediapipe", "MediaPipe", "json", mediapipe.is_clip, landmarks.read_clip),
    Format("movenet", "MoveNet", "json", movenet.is_clip, landmarks.read_clip),
    Format("ultralytics", "Ultralytics", "text", ultralytics.is_labels, frame=ultralytics.read_labels),
    Format("ntu", "NTU RGB+D", "text", ntu.is_clip, ntu.read_clip),
    Format("deeplabcut", "DeepLabCut", "table", deeplabcut.is_clip, deeplabcut.read_clip),
    Format("sleap", "SLEAP", "table", tables.is_sleap, tables.read_wide),
    Format("mediapipe", "MediaPipe", "table", tables.is_mediapipe, tables.read_wide),
    Format("table", "table", "table", tables.is_wide, tables.read_wide),
    Format("table", "table", "table", tables.is_long, tables.read_long),
)
NAMES = tuple(dict.fromkeys(each.name for each in FORMATS))


def format_of(content: Any, kind: str, candidates: Sequence[Format] = FORMATS) -> Format | None:
    """Returns the format of content; None if it is none of the candidates."""
    return next((each for each in candidates if each.kind == kind and each.matches(content)), None)
