"""Graph convolutions over the joints of each frame: with self-attention (SA-GC) and without (GCN)."""

from __future__ import annotations

import torch
from einops import rearrange, repeat
from jaxtyping import Float
from torch import Tensor, nn

from actrec.types import ActrecError


class Norm(nn.Module):
    """Normalises the channels, which are the last axis, for any number of leading axes.

    Args:
        kind: "batch" (over all axes but the channels), "layer" (over the channels of each joint) or "none".
    """

    def __init__(self, kind: str, dim: int) -> None:
        super().__init__()
        norms = {"batch": nn.BatchNorm1d, "layer": nn.LayerNorm, "none": nn.Identity}
        if kind not in norms:
            raise ActrecError(f"There is no norm '{kind}'. Choose one of: {', '.join(norms)}.")
        self.norm = norms[kind](dim)

    def forward(self, x: Float[Tensor, "*lead dim"]) -> Float[Tensor, "*lead dim"]:
        return self.norm(x.flatten(0, -2)).view_as(x)


class GraphConv(nn.Module):
    """One graph convolution over joints, multi-headed (InfoGCN++ section on SA-GC; blog post 3.2.2.1).

    H' = σ(norm(Σ_m A_m H W_m) + residual), where A_m = Ã_m ⊙ softmax(Q_m K_mᵀ / √D') with attention and A_m = Ã_m
    without. Ã is initialised with the normalised bone adjacency. All heads are computed in one matrix product, whose
    summed axis includes the heads; it therefore contains the sum Σ_m.

    Args:
        adjacency: Bone adjacency with self-loops; its rows sum to one.
        heads: Number of heads, M.
        attention_dim: Channels of each head, D'; 0 for a plain GCN.
    """

    def __init__(
        self,
        in_dim: int,
        out_dim: int,
        adjacency: Float[Tensor, "joint joint"],
        heads: int = 3,
        attention_dim: int = 8,
        norm: str = "batch",
    ) -> None:
        super().__init__()
        self.heads, self.attention_dim = heads, attention_dim
        self.topology = nn.Parameter(repeat(adjacency, "v u -> m v u", m=heads).clone())
        if attention_dim:
            self.attention_norm = nn.LayerNorm(in_dim)
            self.to_qk = nn.Linear(in_dim, 2 * heads * attention_dim)
        self.weight = nn.Parameter(torch.empty(heads, in_dim, out_dim))
        self.bias = nn.Parameter(torch.zeros(out_dim))
        nn.init.normal_(self.weight, std=(2.0 / (heads * in_dim)) ** 0.5)
        self.norm = Norm(norm, out_dim)
        self.residual = (
            nn.Identity() if in_dim == out_dim else nn.Sequential(nn.Linear(in_dim, out_dim), Norm(norm, out_dim))
        )

    def joint_attention(self, x: Float[Tensor, "frame joint in_dim"]) -> Float[Tensor, "frame head source joint"]:
        """Computes softmax(Q_m K_mᵀ / √D') of each head, transposed: the weights of the source joints for each joint.

        The softmax runs over the sources, the last axis but one: for so few joints this is several times as fast on a
        CPU as over the last axis.
        """
        q, k = rearrange(self.to_qk(self.attention_norm(x)), "b v (two m d) -> two b m v d", two=2, m=self.heads)
        scores = (k * self.attention_dim**-0.5) @ q.transpose(-1, -2)
        return scores.softmax(-2)

    def adjacency(self, x: Float[Tensor, "frame joint in_dim"]) -> Float[Tensor, "... head source joint"]:
        """Computes the effective adjacency A_m of each head, transposed: the last axis is the receiving joint."""
        topology = self.topology.transpose(-1, -2)
        if not self.attention_dim:
            return topology.expand(len(x), -1, -1, -1)
        return self.joint_attention(x) * topology

    def forward(self, x: Float[Tensor, "*lead joint in_dim"]) -> Float[Tensor, "*lead joint out_dim"]:
        h = x.flatten(0, -3)
        adjacency = self.adjacency(h)
        in_dim, out_dim = self.weight.shape[1:]
        if in_dim <= out_dim:  # aggregate the neighbours first, on the narrower side
            gathered = rearrange(adjacency, "b m u v -> b (v m) u") @ h
            gathered = rearrange(gathered, "b (v m) c -> (b v) (m c)", m=self.heads)
            mixed = torch.addmm(self.bias, gathered, self.weight.flatten(0, 1))
        else:
            projected = h @ rearrange(self.weight, "m c d -> c (m d)")
            projected = rearrange(projected, "b u (m d) -> b (u m) d", m=self.heads)
            mixed = torch.baddbmm(self.bias, rearrange(adjacency, "b m u v -> b v (u m)"), projected)
        sum_ = self.norm(mixed.view(-1, out_dim)) + self.residual(x.reshape(-1, in_dim))
        return torch.relu_(sum_).view(*x.shape[:-1], out_dim)
