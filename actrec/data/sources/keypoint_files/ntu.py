"""Reads `.skeleton` files of NTU RGB+D: x and y in the colour picture (1920 × 1080) of Kinect's 25 joints."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from actrec.data.sources.keypoint_files.detections import Detections, Person, Told, detections
from actrec.data.sources.skeleton_files import BODY, TrackedBody, read_bodies

NAME = re.compile(r"S\d{3}C\d{3}(?P<person>P\d{3})R\d{3}(?P<action>A\d{3})", re.IGNORECASE)


def is_clip(content: Any) -> bool:
    """Returns whether this begins as a `.skeleton` file: the number of frames, of bodies, and a body's ten numbers."""
    lines = content.split("\n", 3)
    if len(lines) < 2 or not all(line.strip().isdigit() for line in lines[:2]):
        return False
    return lines[1].strip() == "0" or (len(lines) > 2 and len(lines[2].split()) == BODY)


def read_clip(content: Any) -> dict[str, Detections]:
    """Returns the clip."""
    frames = {number: list(map(_person, bodies)) for number, bodies in enumerate(read_bodies(content))}
    return {"": detections(frames, Told(layout="ntu25", in_shares=False, fps=30.0, width=1920, height=1080))}


def _person(body: TrackedBody) -> Person:
    return Person(np.column_stack([body.joints[:, 5:7], body.confidences]), body.name)
