"""Computes the class probabilities of clips at every observation ratio, for validation, test and the commands.

`decide` turns a window's logits into probabilities; `ClipAverage` averages those over the windows of a clip.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from numpy import ndarray
from torch import Tensor, nn
from tqdm import tqdm

from actrec.pipeline.observation import RATIOS, ObservedItem, Reading, Readings, collate_observed, items_at_ratios
from actrec.pipeline.pipeline import Pipeline
from actrec.types import SkeletonSequence


def decide(
    logits: Float[Tensor, "batch time class"], valid: Bool[Tensor, "batch time"], decision: str
) -> Float[Tensor, "batch class"]:
    """Computes the class probabilities of windows.

    Args:
        decision: "last" takes the last valid frame's logits, "mean" averages them over valid frames.
    """
    if decision == "last":
        frames = torch.arange(valid.shape[1], device=valid.device)
        last = (frames * valid).argmax(1)
        chosen = logits[torch.arange(len(logits), device=logits.device), last]
    else:
        chosen = (logits * valid[..., None]).sum(1) / valid.sum(1, keepdim=True)
    return chosen.softmax(-1)


def decide_at(
    logits: Float[Tensor, "batch time class"], valid: Bool[Tensor, "batch time"], readings: Readings, decision: str
) -> Float[Tensor, "reading class"]:
    """Computes the class probabilities of windows, each from its first frames only; see `decide`."""
    frames = torch.arange(valid.shape[1], device=valid.device)
    so_far = valid[readings.row] & (frames < readings.n_frames[:, None])
    return decide(logits[readings.row], so_far, decision)


class ClipAverage:
    """Averages the probabilities of each clip's windows, at several observation ratios."""

    def __init__(self, n_ratios: int, n_clips: int, n_classes: int) -> None:
        self.totals: Float[ndarray, "ratio clip class"] = np.zeros((n_ratios, n_clips, n_classes))

    def add(
        self, probabilities: Float[Tensor, "window class"], clip: Int[Tensor, " window"], ratio: Int[Tensor, " window"]
    ) -> None:
        """Adds the probabilities of windows, each with the numbers of its clip and its ratio."""
        np.add.at(self.totals, (ratio.cpu().numpy(), clip.cpu().numpy()), probabilities.double().cpu().numpy())

    @property
    def seen(self) -> Bool[ndarray, " clip"]:
        """Marks the clips that have a window at every ratio."""
        return np.all(self.totals.any(2), axis=0)

    def probabilities(self) -> Float[ndarray, "ratio clip class"]:
        """Returns the averages of the clips that have windows, in order."""
        totals = self.totals[:, self.seen]
        return totals / totals.sum(-1, keepdims=True)  # a window's probabilities add up to 1


@torch.inference_mode()
def _average(
    network: nn.Module, items: Iterator[ObservedItem], average: ClipAverage, decision: str, batch_size: int
) -> Float[ndarray, "ratio clip class"]:
    device = next(network.parameters()).device
    while group := list(islice(items, batch_size)):
        batch, readings = collate_observed(group)
        features, valid = batch.features.to(device), batch.valid.to(device)
        there = Readings(*(part.to(device) for part in readings))
        probabilities = decide_at(network(features, valid).logits, valid, there, decision)
        average.add(probabilities, batch.clip[readings.row], readings.ratio)
    return average.probabilities()


def probabilities_at_ratios(
    network: nn.Module,
    pipeline: Pipeline,
    sequences: Sequence[SkeletonSequence],
    n_classes: int,
    decision: str = "last",
    batch_size: int = 64,
) -> Float[ndarray, "ratio clip class"]:
    """Computes the class probabilities of clips at every ratio of `RATIOS`; see `items_at_ratios`.

    Args:
        network: In eval mode; it runs on the device that it is on. If its attribute `causal` is true, windows that
            are the beginning of another are not run.
        decision: See `decide`.
    """
    causal = getattr(network, "causal", False)
    items = (
        item
        for number, clip in enumerate(tqdm(sequences, desc="Clips", leave=False))
        for item in items_at_ratios(pipeline, clip, 0, number, causal)
    )
    average = ClipAverage(len(RATIOS), len(sequences), n_classes)
    return _average(network, items, average, decision, batch_size)


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
    """Computes the class probabilities of clips of which the first ⌈ratio · n⌉ frames have been seen.

    Args:
        network: In eval mode; it runs on the device that it is on.
        decision: See `decide`.
        hidden: Joints that are hidden from the network; see `Pipeline.evaluation_windows`.
    """
    items = (
        ObservedItem(item, [Reading(0, len(item.valid))])
        for number, clip in enumerate(sequences)
        for item in pipeline.evaluation_items(clip, 0, number, ratio, None if hidden is None else hidden[number])
    )
    return _average(network, items, ClipAverage(1, len(sequences), n_classes), decision, batch_size)[0]
