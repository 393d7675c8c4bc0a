"""Cuts preprocessed clips into windows of a fixed number of frames, and pads windows that are too short.

Windows come after preprocessing; window-level augmentation and `features.py` follow. Evaluation uses the rule that is
saved with the model; online recognition uses `AnchoredWindows` if the model does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from actrec.pipeline.resampling import frame_grid, resample
from actrec.types import ActrecError, NormalizedSequence, Window


def pad_to_window(sequence: NormalizedSequence, length: int) -> Window:
    """Pads a sequence to a window of `length` frames: its last frame is repeated, and marked as not valid."""
    held = sequence.take(np.minimum(np.arange(length), len(sequence) - 1))
    valid = np.arange(length) < len(sequence)
    return Window(held.keypoints, held.observed & valid[:, None], held.known, valid, targets=held.targets)


def _check_length(length: int) -> None:
    if length < 1:
        raise ActrecError(f"windows.length is {length}; expected at least 1 frame.")


@dataclass(frozen=True)
class SlidingWindows:
    """Cuts windows at a fixed stride, without resampling.

    Attributes:
        length: Frames of a window. A shorter clip gives one window, padded by repeating its last frame.
        stride: Frames from one window to the next, at most `length`.
        tail: Treatment of the frames after the last full window: "keep" adds a window that ends at the last frame,
            "pad" adds a padded window, "drop" leaves them out.
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
        """Returns the frame at which preprocessing starts: the first."""
        return 0

    def count(self, n_frames: int) -> int:
        """Returns the number of windows of a clip, at least 1."""
        strides = max(n_frames - self.length, 0) / self.stride
        return 1 + (int(strides) if self.tail == "drop" else ceil(strides))

    def train(self, sequence: NormalizedSequence, index: int, rng: np.random.Generator) -> Window:
        """Returns window `index`, or the last one if augmentation has made the clip too short for it."""
        start = min(index, self.count(len(sequence)) - 1) * self.stride
        if self.tail == "keep":
            start = min(start, max(len(sequence) - self.length, 0))
        return pad_to_window(sequence.take(slice(start, start + self.length)), self.length)

    def evaluate(self, sequence: NormalizedSequence, n_frames: int) -> list[Window]:
        """Returns all windows of the frames seen; `sequence` is a clip of `n_frames`, or its first part."""
        rng = np.random.default_rng(0)  # unused
        return [self.train(sequence, index, rng) for index in range(self.count(len(sequence)))]


@dataclass(frozen=True)
class ResizeWindows:
    """Cuts one window from a clip: a share of its frames, resampled to a fixed length (InfoGCN++'s protocol).

    Attributes:
        length: Frames of a window.
        p_interval_train: Least and greatest share of the clip's frames that are cropped at a random position; one
            number crops that share from the middle.
        p_interval_val: The share that evaluation crops from the middle.
        random_sampling: Whether training samples each frame at a random time about its own, up to half a step away.
    """

    length: int = 64
    p_interval_train: Sequence[float] = (0.5, 1.0)
    p_interval_val: Sequence[float] = (0.95,)
    random_sampling: bool = False

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
        """Returns the frame at which preprocessing starts: the first."""
        return 0

    def count(self, n_frames: int) -> int:
        """Returns the number of windows of a clip: one."""
        return 1

    def train(self, sequence: NormalizedSequence, index: int, rng: np.random.Generator) -> Window:
        """Returns a crop of the clip, random if `p_interval_train` has two shares, resampled to `length` frames."""
        if len(self.p_interval_train) == 1:
            positions = self._central(len(sequence), self.p_interval_train[0])
        else:
            least, greatest = self.p_interval_train
            n_crop = max(int(len(sequence) * rng.uniform(least, greatest)), 1)
            positions = self._grid(int(rng.integers(len(sequence) - n_crop + 1)), n_crop)
        if self.random_sampling:
            step = (positions[-1] - positions[0]) / max(self.length - 1, 1)
            positions = positions + step * rng.uniform(-0.5, 0.5, self.length)
            positions = positions.clip(0, len(sequence) - 1)
        return pad_to_window(resample(sequence, positions), self.length)

    def evaluate(self, sequence: NormalizedSequence, n_frames: int) -> list[Window]:
        """Returns the central crop of a clip of `n_frames`, of which `sequence` has been seen so far.

        The sampling positions are those of the whole clip. Positions that need frames not yet seen are padding; if all
        do, the last frame seen is the only valid frame.
        """
        positions = self._central(n_frames, self.p_interval_val[0])
        positions = positions[np.ceil(positions) <= len(sequence) - 1]
        if not len(positions):
            positions = np.array([len(sequence) - 1.0])
        return [pad_to_window(resample(sequence, positions), self.length)]

    def _central(self, n_frames: int, share: float) -> Float[ndarray, " time"]:
        margin = int((1 - share) * n_frames / 2)
        return self._grid(margin, n_frames - 2 * margin)

    def _grid(self, start: int, n_crop: int) -> Float[ndarray, " time"]:
        return frame_grid(float(start), (n_crop - 1) / max(self.length - 1, 1), self.length)


@dataclass(frozen=True)
class AnchoredWindows:
    """Cuts the window that online recognition uses: the frames since an anchor.

    The first anchor is the first frame. When the window is full, the anchor moves so that half of the frames remain.
    Preprocessing starts at the anchor as well, so that earlier frames have no influence. In training, clips that begin
    at random frames (`augmentation.temporal_crop`) correspond to this.

    Attributes:
        length: Frames of a window, T.
    """

    length: int = 64

    def __post_init__(self) -> None:
        _check_length(self.length)

    @property
    def renewed(self) -> int:
        """Frames from one anchor to the next: T less the T // 2 that remain."""
        return self.length - self.length // 2

    def start(self, n_frames: int) -> int:
        """Returns the anchor when `n_frames` have been seen: the first of the last 1 to T frames."""
        return self.renewed * ceil(max(n_frames - self.length, 0) / self.renewed)

    def count(self, n_frames: int) -> int:
        """Returns the number of windows of a clip: one."""
        return 1

    def train(self, sequence: NormalizedSequence, index: int, rng: np.random.Generator) -> Window:
        """Returns the first `length` frames."""
        return pad_to_window(sequence.take(slice(self.length)), self.length)

    def evaluate(self, sequence: NormalizedSequence, n_frames: int) -> list[Window]:
        """Returns the frames since the anchor, with which `sequence` starts."""
        return [pad_to_window(sequence.take(slice(self.length)), self.length)]


WindowRule = SlidingWindows | ResizeWindows | AnchoredWindows
