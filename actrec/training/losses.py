"""The three loss terms as pure functions, each an average per element, and their weighted sum."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import torch
from einops import rearrange
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn import functional as F

from actrec.types import NO_LABEL, ActrecError, Batch, NetworkOutput

Count = Callable[[Int[Tensor, ""]], Tensor]  # maps the number of elements in a batch to the divisor of their sum


def own_count(n_elements: Int[Tensor, ""]) -> Int[Tensor, ""]:
    """Returns the number unchanged: the divisor of the mean over the batch."""
    return n_elements


def classification_loss(
    logits: Float[Tensor, "batch time class"],
    label: Int[Tensor, "batch #time"],
    valid: Bool[Tensor, "batch time"],
    smoothing: float = 0.1,
    count: Count = own_count,
    class_weights: Float[Tensor, " class"] | None = None,
) -> Float[Tensor, ""]:
    """Cross-entropy with label smoothing, averaged over valid frames with a label (equation 13).

    `label` has the class numbers, with `NO_LABEL` where there is none. `smoothing` is ε, the share of the target that
    is spread evenly over the classes. `class_weights` are factors of the frames of each class.
    """
    valid = valid & (label != NO_LABEL)
    target = label.clamp(min=0).expand(valid.shape)
    loss = F.cross_entropy(rearrange(logits, "b t k -> b k t"), target, label_smoothing=smoothing, reduction="none")
    if class_weights is not None:
        loss = loss * class_weights.to(loss.device)[target]
    return (loss * valid).sum() / count(valid.sum()).clamp(min=1)


def pooled(
    logits: Float[Tensor, "batch time class"], valid: Bool[Tensor, "batch time"]
) -> Float[Tensor, "batch 1 class"]:
    """Returns the mean of the logits of each window's valid frames."""
    return (logits * valid[..., None]).sum(1, keepdim=True) / valid.sum(1).clamp(min=1)[:, None, None]


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


def phase_loss(
    phase: Float[Tensor, "batch time 2"],
    repetition: Float[Tensor, "batch time"],
    valid: Bool[Tensor, "batch time"],
    count: Count = own_count,
) -> Float[Tensor, ""]:
    """Mean squared error of sine and cosine of the phase, over valid frames in which the repetition is known.

    `repetition` is the number of repetitions done, with fractions; the phase is 2π times it.
    """
    known = (valid & repetition.isfinite())[..., None].expand(phase.shape)
    angle = 2 * math.pi * repetition.nan_to_num(0)
    error = (phase - torch.stack((angle.sin(), angle.cos()), -1)).square()
    return (error * known).sum() / count(known.sum()).clamp(min=1)


class Losses(NamedTuple):
    """The weighted sum of the loss terms, and the unweighted terms, by the names under which they are logged."""

    loss: Float[Tensor, ""]
    loss_cls: Float[Tensor, ""]
    loss_pred: Float[Tensor, ""]
    loss_feat: Float[Tensor, ""]
    loss_phase: Float[Tensor, ""] | None = None


@dataclass(frozen=True)
class Objective:
    """L = L_cls + λ₁ L_pred + λ₂ L_feat (blog post 4.1.4) + λ₃ L_phase for networks that compute a phase.

    Attributes:
        lambda_1: Weight of the pose forecast error.
        lambda_2: Weight of the latent forecast error.
        lambda_3: Weight of the error of the phase.
        label_smoothing: See `classification_loss`.
        detach_target: See `latent_forecast_loss`.
        pooled: Whether the cross-entropy is that of the mean of a window's logits, for decision=mean, instead of the
            mean over frames; not in batches with a window of several labels.
    """

    lambda_1: float | int = 0.1
    lambda_2: float | int = 0.1
    lambda_3: float | int = 0.0
    label_smoothing: float | int = 0.1
    detach_target: bool = False
    pooled: bool = False

    def __post_init__(self) -> None:
        if not 0 <= self.label_smoothing <= 1:
            raise ActrecError(f"objective.label_smoothing is {self.label_smoothing}; expected 0 to 1.")

    def __call__(
        self,
        output: NetworkOutput,
        batch: Batch,
        count: Count = own_count,
        class_weights: Float[Tensor, " class"] | None = None,
    ) -> Losses:
        """Computes the losses of a batch; over several processes `count` is `training.sync.mean_over_processes`."""
        poses, valid = output.pose_forecasts, batch.valid
        label = (batch.label[:, None] if batch.frame_label is None else batch.frame_label).expand(valid.shape)
        logits, counted = output.logits, valid
        first = label.gather(1, valid.int().argmax(1, keepdim=True))
        if self.pooled and ((label == first) | ~valid).all():
            logits, label, counted = pooled(logits, valid), first, valid.any(1, keepdim=True)
        cls = classification_loss(logits, label, counted, self.label_smoothing, count, class_weights)
        pred = pose_forecast_loss(poses, batch.features[..., : poses.shape[-1]], valid, batch.observed, count)
        feat = latent_forecast_loss(output.latent_forecasts, output.latents, valid, self.detach_target, count)
        loss = cls + self.lambda_1 * pred + self.lambda_2 * feat
        if output.phase is None:
            return Losses(loss, cls, pred, feat)
        unknown = torch.full(valid.shape, torch.nan, device=valid.device)
        phase = phase_loss(output.phase, unknown if batch.repetition is None else batch.repetition, valid, count)
        return Losses(loss + self.lambda_3 * phase, cls, pred, feat, phase if batch.repetition is not None else None)
