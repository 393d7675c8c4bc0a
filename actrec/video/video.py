"""A video file, or a folder of numbered pictures, as frames with their times.

PyAV decodes files (`decoding.py`). Number, order, pictures and times of frames are those that are decoded; the header
is only used for an estimate beforehand.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from actrec.types import ActrecError, Picture, SetupError
from actrec.video.decoding import Footage, open_file
from actrec.video.limits import MOST_FPS, TooMuchVideo, VideoLimits
from actrec.video.pictures import PICTURES, natural, open_pictures

__all__ = [
    "PICTURES",
    "VIDEOS",
    "TooMuchVideo",
    "Video",
    "VideoLimits",
    "is_video",
    "natural",
    "open_video",
]

log = logging.getLogger(__name__)

# Endings of files that PyAV opens, in any case; what is in them decides how they are read.
VIDEOS = (
    *(".264", ".265", ".3g2", ".3gp", ".apng", ".asf", ".avi", ".cine", ".dav", ".divx", ".dv", ".f4v", ".flv", ".gif"),
    *(".gxf", ".h264", ".h265", ".hevc", ".ivf", ".m1v", ".m2t", ".m2ts", ".m2v", ".m4v", ".mjpeg", ".mjpg", ".mk3d"),
    *(".mkv", ".mod", ".mov", ".mp4", ".mpe", ".mpeg", ".mpg", ".mpv", ".mts", ".mxf", ".nut", ".obu", ".ogm", ".ogv"),
    *(".qt", ".rm", ".rmvb", ".tod", ".trp", ".ts", ".vob", ".webm", ".wmv", ".wtv", ".xvid", ".y4m"),
)

_CONSTANT = 0.5  # a frame may be that share of the frame time away from where a constant rate would have it
_USUAL = 0.25  # relative difference of a frame time from the median that is taken for rounding
_UNKNOWN_RATE = 30.0  # frames a second of a single picture whose file gives no rate


def is_video(path: Path) -> bool:
    """Whether a file's name is that of a video: its ending, in any case, and not a hidden one (macOS' `._x.mp4`)."""
    return path.suffix.lower() in VIDEOS and not path.name.startswith(".")


class Video:
    """A video that is open, and not yet decoded.

    Attributes:
        path: The file, or the folder of pictures.
        width: Of the upright picture, in pixels as stored.
        height: Of the upright picture, in pixels as stored.
    """

    def __init__(self, path: Path, footage: Footage) -> None:
        self.path, self.width, self.height = path, footage.width, footage.height
        self._header, self._decode = footage.header, footage.decode

    @property
    def about_fps(self) -> float:
        """Frames a second by the header, where it says so; nothing is decoded for it."""
        return self._header.rate or self.fps

    @property
    def about_frames(self) -> int:
        """How many frames there are by the header, where it says so; nothing is decoded for it."""
        return self._header.n_frames or len(self.times)

    @cached_property
    def times(self) -> Float[ndarray, " frame"]:
        """Of each frame, in seconds from the first; all are decoded for it, where `frames` has not done so.

        Raises:
            ActrecError: The file is damaged.
        """
        width, height = self._size(16)
        return np.array([time for time, _ in self._decode(width, height)])

    @property
    def fps(self) -> float:
        """Frames a second: the header's figure where the rate is constant, else that of most of the frames.

        Raises:
            ActrecError: The file is damaged, or its frames come faster than any camera gives them.
        """
        fps = self._mean_rate
        if not self.is_constant:
            steps = np.diff(self.times)
            median = np.quantile(steps, 0.5, method="lower")  # one of them: the mean of two may be far from both
            usual = np.abs(steps / median - 1) < _USUAL  # containers round times, to milliseconds some
            fps = float(1 / steps[usual].mean())
        if fps > MOST_FPS:
            raise ActrecError(
                f"its frames come at {fps:.0f} a second; expected at most {MOST_FPS:g}. Its times are damaged."
            )
        return fps

    @property
    def is_constant(self) -> bool:
        """Whether each frame is where a constant rate would have it, within half a frame."""
        away = np.abs(self.times * self._mean_rate - np.arange(len(self.times)))
        return bool(away.max() < _CONSTANT)

    @property
    def _mean_rate(self) -> float:
        if self._header.rate is not None:
            return self._header.rate
        return float((len(self.times) - 1) / self.times[-1]) if len(self.times) > 1 else _UNKNOWN_RATE

    def frames(self, longest: int | None = None) -> Iterator[tuple[float, Picture]]:
        """Time in seconds and upright RGB picture of every frame, in order, one held at a time.

        Args:
            longest: Larger pictures are decoded so that their longer side has that many pixels.

        Raises:
            ActrecError: The file is damaged further on; what came before has been given out.
            TooMuchVideo: It is beyond the limits.
        """
        times = []
        for time, picture in self._decode(*self._size(longest)):
            times.append(time)
            yield time, picture
        self.__dict__["times"] = np.array(times)  # seen now: nothing is decoded again for it

    def _size(self, longest: int | None) -> tuple[int, int]:
        scale = min(1.0, (longest or np.inf) / max(self.width, self.height))
        return max(round(self.width * scale), 1), max(round(self.height * scale), 1)


def open_video(path: Path, picture_fps: object = 30.0, limits: VideoLimits | None = None) -> Video:
    """Opens a video file, or a folder of pictures whose order is that of the numbers in their names.

    Args:
        path: The file or folder.
        picture_fps: Frames a second of a folder of pictures.
        limits: What the video may be; checked in its header before a picture is decoded, and again while it is.

    Raises:
        ActrecError: It is not there, may not be read, is empty, or is no video that can be decoded.
        TooMuchVideo: It is beyond the limits.
        SetupError: PyAV is not installed.
    """
    limits = limits or VideoLimits()
    if path.is_dir():
        return Video(path, open_pictures(path, picture_fps, limits))
    try:
        if path.exists() and not path.is_file():
            raise ActrecError("it is no regular file.")
        with path.open("rb") as stream:
            if not stream.read(1):
                raise ActrecError("the file is empty (0 bytes). Fetch it anew.")
    except OSError as error:
        raise ActrecError(f"it cannot be read: {error.strerror}.") from None
    try:
        return Video(path, open_file(path, limits))
    except ImportError as error:
        raise SetupError(
            f"Videos cannot be read, as {error.name} is not installed: pip install 'actrec[video]'"
        ) from None
