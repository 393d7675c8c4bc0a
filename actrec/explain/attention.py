"""Reads the attention and the effective adjacency of a trained InfoGCN++, in eval mode, on given inputs."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from actrec.network.graph import GraphConv
from actrec.network.infogcn import InfoGCN
from actrec.network.temporal import TemporalAttention


def joint_attention(
    network: InfoGCN, features: Float[Tensor, "batch time joint channel"], valid: Bool[Tensor, "batch time"]
) -> Float[Tensor, "layer batch time head joint source"]:
    """Returns the attention over joints in the encoder's SA-GCs: softmax(Q_m K_mᵀ / √D'), 1 in sum over sources."""
    return _of_graph_convs(network, features, valid, GraphConv.joint_attention)


def effective_adjacency(
    network: InfoGCN, features: Float[Tensor, "batch time joint channel"], valid: Bool[Tensor, "batch time"]
) -> Float[Tensor, "layer batch time head joint source"]:
    """Returns the effective adjacency in the encoder's SA-GCs: Ã_m ⊙ softmax(Q_m K_mᵀ / √D')."""
    return _of_graph_convs(network, features, valid, GraphConv.adjacency)


def time_attention(
    network: InfoGCN, features: Float[Tensor, "batch time joint channel"], valid: Bool[Tensor, "batch time"]
) -> Float[Tensor, "layer batch joint head time source"]:
    """Returns the causal attention over time in the encoder's layers (equation 7), 1 in sum over source frames."""
    return _at_each_layer(network, features, valid, "attention", TemporalAttention.weights)


def _of_graph_convs(network: InfoGCN, features: Tensor, valid: Tensor, matrices: Callable[..., Tensor]) -> Tensor:
    def of_frames(conv: Any, x: Tensor) -> Tensor:
        return matrices(conv, x.flatten(0, -3)).transpose(-1, -2).unflatten(0, x.shape[:-2])

    return _at_each_layer(network, features, valid, "attention.to_qkv", of_frames)


@torch.inference_mode()
def _at_each_layer(network: InfoGCN, features: Tensor, valid: Tensor, part: str, look: Callable[..., Tensor]) -> Tensor:
    """Applies `look` to the submodule `part` of each encoder layer and its inputs.

    The hooks are on a copy that shares the weights, so that other threads can run the network at the same time.
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
