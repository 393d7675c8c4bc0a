"""Averages an InfoGCN++'s attention and effective adjacency over clips, heads and frames."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray

from actrec.explain.attention import effective_adjacency, joint_attention, time_attention
from actrec.model.spec import ModelSpec
from actrec.network.infogcn import InfoGCN
from actrec.pipeline.batching import collate
from actrec.skeleton import Skeleton
from actrec.types import SkeletonSequence

_MOST_CLIPS = 100  # if there are more, this many are drawn at random


@dataclass(frozen=True)
class AttentionSummary:
    """The attention of an InfoGCN++, averaged over clips and heads.

    Attributes:
        adjacency: The effective adjacency, averaged over layers and frames too; see
            `actrec.explain.attention.effective_adjacency`.
        joints: The attention over joints, averaged likewise; see `actrec.explain.attention.joint_attention`.
        time: The attention over time from each clip's last frame; see `actrec.explain.attention.time_attention`.
    """

    adjacency: Float[ndarray, "joint source"]
    joints: Float[ndarray, "joint source"]
    time: Float[ndarray, "layer lag"]


def summarize_attention(network: InfoGCN, spec: ModelSpec, clips: Sequence[SkeletonSequence]) -> AttentionSummary:
    """Averages the attention of an InfoGCN++ over clips, or over 100 of them drawn at random.

    Args:
        network: In eval mode, with at least one encoder layer.
        clips: In the model's skeleton.
    """
    device = next(network.parameters()).device
    drawn: Int[ndarray, " clip"] = np.random.default_rng(0).permutation(len(clips))[:_MOST_CLIPS]
    adjacency, joints, time = list[ndarray](), list[ndarray](), list[ndarray]()
    for number in np.sort(drawn):
        batch = collate(spec.pipeline.evaluation_items(clips[number], 0, 0)[-1:])
        length = int(batch.valid.sum())
        window = batch.features[:, :length].to(device), batch.valid[:, :length].to(device)
        adjacency.append(effective_adjacency(network, *window).mean((0, 1, 2, 3)).cpu().numpy())
        joints.append(joint_attention(network, *window).mean((0, 1, 2, 3)).cpu().numpy())
        last = time_attention(network, *window)[:, 0, :, :, -1].mean((1, 2)).flip(-1)
        time.append(last.cpu().numpy())
    longest = max(each.shape[1] for each in time)
    padded = [np.pad(each, ((0, 0), (0, longest - each.shape[1])), constant_values=np.nan) for each in time]
    by_lag = mean_of_finite(np.stack(padded, axis=-1))
    return AttentionSummary(np.mean(adjacency, axis=0), np.mean(joints, axis=0), by_lag)


def connection_shares(weights: Float[ndarray, "joint source"], skeleton: Skeleton) -> dict[str, float]:
    """Computes the shares of the absolute weight on the joint itself, along bones, and between all other joints."""
    strength = np.abs(weights)
    bones = np.zeros(strength.shape, dtype=bool)
    bones[tuple(skeleton.bone_index.T)] = bones[tuple(skeleton.bone_index.T[::-1])] = True
    itself = np.eye(len(strength), dtype=bool)
    total = max(float(strength.sum()), 1e-12)
    parts = {"itself": itself, "bones": bones & ~itself, "others": ~bones & ~itself}
    return {name: float(strength[part].sum()) / total for name, part in parts.items()}


def mean_of_finite(values: ndarray) -> ndarray:
    """Averages finite values over the last axis; NaN if there are none, as for a horizon longer than every clip."""
    return np.ma.masked_invalid(values).mean(-1).filled(np.nan)
