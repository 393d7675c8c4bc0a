"""Reads JSON of MediaPipe Pose (BlazePose): 33 landmarks a frame, as shares of the picture, with their visibility."""

from __future__ import annotations

from typing import Any

from actrec.data.sources.keypoint_files.landmarks import joint_counts


def is_clip(content: Any) -> bool:
    """Returns whether this is a list of frames with 33 landmarks."""
    counts = joint_counts(content)
    return -1 not in counts and 33 in counts
