"""InfoGCN++: encoder, latent dynamics, future motion decoder and action head."""

from __future__ import annotations

import math
from functools import partial

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from actrec.network.dynamics import Dynamics, GraphField, PublishedField
from actrec.network.frames import Frames
from actrec.network.graph import GraphConv
from actrec.network.temporal import EncoderLayer, TemporalAttention, attention_mask, time_code
from actrec.skeleton import get_skeleton
from actrec.types import ActrecError, NetworkOutput


class Head(nn.Module):
    """Classifies every frame from its latent and forecasts (equation 12): graph convolutions, pooling, linear layer.

    Pooling over joints before the linear layer gives the same result as after it, at the cost of one joint.

    Args:
        blocks: The two graph convolutions.
        segments: Number of equal parts of the window that have their own classifier; 1 except in the published variant.
        window: Frames of the window that `segments` divide.
        phase: Whether a linear layer computes the phase within a repetition as well.
    """

    def __init__(
        self,
        blocks: list[GraphConv],
        dim: int,
        n_classes: int,
        segments: int,
        window: int,
        dropout: float,
        phase: bool = False,
    ) -> None:
        super().__init__()
        self.blocks, self.dropout = nn.Sequential(*blocks), nn.Dropout(dropout)
        self.phase = nn.Linear(dim, 2) if phase else None
        self.classifiers = nn.ModuleList(nn.Linear(dim, n_classes) for _ in range(segments))
        self.edges = [math.ceil(window * part / segments) for part in range(1, segments)]

    def forward(
        self, z: Float[Tensor, "*lead joint dim"], frames: Frames | None = None
    ) -> tuple[
        Float[Tensor, "batch time class"], Float[Tensor, "batch time 2"] | None, Float[Tensor, "batch time embedding"]
    ]:
        """Computes logits, phase and embedding of all frames of the batch, from all latents or packed valid ones."""
        pooled = self.dropout(self.blocks(z).mean(-2))
        pooled = frames.unpack(pooled) if frames else pooled
        parts = pooled.tensor_split(self.edges, dim=1)
        logits = torch.cat([layer(part) for layer, part in zip(self.classifiers, parts, strict=True)], 1)
        return logits, None if self.phase is None else self.phase(pooled), pooled


class InfoGCN(nn.Module):
    """InfoGCN++ (Chi et al., arXiv:2310.10547) for 2D or 3D joints with confidences.

    Args:
        skeleton: Name of the joint layout.
        in_channels: Channels of a joint's features; the first `coordinates` of them are forecast.
        n_classes: Number of classes.
        dim: Channels of the latent, D.
        layers: Number of encoder layers.
        heads: Heads of the attention over time.
        graph_heads: Heads of the graph convolutions, M.
        attention_dim: Channels of each head of the self-attention over joints, D'.
        horizon: Number of frames to forecast, N.
        solver: See `Dynamics`.
        dynamics: The graph convolutions of the field: "sagc" or "gcn"; "published" is `PublishedField`.
        head: The head's graph convolutions: "sagc" or "gcn".
        head_segments: See `Head`; 4 in the published variant.
        window: See `Head`.
        coordinates: Channels of a forecast joint: 2 for x and y; 3 for x, y and z, or x, y and confidence. None is 2,
            and in training the number of the data's coordinates.
        norm: Normalisation in encoder, decoder and head: "batch" or "layer".
        dynamics_norm: Normalisation in the field: "none", "layer" or "batch". With "batch", evaluation fails: one
            running mean cannot represent the different statistics of the solver's many evaluations.
        dropout: Dropout rate in the encoder and before the classifier.
        phase: Whether the head computes the phase within a repetition, see `actrec.types.NetworkOutput.phase`.
        causal: Whether a frame attends to itself and earlier frames only, so that its logits depend on no later one;
            if not, to all frames of the window.
    """

    def __init__(
        self,
        skeleton: str,
        in_channels: int,
        n_classes: int,
        dim: int = 64,
        layers: int = 4,
        heads: int = 4,
        graph_heads: int = 3,
        attention_dim: int = 8,
        horizon: int = 3,
        solver: str = "rk4",
        dynamics: str = "sagc",
        head: str = "sagc",
        head_segments: int = 1,
        window: int = 64,
        coordinates: int | None = 2,
        norm: str = "batch",
        dynamics_norm: str = "layer",
        dropout: float = 0.0,
        phase: bool = False,
        causal: bool = True,
    ) -> None:
        super().__init__()
        sizes = {"dim": dim, "heads": heads, "graph_heads": graph_heads, "attention_dim": attention_dim}
        for name, size in sizes.items():
            if type(size) is not int or size < 1:
                raise ActrecError(f"network.{name} is {size!r}; expected a whole number of at least 1.")
        if dim % heads or dim % 2:
            raise ActrecError(f"network.dim is {dim}; expected an even number that network.heads={heads} divides.")
        if min(layers, horizon) < 0 or dynamics not in ("sagc", "gcn", "published") or head not in ("sagc", "gcn"):
            raise ActrecError(
                f"The network has layers={layers}, horizon={horizon}, dynamics={dynamics} and head={head}; expected "
                "layers and horizon of 0 or more, dynamics of sagc, gcn or published, and a head of sagc or gcn."
            )
        adjacency = torch.from_numpy(get_skeleton(skeleton).adjacency())
        sagc = partial(GraphConv, adjacency=adjacency, heads=graph_heads, attention_dim=attention_dim, norm=norm)
        kinds = {"sagc": sagc, "gcn": partial(sagc, attention_dim=0)}
        self.coordinates, self.heads, self.causal = coordinates or 2, heads, causal

        self.embedding = nn.Linear(in_channels, dim)
        self.joint_code = nn.Parameter(0.02 * torch.randn(len(adjacency), dim))
        self.encoder = nn.ModuleList(
            EncoderLayer(TemporalAttention(dim, heads, sagc(dim, 3 * dim)), dim, dropout) for _ in range(layers)
        )
        field: nn.Module | None = None
        if horizon and solver != "linear":
            field = (
                PublishedField(dim, adjacency)
                if dynamics == "published"
                else GraphField([kinds[dynamics](dim, dim, norm=dynamics_norm) for _ in range(2)], dim)
            )
        self.dynamics = Dynamics(field, horizon, solver)
        self.decoder = nn.Sequential(kinds["gcn"](dim, dim), kinds["gcn"](dim, dim), nn.Linear(dim, self.coordinates))
        blocks = [kinds[head](dim * (horizon + 1), 2 * dim), kinds[head](2 * dim, 2 * dim)]
        self.head = Head(blocks, 2 * dim, n_classes, head_segments, window, dropout, phase)

    def encode(
        self, features: Float[Tensor, "batch time joint channel"], valid: Bool[Tensor, "batch time"]
    ) -> Float[Tensor, "batch time joint dim"]:
        """Computes the latents Z_t, each from frames up to t if the network is causal."""
        frames = Frames(valid, packed=self.training)
        return frames.unpack(self._encode(features, frames))

    def _encode(
        self, features: Float[Tensor, "batch time joint channel"], frames: Frames
    ) -> Float[Tensor, "*lead joint dim"]:
        z = self.embedding(frames.pack(features)) + self.joint_code
        z = z + time_code(frames.time.to(z.dtype), z.shape[-1])[:, None]
        mask = attention_mask(frames.valid, self.causal)
        for layer in self.encoder:
            z = layer(z, mask, frames)
        return z

    def forward(
        self, features: Float[Tensor, "batch time joint channel"], valid: Bool[Tensor, "batch time"]
    ) -> NetworkOutput:
        """Computes logits, latents and forecasts of every frame.

        Args:
            valid: Whether a frame is real. Later frames do not attend to invalid ones, and training does not compute
                them; see `Frames`.
        """
        frames = Frames(valid, packed=self.training)
        latents = self._encode(features, frames)
        forecasts = self.dynamics(latents, frames)
        logits, phase, embedding = self.head(torch.cat((latents, *forecasts), -1), frames)
        poses = self.decoder(forecasts) if len(forecasts) else forecasts[..., : self.coordinates]
        return NetworkOutput(
            logits,
            frames.unpack(latents),
            frames.unpack(forecasts, axis=1),
            frames.unpack(poses, axis=1),
            phase,
            embedding,
        )
