"""From a stored clip to what the network takes: the one path that training, evaluation and serving share."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float
from numpy import ndarray

from actrec.pipeline.preprocess import Preprocess
from actrec.pipeline.windows import AnchoredWindows, Features, WindowRule
from actrec.skeleton import Skeleton, map_keypoints
from actrec.types import Batch, NormalizedSequence, SkeletonSequence, Window


class Item(NamedTuple):
    """One window, ready to be put in a batch; see `actrec.types.Batch`."""

    features: Float[ndarray, "time joint channel"]
    valid: Bool[ndarray, " time"]
    observed: Bool[ndarray, "time joint"]
    label: int
    clip: int


def collate(items: list[Item]) -> Batch:
    """Items stacked to a batch of tensors."""
    import torch  # here, as recognition by ONNX Runtime does without

    features, valid, observed, label, clip = zip(*items, strict=True)
    return Batch(
        torch.from_numpy(np.stack(features)),
        torch.from_numpy(np.stack(valid)),
        torch.from_numpy(np.stack(observed)),
        torch.tensor(label),
        torch.tensor(clip),
    )


def trimmed(batch: Batch) -> Batch:
    """Cuts a batch after the last frame that is valid in any of its windows; later frames only cost time."""
    length = int(batch.valid.any(0).nonzero().max()) + 1
    features, valid, observed = (part[:, :length] for part in (batch.features, batch.valid, batch.observed))
    return batch._replace(features=features, valid=valid, observed=observed)


def collate_trimmed(items: list[Item]) -> Batch:
    """Stacks items to a batch that is as long as the longest of them."""
    return trimmed(collate(items))


@dataclass(frozen=True)
class Pipeline:
    """Everything between a stored clip and the network, saved with the model.

    Attributes:
        skeleton: The layout that the network sees; clips in another one are mapped to it.
        preprocess: Cleaning, centring and scaling.
        windows: How clips are cut.
        features: What the network is given of each joint.
    """

    skeleton: Skeleton
    preprocess: Preprocess
    windows: WindowRule
    features: Features

    def map(self, sequence: SkeletonSequence) -> SkeletonSequence:
        """The clip in the layout that the network sees."""
        keypoints = map_keypoints(sequence.keypoints, sequence.skeleton, self.skeleton.name)
        return replace(sequence, keypoints=keypoints, skeleton=self.skeleton.name)

    def normalize(self, sequence: SkeletonSequence) -> NormalizedSequence:
        """The clip in that layout, preprocessed."""
        frames, fps = self._frames(self.map(sequence).keypoints, sequence.fps)
        return self.preprocess(frames, self.skeleton, fps)

    def _frames(
        self, keypoints: Float[ndarray, "frame joint 3"], fps: float
    ) -> tuple[Float[ndarray, "_ joint 3"], float]:
        """The frames that preprocessing is given, and their rate.

        Those that a stream gives are at the model's rate, and anchors are counted in them. Offline preprocessing of
        whole clips comes before resampling.
        """
        streamed = self.preprocess.mode == "causal" or isinstance(self.windows, AnchoredWindows)
        return self.preprocess.at_rate(keypoints, fps) if streamed else (keypoints, fps)

    def item(self, window: Window, label: int, clip: int) -> Item:
        """A window with its features."""
        observed = self.features.observed(window, self.skeleton)
        return Item(self.features(window, self.skeleton), window.valid, observed, label, clip)

    def batch(self, sequence: SkeletonSequence) -> Batch:
        """A clip of no known label as the network takes it: all its windows, in order."""
        return collate(self.evaluation_items(sequence, 0, 0))

    def evaluation_items(
        self,
        sequence: SkeletonSequence,
        label: int,
        clip: int,
        ratio: float = 1.0,
        hidden: Bool[ndarray, " joint"] | None = None,
    ) -> list[Item]:
        """The windows by which a clip is judged when the first ⌈ratio · n⌉ of its frames have been seen.

        Frames past those are cut off before preprocessing, so that nothing of them can show.

        Args:
            sequence: The clip.
            label: Its class number.
            clip: Its number in the split.
            ratio: Observation ratio, in (0, 1].
            hidden: See `evaluation_windows`.
        """
        return [self.item(window, label, clip) for window in self.evaluation_windows(sequence, ratio, hidden)]

    def evaluation_windows(
        self, sequence: SkeletonSequence, ratio: float = 1.0, hidden: Bool[ndarray, " joint"] | None = None
    ) -> list[Window]:
        """As `evaluation_items`, before the features are made.

        Args:
            sequence: The clip.
            ratio: Observation ratio, in (0, 1].
            hidden: Joints that the network sees as never observed. They are taken away after preprocessing, so that the
                body is where it was and as large.
        """
        seen = math.ceil(round(ratio * len(sequence), 9))
        frames, fps = self._frames(self.map(sequence).keypoints[:seen], sequence.fps)
        normalized = self.preprocess(frames[self.windows.start(len(frames)) :], self.skeleton, fps)
        n_frames = self.preprocess.length(len(sequence), sequence.fps)
        if hidden is not None:
            keypoints = np.where(hidden[:, None], np.float32(0), normalized.keypoints)
            normalized = NormalizedSequence(keypoints, normalized.observed & ~hidden, normalized.known & ~hidden)
        return self.windows.evaluate(normalized, n_frames)
