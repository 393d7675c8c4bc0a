"""Selects the frames of a batch that a network computes: valid frames in training, all frames in evaluation."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor


class Frames:
    """The frames that the parts of a network which look at one frame at a time work on.

    In training those are the valid ones, packed end to end: padding has no part in a batch norm's statistics, as it has
    none in serving, and costs next to nothing. Where nothing is padded they are all frames, as they lie in the batch.
    So they are in evaluation, in which attention alone joins frames, and an exported network wants one shape.

    Args:
        valid: Whether a frame is real, and not padding.
        packed: Whether the valid ones are packed.
    """

    def __init__(self, valid: Bool[Tensor, "batch time"], packed: bool) -> None:
        self.valid = valid
        self.index: Int[Tensor, " frame"] | None = None  # of the valid frames, in the flattened batch
        self.time: Int[Tensor, " frame"] = torch.arange(valid.shape[1], device=valid.device)  # of each in its window
        if packed and not valid.all():
            self.index = valid.flatten().nonzero()[:, 0]
            self.time = self.index % valid.shape[1]

    def pack(self, x: Float[Tensor, "batch time *rest"]) -> Float[Tensor, "*lead"]:
        """Returns the frames to compute: (frame, …) where they are packed, else `x` itself."""
        return x if self.index is None else x.flatten(0, 1).index_select(0, self.index)

    def unpack(self, x: Float[Tensor, "*lead"], axis: int = 0) -> Float[Tensor, "*whole"]:
        """Reverses `pack`: returns (batch, time, …) with zeros at frames that are not valid.

        Args:
            x: Packed, or as it lies.
            axis: Of the frames.
        """
        if self.index is None:
            return x
        whole = x.new_zeros(*x.shape[:axis], self.valid.numel(), *x.shape[axis + 1 :])
        return whole.index_copy(axis, self.index, x).unflatten(axis, self.valid.shape)
