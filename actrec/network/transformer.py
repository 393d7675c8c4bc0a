"""The baseline network: a transformer over frames, whose input is the flattened joints."""

from __future__ import annotations

import torch
from einops import rearrange
from jaxtyping import Bool, Float
from torch import Tensor, nn

from actrec.network.temporal import attention_mask, time_code
from actrec.skeleton import get_skeleton
from actrec.types import NetworkOutput


class Transformer(nn.Module):
    """A pre-norm transformer that gives logits for every frame and forecasts nothing.

    Args:
        skeleton: Name of the joint layout.
        in_channels: Channels of a joint's features (5 with velocities).
        n_classes: Number of classes.
        dim: Width.
        layers: Number of layers.
        heads: Attention heads.
        dropout: Dropout rate in every layer.
        causal: See `InfoGCN`.
    """

    def __init__(
        self,
        skeleton: str,
        in_channels: int,
        n_classes: int,
        dim: int = 128,
        layers: int = 3,
        heads: int = 4,
        dropout: float = 0.1,
        causal: bool = True,
    ) -> None:
        super().__init__()
        self.heads, self.causal = heads, causal
        self.embedding = nn.Linear(get_skeleton(skeleton).n_joints * in_channels, dim)
        layer = nn.TransformerEncoderLayer(
            dim, heads, 2 * dim, dropout, activation="gelu", batch_first=True, norm_first=True
        )
        self.encoder = nn.TransformerEncoder(layer, layers, nn.LayerNorm(dim), enable_nested_tensor=False)
        self.classifier = nn.Linear(dim, n_classes)

    def forward(
        self, features: Float[Tensor, "batch time joint channel"], valid: Bool[Tensor, "batch time"]
    ) -> NetworkOutput:
        """Computes the logits of every frame; the latents have one node for each frame, and the forecasts are empty."""
        z = self.embedding(features.flatten(2))
        frames = torch.arange(z.shape[1], device=z.device, dtype=z.dtype)
        blocked = ~attention_mask(valid, self.causal).repeat_interleave(self.heads, 0)
        z = rearrange(self.encoder(z + time_code(frames, z.shape[-1]), mask=blocked), "b t d -> b t 1 d")
        poses = features.new_zeros(0, *features.shape[:-1], 2)
        return NetworkOutput(self.classifier(z[:, :, 0]), z, z.new_zeros(0, *z.shape), poses, embedding=z[:, :, 0])
