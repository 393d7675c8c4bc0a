"""Why a model decides as it does, over a split: figures for `metrics.json`, pictures for the report."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from matplotlib.figure import Figure
from numpy import ndarray
from torch import nn

from actrec.drawing.colors import Theme
from actrec.explain.attention import effective_adjacency, forecast_error, joint_attention, time_attention
from actrec.explain.occlusion import OcclusionCheck, check_occlusion, class_importance, joint_importance
from actrec.model.spec import ModelSpec
from actrec.network.infogcn import InfoGCN
from actrec.pipeline.batching import collate
from actrec.report.bodies import adjacency_and_bones, connection_shares, importance_bodies
from actrec.report.plots import attention_curve, forecast_curve
from actrec.skeleton import Skeleton
from actrec.types import SkeletonSequence

_LOOKED_INTO = 100  # clips over which what is inside the network is averaged


@dataclass(frozen=True)
class Inside:
    """What an InfoGCN++ attends to, the mean over clips and heads.

    Attributes:
        adjacency: Effective adjacency, the mean over layers and frames too; see
            `actrec.explain.attention.effective_adjacency`.
        joints: Attention over joints, the same mean; see `actrec.explain.attention.joint_attention`.
        time: Attention over time, from each clip's last frame; see `actrec.explain.attention.time_attention`.
    """

    adjacency: Float[ndarray, "joint source"]
    joints: Float[ndarray, "joint source"]
    time: Float[ndarray, "layer lag"]


@dataclass(frozen=True)
class Why:
    """Why a model decides as it does.

    Attributes:
        skeleton: The model's.
        importance: Of the joints, for each class that a clip was taken for, in nats; see
            `actrec.explain.occlusion.class_importance`.
        poses: A pose of each of those classes, y down, in torso lengths.
        check: See `actrec.explain.occlusion.check_occlusion`; None where there is one group alone.
        inside: None where the network is no InfoGCN++.
        error: See `actrec.explain.attention.forecast_error`; no rows where nothing is forecast.
        still: The error of a pose that stays.
    """

    skeleton: Skeleton
    importance: dict[str, Float[ndarray, " joint"]]
    poses: dict[str, Float[ndarray, "joint 2"]]
    check: OcclusionCheck | None
    inside: Inside | None
    error: Float[ndarray, "horizon joint"]
    still: Float[ndarray, "horizon joint"]

    def figures(self) -> dict[str, Any]:
        """Of `metrics.json`, under "why"."""
        joints = self.skeleton.joints
        found: dict[str, Any] = {
            "joint_importance": {
                name: {joint: round(float(value), 4) for joint, value in zip(joints, values, strict=True)}
                for name, values in self.importance.items()
            }
        }
        if self.check:
            found["occlusion"] = self.check._asdict()
        if self.inside:
            found["connections"] = connection_shares(self.inside.adjacency, self.skeleton)
        if len(self.error):
            found["forecast_error"] = _means(self.error).tolist()
            found["forecast_error_still"] = _means(self.still).tolist()
        return found

    def pictures(self, names: Mapping[str, str] | None = None) -> dict[str, Callable[[Theme], Figure]]:
        """Each by its name.

        Args:
            names: What classes are called in them; see `actrec.drawing.lettering.pictured`.
        """
        made: dict[str, Callable[[Theme], Figure]] = {
            "why_joints": partial(importance_bodies, self.importance, self.poses, self.skeleton, names=names)
        }
        if self.inside:
            widest = max(self.poses.values(), key=lambda pose: float(np.ptp(pose, axis=0).min()))
            matrices = self.inside.adjacency, self.inside.joints
            made["why_connections"] = partial(adjacency_and_bones, *matrices, widest, self.skeleton)
            made["why_time"] = partial(attention_curve, self.inside.time)
        if len(self.error):
            made["why_forecast"] = partial(forecast_curve, self.error, self.still)
        return made


def _means(values: ndarray) -> ndarray:
    """Averages finite values over the last axis; NaN where there are none, as for a horizon longer than every clip."""
    return np.ma.masked_invalid(values).mean(-1).filled(np.nan)


def explain(network: nn.Module, spec: ModelSpec, clips: Sequence[SkeletonSequence], batch_size: int = 64) -> Why:
    """Looks into a model's decisions on clips.

    Args:
        network: In eval mode, on the device to use.
        spec: What it is.
        clips: A split's, in the model's skeleton.
        batch_size: Windows at once.
    """
    importance, decided = joint_importance(network, spec, clips, batch_size)
    of_class = class_importance(importance, decided, len(spec.labels))
    taken = {name: of_class[number] for number, name in enumerate(spec.labels) if (decided == number).any()}
    several = len({clip.group or clip.clip_id for clip in clips}) > 1
    check = check_occlusion(network, spec, clips, importance, decided, batch_size=batch_size) if several else None
    nothing = np.zeros((0, spec.pipeline.skeleton.n_joints))
    forecasts = spec.pipeline.features.stream == "joint"
    error, still = forecast_error(network, spec, clips) if forecasts else (nothing, nothing)
    inside = look_inside(network, spec, clips) if isinstance(network, InfoGCN) and len(network.encoder) else None
    poses = {name: _pose(spec, clips, decided == spec.labels.index(name)) for name in taken}
    return Why(spec.pipeline.skeleton, taken, poses, check, inside, error, still)


def _pose(spec: ModelSpec, clips: Sequence[SkeletonSequence], chosen: ndarray) -> Float[ndarray, "joint 2"]:
    """Of the first few chosen clips and their frames the pose of which most joints are seen; of equals the one that is
    farthest from its clip's mean."""
    best: tuple[float, float] = (-1.0, -1.0)
    for number in np.flatnonzero(chosen)[:10]:
        window = spec.pipeline.evaluation_windows(clips[number])[0]
        poses, mean = window.keypoints[..., :2], window.keypoints[window.valid, :, :2].mean(0)
        seen = (window.observed & window.valid[:, None]).sum(1)
        apart = np.linalg.norm(poses - mean, axis=-1).mean(1)
        for frame in range(len(poses)):
            if (float(seen[frame]), float(apart[frame])) > best:
                best, pose = (float(seen[frame]), float(apart[frame])), poses[frame]
    return pose.astype(float)


def look_inside(network: InfoGCN, spec: ModelSpec, clips: Sequence[SkeletonSequence], seed: int = 0) -> Inside:
    """What an InfoGCN++ attends to in clips, of many in some that are drawn.

    Args:
        network: In eval mode, with an encoder of one layer or more.
        spec: What it is.
        clips: In the model's skeleton.
        seed: Of the draw.
    """
    device = next(network.parameters()).device
    drawn: Int[ndarray, " clip"] = np.random.default_rng(seed).permutation(len(clips))[:_LOOKED_INTO]
    adjacency, joints, time = list[ndarray](), list[ndarray](), list[ndarray]()
    for number in np.sort(drawn):
        batch = collate(spec.pipeline.evaluation_items(clips[number], 0, 0)[-1:])
        window = batch.features.to(device), batch.valid.to(device)
        for found, matrices in ((adjacency, effective_adjacency), (joints, joint_attention)):
            found.append(matrices(network, *window).mean((0, 1, 2, 3)).cpu().numpy())
        last = time_attention(network, *window)[:, 0, :, :, -1].mean((1, 2)).flip(-1)
        padding = spec.pipeline.windows.length - batch.valid.shape[1]
        time.append(torch.nn.functional.pad(last.cpu(), (0, padding), value=torch.nan).numpy())
    lags = max(int(np.isfinite(each[0]).sum()) for each in time)
    return Inside(
        np.mean(adjacency, axis=0), np.mean(joints, axis=0), _means(np.moveaxis(np.array(time), 0, -1))[:, :lags]
    )
