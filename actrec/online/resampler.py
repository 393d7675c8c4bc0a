"""Resamples a stream of keypoints to the frame rate of the model, frame by frame."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from actrec.online.state_checks import check_within, checked_array
from actrec.types import FARTHEST, LATEST

# A frame this close to a due time, in frames at the model's rate, is used without interpolation: cameras' clocks
# jitter, and waiting for the next frame would add a frame of latency.
TOLERANCE = 0.1


class StreamResampler:
    """Resamples one person's keypoints by their timestamps, as `Preprocess.at_rate` a clip's; fps None keeps all."""

    def __init__(self, fps: float | int | None, threshold: float, n_joints: int, n_coordinates: int = 2) -> None:
        self.fps, self.threshold = fps, threshold
        self.time = np.nan
        self._last = np.zeros((n_joints, n_coordinates + 1), dtype=np.float32)
        self._start, self._due = np.nan, 0

    def push(
        self, keypoints: Float[ndarray, "joint value"], timestamp: float
    ) -> list[tuple[float, Float[ndarray, "joint value"]]]:
        """Takes the next frame and returns the output frames that are due by then, with their times in seconds.

        Their number is at most the gap since the previous frame times the frame rate, plus two; the caller limits the
        gap, and makes sure that the timestamps ascend.
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
        self, last: Float[ndarray, "joint value"], keypoints: Float[ndarray, "joint value"], weight: float
    ) -> Float[ndarray, "joint value"]:
        weight = min(max(weight, 0.0), 1.0)
        both = (np.minimum(last[:, -1], keypoints[:, -1]) >= self.threshold)[:, None]
        return np.where(both, last * np.float32(1 - weight) + keypoints * np.float32(weight), np.float32(0))

    def state(self) -> dict[str, ndarray]:
        """Returns the whole state."""
        return {"times": np.array([self.time, self._start]), "due": np.array(self._due), "frame": self._last}

    def restore(self, state: dict[str, ndarray]) -> None:
        """Restores what `state` returned."""
        times, due = checked_array(state, "times", (2,), float), int(checked_array(state, "due", (), int))
        frame = checked_array(state, "frame", self._last.shape, np.float32)
        time, start = (float(value) for value in times)
        check_within(FARTHEST, frame)
        check_within(LATEST, times[:1])
        if self.fps is None:
            fits = bool(np.isnan(start)) and due == 0
        else:  # all frames due until now have been returned
            fits = -LATEST <= start <= time and abs((time - start) * self.fps + 1 - due) <= 1 + TOLERANCE
        if not fits:
            raise ValueError("the state of the resampler is not that of a stream")
        self.time, self._start, self._due, self._last = time, start, due, frame
