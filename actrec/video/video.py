"""Opens a video file or a folder of numbered pictures as a sequence of frames with their times.

Number, order, pictures and times of frames are those that are decoded (`decoding.py`); the header is only used for
estimates before decoding.
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
from actrec.video.limits import MOST_FPS, VideoLimits
from actrec.video.pictures import open_pictures

log = logging.getLogger(__name__)

# Endings, in any case, of files that are opened with PyAV; their content decides how they are read.
VIDEOS = (
    *(".264", ".265", ".3g2", ".3gp", ".apng", ".asf", ".avi", ".cine", ".dav", ".divx", ".dv", ".f4v", ".flv", ".gif"),
    *(".gxf", ".h264", ".h265", ".hevc", ".ivf", ".m1v", ".m2t", ".m2ts", ".m2v", ".m4v", ".mjpeg", ".mjpg", ".mk3d"),
    *(".mkv", ".mod", ".mov", ".mp4", ".mpe", ".mpeg", ".mpg", ".mpv", ".mts", ".mxf", ".nut", ".obu", ".ogm", ".ogv"),
    *(".qt", ".rm", ".rmvb", ".tod", ".trp", ".ts", ".vob", ".webm", ".wmv", ".wtv", ".xvid", ".y4m"),
)

_CONSTANT = 0.5  # frame intervals; greatest deviation of a frame's time from that at a constant rate
_USUAL = 0.25  # greatest relative difference of a frame interval from the median that is due to rounding
_UNKNOWN_RATE = 30.0  # frames per second of a single picture whose file has no rate


def is_video(path: Path) -> bool:
    """Returns whether a file has the ending of a video, in any case, and is not hidden (such as macOS's `._x.mp4`)."""
    return path.suffix.lower() in VIDEOS and not path.name.startswith(".")


class Video:
    """An open video that has not been decoded yet; decoding raises an ActrecError if the file is damaged.

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
        """Frames per second by the header; the video is only decoded if that has none."""
        return self._header.rate or self.fps

    @property
    def about_frames(self) -> int:
        """Number of frames by the header; the video is only decoded if that has none."""
        return self._header.n_frames or len(self.times)

    @cached_property
    def times(self) -> Float[ndarray, " frame"]:
        """The time of each frame in seconds from the first; it is decoded unless `frames` has done so."""
        width, height = self._size(16)
        return np.array([time for time, _ in self._decode(width, height)])

    @property
    def fps(self) -> float:
        """Frames per second: the rate in the header if the frames have it, else that of most frames."""
        fps = self._mean_rate
        if not self.is_constant:
            steps = np.diff(self.times)
            median = np.quantile(steps, 0.5, method="lower")  # one of the values: the mean of two may be far from both
            usual = np.abs(steps / median - 1) < _USUAL  # some containers round times to milliseconds
            fps = float(1 / steps[usual].mean())
        if fps > MOST_FPS:
            raise ActrecError(
                f"its frames come at {fps:.0f} a second; expected at most {MOST_FPS:g}. Its times are damaged."
            )
        return fps

    @property
    def is_constant(self) -> bool:
        """Returns whether the frame rate is constant, within half a frame interval for each frame."""
        away = np.abs(self.times * self._mean_rate - np.arange(len(self.times)))
        return bool(away.max() < _CONSTANT)

    @property
    def _mean_rate(self) -> float:
        if self._header.rate is not None:
            return self._header.rate
        return float((len(self.times) - 1) / self.times[-1]) if len(self.times) > 1 else _UNKNOWN_RATE

    def frames(self, longest: int | None = None) -> Iterator[tuple[float, Picture]]:
        """Yields the time in seconds and the upright RGB picture of every frame, in order.

        Args:
            longest: Longer side, in pixels, to which larger pictures are scaled.

        Raises:
            ActrecError: The file is damaged; earlier frames have been yielded.
            TooMuchVideo: It is beyond the limits.
        """
        times = []
        for time, picture in self._decode(*self._size(longest)):
            times.append(time)
            yield time, picture
        self.__dict__["times"] = np.array(times)  # so that `times` decodes nothing again

    def _size(self, longest: int | None) -> tuple[int, int]:
        scale = min(1.0, (longest or np.inf) / max(self.width, self.height))
        return max(round(self.width * scale), 1), max(round(self.height * scale), 1)


def open_video(path: Path, picture_fps: object = 30.0, limits: VideoLimits | None = None) -> Video:
    """Opens a video file, or a folder of pictures in the order of the numbers in their names.

    Args:
        picture_fps: Frames per second of a folder of pictures.
        limits: Limits that are checked in the header before decoding, and again while decoding.

    Raises:
        ActrecError: It does not exist, cannot be read, is empty, or is no video that can be decoded.
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
                raise ActrecError("the file is empty (0 bytes). Get it again.")
    except OSError as error:
        raise ActrecError(f"it cannot be read: {error.strerror}.") from None
    try:
        return Video(path, open_file(path, limits))
    except ImportError as error:
        raise SetupError(
            f"Videos cannot be read, as {error.name} is not installed: pip install 'actrec[video]'"
        ) from None
