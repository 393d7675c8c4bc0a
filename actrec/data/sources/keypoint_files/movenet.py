"""Reads JSON of MoveNet and PoseNet in TensorFlow.js: what `estimatePoses` returns, frame by frame."""

from __future__ import annotations

from typing import Any

from actrec.data.sources.keypoint_files.landmarks import joint_counts


def is_clip(content: Any) -> bool:
    """Returns whether this is a list of frames with keypoints of any number but MediaPipe's."""
    counts = joint_counts(content)
    return not counts & {-1, 33}
