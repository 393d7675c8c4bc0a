"""The Lightning data module: splits the clips of a data set, and makes batches of windows for train, val and test."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, cast

import lightning as L
import numpy as np
from numpy import ndarray
from torch.utils.data import DataLoader, IterableDataset, Sampler

from actrec.data.clips import DataSet, found_labels, whole_sessions, without_labels
from actrec.data.excluded_labels import alike, exclude_override, excluded
from actrec.data.saved_split import SavedSplit, group_of
from actrec.data.split import Parts, Split, first_names
from actrec.data.store.actions import trimmed
from actrec.data.training_windows import TrainingWindows
from actrec.pipeline.augmentation import Augmentation
from actrec.pipeline.batching import collate
from actrec.pipeline.observation import ObservedItem, collate_observed, items_at_ratios
from actrec.pipeline.pipeline import Pipeline
from actrec.skeleton import get_skeleton
from actrec.types import NONE, ActrecError, SkeletonSequence

log = logging.getLogger(__name__)

TEST_BATCH = 64  # windows, as in actrec.evaluate; without gradients more fit than in training


class EpochSampler(Sampler[tuple[int, int]]):
    """Samples pairs (epoch, index) in an order that depends only on seed and epoch, so that a resumed run repeats it.

    Args:
        rank: This process among `world`; each takes every world-th item of the same order.
        classes: The class of each item, if each class is to be sampled equally often: items of large classes are then
            left out of some epochs, and those of small ones repeated.
    """

    def __init__(
        self, length: int, seed: int, rank: int = 0, world: int = 1, classes: Sequence[int] | None = None
    ) -> None:
        self.length, self.seed, self.rank, self.world, self.epoch = length, seed, rank, world, 0
        self.members = [np.flatnonzero(np.array(classes) == each) for each in sorted(set(classes or ()))]

    def set_epoch(self, epoch: int) -> None:
        """Called by Lightning before each epoch."""
        self.epoch = epoch

    def __iter__(self) -> Iterator[tuple[int, int]]:
        rng, total = np.random.default_rng((self.seed, self.epoch)), len(self) * self.world
        order = rng.permutation(self.length)
        if self.members:
            turns = np.resize(rng.permutation(len(self.members)), total)
            counts = np.bincount(turns, minlength=len(self.members)).tolist()
            order = rng.permutation(np.concatenate([*map(partial(_repeated, rng), self.members, counts)]))
        order = np.resize(order, total)  # every process gets equally many: the first few are repeated
        return iter((self.epoch, int(index)) for index in order[self.rank :: self.world])

    def __len__(self) -> int:
        return -(-self.length // self.world)


def _repeated(rng: np.random.Generator, items: ndarray, count: int) -> ndarray:
    """Draws `count` of the items, each equally often, give or take one."""
    return np.concatenate([rng.permutation(items) for _ in range(-(-count // len(items)))])[:count]


class ObservedWindows(IterableDataset[ObservedItem]):
    """The windows of clips at every observation ratio, made as they are needed: those of a whole split are large."""

    def __init__(self, clips: Sequence[tuple[int, SkeletonSequence, int]], pipeline: Pipeline, causal: bool) -> None:
        self.clips, self.pipeline, self.causal = clips, pipeline, causal

    def __iter__(self) -> Iterator[ObservedItem]:
        for number, clip, label in self.clips:
            yield from items_at_ratios(self.pipeline, clip, label, number, self.causal)


def _without_new(clips: Sequence[SkeletonSequence], saved: SavedSplit) -> list[SkeletonSequence]:
    kept = [clip for clip in clips if not saved.is_new(clip)]
    if len(kept) < len(clips):
        log.warning("%d clips are new since this run began, and are left out of it.", len(clips) - len(kept))
    return kept


def _n_coordinates(dataset: DataSet) -> int:
    """Returns the number of coordinates of the joints; raises an ActrecError if the clips to mix in have another."""
    number = dataset.clips[0].n_coordinates if dataset.clips else 2
    if wrong := [clip.clip_id for clip in dataset.mixed if clip.n_coordinates != number]:
        raise ActrecError(
            f"The clips to mix in, such as {wrong[0]}, do not have the {number} coordinates of the data set's joints. "
            "Set mix.generated=0, since generated clips have x and y alone, and mix.store=null or to a store like it."
        )
    return number


class ActionData(L.LightningDataModule):
    """The train, val and test splits of a data set.

    `splits` holds the clips in the joint layout of the network, `stored_train` those of train in the stored layout. In
    val and test, clips with segments are divided into their actions and the stretches between them (`trimmed`);
    `sessions` holds them whole.

    Args:
        dataset: The data set.
        split: How clips are divided.
        pipeline: From clip to network input.
        augmentation: For the train split.
        exclude_labels: Labels that are left out; each must be one of the clips' or of the data set's.
        batch_size: Windows of a batch, on each device.
        workers: Processes that make batches; 0 makes them in the training process.
        preload: See `TrainingWindows`.
        preload_to_tensor: See `TrainingWindows`.
        sampler: "natural" samples each training window once an epoch, "balanced" each class equally often.
        seed: Seed of order and augmentation.
        saved: The split of the run that is resumed; None lets `split` divide the clips.

    Raises:
        ActrecError: Labels and classes do not fit, or train or test would be empty.
    """

    def __init__(
        self,
        dataset: DataSet,
        split: Split,
        pipeline: Pipeline,
        augmentation: Augmentation,
        exclude_labels: Sequence[str] | None = (),
        batch_size: int = 32,
        workers: int = 0,
        preload: bool = True,
        preload_to_tensor: bool = True,
        seed: int = 0,
        saved: SavedSplit | None = None,
        sampler: str = "natural",
    ) -> None:
        super().__init__()
        if sampler not in ("natural", "balanced"):
            raise ActrecError(f"sampler is '{sampler}'; expected natural or balanced.")
        self.sampler = sampler
        pipeline = replace(pipeline, n_coordinates=_n_coordinates(dataset))
        self.pipeline, self.augmentation = pipeline, augmentation
        self.batch_size, self.workers, self.seed = batch_size, workers, seed
        self.preload, self.preload_to_tensor = preload, preload_to_tensor
        self.dataset = dataset
        known = {*found_labels(dataset.clips), *found_labels(dataset.mixed), *dataset.labels}
        left_out = excluded(exclude_labels, known)
        clips = [kept for clip in dataset.clips if (kept := without_labels(clip, left_out)) is not None]
        if saved is not None:
            clips = _without_new(clips, saved)
        for name in {clip.skeleton for clip in clips} - {pipeline.skeleton.name}:
            lost = set(get_skeleton(name).joints) - set(pipeline.skeleton.joints)
            log.warning(
                "Clips of skeleton '%s' are mapped to '%s', without %s. Set skeleton=%s to keep all joints.",
                name,
                pipeline.skeleton.name,
                ", ".join(sorted(lost)) or "a loss",
                name,
            )
        found = [label for label in found_labels(clips) if label not in left_out]
        self.labels = [label for label in dataset.labels or found if label not in left_out]
        self._check_labels(clips)
        for names in alike(self.labels):
            log.warning("Labels that differ only in case or punctuation are classes of their own: %s.", names)
        if len(found) == 1:
            raise ActrecError(f"All clips are of one class, {found[0]}: expected two classes or more.")
        saved = saved or SavedSplit.of(split, clips)
        self.split, self.saved = split, replace(saved, dataset=dataset.name, generated=dataset.generated)
        parts = self.saved.restore(clips)
        for part in ("train", "test"):
            if not parts[part]:
                raise ActrecError(
                    f"The split has no clips in {part}. Correct the column split of the store's manifest.csv, or draw "
                    "a split: split.protocol=grouped."
                )
        self.stored_train = parts["train"]
        mapped = {part: [pipeline.to_skeleton(clip) for clip in members] for part, members in parts.items()}
        mapped["train"] += [pipeline.to_skeleton(clip) for clip in self._mixed(left_out, parts)]
        self.sessions = {part: whole_sessions(members) for part, members in mapped.items()}
        self.splits = {
            part: members if part == "train" else [each for each in trimmed(members) if each.label in self.labels]
            for part, members in mapped.items()
        }
        self.absent = [label for label in self.labels if label not in found]
        if self.absent:
            log.warning("No clips for: %s.", ", ".join(self.absent))
        if unseen := [label for label in self.labels if label in set(found) - {*found_labels(mapped["train"])}]:
            log.warning("No clips in train for: %s. Try another split.seed, or add clips.", ", ".join(unseen))
        counts = ", ".join(f"{len(members)} {part}" for part, members in parts.items())
        log.info("%d classes; clips: %s.", len(self.labels), counts)

    def _mixed(self, left_out: Collection[str], parts: Parts) -> list[SkeletonSequence]:
        """Returns the clips that are mixed into train.

        Raises:
            ActrecError: One has a label that is no class, or is of a group in val or test.
        """
        mixed = [kept for clip in self.dataset.mixed if (kept := without_labels(clip, left_out)) is not None]
        self._check_labels(mixed)
        held_out = {(clip.source, group_of(clip)) for part in ("val", "test") for clip in parts[part]}
        if leaked := [clip.clip_id for clip in mixed if (clip.source, group_of(clip)) in held_out]:
            raise ActrecError(
                f"The clips to mix in have some of groups that are in val or test, such as {leaked[0]}. Give mix.store "
                "another store or none, or set mix.generated=0."
            )
        if mixed:
            log.info("Mixed into train: %d clips, of mix.store (mix.times times each) or mix.generated.", len(mixed))
        return mixed

    def _check_labels(self, clips: Sequence[SkeletonSequence]) -> None:
        """Raises an ActrecError for labels that are no classes."""
        known = set(self.labels)
        wrong = {
            clip.clip_id: {clip.label, *(each.label for each in clip.segments if each.label)} - known for clip in clips
        }
        unknown = sorted(set().union(*wrong.values()))
        if unknown:
            raise ActrecError(
                f"There are clips or segments with labels that are not among the {len(self.labels)} classes: "
                f"{', '.join(unknown)}. Leave them out with {exclude_override(unknown)}. The classes are: "
                f"{', '.join(self.labels)}. The clips: "
                f"{first_names([clip for clip, labels in wrong.items() if labels])}."
            )
        if NONE not in self.labels and NONE in found_labels(clips):
            log.warning("Frames in no segment count as not labelled: the class '%s' is not among the labels.", NONE)

    def class_numbers(self, name: str) -> list[int]:
        """Returns the class number of each clip of a split."""
        return [self.labels.index(clip.label) for clip in self.splits[name]]

    def setup(self, stage: str) -> None:
        if stage == "test":
            return
        self.train_windows = TrainingWindows(
            self.splits["train"],
            self.class_numbers("train"),
            self.pipeline,
            self.augmentation,
            self.seed,
            self.preload,
            self.preload_to_tensor,
            self.labels,
        )
        self.val_items = [
            item
            for number, (clip, label) in enumerate(self._labelled("val"))
            for item in self.pipeline.evaluation_items(clip, label, number)
        ]

    def _labelled(self, name: str) -> Iterator[tuple[SkeletonSequence, int]]:
        return zip(self.splits[name], self.class_numbers(name), strict=True)

    def _rank(self) -> tuple[int, int]:
        return (self.trainer.global_rank, self.trainer.world_size) if self.trainer else (0, 1)

    def train_dataloader(self) -> DataLoader[Any]:
        labels = self.train_windows.labels
        classes = [labels[clip] for clip, _ in self.train_windows.entries] if self.sampler == "balanced" else None
        sampler = EpochSampler(len(self.train_windows), self.seed, *self._rank(), classes)
        return DataLoader(
            self.train_windows,
            self.batch_size,
            sampler=sampler,
            num_workers=self.workers,
            collate_fn=collate,
            drop_last=len(sampler) > self.batch_size,
            persistent_workers=self.workers > 0,
        )

    def val_dataloader(self) -> DataLoader[Any]:
        rank, world = self._rank()
        if 0 < len(self.val_items) < world:
            raise ActrecError(
                f"Val has {len(self.val_items)} windows for {world} processes. Use fewer processes "
                "(trainer.devices, trainer.num_nodes), or give val more clips (split.val_share)."
            )
        return DataLoader(cast(Any, self.val_items[rank::world]), self.batch_size, collate_fn=collate)

    def test_dataloader(self) -> DataLoader[Any]:
        """Returns the windows of test at every observation ratio; a process has every world-th clip."""
        rank, world = self._rank()
        network: Any = getattr(self.trainer and self.trainer.lightning_module, "network", None)
        causal = getattr(network, "causal", False)
        clips = [(number, *clip) for number, clip in enumerate(self._labelled("test")) if number % world == rank]
        return DataLoader(ObservedWindows(clips, self.pipeline, causal), TEST_BATCH, collate_fn=collate_observed)
