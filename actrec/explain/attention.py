"""Why a network decides as it does: what it attends to, what it decides by, and how well it sees what comes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import deepcopy
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float
from numpy import ndarray
from torch import Tensor, nn

from actrec.model.spec import ModelSpec
from actrec.network.graph import GraphConv
from actrec.network.infogcn import InfoGCN
from actrec.network.temporal import TemporalAttention
from actrec.pipeline.batching import collate
from actrec.types import SkeletonSequence


def joint_attention(
    network: InfoGCN, features: Float[Tensor, "batch time joint channel"], valid: Bool[Tensor, "batch time"]
) -> Float[Tensor, "layer batch time head joint source"]:
    """How each joint weighs the source joints in the encoder's SA-GCs: softmax(Q_m K_mᵀ / √D'); sums to 1 over them.

    Args:
        network: In eval mode.
        features: As `actrec.pipeline.features.Features` makes them.
        valid: Whether a frame is real.
    """
    return _of_graphs(network, features, valid, GraphConv.joint_attention)


def effective_adjacency(
    network: InfoGCN, features: Float[Tensor, "batch time joint channel"], valid: Bool[Tensor, "batch time"]
) -> Float[Tensor, "layer batch time head joint source"]:
    """How much each joint takes from each source joint in the encoder's SA-GCs: Ã_m ⊙ softmax(Q_m K_mᵀ / √D').

    Args:
        network: In eval mode.
        features: As `actrec.pipeline.features.Features` makes them.
        valid: Whether a frame is real.
    """
    return _of_graphs(network, features, valid, GraphConv.adjacency)


def time_attention(
    network: InfoGCN, features: Float[Tensor, "batch time joint channel"], valid: Bool[Tensor, "batch time"]
) -> Float[Tensor, "layer batch joint head time source"]:
    """How each frame of a joint weighs the frames up to it in the encoder's layers (equation 7); sums to 1 over them.

    Args:
        network: In eval mode.
        features: As `actrec.pipeline.features.Features` makes them.
        valid: Whether a frame is real.
    """
    return _seen_by(network, features, valid, "attention", TemporalAttention.weights)


def _of_graphs(network: InfoGCN, features: Tensor, valid: Tensor, matrices: Callable[..., Tensor]) -> Tensor:
    def of_frames(conv: Any, x: Tensor) -> Tensor:
        return matrices(conv, x.flatten(0, -3)).transpose(-1, -2).unflatten(0, x.shape[:-2])

    return _seen_by(network, features, valid, "attention.to_qkv", of_frames)


@torch.inference_mode()
def _seen_by(network: InfoGCN, features: Tensor, valid: Tensor, part: str, look: Callable[..., Tensor]) -> Tensor:
    """Applies `look` to that part of each of the encoder's layers and its inputs.

    The hooks are on a copy that shares the weights, so that other threads can run the network meanwhile.
    """
    weights = {id(tensor): tensor for tensor in (*network.parameters(), *network.buffers())}
    own = deepcopy(network, weights)
    modules = [layer.get_submodule(part) for layer in own.encoder]
    found: dict[nn.Module, Tensor] = {}

    def keep(module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        if module not in found:  # `look` may call it again
            found[module] = torch.empty(0)
            found[module] = look(module, *inputs)

    for module in modules:
        module.register_forward_pre_hook(keep)
    own.encode(features, valid)
    return torch.stack([found[module] for module in modules])


@torch.inference_mode()
def forecast_error(
    network: nn.Module, spec: ModelSpec, clips: Sequence[SkeletonSequence]
) -> tuple[Float[ndarray, "horizon joint"], Float[ndarray, "horizon joint"]]:
    """Mean distance of forecast joints from where they were seen 1 to N frames later, in torso lengths.

    Args:
        network: In eval mode, on the device to use; it sees the joint stream.
        spec: What it is.
        clips: In the model's skeleton.

    Returns:
        Of the network's forecasts; and of the forecast that everything stays where it is. NaN for a joint never seen.
    """
    device, sums = next(network.parameters()).device, []
    for clip in clips:
        batch = collate(spec.pipeline.evaluation_items(clip, 0, 0))
        poses = batch.features[..., :2]
        forecasts = network(batch.features.to(device), batch.valid.to(device)).pose_forecasts[..., :2].float().cpu()
        rows = []
        for ahead, forecast in enumerate(forecasts, start=1):
            steps = max(poses.shape[1] - ahead, 0)
            seen = batch.observed[:, ahead:] & batch.observed[:, :steps] & batch.valid[:, ahead:, None]
            for guess in (forecast[:, :steps], poses[:, :steps]):
                distance = (guess - poses[:, ahead:]).norm(dim=-1) * seen
                rows.append(torch.stack((distance.sum((0, 1)), seen.sum((0, 1)))).double())
        if rows:
            sums.append(torch.stack(rows))
    if not sums:
        empty = np.zeros((0, spec.pipeline.skeleton.n_joints))
        return empty, empty
    total, count = torch.stack(sums).sum(0).unbind(1)
    means = (total / count).unflatten(0, (-1, 2)).numpy()
    return means[:, 0], means[:, 1]
