"""The Lightning module: training, validation and test steps, their metrics, the optimiser and its schedule."""

from __future__ import annotations

import logging
import math
import statistics
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import lightning as L
import numpy as np
import torch
from jaxtyping import Float
from numpy import ndarray
from torch import Tensor
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from actrec.data.datamodule import ActionData
from actrec.data.store.actions import trimmed
from actrec.evaluation.people import check_people
from actrec.evaluation.probabilities import ClipAverage, decide, decide_at
from actrec.evaluation.results import Results, summarize_probabilities
from actrec.model.network import build_network, compile_network
from actrec.model.spec import ModelSpec, options_from_data
from actrec.model.transfer import load_matching_weights
from actrec.pipeline.observation import RATIOS, Readings
from actrec.training.losses import Losses, Objective, own_count
from actrec.training.malloc import keep_freed_memory
from actrec.training.sync import mean_over_processes
from actrec.types import NONE, ActrecError, Batch, SkeletonSequence

log = logging.getLogger(__name__)


def network_config(config: Mapping[str, Any]) -> Mapping[str, Any]:
    """Returns its argument; as a `_target_` it keeps Hydra from constructing a network before the data is known."""
    return config


def model_spec(network: Mapping[str, Any], data: ActionData, decision: str = "last") -> ModelSpec:
    """Makes the specification of a model that is to be trained: `network` is its `_target_` with options."""
    options = options_from_data(network, data.pipeline, len(data.labels))
    return ModelSpec(
        network=options.pop("_target_"),
        network_options=options,
        pipeline=data.pipeline,
        labels=tuple(data.labels),
        decision=decision,
        fps=statistics.median(clip.fps for clip in data.splits["train"]),
        pose_model=data.dataset.pose_model,
        dataset=data.dataset.name,
        split=asdict(data.split),
        uncounted=_uncounted(data),
    )


def class_factors(
    given: Mapping[str, Any] | str | None, labels: Sequence[str], data: ActionData
) -> Float[Tensor, " class"] | None:
    """Returns the factor of each class in the cross-entropy, of which the mean over the training clips is 1.

    Raises:
        ActrecError: A label is no class, or a factor is no positive number.
    """
    if given is None:
        return None
    counts = Counter(clip.label for clip in trimmed(data.splits["train"]) if clip.label in labels)
    if given == "balanced":
        given = {label: 1 / counts[label] for label in labels if counts[label]}
    if not isinstance(given, Mapping):
        raise ActrecError(f"class_weights is {given!r}; expected balanced, null, or factors such as {{squat: 2}}.")
    for label, factor in given.items():
        if label not in labels or not isinstance(factor, int | float) or not 0 < factor < math.inf:
            known = ", ".join(labels)
            raise ActrecError(f"class_weights has {label}: {factor}; expected a positive factor of one of {known}.")
    factors = torch.tensor([float(given.get(label, 1.0)) for label in labels])
    share = torch.tensor([counts[label] / max(counts.total(), 1) for label in labels])
    return factors / (factors * share).sum()


def _uncounted(data: ActionData) -> tuple[str, ...]:
    """Returns the labels whose repetitions are known in no training clip, if those of others are."""
    clips = trimmed(data.splits["train"])
    counted = {each.label for each in clips if each.repetition is not None and np.isfinite(each.repetition).any()}
    return tuple(label for label in data.labels if label not in {*counted, NONE}) if counted else ()


class ActionModule(L.LightningModule):
    """A network in training, with its loss, optimiser and schedule.

    Args:
        data: The data that it is trained on, which decides classes, joints and channels.
        network: See `model_spec`.
        objective: The loss.
        optimizer: Makes an optimiser of parameters.
        schedule: Makes a schedule of an optimiser, epochs and steps an epoch; it is stepped after every optimiser step.
        decision: See `actrec.evaluation.probabilities.decide`.
        people: Whether the test counts "each" clip, or people of one clip "together"; see `actrec.evaluation.people`.
        class_weights: Factors of classes in the cross-entropy, by label; "balanced" makes them inverse to the number
            of a class's training clips; None gives each clip the same weight.
        init: Model folder whose weights the training starts from; None for fresh weights.
        compile: Whether torch.compile compiles the network.
        seed: The network's random numbers in a batch depend only on this and the number of the batch.

    Raises:
        ActrecError: The network cannot be made with its options, or does not fit the model to start from.
    """

    def __init__(
        self,
        data: ActionData,
        network: Mapping[str, Any],
        objective: Objective,
        optimizer: Callable[[Iterable[Any]], Optimizer],
        schedule: Callable[..., LRScheduler],
        decision: str = "last",
        class_weights: Mapping[str, Any] | str | None = None,
        init: str | None = None,
        compile: bool = False,
        seed: int = 0,
        people: str = "each",
    ) -> None:
        super().__init__()
        check_people(people)
        self.people = people
        self.objective, self.make_optimizer, self.make_schedule, self.seed = objective, optimizer, schedule, seed
        self.spec = model_spec(network, data, decision)
        self.class_weights = class_factors(class_weights, self.spec.labels, data)
        self.network = build_network(self.spec, trust=self.spec.network)
        size = sum(parameter.numel() for parameter in self.network.parameters())
        log.info("%s, %s parameters", self.spec.network_name, f"{size:,}")
        if init:
            known = load_matching_weights(self.network, self.spec, init)
            joints = f"{known.joints} of {data.pipeline.skeleton.n_joints} joints"
            log.info("Starts from %s: %d of %d classes and %s known.", init, known.classes, len(data.labels), joints)
        if compile:
            compile_network(self.network)

    def forward(self, features: Tensor, valid: Tensor) -> Any:
        return self.network(features, valid)

    def on_fit_start(self) -> None:
        keep_freed_memory()

    def on_train_batch_start(self, batch: Batch, batch_idx: int) -> None:
        # Seeding once an epoch would not do: a resumed run draws other numbers before its first batch.
        number = self.trainer.fit_loop.epoch_loop.total_batch_idx
        torch.manual_seed(hash((self.seed, number, self.global_rank)))

    def _step(self, batch: Batch, split: str) -> tuple[Losses, Tensor]:
        output = self(batch.features, batch.valid)
        # In val a process may have one batch less than another, so each divides by its own count.
        count = mean_over_processes if split == "train" else own_count
        losses = self.objective(output, batch, count, self.class_weights)
        # An epoch's metrics weight batches by valid frames. Lightning divides the sum of the weights by the number
        # of processes and rounds down, hence the factor.
        weight = round(float(count(batch.valid.sum())) * self.trainer.world_size)
        for name, value in losses._asdict().items():
            if value is None:
                continue
            self.log(
                f"{split}/{name}", value, on_epoch=True, on_step=False, prog_bar=True, batch_size=weight, sync_dist=True
            )
        return losses, output.logits

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        losses, _ = self._step(batch, "train")
        if not torch.isfinite(losses.loss):
            raise ActrecError(
                f"The training diverged: the loss is {losses.loss.item()} at step {self.global_step}. Lower base_lr "
                f"({self.trainer.optimizers[0].param_groups[0]['lr']:.2g} at that step) or grad_clip."
            )
        return losses.loss

    def on_validation_epoch_start(self) -> None:
        self._average = ClipAverage(1, len(self._labels("val")), len(self.spec.labels))

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        _, logits = self._step(batch, "val")
        probabilities = decide(logits, batch.valid, self.spec.decision)
        self._average.add(probabilities, batch.clip, torch.zeros_like(batch.clip))

    def on_validation_epoch_end(self) -> None:
        predicted = self._averaged()[0].argmax(1)
        labels = torch.tensor(self._labels("val")).numpy()[self._average.seen]
        self.log("val/accuracy", float((predicted == labels).mean()), prog_bar=True)

    def on_test_epoch_start(self) -> None:
        self._average = ClipAverage(len(RATIOS), len(self._labels("test")), len(self.spec.labels))

    def test_step(self, batch: tuple[Batch, Readings], batch_idx: int) -> None:
        windows, readings = batch
        with torch.autocast(self.device.type, enabled=False):  # in full precision, as actrec.evaluate runs it
            logits = self(windows.features, windows.valid).logits
        probabilities = decide_at(logits, windows.valid, readings, self.spec.decision)
        self._average.add(probabilities, windows.clip[readings.row], readings.ratio)

    def on_test_epoch_end(self) -> None:
        self._tested = self._averaged()

    def load_best(self, checkpoint: Path | None) -> None:
        """Loads the weights of a checkpoint, averaged ones where EMA is on; Lightning would load the current ones."""
        if checkpoint is not None:
            self.load_state_dict(torch.load(checkpoint, map_location="cpu", weights_only=True)["state_dict"])

    def results(self, clips: Sequence[SkeletonSequence]) -> Results:
        """Summarises the last test; `clips` is the test split, of which fast_dev_run processes one batch only."""
        seen = [clip for clip, is_seen in zip(clips, self._average.seen, strict=True) if is_seen]
        return summarize_probabilities(self._tested, self.network.eval(), self.spec, seen, self.people)

    def _labels(self, split: str) -> list[int]:
        return self.trainer.datamodule.class_numbers(split)  # type: ignore[attr-defined]

    def _averaged(self) -> Float[ndarray, "ratio clip class"]:
        """Returns the averaged probabilities of the clips that any of the processes has run."""
        if self.trainer.world_size > 1:
            totals = torch.from_numpy(self._average.totals).to(self.device)
            self._average.totals = self.trainer.strategy.reduce(totals, reduce_op="sum").cpu().numpy()
        return self._average.probabilities()

    def configure_optimizers(self) -> Any:
        decayed = [p for p in self.network.parameters() if p.ndim > 1]
        kept = [p for p in self.network.parameters() if p.ndim <= 1]
        optimizer = self.make_optimizer([{"params": decayed}, {"params": kept, "weight_decay": 0.0}])
        epochs = self.trainer.max_epochs or 1
        steps = -(-int(self.trainer.estimated_stepping_batches) // epochs)
        schedule = self.make_schedule(optimizer, epochs=epochs, steps_per_epoch=steps)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step", "name": "lr"}}
