"""The training windows of a data set: cut, augmented and labelled anew for every epoch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import ceil
from typing import Any

import numpy as np
import torch
from torch.utils.data import Dataset

from actrec.pipeline.augmentation import Augmentation
from actrec.pipeline.batching import Item
from actrec.pipeline.pipeline import Pipeline
from actrec.pipeline.windows import AnchoredWindows
from actrec.types import NONE, NormalizedSequence, SkeletonSequence


class Packed(Sequence[NormalizedSequence]):
    """Stores preprocessed clips in two shared tensors, which worker processes read without a copy."""

    def __init__(self, sequences: Sequence[NormalizedSequence]) -> None:
        self.ends = np.cumsum([len(sequence) for sequence in sequences])
        self.keypoints, self.observed, self.known = (
            torch.from_numpy(np.concatenate([getattr(sequence, name) for sequence in sequences])).share_memory_()
            for name in ("keypoints", "observed", "known")
        )

    def __len__(self) -> int:
        return len(self.ends)

    def __getitem__(self, index: Any) -> Any:
        frames = slice(self.ends[index - 1] if index else 0, self.ends[index])
        return NormalizedSequence(*(part[frames].numpy() for part in (self.keypoints, self.observed, self.known)))


class TrainingWindows(Dataset[Item]):
    """The augmented windows of the train split; item (epoch, index) is the same in every process and run.

    With `AnchoredWindows`, a clip with segments or without action gives as many windows in an epoch as fit into it,
    each from a random frame on, with which its preprocessing starts.

    Args:
        labels: Class numbers of the clips.
        augmentation: Applied anew to every window.
        preload: Preprocess every clip once, beforehand, instead of for each of its windows.
        preload_to_tensor: Keep preprocessed clips in tensors that worker processes share.
        names: The classes, in the order of their numbers; needed for clips with segments or repetitions.
    """

    def __init__(
        self,
        sequences: Sequence[SkeletonSequence],
        labels: Sequence[int],
        pipeline: Pipeline,
        augmentation: Augmentation,
        seed: int,
        preload: bool = True,
        preload_to_tensor: bool = True,
        names: Sequence[str] = (),
    ) -> None:
        self.sequences, self.labels, self.pipeline, self.names = sequences, labels, pipeline, names
        self.augmentation, self.seed = augmentation, seed
        self.entries = [(clip, window) for clip, each in enumerate(sequences) for window in range(self._count(each))]
        self.normalized: Sequence[NormalizedSequence] | None = None
        if preload and not any(map(self._is_cut, sequences)):
            normalized = [pipeline.normalize(sequence) for sequence in sequences]
            self.normalized = Packed(normalized) if preload_to_tensor else normalized

    def __len__(self) -> int:
        return len(self.entries)

    def _is_cut(self, sequence: SkeletonSequence) -> bool:
        long = bool(sequence.segments) or sequence.label == NONE
        return long and isinstance(self.pipeline.windows, AnchoredWindows)

    def _count(self, sequence: SkeletonSequence) -> int:
        n_frames = self.pipeline.preprocess.length(len(sequence), sequence.fps)
        if self._is_cut(sequence):
            return max(round(n_frames / self.pipeline.windows.length), 1)
        return self.pipeline.windows.count(n_frames)

    def _stored(self, clip: int, rng: np.random.Generator) -> SkeletonSequence:
        """Returns a stored clip, or the frames of a random window of it."""
        sequence = self.sequences[clip]
        if not self._is_cut(sequence):
            return sequence
        step = sequence.fps / (self.pipeline.preprocess.fps or sequence.fps)
        n_frames = min(ceil((self.pipeline.windows.length - 1) * step) + 1, len(sequence))
        start = int(rng.integers(len(sequence) - n_frames + 1))
        return sequence.cut(start, start + n_frames)

    def _sequence(self, clip: int, rng: np.random.Generator) -> NormalizedSequence:
        stored = self._stored(clip, rng)
        augmented = self.augmentation.clip(stored, self.pipeline.skeleton, rng)
        ready = self.normalized is not None and augmented is stored
        sequence = self.normalized[clip] if ready and self.normalized else self.pipeline.normalize(augmented)
        if self.sequences[clip].segments or stored.repetition is not None:
            sequence = replace(sequence, targets=self.pipeline.targets(augmented, self.names))
        return self.augmentation.sequence(sequence, self.pipeline.skeleton, rng)

    def __getitem__(self, key: tuple[int, int]) -> Item:
        epoch, index = key
        rng = np.random.default_rng((self.seed, epoch, index))
        clip, number = self.entries[index]
        window = self.pipeline.windows.train(self._sequence(clip, rng), number, rng)
        window = self.augmentation.window(window, self.pipeline.skeleton, rng)
        return self.pipeline.item(window, self.labels[clip], clip)
