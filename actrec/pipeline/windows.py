"""Cuts preprocessed clips into windows, and windows into the network's features: after preprocessing, in training
before and after augmentation, and unchanged in serving."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

import numpy as np
from jaxtyping import Bool, Float
from numpy import ndarray

from actrec.skeleton import Skeleton
from actrec.types import ActrecError, NormalizedSequence, Window


def frame_grid(start: float, step: float, count: int) -> Float[ndarray, " time"]:
    """Evenly spaced frame positions; those within rounding error of a frame are that frame."""
    positions = start + step * np.arange(count, dtype=np.float64)
    nearest = positions.round()
    return np.where(np.abs(positions - nearest) < 1e-6, nearest, positions)


def resample(sequence: NormalizedSequence, positions: Float[ndarray, " time"]) -> NormalizedSequence:
    """The sequence at fractional frames, by linear interpolation; exact at whole frames.

    A joint is observed, or known, where it was so in each frame that the position draws on.

    Args:
        sequence: At least as many frames as the positions need.
        positions: In frames, from 0 to len(sequence) - 1.
    """
    before, after = sequence.take(np.floor(positions).astype(int)), sequence.take(np.ceil(positions).astype(int))
    weight = (positions - np.floor(positions)).astype(sequence.keypoints.dtype)[:, None, None]
    keypoints = before.keypoints * (1 - weight) + after.keypoints * weight
    known = before.known & after.known
    keypoints[..., :2][~known] = 0
    return NormalizedSequence(keypoints, before.observed & after.observed, known)


def hold_last(sequence: NormalizedSequence, length: int) -> Window:
    """A window that starts with the sequence and, where that ends, holds its last frame, marked as not valid."""
    held = sequence.take(np.minimum(np.arange(length), len(sequence) - 1))
    valid = np.arange(length) < len(sequence)
    return Window(held.keypoints, held.observed & valid[:, None], held.known, valid)


def _check_length(length: int) -> None:
    if length < 1:
        raise ActrecError(f"windows.length is {length}; expected at least 1 frame.")


@dataclass(frozen=True)
class SlidingWindows:
    """Windows at a fixed stride over the frames that have been seen; nothing is stretched.

    Attributes:
        length: Frames of a window. A clip with fewer gives one window, padded by holding its last frame.
        stride: Frames from one window to the next, at most `length`.
        tail: What becomes of frames after the last full window: "keep" shifts one more window back so that it ends at
            the last frame, "pad" holds the last frame, "drop" leaves them out.
    """

    length: int = 64
    stride: int = 32
    tail: str = "pad"

    def __post_init__(self) -> None:
        _check_length(self.length)
        if not 1 <= self.stride <= self.length:
            raise ActrecError(
                f"windows.stride is {self.stride}; expected 1 to windows.length={self.length}, so that no frame is "
                "skipped."
            )
        if self.tail not in ("keep", "pad", "drop"):
            raise ActrecError(f"windows.tail is '{self.tail}'. Choose one of: keep, pad, drop.")

    def start(self, n_frames: int) -> int:
        """The frame at which preprocessing starts when `n_frames` have been seen: the clip's first."""
        return 0

    def count(self, n_frames: int) -> int:
        """Number of windows of a clip: at least one."""
        strides = max(n_frames - self.length, 0) / self.stride
        return 1 + (int(strides) if self.tail == "drop" else ceil(strides))

    def train(self, sequence: NormalizedSequence, index: int, rng: np.random.Generator) -> Window:
        """Window `index`, or the last one where augmentation has made the clip too short for it."""
        start = min(index, self.count(len(sequence)) - 1) * self.stride
        if self.tail == "keep":
            start = min(start, max(len(sequence) - self.length, 0))
        return hold_last(sequence.take(slice(start, start + self.length)), self.length)

    def evaluate(self, sequence: NormalizedSequence, n_frames: int) -> list[Window]:
        """All windows of the frames seen: `sequence` is the start of a clip of `n_frames`, or the whole of it."""
        rng = np.random.default_rng(0)  # not drawn from
        return [self.train(sequence, index, rng) for index in range(self.count(len(sequence)))]


@dataclass(frozen=True)
class ResizeWindows:
    """One window a clip: a share of the clip, resampled to a fixed length (InfoGCN++'s protocol).

    Attributes:
        length: Frames of a window.
        p_interval_train: Least and greatest share of the clip that is cropped, at a random place; one number for a
            fixed share of the middle.
        p_interval_val: The share of the middle that evaluation crops.
    """

    length: int = 64
    p_interval_train: Sequence[float] = (0.5, 1.0)
    p_interval_val: Sequence[float] = (0.95,)

    def __post_init__(self) -> None:
        _check_length(self.length)
        for name, sizes in (("p_interval_train", (1, 2)), ("p_interval_val", (1,))):
            shares = getattr(self, name)
            if len(shares) not in sizes or not all(0 < p <= 1 for p in shares) or list(shares) != sorted(shares):
                raise ActrecError(
                    f"windows.{name} is {list(shares)}; expected {' or '.join(map(str, sizes))} ascending numbers, "
                    "each above 0 and at most 1."
                )

    def start(self, n_frames: int) -> int:
        """The frame at which preprocessing starts when `n_frames` have been seen: the clip's first."""
        return 0

    def count(self, n_frames: int) -> int:
        """One."""
        return 1

    def train(self, sequence: NormalizedSequence, index: int, rng: np.random.Generator) -> Window:
        """A crop of the clip, at random where `p_interval_train` has two shares, resampled to `length` frames."""
        if len(self.p_interval_train) == 1:
            positions = self._central(len(sequence), self.p_interval_train[0])
        else:
            least, greatest = self.p_interval_train
            n_crop = max(int(len(sequence) * rng.uniform(least, greatest)), 1)
            positions = self._grid(int(rng.integers(len(sequence) - n_crop + 1)), n_crop)
        return hold_last(resample(sequence, positions), self.length)

    def evaluate(self, sequence: NormalizedSequence, n_frames: int) -> list[Window]:
        """The central crop of a clip of `n_frames`, of which `sequence` is what has been seen so far.

        The sampling grid is that of the whole clip. A position that needs a frame not yet seen is padding; where all
        do, the last frame seen is the one valid frame.
        """
        positions = self._central(n_frames, self.p_interval_val[0])
        positions = positions[np.ceil(positions) <= len(sequence) - 1]
        if not len(positions):
            positions = np.array([len(sequence) - 1.0])
        return [hold_last(resample(sequence, positions), self.length)]

    def _central(self, n_frames: int, share: float) -> Float[ndarray, " time"]:
        margin = int((1 - share) * n_frames / 2)
        return self._grid(margin, n_frames - 2 * margin)

    def _grid(self, start: int, n_crop: int) -> Float[ndarray, " time"]:
        return frame_grid(float(start), (n_crop - 1) / max(self.length - 1, 1), self.length)


@dataclass(frozen=True)
class AnchoredWindows:
    """The one window that online recognition looks at: the frames since its anchor.

    The first anchor is the first frame. Whenever the window is full, it is anchored anew so that half of its frames
    stay. Preprocessing starts at the anchor too, so that nothing before it plays a part: a training clip that begins
    anywhere (`augmentation.temporal_crop`) is what the network meets in use.

    Attributes:
        length: Frames of a window, T.
    """

    length: int = 64

    def __post_init__(self) -> None:
        _check_length(self.length)

    @property
    def renewed(self) -> int:
        """Frames from one anchor to the next: T less the T // 2 that stay."""
        return self.length - self.length // 2

    def start(self, n_frames: int) -> int:
        """The anchor when `n_frames` have been seen: with that many it is 1 to T frames back."""
        return self.renewed * ceil(max(n_frames - self.length, 0) / self.renewed)

    def count(self, n_frames: int) -> int:
        """One."""
        return 1

    def train(self, sequence: NormalizedSequence, index: int, rng: np.random.Generator) -> Window:
        """The first `length` frames."""
        return hold_last(sequence.take(slice(self.length)), self.length)

    def evaluate(self, sequence: NormalizedSequence, n_frames: int) -> list[Window]:
        """The frames since the anchor, which `sequence` starts with."""
        return [hold_last(sequence.take(slice(self.length)), self.length)]


WindowRule = SlidingWindows | ResizeWindows | AnchoredWindows


@dataclass(frozen=True)
class Features:
    """What the network is fed per joint. Every frame's features draw on that frame and the one before it alone.

    Attributes:
        stream: "joint" for positions; "bone" for the vector from the parent joint, with the lesser confidence of both
            ends, and the zero vector for a joint without parent or where either end is not known; "velocity" for the
            change of the position since the frame before, as with use_velocity.
        use_velocity: Whether to add the change of x and y since the frame before, a frame; zero in the first frame,
            in padding, and where the joint is not known in both frames.
    """

    stream: str = "joint"
    use_velocity: bool = False

    def __post_init__(self) -> None:
        if self.stream not in ("joint", "bone", "velocity"):
            raise ActrecError(f"The feature stream is '{self.stream}'. Choose one of: joint, bone, velocity.")
        if self.stream == "velocity" and self.use_velocity:
            raise ActrecError("The velocity stream has velocities already: set use_velocity=false.")

    @property
    def n_channels(self) -> int:
        return 5 if self.use_velocity else 3

    def __call__(self, window: Window, skeleton: Skeleton) -> Float[ndarray, "time joint channel"]:
        """See `of`; padding does not move."""
        return self.of(window.keypoints, window.known, skeleton, window.valid[:, None])

    def observed(self, window: Window, skeleton: Skeleton) -> Bool[ndarray, "time joint"]:
        """Returns where the values of the stream are observed, for the loss of forecasts.

        A joint is where it was seen; a bone where both its ends were, and never for a joint without a parent; a
        velocity where the joint was seen in that frame and the one before.
        """
        seen = window.observed & window.valid[:, None]
        if self.stream == "bone":
            parents = skeleton.parents
            return seen & seen[:, parents] & (parents != np.arange(len(parents)))
        if self.stream == "velocity":
            return seen & np.concatenate([np.zeros_like(seen[:1]), seen[:-1]])
        return seen

    def of(
        self,
        keypoints: Float[ndarray, "*lead time joint 3"],
        known: Bool[ndarray, "*lead time joint"],
        skeleton: Skeleton,
        real: Bool[ndarray, "*lead time _"] | bool = True,
    ) -> Float[ndarray, "*lead time joint channel"]:
        """x, y (or their change) and confidence of each joint or bone, then their velocity if asked for, as float32."""
        features = keypoints.astype(np.float32)
        if self.stream == "bone":
            parents = skeleton.parents
            known = known & known[..., parents]
            features[..., 2] = np.minimum(features[..., 2], features[..., parents, 2])
            features[..., :2] -= features[..., parents, :2]
            features[..., :2][~known] = 0
        if self.stream != "velocity" and not self.use_velocity:
            return features
        velocity = np.zeros_like(features[..., :2])
        moving = (known & real)[..., 1:, :] & known[..., :-1, :]
        change = features[..., 1:, :, :2] - features[..., :-1, :, :2]
        velocity[..., 1:, :, :] = np.where(moving[..., None], change, 0)
        if self.stream == "velocity":
            return np.concatenate([velocity, features[..., 2:]], axis=-1)
        return np.concatenate([features, velocity], axis=-1)
