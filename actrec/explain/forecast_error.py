"""Measures how far forecast poses are from the poses that were observed later, for each joint and horizon."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float
from numpy import ndarray
from torch import nn

from actrec.model.spec import ModelSpec
from actrec.pipeline.batching import collate
from actrec.types import SkeletonSequence


@torch.inference_mode()
def forecast_error(
    network: nn.Module, spec: ModelSpec, clips: Sequence[SkeletonSequence]
) -> tuple[Float[ndarray, "horizon joint"], Float[ndarray, "horizon joint"]]:
    """Computes the mean distance of forecast joints from their observed places 1 to N frames later, in torso lengths.

    Args:
        network: In eval mode, on the device to use; its input is the joint stream.
        clips: In the model's skeleton.

    Returns:
        The error of the network's forecasts, and of a forecast that repeats the present pose. NaN for a joint that was
        never observed; without rows where the network forecasts nothing.
    """
    device, sums, n = next(network.parameters()).device, [], spec.pipeline.n_coordinates
    for clip in clips:
        batch = collate(spec.pipeline.evaluation_items(clip, 0, 0))
        poses = batch.features[..., :n]
        forecasts = network(batch.features.to(device), batch.valid.to(device)).pose_forecasts[..., :n].float().cpu()
        rows = []
        for ahead, forecast in enumerate(forecasts, start=1):
            steps = max(poses.shape[1] - ahead, 0)
            seen = batch.observed[:, ahead:] & batch.observed[:, :steps] & batch.valid[:, ahead:, None]
            for guess in (forecast[:, :steps], poses[:, :steps]):
                distance = (guess - poses[:, ahead:]).norm(dim=-1) * seen
                rows.append(torch.stack((distance.sum((0, 1)), seen.sum((0, 1)))).double())
        if rows:
            sums.append(torch.stack(rows))
    if not sums:
        empty = np.zeros((0, spec.pipeline.skeleton.n_joints))
        return empty, empty
    total, count = torch.stack(sums).sum(0).unbind(1)
    means = (total / count).unflatten(0, (-1, 2)).numpy()
    return means[:, 0], means[:, 1]
