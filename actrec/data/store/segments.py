"""Reads and writes `segments.csv`: the actions within the clips of a store that are longer than an action.

While a store is made, a clip's segments are one row of a part file, as JSON.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path

from actrec.data.store.given_segments import GivenSegment
from actrec.files import printable
from actrec.types import NONE, ActrecError, Segment

SEGMENTS = "segments.csv"
COLUMNS = ("clip_id", "label", "start", "end", "repetitions")
PACKED = ("clip_id", "segments")  # columns of the part files

Row = dict[str, str]


def main_label(segments: Sequence[Segment | GivenSegment]) -> str:
    """Returns the action that lasts longest in all, the label of a clip with segments; "none" if there is no action."""
    lengths: defaultdict[str, float] = defaultdict(float)
    for each in segments:
        if each.label not in ("", NONE):
            lengths[each.label] += each.end - each.start
    return max(lengths, key=lambda label: lengths[label], default=NONE)


def packed(clip_id: str, segments: Sequence[Segment]) -> Row:
    """Makes the row of a part file with the segments of a clip."""
    values = [(each.label, each.start, each.end, each.repetitions) for each in segments]
    return {"clip_id": clip_id, "segments": json.dumps(values)}


def unpacked(row: Row | None) -> tuple[Segment, ...]:
    """Returns the segments of a row of a part file; none if there is no row."""
    return tuple(Segment(*each) for each in json.loads(row["segments"])) if row else ()


def expanded(rows: Iterable[Row]) -> list[Row]:
    """Makes the rows of `segments.csv` from those of part files."""
    return [
        {
            "clip_id": row["clip_id"],
            "label": printable(each.label),
            "start": str(each.start),
            "end": str(each.end),
            "repetitions": "" if each.repetitions is None else str(each.repetitions),
        }
        for row in rows
        for each in unpacked(row)
    ]


def grouped(
    rows: Sequence[Mapping[str, str]], file: Path, lengths: Mapping[str, str] | None = None
) -> dict[str, tuple[Segment, ...]]:
    """Returns the segments of each clip, in order, from the rows of `segments.csv`.

    Args:
        lengths: The number of frames of each clip, as in the manifest, if it is to be checked.

    Raises:
        ActrecError: A row is wrong: a number that is none, an end before the beginning or beyond the clip, repetitions
            below 0, or frames of another row.
    """
    found: dict[str, list[tuple[int, Segment]]] = {}
    for number, row in enumerate(rows, start=2):
        length = (lengths or {}).get(row["clip_id"], "")
        try:
            segment = _segment(row, int(length) if length.isdecimal() else None)
        except ActrecError as error:
            raise ActrecError(f"Row {number} of {file} (clip '{row['clip_id']}') is wrong: {error}") from None
        found.setdefault(row["clip_id"], []).append((number, segment))
    for clip, members in found.items():
        members.sort(key=lambda each: each[1].start)
        for (number, before), (other, after) in pairwise(members):
            if after.start < before.end:
                raise ActrecError(
                    f"Rows {number} and {other} of {file} (clip '{clip}') overlap: '{before.label}' ends at frame "
                    f"{before.end}, and '{after.label}' begins at {after.start}."
                )
    return {clip: tuple(segment for _, segment in members) for clip, members in found.items()}


def _segment(row: Mapping[str, str], n_frames: int | None) -> Segment:
    try:
        start, end = int(row["start"]), int(row["end"])
        repetitions = int(row["repetitions"]) if row["repetitions"] else None
    except (TypeError, ValueError) as error:
        raise ActrecError(f"{error}. Expected whole numbers of frames.") from None
    segment = Segment(row["label"], start, end, repetitions)
    if start < 0:
        raise ActrecError(f"it begins at frame {start}, before the clip.")
    if n_frames is not None and end > n_frames:
        raise ActrecError(f"it ends at frame {end}, beyond the clip's {n_frames} frames.")
    return segment
