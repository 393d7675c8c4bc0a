"""Runs InfoGCN++ one frame at a time: keys and values of earlier frames are cached and not computed again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from actrec.network.folded import fold
from actrec.network.infogcn import InfoGCN
from actrec.network.temporal import EncoderLayer, TemporalAttention, time_code

Cache = Sequence[Float[Tensor, "row lane window head_dim"]]  # one for each layer

_SUBDIVISIONS = 6  # time codes per frame: the solvers' stages are at halves or thirds of a frame


class StepOutput(NamedTuple):
    """The output of a step.

    Attributes:
        pose_forecasts: The poses 1 to N frames ahead, in torso lengths.
        keys: The frame's keys; the caller stores them in its cache at the frame's position.
        values: The frame's values, stored likewise.
        phase: Sine and cosine of the phase within a repetition; None for a network without this output.
        embedding: What the classifier's linear layer computes the logits from.
    """

    logits: Float[Tensor, "answer class"]
    pose_forecasts: Float[Tensor, "horizon answer joint coordinate"]
    keys: Float[Tensor, "layer row lane head_dim"]
    values: Float[Tensor, "layer row lane head_dim"]
    phase: Float[Tensor, "answer 2"] | None
    embedding: Float[Tensor, "answer embedding"]


class Step(nn.Module):
    """One step of a trained network: processes the next frame of several streams, each at its position in its window.

    A lane of the caches is one temporal head of one joint, with the joint as the slower index.

    Args:
        network: An `InfoGCN` with any solver except "linear", which needs the previous latent.
        window: Most frames of a window, T, which is the length of the caches.
    """

    time_codes: Tensor
    segment: Tensor

    def __init__(self, network: InfoGCN, window: int) -> None:
        super().__init__()
        self.network = net = fold(network)
        self.window, self.heads = window, net.heads
        self.lanes = len(net.joint_code) * self.heads
        self.head_dim = net.joint_code.shape[1] // self.heads
        times = torch.arange(_SUBDIVISIONS * (window + net.dynamics.horizon) + 1) / _SUBDIVISIONS
        self.register_buffer("time_codes", time_code(times, net.joint_code.shape[1]), persistent=False)
        segments = torch.arange(window)[:, None] >= torch.tensor(net.head.edges, dtype=torch.long)
        one_hot = nn.functional.one_hot(segments.sum(1), len(net.head.classifiers)).to(times.dtype)
        self.register_buffer("segment", one_hot, persistent=False)

    def cache_shape(self, rows: int) -> tuple[int, int, int, int, int]:
        """Returns the shape of the keys and of the values of `rows` streams: (layer, row, lane, window, head_dim)."""
        return (len(self.network.encoder), rows, self.lanes, self.window, self.head_dim)

    def _attend(
        self,
        attention: TemporalAttention,
        x: Float[Tensor, "row joint dim"],
        past: Float[Tensor, "row 1 window"],
        keys: Float[Tensor, "row lane window head_dim"],
        values: Float[Tensor, "row lane window head_dim"],
    ) -> tuple[Tensor, Tensor, Tensor]:
        n_rows, _, dim = x.shape
        parts = attention.to_qkv(x).split(dim, -1)
        q, k, v = (part.reshape(n_rows, self.lanes, self.head_dim) for part in parts)
        q = q * self.head_dim**-0.5
        scores = torch.cat(((keys @ q.unsqueeze(-1)).squeeze(-1) + past, (k * q).sum(-1, keepdim=True)), -1)
        of_past, of_this = scores.softmax(-1).split((self.window, 1), -1)
        attended = (of_past.unsqueeze(-2) @ values).squeeze(-2) + of_this * v
        return attention.to_out(attended.view(x.shape)), k, v

    def forward(
        self,
        features: Float[Tensor, "row joint channel"],
        position: Int[Tensor, " row"],
        answer: Int[Tensor, " answer"],
        keys: Cache,
        values: Cache,
    ) -> StepOutput:
        """Processes one frame of each row, and computes logits and forecasts for some of the rows.

        Args:
            position: Position of the frame in its row's window: 0 to T - 1.
            answer: The rows whose logits and forecasts are computed.
            keys: Keys of the earlier frames; entries from `position` on are masked, but must be finite.
            values: Values of the earlier frames, likewise.
        """
        net = self.network
        codes = self.time_codes[_SUBDIVISIONS * position]
        z = net.embedding(features) + net.joint_code + codes.unsqueeze(1)
        blocked = torch.arange(self.window, device=z.device) >= position.unsqueeze(1)
        past = torch.zeros_like(blocked, dtype=z.dtype).masked_fill(blocked, -torch.inf).unsqueeze(1)
        new_keys, new_values = [], []
        for layer, layer_keys, layer_values in zip(net.encoder, keys, values, strict=True):
            assert isinstance(layer, EncoderLayer)
            attended, k, v = self._attend(layer.attention, layer.attention_norm(z), past, layer_keys, layer_values)
            new_keys.append(k)
            new_values.append(v)
            z = z + attended
            z = z + layer.mlp(z)
        z, place = z[answer], position[answer]
        joined, poses = z, z.new_zeros(0, *z.shape[:-1], net.coordinates)
        if net.dynamics.horizon:
            forecasts = net.dynamics.roll_out(z, lambda ahead: self._code(place, ahead))
            joined = torch.cat((z, *forecasts), -1)
            poses = net.decoder(forecasts)
        pooled = net.head.blocks(joined).mean(1)
        phase = None if net.head.phase is None else net.head.phase(pooled)
        return StepOutput(
            self._logits(pooled, place), poses, torch.stack(new_keys), torch.stack(new_values), phase, pooled
        )

    def _code(self, place: Int[Tensor, " answer"], ahead: float) -> Float[Tensor, "answer 1 dim"]:
        return self.time_codes[_SUBDIVISIONS * place + round(_SUBDIVISIONS * ahead)].unsqueeze(1)

    def _logits(self, pooled: Float[Tensor, "answer dim"], place: Int[Tensor, " answer"]) -> Tensor:
        head = self.network.head
        if len(head.classifiers) == 1:
            return head.classifiers[0](pooled)
        every = torch.stack([classifier(pooled) for classifier in head.classifiers], 1)
        return (every * self.segment[place].unsqueeze(-1)).sum(1)
