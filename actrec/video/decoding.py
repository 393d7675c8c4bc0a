"""Decodes a video file with PyAV (FFmpeg): upright pictures of the requested size, with their times."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import UInt8
from numpy import ndarray

from actrec.types import ActrecError
from actrec.video.container import Header, codec_options, opened, read_header, video_stream
from actrec.video.frame_times import FrameTimes
from actrec.video.limits import VideoLimits

log = logging.getLogger(__name__)

_LEAP, _LEAP_OF_JOINED = 3600.0, 10.0  # seconds, as in ffplay
_LOST = 0.01  # share of the frames; a file that has lost more is refused
_SAME_SHAPE = 0.02  # relative difference of two aspect ratios

Pictures = Iterator[tuple[float, UInt8[ndarray, "height width 3"]]]  # seconds from the first; upright, RGB


class Footage(NamedTuple):
    """An open video that has not been decoded yet.

    Attributes:
        width: Of the upright picture, in pixels.
        height: Of the upright picture, in pixels.
        decode: Decodes all pictures in a given width and height.
    """

    width: int
    height: int
    header: Header
    decode: Callable[[int, int], Pictures]


def open_file(path: Path, limits: VideoLimits) -> Footage:
    """Opens a video file, reads and checks its header, and decodes its first picture.

    Raises:
        ImportError: PyAV is not installed.
        ActrecError: It is no video, or none that can be decoded.
        TooMuchVideo: It is beyond the limits.
    """
    with opened(path, limits) as container:
        header = read_header(container, video_stream(container), limits)
    first = next(_decoded(path, limits, header, 1), None)
    if first is None:
        raise ActrecError("none of its pictures can be decoded: it is cut short or damaged. Get it again.")
    width, height = (first.height, first.width) if _turn(first).swapped else (first.width, first.height)
    return Footage(width, height, header, partial(_pictures, path, limits, header))


def _pictures(path: Path, limits: VideoLimits, header: Header, width: int, height: int) -> Pictures:
    from av.error import FFmpegError
    from av.video.reformatter import VideoReformatter

    reformatter, first = VideoReformatter(), None
    times = FrameTimes(header.rate, _LEAP_OF_JOINED if header.joins else _LEAP)
    for number, frame in enumerate(_frames(path, limits, header), start=1):
        stamp = frame.dts if header.by_order or frame.pts is None else frame.pts
        time = times(None if stamp is None else float(stamp * frame.time_base), frame.key_frame)
        limits.check_frame(number, time)
        if first is None:
            first, turn = (frame.width, frame.height), _turn(frame)
        _check_size(frame, first, time, limits)
        size = (height, width) if turn.swapped else (width, height)
        try:
            sized = reformatter.reformat(frame, width=size[0], height=size[1], format="rgb24").to_ndarray()
        except (FFmpegError, ValueError) as error:
            raise ActrecError(f"its pixels ({frame.format.name}) cannot be made RGB ({error}).") from None
        yield time, turn(sized)


def _check_size(frame: Any, first: tuple[int, int], time: float, limits: VideoLimits) -> None:
    """Checks that a picture has the aspect ratio of the first; the resolution may differ."""
    limits.check(side=max(frame.width, frame.height))
    if abs(frame.width * first[1] / (frame.height * first[0]) - 1) > _SAME_SHAPE:
        raise ActrecError(
            f"its pictures change from {first[0]} × {first[1]} to {frame.width} × {frame.height} pixels at "
            f"{time:.2f} s. Cut it there."
        )


class _Turn(NamedTuple):
    """The transformation that makes a stored picture upright: its axes are swapped, then it is mirrored."""

    swapped: bool
    in_x: bool
    in_y: bool

    def __call__(self, picture: UInt8[ndarray, "rows columns 3"]) -> UInt8[ndarray, "height width 3"]:
        if not any(self):
            return picture
        upright = picture.swapaxes(0, 1) if self.swapped else picture
        return np.ascontiguousarray(upright[:: -1 if self.in_y else 1, :: -1 if self.in_x else 1])


def _turn(frame: Any) -> _Turn:
    """Reads the display matrix, which maps a point (p, q) of the stored picture to (a p + c q, b p + d q)."""
    data = frame.side_data.get("DISPLAYMATRIX")
    if data is None:
        return _Turn(False, False, False)
    (a, b, _), (c, d, _), _ = np.frombuffer(bytes(data), dtype=np.int32).reshape(3, 3).tolist()
    swapped = abs(b) + abs(c) > abs(a) + abs(d)
    return _Turn(True, c < 0, b < 0) if swapped else _Turn(False, a < 0, d < 0)


class _LostFrames(Exception):
    """A packet had no picture, and a decoder with many threads may have dropped others with it."""


def _frames(path: Path, limits: VideoLimits, header: Header) -> Iterator[Any]:
    """Decodes frames in the order of presentation, with many threads; after a loss with one, which loses none."""
    given = 0
    try:
        for frame in _decoded(path, limits, header, 0):
            given += 1
            yield frame
    except _LostFrames:
        yield from islice(_decoded(path, limits, header, 1), given, None)


def _decoded(path: Path, limits: VideoLimits, header: Header, threads: int) -> Iterator[Any]:
    """Decodes frames with that many threads (0: FFmpeg's choice); with several, a lost frame raises `_LostFrames`."""
    from av.error import FFmpegError

    n_packets = n_hidden = n_frames = n_bad = 0
    with opened(path, limits) as container:
        stream = video_stream(container)
        stream.codec_context.options = codec_options(limits)
        stream.thread_type, stream.codec_context.thread_count = "AUTO", threads
        packets = container.demux(stream)
        while True:
            try:
                if (packet := next(packets, None)) is None:
                    break
                if packet.size:  # the last one is empty
                    n_packets = packet.dts + 1 if header.by_order and packet.dts is not None else n_packets + 1
                    n_hidden += packet.is_discard
                frames = packet.decode()
            except FFmpegError as error:
                if threads != 1:
                    raise _LostFrames from error
                n_bad += n_frames > 0  # before the first picture, the file starts within a group of pictures
                continue
            for frame in frames:
                n_frames += 1
                yield frame
    if threads != 1 and n_frames < max(n_packets, header.promised) - n_hidden:
        raise _LostFrames
    _report(path, n_frames, n_bad + max(header.promised - n_packets, 0))


def _report(path: Path, n_frames: int, n_lost: int) -> None:
    """Logs the number of frames that are lost."""
    n_all = n_frames + n_lost
    if n_lost > max(_LOST * n_all, 1):
        raise ActrecError(
            f"it is damaged: of {n_all} frames, {n_frames} can be decoded. Get it again, or cut it there."
        )
    if n_lost:
        log.warning("%s: %d of %d frames cannot be decoded and are left out.", path, n_lost, n_all)
