"""Implements InfoGCN++ head by head as in the paper's formulas, without fused products.

The benchmark compares the speed of the fused network with it, and a test the outputs.
"""

from __future__ import annotations

import copy
from typing import TypeVar

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from actrec.network.frames import Frames
from actrec.network.graph import GraphConv
from actrec.network.temporal import TemporalAttention

Network = TypeVar("Network", bound=nn.Module)


def plain(network: Network) -> Network:
    """Returns a copy of a network in which plain modules use the same weights."""
    made = copy.deepcopy(network)
    for module in reversed(list(made.modules())):  # an attention's graph convolution before the attention
        for name, child in module.named_children():
            if isinstance(child, GraphConv):
                setattr(module, name, PlainGraphConv(child))
            elif isinstance(child, TemporalAttention):
                setattr(module, name, PlainAttention(child))
    return made


class PlainGraphConv(nn.Module):
    """Computes H' = σ(norm(Σ_m A_m H W_m) + residual), one head at a time, with the weights of a `GraphConv`."""

    def __init__(self, conv: GraphConv) -> None:
        super().__init__()
        self.conv = conv
        in_dim, out_dim = conv.weight.shape[1:]
        self.products = nn.ModuleList(nn.Linear(in_dim, out_dim, bias=False) for _ in range(conv.heads))
        for product, weight in zip(self.products, conv.weight.data, strict=True):
            product.weight.data = weight.T.contiguous()

    def forward(self, x: Float[Tensor, "*lead joint in_dim"]) -> Float[Tensor, "*lead joint out_dim"]:
        conv, attention = self.conv, None
        if conv.attention_dim:
            qk = conv.to_qk(conv.attention_norm(x)).unflatten(-1, (2, conv.heads, conv.attention_dim))
            q, k = qk.movedim(-3, 0).transpose(-3, -2)  # (…, head, joint, attention_dim)
            attention = (q @ k.transpose(-1, -2) / conv.attention_dim**0.5).softmax(-1)
        total = torch.zeros(1)
        for m, product in enumerate(self.products):
            adjacency = conv.topology[m] if attention is None else conv.topology[m] * attention[..., m, :, :]
            total = total + product(adjacency @ x)
        return torch.relu(conv.norm(total + conv.bias) + conv.residual(x))


class PlainAttention(nn.Module):
    """Computes causal attention over time with explicit matrix products."""

    def __init__(self, attention: TemporalAttention) -> None:
        super().__init__()
        self.heads, self.to_qkv, self.to_out = attention.heads, attention.to_qkv, attention.to_out

    def forward(
        self, x: Float[Tensor, "*lead joint dim"], mask: Bool[Tensor, "batch time time"], frames: Frames | None = None
    ) -> Float[Tensor, "*lead joint dim"]:
        qkv = self.to_qkv(x)
        qkv = frames.unpack(qkv) if frames else qkv
        q, k, v = qkv.unflatten(-1, (3, self.heads, -1)).permute(3, 0, 2, 4, 1, 5)
        scores = q @ k.transpose(-1, -2) / q.shape[-1] ** 0.5
        weights = scores.masked_fill(~mask[:, None, None], -torch.inf).softmax(-1)
        attended = (weights @ v).permute(0, 3, 1, 2, 4).flatten(3)
        return self.to_out(frames.pack(attended) if frames else attended)
