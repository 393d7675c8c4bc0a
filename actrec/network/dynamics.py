"""The neural ODE that forecasts the latent state for the next frames (blog post 3.2.2.4)."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from actrec.network.frames import Frames
from actrec.network.graph import GraphConv
from actrec.network.temporal import time_code
from actrec.types import ActrecError

Latent = Float[Tensor, "*lead joint dim"]
Code = Float[Tensor, "... dim"]  # broadcasts against the latents
Field = Callable[[Latent, float], Latent]


def euler_step(f: Field, z: Latent, t: float) -> Latent:
    """Computes one explicit Euler step of one frame."""
    return z + f(z, t)


def midpoint_step(f: Field, z: Latent, t: float) -> Latent:
    """Computes one step of the explicit midpoint rule."""
    return z + f(z + f(z, t) / 2, t + 0.5)


def rk4_step(f: Field, z: Latent, t: float) -> Latent:
    """Computes one step of the classical fourth-order Runge-Kutta rule."""
    k1 = f(z, t)
    k2 = f(z + k1 / 2, t + 0.5)
    k3 = f(z + k2 / 2, t + 0.5)
    k4 = f(z + k3, t + 1)
    return z + (k1 + 2 * (k2 + k3) + k4) / 6


def rk4_38_step(f: Field, z: Latent, t: float) -> Latent:
    """Computes one step of the 3/8 rule, which torchdiffeq calls rk4."""
    k1 = f(z, t)
    k2 = f(z + k1 / 3, t + 1 / 3)
    k3 = f(z + k2 - k1 / 3, t + 2 / 3)
    k4 = f(z + k1 - k2 + k3, t + 1)
    return z + (k1 + 3 * (k2 + k3) + k4) / 8


SOLVERS = {"rk4": rk4_step, "rk4_38": rk4_38_step, "midpoint": midpoint_step, "euler": euler_step}


class GraphField(nn.Module):
    """The field dZ/dτ = f(Z, τ): graph convolutions, each after adding a time code, then a linear layer.

    `forward` takes the code of τ instead of τ.

    Args:
        blocks: The graph convolutions, from `dim` to `dim` channels.
    """

    def __init__(self, blocks: list[GraphConv], dim: int) -> None:
        super().__init__()
        self.blocks, self.out = nn.ModuleList(blocks), nn.Linear(dim, dim)
        nn.init.zeros_(self.out.weight)  # an untrained field forecasts the present latent
        nn.init.zeros_(self.out.bias)

    def forward(self, z: Latent, code: Code) -> Latent:
        for block in self.blocks:
            z = block(z + code)
        return self.out(z)


class PublishedField(nn.Module):
    """The published implementation's field: a fixed adjacency; the code of the time, rounded down, is added once."""

    adjacency: Tensor

    def __init__(self, dim: int, adjacency: Float[Tensor, "joint joint"]) -> None:
        super().__init__()
        self.register_buffer("adjacency", adjacency.clone())
        self.conv1, self.conv2, self.out = nn.Linear(dim, dim), nn.Linear(dim, dim), nn.Linear(dim, dim)

    def forward(self, z: Latent, code: Code) -> Latent:
        adjacency = self.adjacency.expand(*z.shape[:-2], -1, -1)
        z = F.leaky_relu(self.conv1(adjacency @ (z + code)), inplace=True)
        z = F.leaky_relu(self.conv2(adjacency @ z), inplace=True)
        return self.out(z)


class Dynamics(nn.Module):
    """Forecasts the latents of all frames for the next `horizon` frames, all frames at once.

    Args:
        field: dZ/dτ; None for the solver "linear".
        horizon: N, in frames; 0 gives an empty forecast.
        solver: "rk4", "rk4_38", "midpoint" or "euler"; or "linear", a constant latent velocity, for ablations.
    """

    def __init__(self, field: nn.Module | None, horizon: int, solver: str) -> None:
        super().__init__()
        if solver not in (*SOLVERS, "linear"):
            raise ActrecError(f"There is no solver '{solver}'. Choose one of: {', '.join(SOLVERS)}, linear.")
        self.field, self.horizon, self.solver = field, horizon, solver

    def forward(self, z: Latent, frames: Frames | None = None) -> Float[Tensor, "horizon *lead joint dim"]:
        """Forecasts from each frame of a window that starts at time 0; entry n - 1 is the forecast n frames ahead.

        Args:
            z: (batch, time, joint, dim), or (frame, joint, dim) where `frames` are packed.
            frames: The packing of `z`; None if it holds all frames of the batch.
        """
        if self.horizon == 0:
            return z.new_zeros(0, *z.shape)
        if self.field is None:
            whole = frames.unpack(z) if frames else z
            velocity = torch.diff(whole, dim=1, prepend=whole[:, :1])
            velocity = frames.pack(velocity) if frames else velocity
            return torch.stack([z + n * velocity for n in range(1, self.horizon + 1)])
        time = (frames.time if frames else torch.arange(z.shape[1], device=z.device)).to(z.dtype)
        return self.roll_out(z, lambda ahead: time_code(time + ahead, z.shape[-1])[:, None])

    def roll_out(self, z: Latent, code: Callable[[float], Code]) -> Float[Tensor, "horizon *lead joint dim"]:
        """Integrates the field over the next N frames; entry n - 1 is the latent n frames ahead.

        Args:
            code: Returns the code of those times plus a number of frames.
        """
        field, step, codes, forecasts = self.field, SOLVERS[self.solver], dict[float, Tensor](), []
        assert field is not None
        whole_frames = isinstance(field, PublishedField)

        def f(z: Latent, t: float) -> Latent:
            t = float(math.floor(t)) if whole_frames else t
            if t not in codes:  # stages of one step, and of the next, share times
                codes[t] = code(t)
            return field(z, codes[t])

        for n in range(self.horizon):
            z = step(f, z, float(n))
            forecasts.append(z)
        return torch.stack(forecasts)
