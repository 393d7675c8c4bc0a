"""Decoding: a video file, or a folder of numbered pictures, as frames with their times.

decord reads a file; where it cannot open one (a codec that it does not know, a platform that it is not built for),
PyAV does. Both honour rotation, and decode at the size that is asked for.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, UInt8
from numpy import ndarray

from actrec.types import ActrecError, SetupError

log = logging.getLogger(__name__)

VIDEOS = (".avi", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".ts", ".webm", ".wmv")
PICTURES = (".jpg", ".jpeg", ".png")

Picture = UInt8[ndarray, "height width 3"]  # RGB
_NARROW = 128  # pixels
_CONSTANT = 0.5  # a frame may be that share of the frame time away from where a constant rate would have it


@dataclass(frozen=True)
class Video:
    """A video that is open, and not yet decoded.

    Attributes:
        path: The file, or the folder of pictures.
        times: Of each frame, in seconds from the first.
        rate: What the file says its mean rate is, in frames a second.
        width: Of the upright picture, in pixels.
        height: Of the upright picture, in pixels.
    """

    path: Path
    times: Float[ndarray, " frame"]
    rate: float
    width: int
    height: int
    _decode: Callable[[int, int], Iterator[Picture]]

    @property
    def fps(self) -> float:
        """Frames a second: the file's own figure where the rate is constant, else that of most of its frames."""
        if len(self.times) < 2 or self.is_constant:
            return self.rate
        return float(1 / np.median(np.diff(self.times)))

    @property
    def is_constant(self) -> bool:
        """Whether each frame is where a constant rate would have it, within half a frame."""
        away = np.abs(self.times * self.rate - np.arange(len(self.times)))
        return bool(away.max() < _CONSTANT)

    def frames(self, longest: int | None = None) -> Iterator[tuple[float, Picture]]:
        """Time in seconds and upright RGB picture of every frame, in order, one held at a time.

        Args:
            longest: Larger pictures are decoded so that their longer side has that many pixels.

        Raises:
            ActrecError: The file is damaged further on; what came before has been given out.
        """
        scale = min(1.0, (longest or np.inf) / max(self.width, self.height))
        width, height = (max(round(size * scale), 1) for size in (self.width, self.height))
        number = 0
        try:
            for number, picture in enumerate(self._decode(width, height), start=1):
                yield float(self.times[number - 1]), picture
        except ActrecError:
            raise
        except Exception as error:  # decord, FFmpeg and OpenCV have a dozen kinds for a damaged stream
            log.debug("%s: %s", self.path, error)
        if number < len(self.times):
            raise ActrecError(
                f"it is damaged: of {len(self.times)} frames, {number} can be decoded. Fetch it anew, or cut it there."
            )


def open_video(path: Path, picture_fps: float = 30.0) -> Video:
    """Opens a video file, or a folder of pictures whose order is that of their names.

    Args:
        path: The file or folder.
        picture_fps: Frames a second of a folder of pictures.

    Raises:
        ActrecError: It is not there, may not be read, is empty, or is no video that can be decoded.
        SetupError: Neither decord nor PyAV is installed.
    """
    if path.is_dir():
        return _open_pictures(path, picture_fps)
    try:
        with path.open("rb") as stream:
            if not stream.read(1):
                raise ActrecError("the file is empty (0 bytes). Fetch it anew.")
    except OSError as error:
        raise ActrecError(f"it cannot be read: {error.strerror}.") from None
    reasons = []
    for backend in (_open_decord, _open_av):
        try:
            return backend(path)
        except ImportError as error:
            if backend is _open_av:
                raise SetupError(
                    f"Videos cannot be read, as {error.name} is not installed: pip install 'actrec[video]'"
                ) from None
        except Exception as error:  # each has a dozen kinds for a file that it cannot open
            reasons.append(getattr(error, "strerror", None) or str(error).strip())
    raise ActrecError(f"it cannot be opened as a video: cut short, damaged, or no video at all ({reasons[-1]}).")


def _open_decord(path: Path) -> Video:
    import decord

    decord.logging.set_level(decord.logging.QUIET)  # what is wrong with a file is said by our own errors
    reader = decord.VideoReader(str(path))
    starts = reader.get_frame_timestamp(np.arange(len(reader)))[:, 0].astype(np.float64)
    height, width, channels = reader.next().shape
    if channels != 3:
        raise ValueError("decord has padded the rows of a narrow picture")

    def decode(width: int, height: int) -> Iterator[Picture]:
        narrow = width < _NARROW  # such rows it pads when it scales, too
        size = {} if narrow else {"width": width, "height": height}
        sized = decord.VideoReader(str(path), **size)
        for _ in range(len(sized)):
            picture = sized.next().asnumpy()
            yield _resized(picture, width, height) if narrow else picture

    return _checked(path, starts, float(reader.get_avg_fps()), width, height, decode)


def _open_av(path: Path) -> Video:
    import av

    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        ticks = sorted(packet.pts for packet in container.demux(stream) if packet.pts is not None)
        starts = np.array(ticks, dtype=np.float64) * float(stream.time_base or 1)
        rate = float(stream.average_rate or stream.guessed_rate or 0)
        container.seek(0)
        first = next(container.decode(stream))
        turned = first.rotation % 360 in (90, 270)
        width, height = (first.height, first.width) if turned else (first.width, first.height)

    def decode(width: int, height: int) -> Iterator[Picture]:
        with av.open(str(path)) as container:
            container.streams.video[0].thread_type = "AUTO"
            size: dict[str, Any] = {"width": height, "height": width} if turned else {"width": width, "height": height}
            for frame in container.decode(video=0):
                picture = frame.reformat(**size, format="rgb24").to_ndarray()
                yield np.ascontiguousarray(np.rot90(picture, frame.rotation // 90))

    log.info("decord cannot open %s; PyAV reads it.", path)
    return _checked(path, starts, rate, width, height, decode)


def _open_pictures(folder: Path, fps: float) -> Video:
    try:
        files = sorted(file for file in folder.iterdir() if file.suffix.lower() in PICTURES)
    except OSError as error:
        raise ActrecError(f"the folder cannot be read: {error.strerror}.") from None
    if not files:
        raise ActrecError(f"the folder has no pictures ({', '.join(PICTURES)}).")
    import cv2

    def read(file: Path) -> Picture:
        picture = cv2.imdecode(np.fromfile(file, dtype=np.uint8), cv2.IMREAD_COLOR) if file.stat().st_size else None
        if picture is None:
            raise ActrecError(f"its picture {file.name} cannot be read. Fetch it anew.")
        return cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)

    def decode(width: int, height: int) -> Iterator[Picture]:
        for file in files:
            yield _resized(read(file), width, height)

    height, width, _ = read(files[0]).shape
    return _checked(folder, np.arange(len(files)) / fps, fps, width, height, decode)


def _resized(picture: Picture, width: int, height: int) -> UInt8[ndarray, "_ _ 3"]:
    import cv2

    if picture.shape[:2] == (height, width):
        return picture
    smaller: ndarray = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
    return smaller


def _checked(
    path: Path,
    starts: Float[ndarray, " frame"],
    rate: float,
    width: int,
    height: int,
    decode: Callable[[int, int], Iterator[Picture]],
) -> Video:
    if not len(starts):
        raise ActrecError("it has no frames.")
    times = np.maximum.accumulate(starts - starts[0])
    if not (np.isfinite(rate) and rate > 0):
        rate = (len(times) - 1) / times[-1] if times[-1] > 0 else 30.0
    return Video(path, times, rate, width, height, decode)
