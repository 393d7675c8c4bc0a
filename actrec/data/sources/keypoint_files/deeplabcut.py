"""Reads the CSV of DeepLabCut's `analyze_videos`: header rows (scorer, individuals, bodyparts, coords), then frames."""

from __future__ import annotations

from itertools import islice
from typing import Any

import numpy as np

from actrec.data.sources.keypoint_files.columns import checked, number_reader
from actrec.data.sources.keypoint_files.content import Table
from actrec.data.sources.keypoint_files.detections import Detections, Person, Told, detections
from actrec.types import ActrecError

_COORDS = ("x", "y", "likelihood")


def is_clip(content: Any) -> bool:
    """Returns whether these are the header rows of DeepLabCut."""
    first = [cells[0].casefold() for _, cells in islice(content.rows(), 4)]
    return first[:1] == ["scorer"] and "bodyparts" in first and "coords" in first


def read_clip(content: Any) -> dict[str, Detections]:
    """Returns the clip."""
    header, n_header = _header(content)
    joints = tuple(dict.fromkeys(part for part, _, _ in header))
    people = list(dict.fromkeys(name for _, name, _ in header))
    has_likelihood = any(coord == "likelihood" for _, _, coord in header)
    place_of = {each: place for place, each in enumerate(header, start=1)}
    read = number_reader(content.separator)
    frames: dict[int, list[Person]] = {}
    for row, cells in islice(content.rows(), n_header, None):
        checked(cells, len(header) + 1, row)
        number = _number(cells[0], row)
        if number in frames:
            raise ActrecError(f"its row {row} is of frame {number}, which it has before.")
        frames[number] = []
        for name in people:
            places = [[place_of.get((joint, name, coord)) for coord in _COORDS] for joint in joints]
            points = [[np.nan if place is None else read(cells[place]) for place in of_joint] for of_joint in places]
            if not has_likelihood:
                points = [point[:2] for point in points]
            frames[number].append(Person(points, name if len(people) > 1 else None))
    return {"": detections(frames, Told(joints=joints))}


def _header(content: Table) -> tuple[list[tuple[str, str, str]], int]:
    """Returns body part, individual and coordinate of each column after the first, and the number of header rows."""
    rows: dict[str, list[str]] = {}
    for _, cells in islice(content.rows(), 4):
        if cells[0].casefold() in ("scorer", "individuals", "bodyparts", "coords"):
            rows[cells[0].casefold()] = cells[1:]
    parts, coords = rows["bodyparts"], [coord.strip().casefold() for coord in rows["coords"]]
    individuals = rows.get("individuals") or [""] * len(parts)
    if not len(parts) == len(coords) == len(individuals):
        raise ActrecError("its header rows have different numbers of cells. Is it cut short?")
    return list(zip(parts, individuals, coords, strict=True)), len(rows)


def _number(cell: str, row: int) -> int:
    try:
        return int(float(cell))
    except ValueError:
        raise ActrecError(f"its row {row} begins with '{cell}'; expected a frame number.") from None
