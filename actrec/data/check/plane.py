"""Lays clips of three dimensions into the plane of x and y, in which their poses, motion and labels are checked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from actrec.data.check.findings import NOTE, Finding, Text
from actrec.types import SkeletonSequence

_EXTENT = 1000.0  # the longer side of what all frames of a clip fill
_CORNER = 10.0  # of that, since a joint at (0, 0) may be one that is missing
# What depends on pixels, or on where axes point to; and a layout's bones, which may lie along z.
_OF_PICTURES = {"small", "tiny", "outside", "upside_down", "swapped_axes", "marked", "layout"}

TEXTS = {
    "in_plane": Text(
        "Three dimensions are checked as two",
        "The clips have x, y and z: poses and motion were compared in the plane of x and y, with y upwards.",
        "Units, directions of axes, the joint layout, and what happens along z alone, are not checked.",
        "Look at some clips yourself: python -m actrec.view source={store}",
    ),
}


def in_plane(clip: SkeletonSequence) -> SkeletonSequence:
    """Returns a clip of three dimensions in the plane of x and y, as a camera in front sees it: x to the right and y
    downwards, and sizes as in a picture."""
    if clip.n_coordinates == 2:
        return clip
    places, confidence = clip.keypoints[..., :2] * np.array([-1, -1], np.float32), clip.keypoints[..., 3:]
    seen = places[confidence[..., 0] > 0]
    low, high = (seen.min(0), seen.max(0)) if len(seen) else (np.zeros(2), np.ones(2))
    extent = float((high - low).max()) or 1.0
    placed = np.where(confidence > 0, (places - low) * (_EXTENT / extent) + _CORNER, 0)
    return replace(clip, keypoints=np.concatenate([placed, confidence], -1).astype(np.float32))


def without_pictures(found: Sequence[Finding], n_deep: int) -> list[Finding]:
    """Leaves out what makes no sense in three dimensions, and says so; `n_deep` is the number of such clips."""
    if not n_deep:
        return list(found)
    kept = [finding for finding in found if finding.kind not in _OF_PICTURES]
    return [*kept, Finding("in_plane", NOTE, (), n_deep)]
