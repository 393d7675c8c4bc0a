"""Why a network decides as it does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from actrec.network.graph import GraphConv
from actrec.network.infogcn import InfoGCN


def joint_attention(
    network: InfoGCN, features: Float[Tensor, "batch time joint channel"], valid: Bool[Tensor, "batch time"]
) -> Float[Tensor, "layer batch time head joint source"]:
    """How each joint weighs the source joints in the encoder's SA-GCs: softmax(Q_m K_mᵀ / √D'); sums to 1 over them.

    Args:
        network: In eval mode.
        features: As `actrec.data.windows.Features` makes them.
        valid: Whether a frame is real.
    """
    return _of_encoder(network, features, valid, GraphConv.joint_attention)


def effective_adjacency(
    network: InfoGCN, features: Float[Tensor, "batch time joint channel"], valid: Bool[Tensor, "batch time"]
) -> Float[Tensor, "layer batch time head joint source"]:
    """How much each joint takes from each source joint in the encoder's SA-GCs: Ã_m ⊙ softmax(Q_m K_mᵀ / √D').

    Args:
        network: In eval mode.
        features: As `actrec.data.windows.Features` makes them.
        valid: Whether a frame is real.
    """
    return _of_encoder(network, features, valid, GraphConv.adjacency)


@torch.inference_mode()
def _of_encoder(
    network: InfoGCN, features: Tensor, valid: Tensor, matrices: Callable[[GraphConv, Tensor], Tensor]
) -> Tensor:
    found = []

    def keep(conv: Any, inputs: tuple[Tensor, ...]) -> None:
        (x,) = inputs
        found.append(matrices(conv, x.flatten(0, -3)).transpose(-1, -2).unflatten(0, x.shape[:-2]))

    hooks = [layer.attention.to_qkv.register_forward_pre_hook(keep) for layer in network.encoder]  # type: ignore[union-attr]
    try:
        network.encode(features, valid)
    finally:
        for hook in hooks:
            hook.remove()
    return torch.stack(found)
