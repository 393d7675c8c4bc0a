"""The LightningModule: one step for train and val, losses, metrics, optimiser and schedule."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import lightning as L
import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from actrec.evaluation.probabilities import decide
from actrec.training.clip_scores import ClipScores
from actrec.training.losses import Losses, Objective, own_count
from actrec.training.sync import mean_over_processes
from actrec.types import ActrecError, Batch


class ActionModule(L.LightningModule):
    """A network in training.

    Args:
        network: Takes features and validity, gives a `NetworkOutput`.
        objective: The loss.
        optimizer: From parameters to an optimiser.
        schedule: From optimiser, epochs and steps an epoch to a schedule that steps every batch.
        n_classes: Number of classes.
        n_val_clips: Clips of the val split.
        decision: See `actrec.evaluation.probabilities.decide`.
        seed: What random numbers the network draws in a step depends on this and the step alone.
    """

    def __init__(
        self,
        network: nn.Module,
        objective: Objective,
        optimizer: Callable[[Iterable[Any]], Optimizer],
        schedule: Callable[..., LRScheduler],
        n_classes: int,
        n_val_clips: int,
        decision: str = "last",
        seed: int = 0,
    ) -> None:
        super().__init__()
        self.network, self.objective = network, objective
        self.make_optimizer, self.make_schedule = optimizer, schedule
        self.decision, self.seed = decision, seed
        self.val_scores = ClipScores(n_val_clips, n_classes)

    def forward(self, features: Tensor, valid: Tensor) -> Any:
        return self.network(features, valid)

    def on_train_batch_start(self, batch: Batch, batch_idx: int) -> None:
        # Not once an epoch: what a resumed run draws before its first batch is not what an uninterrupted one does.
        torch.manual_seed(hash((self.seed, self.global_step, self.global_rank)))

    def _step(self, batch: Batch, split: str) -> tuple[Losses, Tensor]:
        output = self(batch.features, batch.valid)
        # In val a process may have a batch fewer than another: each counts for itself.
        count = mean_over_processes if split == "train" else own_count
        losses = self.objective(output, batch, count)
        # An epoch's figures weigh batches by their frames; times the processes, by whose number Lightning divides the
        # weights' sum, and rounds down.
        weight = round(float(count(batch.valid.sum())) * self.trainer.world_size)
        names = {"loss": losses.total, "loss_cls": losses.cls, "loss_pred": losses.pred, "loss_feat": losses.feat}
        for name, value in names.items():
            self.log(
                f"{split}/{name}",
                value,
                on_epoch=True,
                on_step=False,
                prog_bar=True,
                batch_size=weight,
                sync_dist=True,
            )
        return losses, output.logits

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        losses, _ = self._step(batch, "train")
        if not torch.isfinite(losses.total):
            raise ActrecError(
                f"The training diverged: the loss is {losses.total.item()} at step {self.global_step}. Lower base_lr "
                f"({self.trainer.optimizers[0].param_groups[0]['lr']:.2g} at that step) or grad_clip."
            )
        return losses.total

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        _, logits = self._step(batch, "val")
        self.val_scores.update(decide(logits, batch.valid, self.decision), batch.clip, batch.label)

    def on_validation_epoch_end(self) -> None:
        self.log("val/accuracy", self.val_scores.compute(), prog_bar=True)
        self.val_scores.reset()

    def configure_optimizers(self) -> Any:
        decayed = [p for p in self.network.parameters() if p.ndim > 1]
        kept = [p for p in self.network.parameters() if p.ndim <= 1]
        groups = [{"params": decayed}, {"params": kept, "weight_decay": 0.0}]
        optimizer = self.make_optimizer(groups)
        epochs = self.trainer.max_epochs or 1
        steps = -(-int(self.trainer.estimated_stepping_batches) // epochs)
        schedule = self.make_schedule(optimizer, epochs=epochs, steps_per_epoch=steps)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step", "name": "lr"}}
