"""Accuracy over clips in validation, as a torchmetrics metric that the Lightning module updates with windows.

It has a file of its own since importing torchmetrics takes seconds and 250 MB, which evaluation and serving save.
"""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torchmetrics import Metric


class ClipScores(Metric):
    """Accuracy over clips, each judged by the sum of its windows' class probabilities; for use in validation.

    Every state is a sum, so windows of one clip may come in any batch and on any rank.

    Args:
        n_clips: Clips in the split.
        n_classes: Number of classes.
    """

    full_state_update = False
    higher_is_better = True
    scores: Tensor
    labels: Tensor

    def __init__(self, n_clips: int, n_classes: int) -> None:
        super().__init__()
        self.add_state("scores", torch.zeros(n_clips, n_classes), dist_reduce_fx="sum")
        self.add_state("labels", torch.zeros(n_clips, n_classes, dtype=torch.long), dist_reduce_fx="sum")

    def update(
        self,
        probabilities: Float[Tensor, "batch class"],
        clip: Int[Tensor, " batch"],
        label: Int[Tensor, " batch"],
    ) -> None:
        """Adds windows: their class probabilities, the clip each is from, and that clip's class number."""
        self.scores.index_add_(0, clip, probabilities.to(self.scores))
        self.labels.index_put_((clip, label), torch.ones_like(label), accumulate=True)

    def compute(self) -> Float[Tensor, ""]:
        """Accuracy over the clips of which a window was seen."""
        seen = self.labels.any(1)
        return (self.scores.argmax(1) == self.labels.argmax(1))[seen].float().mean()
