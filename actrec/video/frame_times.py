"""Computes ascending times of decoded frames, in seconds from the first, from any time stamps in the file."""

from __future__ import annotations

from actrec.types import ActrecError

_LEAST = 1e-5  # seconds between two frames with the same stamp
_REORDERED = 16  # frames; H.264 and HEVC reorder at most as many


class FrameTimes:
    """Turns the stamps of decoded frames, in the order of presentation, into times that ascend.

    A frame without a stamp follows the one before after one frame interval. Where stamps start again or jump (joined
    recordings), time advances by one frame interval, as in FFmpeg's player (`compute_target_delay` of ffplay.c).

    Args:
        rate: Frames per second in the header; None if it has none.
        leap: Least step forward between two frames, in seconds, that is treated as a jump.
    """

    def __init__(self, rate: float | None, leap: float) -> None:
        self._leap = leap
        self._step = 1 / rate if rate else None
        self._start: float | None = None
        self._last: float | None = None

    def __call__(self, stamp: float | None, key: bool) -> float:
        """Returns the time of the next frame.

        Args:
            stamp: Its presentation time in the file, in seconds; None if it has none.

        Raises:
            ActrecError: The frame has no stamp, and the file has no frame rate.
        """
        if stamp is None and self._step is None:
            raise ActrecError("it has neither times nor a frame rate. Convert it to MP4.")
        due = 0.0 if self._last is None else self._last + (self._step or 1 / 30)
        if stamp is None:
            time = due
        else:
            if self._start is None or self._leaps(stamp - self._start, key):
                self._start = stamp - due
            time = stamp - self._start
        if self._last is not None:
            time = max(time, self._last + _LEAST)
            self._step = self._step or time - self._last
        self._last = time
        return time

    def _leaps(self, time: float, key: bool) -> bool:
        assert self._last is not None
        back = self._last - time
        return -back > self._leap or (back > 0 and (key or back > _REORDERED * (self._step or 1 / 30)))
