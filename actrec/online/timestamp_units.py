"""Detects timestamps that are not in seconds: in another unit, all frames are too far apart or too close."""

from __future__ import annotations

import numpy as np

from actrec.types import ActrecError

FAR_FRAMES = 10  # consecutive gaps; a real stream has gaps, but not at every frame
NEAR_FRAMES = 300
NEAREST = 1 / 1000  # seconds; faster than any camera


class TimestampUnitCheck:
    """Checks the gaps between the frames of one stream.

    Args:
        max_gap: Longest gap that is bridged, in seconds.
    """

    def __init__(self, max_gap: float) -> None:
        self.max_gap = max_gap
        self._time, self._far, self._near = np.nan, 0, 0

    def push(self, timestamp: float) -> None:
        """Takes the time of the next frame; a time that is not later belongs to another person, or to a new stream.

        Args:
            timestamp: Expected in seconds.

        Raises:
            ActrecError: The last `FAR_FRAMES` gaps were all longer than `max_gap`, or the last `NEAR_FRAMES` all
                shorter than `NEAREST`. In the first case the next gap is counted from this frame.
        """
        gap, far, near = timestamp - self._time, self._far, self._near
        if gap > 0:
            far = far + 1 if gap > self.max_gap else 0
            near = near + 1 if gap < NEAREST else 0
        if far >= FAR_FRAMES:
            self._time = timestamp  # a stream whose frames become closer again is accepted again
            raise ActrecError(
                f"Each of the last {far} frames came more than max_gap={self.max_gap:g} s after the one before, the "
                f"newest {gap:g} s. {_unit(gap)} A stream that is so slow needs a larger max_gap."
            )
        if near >= NEAR_FRAMES:
            raise ActrecError(
                f"Each of the last {near} frames came less than {NEAREST:g} s after the one before, the newest "
                f"{gap:.3g} s. Are the timestamps in minutes or hours? Give seconds."
            )
        self._time, self._far, self._near = timestamp, far, near


def _unit(gap: float) -> str:
    """Suggests the unit of timestamps with this gap; frames of a camera are 0.004 to 1 s apart."""
    for least, name, per_second in ((2e6, "nanoseconds", "1e9"), (2e3, "microseconds", "1e6")):
        if gap > least:
            return f"Are the timestamps in {name}? Give seconds: divide them by {per_second}."
    return "Are the timestamps in milliseconds? Give seconds: divide them by 1000."
