"""Reads `.skeleton` files of NTU RGB+D: x and y in the colour picture (1920 × 1080) of Kinect's 25 joints."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from actrec.data.sources.keypoint_files.detections import Detections, Person, Told, detections
from actrec.types import ActrecError

NAME = re.compile(r"S\d{3}C\d{3}(?P<person>P\d{3})R\d{3}(?P<action>A\d{3})", re.IGNORECASE)
_BODY = 10  # numbers of a body before its joints: its id, edges, hands, lean and state
_JOINT = 12  # numbers of a joint; colour x and y are 5 and 6, the state of tracking is 11
_CONFIDENCE = {0: 0.0, 1: 0.5, 2: 1.0}  # not tracked, inferred, tracked


def is_clip(content: Any) -> bool:
    """Returns whether this begins as a `.skeleton` file: the number of frames, of bodies, and a body's ten numbers."""
    lines = content.split("\n", 3)
    if len(lines) < 2 or not all(line.strip().isdigit() for line in lines[:2]):
        return False
    return lines[1].strip() == "0" or (len(lines) > 2 and len(lines[2].split()) == _BODY)


def read_clip(content: Any) -> dict[str, Detections]:
    """Returns the clip."""
    cells = iter(content.split())
    try:
        frames = {number: list(_people(cells)) for number in range(int(next(cells)))}
    except StopIteration:
        raise ActrecError("it is cut short: it has fewer numbers than its counts of frames and bodies tell.") from None
    return {"": detections(frames, Told(layout="ntu25", in_shares=False, fps=30.0, width=1920, height=1080))}


def _people(cells: Iterator[str]) -> list[Person]:
    people = []
    for _ in range(int(next(cells))):
        name, *_ = [next(cells) for _ in range(_BODY)]
        joints = [[next(cells) for _ in range(_JOINT)] for _ in range(int(next(cells)))]
        people.append(Person([_values(joint) for joint in joints], name))
    return people


def _values(joint: list[str]) -> tuple[float, float, float]:
    return float(joint[5]), float(joint[6]), _CONFIDENCE.get(int(joint[11]), 0.0)
