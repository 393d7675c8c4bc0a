"""The temporal parts of the network: sinusoidal time codes, causal attention for each joint, and the encoder layer."""

from __future__ import annotations

import math

import torch
from einops import rearrange
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional as F

from actrec.network.frames import Frames
from actrec.network.graph import GraphConv


def time_code(time: Float[Tensor, " time"], dim: int) -> Float[Tensor, "time dim"]:
    """Computes the sinusoidal code of time in frames: sine on even channels, cosine on odd ones, base 10000."""
    rate = torch.exp(torch.arange(0, dim, 2, device=time.device, dtype=time.dtype) * (-math.log(10000.0) / dim))
    angle = time[:, None] * rate
    return torch.stack((angle.sin(), angle.cos()), -1).flatten(1)


def attention_mask(valid: Bool[Tensor, "batch time"], causal: bool = True) -> Bool[Tensor, "batch time time"]:
    """Makes the attention mask: a frame attends to itself and to the valid frames (last axis) before it, or to all."""
    eye = torch.eye(valid.shape[1], dtype=torch.bool, device=valid.device)
    there = valid[:, None, :] | eye
    return torch.ones_like(eye).tril() & there if causal else there


class TemporalAttention(nn.Module):
    """Causal multi-head attention over time for each joint; queries, keys and values come from an SA-GC (equation 7).

    Args:
        heads: Attention heads, of dim / heads channels each.
        to_qkv: The graph convolution from `dim` to 3 × `dim` channels.
    """

    def __init__(self, dim: int, heads: int, to_qkv: GraphConv) -> None:
        super().__init__()
        self.heads, self.to_qkv, self.to_out = heads, to_qkv, nn.Linear(dim, dim)

    def forward(
        self, x: Float[Tensor, "*lead joint dim"], mask: Bool[Tensor, "batch time time"], frames: Frames | None = None
    ) -> Float[Tensor, "*lead joint dim"]:
        """Computes the attention's output.

        Args:
            x: (batch, time, joint, dim), or (frame, joint, dim) where `frames` are packed.
            frames: The packing of `x`; None if it holds all frames of the batch.
        """
        q, k, v = self._qkv(x, frames)
        attended = F.scaled_dot_product_attention(q, k, v, attn_mask=mask[:, None])
        attended = rearrange(attended, "b (v h) t d -> b t v (h d)", h=self.heads)
        return self.to_out(frames.pack(attended) if frames else attended)

    def weights(
        self, x: Float[Tensor, "batch time joint dim"], mask: Bool[Tensor, "batch time time"]
    ) -> Float[Tensor, "batch joint head time source"]:
        """Computes the attention weights of each frame, which sum to 1 over the source frames."""
        q, k, _ = self._qkv(x)
        scores = (q @ k.transpose(-1, -2) * q.shape[-1] ** -0.5).masked_fill(~mask[:, None], -torch.inf)
        return rearrange(scores.softmax(-1), "b (v h) t s -> b v h t s", h=self.heads)

    def _qkv(self, x: Tensor, frames: Frames | None = None) -> Tensor:
        qkv = self.to_qkv(x)
        qkv = frames.unpack(qkv) if frames else qkv
        return rearrange(qkv, "b t v (three h d) -> three b (v h) t d", three=3, h=self.heads)


class EncoderLayer(nn.Module):
    """Pre-norm temporal attention and MLP with residuals (blog post 3.2.2.2).

    Args:
        dim: Channels; the MLP's hidden layer has twice as many.
    """

    def __init__(self, attention: TemporalAttention, dim: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.attention_norm, self.attention = nn.LayerNorm(dim), attention
        self.mlp = nn.Sequential(nn.LayerNorm(dim), nn.Linear(dim, 2 * dim), nn.GELU(), nn.Linear(2 * dim, dim))
        self.dropout = nn.Dropout(dropout)

    def forward(
        self, x: Float[Tensor, "*lead joint dim"], mask: Bool[Tensor, "batch time time"], frames: Frames | None = None
    ) -> Float[Tensor, "*lead joint dim"]:
        """See `TemporalAttention`."""
        x = x + self.dropout(self.attention(self.attention_norm(x), mask, frames=frames))
        return x + self.dropout(self.mlp(x))
