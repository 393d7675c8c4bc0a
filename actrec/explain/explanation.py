"""Explains a model's decisions over a split: joint importance, attention, forecast errors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float
from numpy import ndarray
from torch import nn

from actrec.explain.attention_summary import AttentionSummary, connection_shares, mean_of_finite, summarize_attention
from actrec.explain.forecast_error import forecast_error
from actrec.explain.occlusion import OcclusionCheck, check_occlusion, class_importance, joint_importance
from actrec.model.spec import ModelSpec
from actrec.network.infogcn import InfoGCN
from actrec.pipeline.view import facing
from actrec.skeleton import Skeleton
from actrec.types import SkeletonSequence

_CANDIDATES = 10  # clips of a class from whose frames a typical pose is chosen
_FAR = 0.75  # quantile of the distances from the mean pose at which a typical pose of three dimensions is chosen


@dataclass(frozen=True)
class Explanation:
    """An explanation of a model's decisions on a split.

    Attributes:
        importance: The importance of each joint in nats, for each class that was predicted for some clip; see
            `actrec.explain.occlusion.class_importance`.
        poses: A typical pose for each of those classes, in torso lengths; in two dimensions y down, in three y up.
        check: The result of `actrec.explain.occlusion.check_occlusion`; None where there is only one group.
        attention: None if the network is not an InfoGCN++.
        forecast_error: See `actrec.explain.forecast_error`; without rows if the network forecasts no poses.
        still_error: The error of a forecast that repeats the present pose.
    """

    skeleton: Skeleton
    importance: dict[str, Float[ndarray, " joint"]]
    poses: dict[str, Float[ndarray, "joint coordinate"]]
    check: OcclusionCheck | None
    attention: AttentionSummary | None
    forecast_error: Float[ndarray, "horizon joint"]
    still_error: Float[ndarray, "horizon joint"]

    def figures(self) -> dict[str, Any]:
        """Returns the entry "why" of `metrics.json`."""
        joints = self.skeleton.joints
        figures: dict[str, Any] = {
            "joint_importance": {
                name: {joint: round(float(value), 4) for joint, value in zip(joints, values, strict=True)}
                for name, values in self.importance.items()
            }
        }
        if self.check:
            figures["occlusion"] = self.check._asdict()
        if self.attention:
            figures["connections"] = connection_shares(self.attention.adjacency, self.skeleton)
        if len(self.forecast_error):
            figures["forecast_error"] = mean_of_finite(self.forecast_error).tolist()
            figures["forecast_error_still"] = mean_of_finite(self.still_error).tolist()
        return figures


def explain(
    network: nn.Module, spec: ModelSpec, clips: Sequence[SkeletonSequence], batch_size: int = 64
) -> Explanation:
    """Explains a model's decisions on clips.

    Args:
        network: In eval mode, on the device to use.
        clips: The clips of a split, in the model's skeleton.
    """
    importance, decided = joint_importance(network, spec, clips, batch_size)
    of_class = class_importance(importance, decided, len(spec.labels))
    predicted = {name: of_class[number] for number, name in enumerate(spec.labels) if (decided == number).any()}
    several = len({clip.group or clip.clip_id for clip in clips}) > 1
    check = check_occlusion(network, spec, clips, importance, decided, batch_size=batch_size) if several else None
    error = still = np.zeros((0, spec.pipeline.skeleton.n_joints))
    if spec.pipeline.features.stream == "joint":  # in the bone and velocity streams, forecasts are not poses
        error, still = forecast_error(network, spec, clips)
    attention = None
    if isinstance(network, InfoGCN) and len(network.encoder):
        attention = summarize_attention(network, spec, clips)
    poses = {name: _typical_pose(spec, clips, decided == spec.labels.index(name)) for name in predicted}
    return Explanation(spec.pipeline.skeleton, predicted, poses, check, attention, error, still)


def _typical_pose(
    spec: ModelSpec, clips: Sequence[SkeletonSequence], chosen: Bool[ndarray, " clip"]
) -> Float[ndarray, "joint coordinate"]:
    """Selects the frame with the most observed joints from the first chosen clips; among equals, the one farthest from
    its clip's mean pose.

    In three dimensions, the one that is farther than three quarters of these: a depth camera's joints jump, and the
    farthest poses are those that no body can take.
    """
    found: list[tuple[float, float, Float[ndarray, "joint coordinate"]]] = []
    for number in np.flatnonzero(chosen)[:_CANDIDATES]:
        window = spec.pipeline.evaluation_windows(clips[number])[0]
        poses = facing(window.keypoints[..., :-1], spec.pipeline.preprocess.view)
        n_observed = (window.observed & window.valid[:, None]).sum(1)
        distances = np.linalg.norm(poses - poses[window.valid].mean(0), axis=-1).mean(1)
        found += zip(n_observed.tolist(), distances.tolist(), poses, strict=True)
    most, _, pose = max(found, key=lambda each: each[:2])
    if spec.pipeline.n_coordinates == 3:
        equal = sorted((each for each in found if each[0] == most), key=lambda each: each[1])
        pose = equal[round(_FAR * (len(equal) - 1))][2]
    return pose.astype(float)
