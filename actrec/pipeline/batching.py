"""Stacks windows to batches of tensors, for training, evaluation and explanation."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float
from numpy import ndarray

from actrec.types import Batch, Targets


class Item(NamedTuple):
    """A window ready to be stacked to a batch; see `actrec.types.Batch`."""

    features: Float[ndarray, "time joint channel"]
    valid: Bool[ndarray, " time"]
    observed: Bool[ndarray, "time joint"]
    label: int
    clip: int
    targets: Targets | None = None  # None: all frames have the label


def collate(items: list[Item]) -> Batch:
    """Stacks windows to a batch, and cuts off the frames at the end that are padding in all of them."""
    import torch  # imported here, since recognition by ONNX Runtime runs without torch

    features, valid, observed, label, clip, targets = zip(*items, strict=True)
    length = int(np.flatnonzero(np.any(valid, axis=0)).max()) + 1
    frames = [torch.from_numpy(np.stack(part)[:, :length]) for part in (features, valid, observed)]
    batch = Batch(frames[0], frames[1], frames[2], torch.tensor(label), torch.tensor(clip))
    if not any(targets):
        return batch
    labels, repetitions = (np.full((len(items), length), fill) for fill in (0, np.float32(np.nan)))
    for row, item in enumerate(items):
        labels[row] = item.label if item.targets is None else item.targets.label[:length]
        if item.targets is not None:
            repetitions[row] = item.targets.repetition[:length]
    return batch._replace(frame_label=torch.from_numpy(labels), repetition=torch.from_numpy(repetitions))
