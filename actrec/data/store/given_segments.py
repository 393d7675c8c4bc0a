"""Defines segments as users give them, in frames or seconds, and finds their frames once a clip's rate is known."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import astuple, dataclass, replace

from actrec.types import ActrecError, Segment, SkeletonSequence

NO_SEGMENTS = "[]"  # a clip without segments, as `pack` writes it
_TOLERANCE = 1.0  # seconds; a time may be so much after the end of the clip, since players show rounded times


@dataclass(frozen=True)
class GivenSegment:
    """A segment as a user's table gives it.

    Attributes:
        label: As in `actrec.types.Segment`.
        start: First frame, or time of the beginning.
        end: Frame after the last one, or time of the end.
        repetitions: As in `actrec.types.Segment`.
        in_seconds: Whether `start` and `end` are times in seconds, instead of frames.
        row: Its row in the table.
    """

    label: str
    start: float | int
    end: float | int
    repetitions: int | None = None
    in_seconds: bool = False
    row: int = 0

    def faster(self, speed: float) -> GivenSegment:
        """Returns the segment in the same clip at another speed."""
        return self if speed == 1 else replace(self, start=self.start / speed, end=self.end / speed)

    def __str__(self) -> str:
        before, after = ("", " s") if self.in_seconds else ("frame ", "")
        return f"the segment '{self.label}' from {before}{self.start:.10g}{after} to {self.end:.10g}{after}"

    def _placed(self, fps: float, n_frames: int) -> Segment:
        rate = fps if self.in_seconds else 1.0
        start, end = round(self.start * rate), round(self.end * rate)
        # Frames with fractions are those of a clip whose speed was changed, which rounds its length too.
        spare = _TOLERANCE * fps if self.in_seconds else 0 if float(self.end).is_integer() else 1
        if end > n_frames + spare or start >= n_frames:
            raise ActrecError(
                f"Row {self.row} of its segments is beyond its end: {self}; it has {n_frames} frames "
                f"({n_frames / fps:.2f} s)."
            )
        return Segment(self.label, start, max(min(end, n_frames), start + 1), self.repetitions)


def pack(segments: Sequence[GivenSegment]) -> str:
    """Writes segments as JSON, for the `row` of a `ClipSource`."""
    return json.dumps([astuple(each) for each in segments])


def place(sequence: SkeletonSequence, packed: str) -> SkeletonSequence:
    """Returns a clip with the segments that `pack` has written; times are rounded to frames.

    Raises:
        ActrecError: A segment is beyond the clip, or two overlap.
    """
    given = [GivenSegment(*each) for each in json.loads(packed)]
    placed = [each._placed(sequence.fps, len(sequence)) for each in given]
    return replace(sequence, segments=tuple(sorted(placed, key=lambda each: each.start)))
