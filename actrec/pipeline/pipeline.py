"""The pipeline from a stored clip to the network's input, which training, evaluation and serving share."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float
from numpy import ndarray

from actrec.pipeline.batching import Item, collate
from actrec.pipeline.features import Features
from actrec.pipeline.preprocess import Preprocess
from actrec.pipeline.resampling import frame_grid
from actrec.pipeline.windows import AnchoredWindows, WindowRule
from actrec.skeleton import Skeleton, map_keypoints
from actrec.types import (
    NO_LABEL,
    NONE,
    ActrecError,
    Batch,
    NormalizedSequence,
    Segment,
    SkeletonSequence,
    Targets,
    Window,
)


@dataclass(frozen=True)
class Pipeline:
    """All steps between a stored clip and the network; it is saved with the model.

    Clips of another joint layout are mapped to the network's once, where they enter: by `to_skeleton` or `batch`.

    Attributes:
        skeleton: The joint layout of the network's input.
        preprocess: Filling of missing joints, centring and scaling.
        windows: The rule by which clips are cut into windows.
        features: The network's input features of each joint.
        n_coordinates: The coordinates of a joint: 2 (x and y) or 3.
    """

    skeleton: Skeleton
    preprocess: Preprocess
    windows: WindowRule
    features: Features
    n_coordinates: int = 2

    @property
    def n_channels(self) -> int:
        """The number of channels of a joint's features."""
        return self.features.n_channels(self.n_coordinates)

    def to_skeleton(self, sequence: SkeletonSequence) -> SkeletonSequence:
        """Maps a clip to the network's joint layout."""
        keypoints = map_keypoints(sequence.keypoints, sequence.skeleton, self.skeleton.name)
        return replace(sequence, keypoints=keypoints, skeleton=self.skeleton.name)

    def normalize(self, sequence: SkeletonSequence) -> NormalizedSequence:
        """Preprocesses a clip in the network's layout."""
        frames, fps = self._frames(sequence)
        return self.preprocess(frames, self.skeleton, fps)

    def _frames(
        self, sequence: SkeletonSequence, n_seen: int | None = None
    ) -> tuple[Float[ndarray, "frame joint value"], float]:
        """Returns the first `n_seen` frames, resampled if preprocessing does not do that, and their rate.

        Causal pipelines and anchored windows resample first, as streams do: anchors are counted at the model's rate.
        Offline preprocessing resamples last.
        """
        if sequence.skeleton != self.skeleton.name:
            raise ActrecError(
                f"Clip '{sequence.clip_id}' has skeleton '{sequence.skeleton}'; the pipeline takes "
                f"'{self.skeleton.name}'. Map it with Pipeline.to_skeleton."
            )
        keypoints = sequence.keypoints[:n_seen]
        self.check_coordinates(sequence)
        resample_first = self.preprocess.mode == "causal" or isinstance(self.windows, AnchoredWindows)
        return self.preprocess.at_rate(keypoints, sequence.fps) if resample_first else (keypoints, sequence.fps)

    def check_coordinates(self, sequence: SkeletonSequence) -> None:
        """Raises an ActrecError if a clip has other dimensions than the pipeline takes."""
        if sequence.n_coordinates != self.n_coordinates:
            raise ActrecError(
                f"Clip '{sequence.clip_id}' has {sequence.n_coordinates} coordinates for each joint; this model or run "
                f"takes {self.n_coordinates}. Give it clips like those that it was trained on."
            )

    def targets(self, sequence: SkeletonSequence, labels: Sequence[str]) -> Targets:
        """Returns the targets of the frames that `normalize` gives of a clip.

        Args:
            labels: The classes in the order of their numbers. Frames in no segment are "none" if that is one of them.
        """
        numbers = {label: number for number, label in enumerate(labels)}
        per_frame = np.full(len(sequence), numbers.get(NONE, NO_LABEL))
        for segment in sequence.segments or (Segment(sequence.label, 0, len(sequence)),):
            per_frame[segment.start : segment.end] = numbers.get(segment.label, NO_LABEL)
        rate = self.preprocess.fps or sequence.fps
        positions = frame_grid(0.0, sequence.fps / rate, self.preprocess.length(len(sequence), sequence.fps))
        nearest = np.minimum(positions.round().astype(int), len(sequence) - 1)
        unknown = np.full(len(sequence), np.nan, dtype=np.float32)
        repetition = unknown if sequence.repetition is None else sequence.repetition
        return Targets(per_frame[nearest], repetition[nearest])

    def item(self, window: Window, label: int, clip: int) -> Item:
        """Computes the features of a window."""
        observed = self.features.observed(window, self.skeleton)
        return Item(self.features(window, self.skeleton), window.valid, observed, label, clip, window.targets)

    def batch(self, sequence: SkeletonSequence) -> Batch:
        """Makes the batch of all windows of a clip, of any joint layout and without a label, in order."""
        return collate(self.evaluation_items(self.to_skeleton(sequence), 0, 0))

    def evaluation_items(
        self,
        sequence: SkeletonSequence,
        label: int,
        clip: int,
        ratio: float = 1.0,
        hidden: Bool[ndarray, " joint"] | None = None,
    ) -> list[Item]:
        """Makes the windows on which a clip is evaluated when the first ⌈ratio · n⌉ of its frames have been seen.

        Later frames are cut off before preprocessing, so that they have no influence.
        """
        return [self.item(window, label, clip) for window in self.evaluation_windows(sequence, ratio, hidden)]

    def evaluation_windows(
        self, sequence: SkeletonSequence, ratio: float = 1.0, hidden: Bool[ndarray, " joint"] | None = None
    ) -> list[Window]:
        """Makes the same windows as `evaluation_items`, without their features.

        Args:
            hidden: Joints that are made unobserved after preprocessing, so that origin and scale do not change.
        """
        frames, fps = self._frames(sequence, math.ceil(round(ratio * len(sequence), 9)))
        normalized = self.preprocess(frames[self.windows.start(len(frames)) :], self.skeleton, fps)
        n_frames = self.preprocess.length(len(sequence), sequence.fps)
        if hidden is not None:
            keypoints = np.where(hidden[:, None], np.float32(0), normalized.keypoints)
            normalized = NormalizedSequence(keypoints, normalized.observed & ~hidden, normalized.known & ~hidden)
        return self.windows.evaluate(normalized, n_frames)
