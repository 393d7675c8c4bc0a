"""Limits the length, frame rate and size of videos; checked in the header before decoding, and again while decoding."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from actrec.types import ActrecError

MOST_FPS = 1000.0  # frames per second; faster than any camera, so that a greater rate in a file is wrong


class TooMuchVideo(ActrecError):
    """A video beyond the limits."""


@dataclass(frozen=True)
class VideoLimits:
    """The greatest values that a video may have; real videos are within the defaults.

    Attributes:
        seconds: Length.
        fps: Frames per second.
        side: Longer side of its pictures, in pixels.
        frames: Number of frames.
    """

    seconds: float | int = np.inf
    fps: float | int = MOST_FPS
    side: float | int = 16_384
    frames: float | int = np.inf

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not value > 0:
                raise ActrecError(f"The limit {field.name} is {value!r}; expected a number above 0.")

    def check(
        self, side: int | None = None, seconds: float | None = None, fps: float | None = None, frames: int | None = None
    ) -> None:
        """Raises TooMuchVideo if a value of a video is beyond its limit; None is unknown."""
        for what, found, most, unit in (
            ("is", side, self.side, "pixels a side"),
            ("lasts", seconds, self.seconds, "seconds"),
            ("has", fps, self.fps, "frames a second"),
            ("has", frames, self.frames, "frames"),
        ):
            if found is not None and found > most:
                raise TooMuchVideo(f"The video {what} {found:g} {unit}; at most {most:g} are taken.")

    def check_frame(self, number: int, time: float) -> None:
        """Checks a decoded frame (number from 1, time in seconds), since the header may state less than there is."""
        self.check(seconds=time, frames=number)
        if number > self.fps * (time + 1):  # the first second is not checked
            self.check(fps=(number - 1) / max(time, 1e-3))
