"""The three loss terms as pure functions, each an average per element, and their weighted sum."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import torch
from einops import rearrange
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn import functional as F

from actrec.types import ActrecError, Batch, NetworkOutput

Count = Callable[[Int[Tensor, ""]], Tensor]  # maps the number of elements in a batch to the divisor of their sum


def own_count(n_elements: Int[Tensor, ""]) -> Int[Tensor, ""]:
    """Returns the number unchanged: the divisor of the mean over the batch."""
    return n_elements


def classification_loss(
    logits: Float[Tensor, "batch time class"],
    label: Int[Tensor, " batch"],
    valid: Bool[Tensor, "batch time"],
    smoothing: float = 0.1,
    count: Count = own_count,
) -> Float[Tensor, ""]:
    """Cross-entropy with label smoothing, averaged over valid frames (equation 13).

    `smoothing` is ε, the share of the target that is spread evenly over the classes.
    """
    target = label[:, None].expand(valid.shape)
    loss = F.cross_entropy(rearrange(logits, "b t k -> b k t"), target, label_smoothing=smoothing, reduction="none")
    return (loss * valid).sum() / count(valid.sum()).clamp(min=1)


def _forecast_error(
    forecasts: Float[Tensor, "horizon batch time node dim"],
    target: Float[Tensor, "batch time node dim"],
    valid: Bool[Tensor, "batch time #node"],
    count: Count,
) -> Float[Tensor, ""]:
    """Mean squared error of the forecast from t for t + n, over n = 1 … N and valid t + n."""
    total, n_elements = target.new_zeros(()), valid.new_zeros((), dtype=torch.long)
    for n, forecast in enumerate(forecasts, start=1):
        there = valid[:, n:, :, None].expand_as(target[:, n:])
        total = total + ((forecast[:, :-n] - target[:, n:]).square() * there).sum()
        n_elements = n_elements + there.sum()
    return total / count(n_elements).clamp(min=1)


def pose_forecast_loss(
    forecasts: Float[Tensor, "horizon batch time joint coordinate"],
    target: Float[Tensor, "batch time joint coordinate"],
    valid: Bool[Tensor, "batch time"],
    observed: Bool[Tensor, "batch time joint"],
    count: Count = own_count,
) -> Float[Tensor, ""]:
    """Mean squared error of the pose forecasts over observed joints of valid frames (equation 10).

    `forecasts[n - 1, :, t]` is the forecast of frame t + n at t; `target` has the poses in torso lengths, or the bones
    or velocities in those streams.
    """
    return _forecast_error(forecasts, target, valid[..., None] & observed, count)


def latent_forecast_loss(
    forecasts: Float[Tensor, "horizon batch time node dim"],
    latents: Float[Tensor, "batch time node dim"],
    valid: Bool[Tensor, "batch time"],
    detach_target: bool = False,
    count: Count = own_count,
) -> Float[Tensor, ""]:
    """Mean squared error of the latent forecasts against the encoder's latents (equation 11).

    `forecasts[n - 1, :, t]` is the forecast of Z_{t+n} at t. The paper's gradient flows through the target too.
    """
    return _forecast_error(forecasts, latents.detach() if detach_target else latents, valid[..., None], count)


class Losses(NamedTuple):
    """The weighted sum of the loss terms, and the unweighted terms, by the names under which they are logged."""

    loss: Float[Tensor, ""]
    loss_cls: Float[Tensor, ""]
    loss_pred: Float[Tensor, ""]
    loss_feat: Float[Tensor, ""]


@dataclass(frozen=True)
class Objective:
    """L = L_cls + λ₁ L_pred + λ₂ L_feat (blog post 4.1.4).

    Attributes:
        lambda_1: Weight of the pose forecast error.
        lambda_2: Weight of the latent forecast error.
        label_smoothing: See `classification_loss`.
        detach_target: See `latent_forecast_loss`.
    """

    lambda_1: float | int = 0.1
    lambda_2: float | int = 0.1
    label_smoothing: float | int = 0.1
    detach_target: bool = False

    def __post_init__(self) -> None:
        if not 0 <= self.label_smoothing <= 1:
            raise ActrecError(f"objective.label_smoothing is {self.label_smoothing}; expected 0 to 1.")

    def __call__(self, output: NetworkOutput, batch: Batch, count: Count = own_count) -> Losses:
        """Computes the losses of a batch; over several processes `count` is `training.sync.mean_over_processes`."""
        poses, valid = output.pose_forecasts, batch.valid
        cls = classification_loss(output.logits, batch.label, valid, self.label_smoothing, count)
        pred = pose_forecast_loss(poses, batch.features[..., : poses.shape[-1]], valid, batch.observed, count)
        feat = latent_forecast_loss(output.latent_forecasts, output.latents, valid, self.detach_target, count)
        return Losses(cls + self.lambda_1 * pred + self.lambda_2 * feat, cls, pred, feat)
