"""Small video files of every kind, made with PyAV; the blocks in a picture's lower half are its number in binary."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

WIDTH, HEIGHT, N = 96, 64, 20
TICKS = 90_000


def picture(number: int, width: int = WIDTH, height: int = HEIGHT) -> np.ndarray:
    """A red corner above at the left, and six blocks below, the first of which is the lowest bit."""
    image = np.full((height, width, 3), 40, dtype=np.uint8)
    for bit in range(6):
        if number >> bit & 1:
            image[height // 2 :, bit * width // 6 : (bit + 1) * width // 6] = 230
    image[: height // 4, : width // 4] = (230, 60, 60)
    return image


def number(image: np.ndarray) -> int:
    """Which picture it is."""
    height, width, _ = image.shape
    inner = [slice(bit * width // 6 + width // 32, (bit + 1) * width // 6 - width // 32) for bit in range(6)]
    return sum(
        int(image[height // 2 + height // 16 : -2, block].mean() > 135) << bit for bit, block in enumerate(inner)
    )


def write(
    path: Path,
    codec: str = "libx264",
    *,
    n: int = N,
    first: int = 0,
    rate: Fraction | int = 25,
    size: tuple[int, int] = (WIDTH, HEIGHT),
    pixels: str = "yuv420p",
    gop: int = 6,
    times: Sequence[float] | None = None,
    container: str | None = None,
    mux: dict[str, str] | None = None,
    prepare: Callable[[Any], None] = lambda stream: None,
    **options: str,
) -> Path:
    """Writes n pictures, from number `first` on, at a rate or at times in seconds; `options` are the encoder's."""
    if codec == "libx264":
        options = {"bf": "2", "sc_threshold": "0", "preset": "ultrafast", **options}
    with av.open(str(path), "w", format=container, options=mux or {}) as out:
        stream = out.add_stream(codec, rate=rate, options=options)
        stream.width, stream.height, stream.pix_fmt, stream.gop_size = *size, pixels, gop
        prepare(stream)
        if times is not None:
            stream.codec_context.time_base = Fraction(1, TICKS)
        for index in range(n):
            frame = av.VideoFrame.from_ndarray(picture(first + index, *size), format="rgb24")
            if times is not None:
                frame.pts, frame.time_base = round(times[index] * TICKS), Fraction(1, TICKS)
            out.mux(stream.encode(frame))
        out.mux(stream.encode())
    return path


def remux(
    source: Path, path: Path, shift: float = 0.0, keep: Callable[[int], bool] = lambda number: True, **mux: str
) -> Path:
    """Writes the packets of a file into another, moved in time by so many seconds, without encoding anew."""
    with av.open(str(source)) as read, av.open(str(path), "w", options=mux) as out:
        (stream,) = read.streams.video
        copy = out.add_stream_from_template(stream)
        move = round(shift / stream.time_base)
        packets = [packet for packet in read.demux(stream) if packet.dts is not None]
        for packet in (packet for index, packet in enumerate(packets) if keep(index)):
            packet.pts, packet.dts, packet.stream = packet.pts + move, packet.dts + move, copy
            out.mux(packet)
    return path


def trim(source: Path, path: Path, seconds: float) -> Path:
    """Cuts off the beginning as phones do: the packets stay, and an edit list hides them."""
    return remux(source, path, -seconds, avoid_negative_ts="disabled", use_editlist="1")


def joined(path: Path, *sources: Path) -> Path:
    """Writes files one after the other, as `cat` does."""
    path.write_bytes(b"".join(source.read_bytes() for source in sources))
    return path


def sound(out: Any) -> None:
    """Adds a stream of half a second of silence."""
    stream = out.add_stream("aac", rate=8000)
    for _ in range(4):
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1000), dtype=np.float32), format="fltp", layout="mono")
        frame.sample_rate = 8000
        out.mux(stream.encode(frame))
    out.mux(stream.encode())
