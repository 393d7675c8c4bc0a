"""Resamples a stream to the frame rate of the model."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from actrec.online.state import check_within, fitting
from actrec.types import FARTHEST, LATEST

# A frame this near to a due time, in frames of the model's rate, is the frame that is due: cameras' clocks jitter, and
# waiting for the next frame to interpolate would cost a frame's time.
TOLERANCE = 0.1


class Clock:
    """Resamples one person's keypoints by their timestamps, as `Preprocess.at_rate` does with a clip.

    Args:
        fps: Frames a second that come out; None lets every frame through as it is.
        threshold: Confidence from which a joint is observed.
        n_joints: Joints of the layout.
    """

    def __init__(self, fps: float | int | None, threshold: float, n_joints: int) -> None:
        self.fps, self.threshold = fps, threshold
        self.time = np.nan
        self._last = np.zeros((n_joints, 3), dtype=np.float32)
        self._start, self._due = np.nan, 0

    def push(
        self, keypoints: Float[ndarray, "joint 3"], timestamp: float
    ) -> list[tuple[float, Float[ndarray, "joint 3"]]]:
        """The frames that have come due, with their times in seconds: none, one or, after a slow frame, some.

        They are at most two more than fit between this frame and the one before, so the caller bounds the work of a
        push by the longest gap that it bridges.

        Args:
            keypoints: Of a frame later than the one before.
            timestamp: Of that frame, in seconds, see `actrec.types.checked_timestamp`.
        """
        before, self.time = self.time, timestamp
        last, self._last = self._last, keypoints
        if self.fps is None:
            return [(timestamp, keypoints)]
        if np.isnan(self._start):
            self._start = timestamp
        frames = []
        while (due := self._start + self._due / self.fps) <= timestamp + TOLERANCE / self.fps:
            near = abs(due - timestamp) * self.fps <= TOLERANCE
            frame = keypoints if near else self._between(last, keypoints, (due - before) / (timestamp - before))
            frames.append((due, frame))
            self._due += 1
        return frames

    def _between(
        self, last: Float[ndarray, "joint 3"], keypoints: Float[ndarray, "joint 3"], weight: float
    ) -> Float[ndarray, "joint 3"]:
        weight = min(max(weight, 0.0), 1.0)
        both = (np.minimum(last[:, 2], keypoints[:, 2]) >= self.threshold)[:, None]
        return np.where(both, last * np.float32(1 - weight) + keypoints * np.float32(weight), np.float32(0))

    def state(self) -> dict[str, ndarray]:
        """Returns the whole state."""
        return {"times": np.array([self.time, self._start]), "due": np.array(self._due), "frame": self._last}

    def restore(self, state: dict[str, ndarray]) -> None:
        """Restores what `state` returned.

        Raises:
            ValueError: The state is not valid; nothing has changed then.
        """
        times, due = fitting(state, "times", (2,), float), int(fitting(state, "due", (), int))
        frame = fitting(state, "frame", self._last.shape, np.float32)
        time, start = (float(value) for value in times)
        check_within(FARTHEST, frame)
        check_within(LATEST, times[:1])
        if self.fps is None:
            fits = bool(np.isnan(start)) and due == 0
        else:  # those due up to now have come out: no more than a gap's are outstanding
            fits = -LATEST <= start <= time and abs((time - start) * self.fps + 1 - due) <= 1 + TOLERANCE
        if not fits:
            raise ValueError("the clock is not that of a stream")
        self.time, self._start, self._due, self._last = time, start, due, frame
