"""Cuts the windows for evaluating a clip at the ten observation ratios, after preprocessing, before the network.

Each ratio has its own windows. With causal preprocessing, most of them are the beginning of a window of a greater
ratio. A causal network computes each frame's logits from that frame and those before it, so such a
window is not run: its decision is read from the longer window's logits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from jaxtyping import Int

from actrec.pipeline.batching import Item, collate
from actrec.pipeline.pipeline import Pipeline
from actrec.types import Batch, SkeletonSequence

if TYPE_CHECKING:
    from torch import Tensor

RATIOS = tuple(round(0.1 * step, 1) for step in range(1, 11))


class Reading(NamedTuple):
    """A decision to read from a window: the number of its ratio in `RATIOS`, and the window's frames up to there."""

    ratio: int
    n_frames: int


class Readings(NamedTuple):
    """The decisions to read from the windows of a batch, each as its window's row, its ratio and its frames."""

    row: Int[Tensor, " reading"]
    ratio: Int[Tensor, " reading"]
    n_frames: Int[Tensor, " reading"]


class ObservedItem(NamedTuple):
    """A window to run, and the decisions to read from it."""

    item: Item
    readings: list[Reading]


def items_at_ratios(
    pipeline: Pipeline, sequence: SkeletonSequence, label: int, clip: int, causal: bool
) -> list[ObservedItem]:
    """Returns the windows of a clip at every observation ratio.

    For causal networks, windows that are the beginning of another are left out; features are compared bit by bit.

    Args:
        pipeline: From clip to network input.
        sequence: The clip.
        label: Its class number.
        clip: Its number in the split.
        causal: Whether the network is causal: its logits depend only on the present and earlier frames.
    """
    run: dict[bytes, list[ObservedItem]] = {}  # by the first frame
    for number in reversed(range(len(RATIOS))):  # the longest first
        for item in pipeline.evaluation_items(sequence, label, clip, RATIOS[number]):
            n_frames = int(np.flatnonzero(item.valid)[-1]) + 1
            alike = run.setdefault(item.features[0].tobytes(), [])
            longer = alike if causal else []
            whole = next((other for other in longer if _begins_with(other.item, item, n_frames)), None)
            if whole is None:
                whole = ObservedItem(item, [])
                alike.append(whole)
            whole.readings.append(Reading(number, n_frames))
    return [each for alike in run.values() for each in alike]


def _begins_with(whole: Item, part: Item, n_frames: int) -> bool:
    frames = slice(n_frames)
    return np.array_equal(whole.valid[frames], part.valid[frames]) and np.array_equal(
        whole.features[frames], part.features[frames]
    )


def collate_observed(items: list[ObservedItem]) -> tuple[Batch, Readings]:
    """Stacks windows to a batch, with the decisions to read from it."""
    import torch  # imported here, since recognition by ONNX Runtime runs without torch

    rows = [(row, *reading) for row, (_, readings) in enumerate(items) for reading in readings]
    return collate([item for item, _ in items]), Readings(*torch.tensor(rows).T)
