"""A trained network's judgement of clips, at every observation ratio."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from jaxtyping import Bool, Float
from numpy import ndarray
from torch import Tensor, nn

from actrec.pipeline.batching import Item, collate
from actrec.pipeline.pipeline import Pipeline
from actrec.types import SkeletonSequence

RATIOS = tuple(round(0.1 * step, 1) for step in range(1, 11))


def decide(
    logits: Float[Tensor, "batch time class"], valid: Bool[Tensor, "batch time"], decision: str
) -> Float[Tensor, "batch class"]:
    """Class probabilities of windows.

    Args:
        logits: Of every frame.
        valid: Which frames are real; each window has one.
        decision: "last" takes the last valid frame's logits, "mean" averages them over valid frames.
    """
    if decision == "last":
        frames = torch.arange(valid.shape[1], device=valid.device)
        last = (frames * valid).argmax(1)
        chosen = logits[torch.arange(len(logits), device=logits.device), last]
    else:
        chosen = (logits * valid[..., None]).sum(1) / valid.sum(1, keepdim=True)
    return chosen.softmax(-1)


def _batches(items: Iterator[Item], size: int) -> Iterator[list[Item]]:
    batch: list[Item] = []
    for item in items:
        batch.append(item)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


@torch.inference_mode()
def clip_probabilities(
    network: nn.Module,
    pipeline: Pipeline,
    sequences: Sequence[SkeletonSequence],
    n_classes: int,
    ratio: float = 1.0,
    decision: str = "last",
    batch_size: int = 64,
    hidden: Bool[ndarray, "clip joint"] | None = None,
) -> Float[ndarray, "clip class"]:
    """Class probabilities of clips of which the first ⌈ratio · n⌉ frames have been seen; windows are averaged.

    Args:
        network: In eval mode; runs on the device that it is on.
        pipeline: From clip to network input.
        sequences: The clips.
        n_classes: Number of classes.
        ratio: Observation ratio.
        decision: See `decide`.
        batch_size: Windows at once.
        hidden: Joints that the network is not shown; see `Pipeline.evaluation_windows`.
    """
    device = next(network.parameters()).device
    total = np.zeros((len(sequences), n_classes))
    items = (
        item
        for clip, seq in enumerate(sequences)
        for item in pipeline.evaluation_items(seq, 0, clip, ratio, None if hidden is None else hidden[clip])
    )
    for group in _batches(items, batch_size):
        batch = collate(group)
        features, valid = batch.features.to(device), batch.valid.to(device)
        probabilities = decide(network(features, valid).logits, valid, decision)
        np.add.at(total, batch.clip.numpy(), probabilities.double().cpu().numpy())
    return total / total.sum(1, keepdims=True)
