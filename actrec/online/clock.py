"""A stream's frames at the rate that the model works at."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from numpy import ndarray

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

        Args:
            keypoints: Of a frame later than the one before.
            timestamp: Of that frame, in seconds.
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
        """All that it remembers."""
        return {"times": np.array([self.time, self._start]), "due": np.array(self._due), "frame": self._last}

    def restore(self, state: dict[str, ndarray]) -> None:
        """Goes on from what `state` gave."""
        self.time, self._start = (float(value) for value in state["times"])
        self._due, self._last = int(state["due"]), state["frame"]
