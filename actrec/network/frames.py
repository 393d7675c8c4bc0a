"""Packs the valid frames of a batch for training, so that padding is not computed."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor


class Frames:
    """The frames of a batch that the frame-wise layers of a network compute.

    In training the valid frames are packed end to end: padding then has no effect on batch-norm statistics, as in
    serving, and costs next to nothing. Without padding, and in evaluation, the layers compute all frames in the shape
    of the batch: only attention mixes frames there, and an exported network needs one fixed shape.
    """

    def __init__(self, valid: Bool[Tensor, "batch time"], packed: bool) -> None:
        self.valid = valid
        self.index: Int[Tensor, " frame"] | None = None  # valid frames in the flattened batch; None if not packed
        self.time: Int[Tensor, " frame"] = torch.arange(valid.shape[1], device=valid.device)  # position in the window
        if packed and not valid.all():
            self.index = valid.flatten().nonzero()[:, 0]
            self.time = self.index % valid.shape[1]

    def pack(self, x: Float[Tensor, "batch time *rest"]) -> Float[Tensor, "*lead"]:
        """Returns the valid frames as (frame, …) if they are packed, else `x` itself."""
        return x if self.index is None else x.flatten(0, 1).index_select(0, self.index)

    def unpack(self, x: Float[Tensor, "*lead"], axis: int = 0) -> Float[Tensor, "*whole"]:
        """Reverses `pack`: returns (batch, time, …) with zeros at invalid frames."""
        if self.index is None:
            return x
        whole = x.new_zeros(*x.shape[:axis], self.valid.numel(), *x.shape[axis + 1 :])
        return whole.index_copy(axis, self.index, x).unflatten(axis, self.valid.shape)
