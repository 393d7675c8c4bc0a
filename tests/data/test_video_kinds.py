"""Kinds of video file: each gives the pictures that PyAV's plain decoding shows, in order, with their times."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import av
import numpy as np
import pytest
from av.stream import Disposition

from actrec.video.video import open_video
from tests.data.clips import HEIGHT, WIDTH, N, joined, number, picture, remux, sound, trim, write


class Made(NamedTuple):
    """A file, the numbers of the pictures that a player shows, and their times in seconds from the first."""

    path: Path
    numbers: list[int]
    times: list[float]
    size: tuple[int, int] = (WIDTH, HEIGHT)


Make = Callable[[Path], Made]
KINDS: dict[str, Make] = {}


def kind(name: str) -> Callable[[Make], Make]:
    def add(make: Make) -> Make:
        KINDS[name] = make
        return make

    return add


def plain(
    name: str, ending: str, codec: str = "libx264", rate: Fraction | int = 25, n: int = N, **more: object
) -> None:
    """A kind that holds all its pictures at its rate."""

    def make(folder: Path) -> Made:
        path = write(folder / f"x{ending}", codec, rate=rate, n=n, **more)
        return Made(
            path, list(range(n)), [index / float(rate) for index in range(n)], more.get("size", (WIDTH, HEIGHT))
        )

    KINDS[name] = make


plain("MP4, H.264", ".mp4", bf="0")
plain("MP4, H.264 with B-frames", ".mp4", **{"x264-params": "b-pyramid=normal"})
plain("MP4, H.264, open groups of pictures", ".mp4", **{"x264-params": "open-gop=1"})
plain("MP4, HEVC", ".mp4", "libx265", **{"x265-params": "log-level=none"})
plain("MP4, VP9", ".mp4", "libvpx-vp9")
plain("MP4, fragmented", ".mp4", mux={"movflags": "frag_keyframe+empty_moov"})
plain("MP4, 10 bits", ".mp4", pixels="yuv420p10le")
plain("MP4, interlaced", ".mp4", flags="+ilme+ildct")
plain("MP4, odd size, 4:4:4", ".mp4", size=(95, 63), pixels="yuv444p")
plain("MP4, tiny", ".mp4", size=(48, 32))
plain("MP4, 24000/1001 frames a second", ".mp4", rate=Fraction(24000, 1001))
plain("MP4, 30000/1001 frames a second", ".mp4", rate=Fraction(30000, 1001))
plain("MP4, 240 frames a second", ".mp4", rate=240)
plain("MP4, 1 frame a second", ".mp4", rate=1)
plain("MP4, one picture", ".mp4", n=1)
plain("MOV, ProRes", ".mov", "prores_ks", pixels="yuv422p10le")
plain("MOV, PNG with alpha", ".mov", "png", pixels="rgba")
plain("3GP, H.263", ".3gp", "h263", size=(128, 96))
plain("3G2, MPEG-4", ".3g2", "mpeg4")
plain("Matroska, H.264 with B-frames", ".mkv")
plain("Matroska, FFV1, grey", ".mkv", "ffv1", pixels="gray")
plain("WebM, VP8 with hidden frames", ".webm", "libvpx", **{"auto-alt-ref": "1", "lag-in-frames": "10"})
plain("WebM, VP9", ".webm", "libvpx-vp9")
plain("AVI, MPEG-4", ".avi", "mpeg4")
plain("AVI, MPEG-4 with B-frames (XviD)", ".avi", "mpeg4", bf="2")
plain("AVI, H.264 with B-frames", ".avi")
plain("AVI, MJPEG", ".avi", "mjpeg", pixels="yuvj420p")
plain("MPEG-PS, MPEG-2", ".mpg", "mpeg2video")
plain("MPEG-PS, MPEG-2 with B-frames", ".mpg", "mpeg2video", bf="2")
plain("MPEG-PS, MPEG-1", ".mpe", "mpeg1video", container="mpeg")
plain("VOB, MPEG-2", ".vob", "mpeg2video", bf="2")
plain("MPEG-TS, H.264", ".ts", bf="0")
plain("MPEG-TS, H.264 with B-frames", ".ts")
plain("MPEG-TS, MPEG-2 with B-frames", ".ts", "mpeg2video", bf="2")
plain("M2TS, H.264", ".MTS", container="mpegts", mux={"mpegts_m2ts_mode": "1"})
plain("FLV, Sorenson", ".flv", "flv")
plain("FLV, H.264 with B-frames", ".flv")
plain("ASF, WMV 2", ".wmv", "wmv2")
plain("MXF, MPEG-2 with B-frames", ".mxf", "mpeg2video", bf="2")
plain("DV, 720 × 576", ".dv", "dvvideo", n=4, size=(720, 576))
plain("NUT, H.264 with B-frames", ".nut")
plain("IVF, VP9", ".ivf", "libvpx-vp9")
plain("GIF", ".gif", "gif", rate=10, pixels="rgb8")
plain("GIF, one picture", ".gif", "gif", n=1, pixels="rgb8")
plain("APNG", ".apng", "apng", pixels="rgb24")
plain("raw H.264 with B-frames", ".h264")
plain("raw MPEG-2 with B-frames", ".m2v", "mpeg2video", bf="2")
plain("YUV4MPEG", ".y4m", "rawvideo", container="yuv4mpegpipe")


@kind("MP4, frames at their own times")
def _(folder: Path) -> Made:
    times = np.cumsum([0, *[0.04] * 8, 0.5, 0.033, 0.05, 0.9, *[0.04] * 7]).tolist()
    return Made(write(folder / "x.mp4", times=times), list(range(N)), times)


@kind("Matroska, frames at their own times")
def _(folder: Path) -> Made:
    times = np.cumsum([0, *[0.04] * 8, 0.5, 0.033, 0.05, 0.9, *[0.04] * 7]).round(3).tolist()
    return Made(write(folder / "x.mkv", times=times), list(range(N)), times)


@kind("AVI with dropped frames")
def _(folder: Path) -> Made:
    times = [(index if index < 8 else index + 5) / 25 for index in range(N)]

    with av.open(str(folder / "x.avi"), "w") as out:
        stream = out.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for index, time in enumerate(times):
            frame = av.VideoFrame.from_ndarray(picture(index), format="rgb24")
            frame.pts, frame.time_base = round(time * 25), Fraction(1, 25)
            out.mux(stream.encode(frame))
        out.mux(stream.encode())
    return Made(folder / "x.avi", list(range(N)), times)


@kind("MP4, its beginning hidden by an edit list")
def _(folder: Path) -> Made:
    path = trim(write(folder / "whole.mp4", gop=250), folder / "x.mp4", 0.36)
    return Made(path, list(range(9, N)), [index / 25 for index in range(N - 9)])


@kind("MOV, its beginning hidden by an edit list, in the middle of a group of pictures")
def _(folder: Path) -> Made:
    path = trim(write(folder / "whole.mov"), folder / "x.mov", 0.32)
    return Made(path, list(range(8, N)), [index / 25 for index in range(N - 8)])


@kind("MP4 that begins late")
def _(folder: Path) -> Made:
    path = remux(write(folder / "whole.mp4"), folder / "x.mp4", 3.0)
    return Made(path, list(range(N)), [index / 25 for index in range(N)])


@kind("MPEG-TS, begun in the middle of a group of pictures")
def _(folder: Path) -> Made:
    path = remux(write(folder / "whole.ts", bf="0"), folder / "x.ts", keep=lambda index: index >= 3)
    return Made(path, list(range(6, N)), [index / 25 for index in range(N - 6)])


@kind("MP4, begun at an open group of pictures")
def _(folder: Path) -> Made:
    source = write(folder / "whole.mp4", n=2 * N, gop=12, **{"x264-params": "open-gop=1"})
    with av.open(str(source)) as whole:
        keys = [index for index, packet in enumerate(whole.demux(video=0)) if packet.is_keyframe and packet.size]
    path = remux(source, folder / "x.mp4", keep=lambda index: index >= keys[1])
    shown = [number(frame.to_ndarray(format="rgb24")) for frame in av.open(str(path)).decode(video=0)]
    return Made(path, shown, [(each - shown[0]) / 25 for each in shown])


def _parts(folder: Path, ending: str, codec: str = "libx264", **more: object) -> list[Path]:
    return [
        write(folder / f"a{ending}", codec, n=12, **more),
        write(folder / f"b{ending}", codec, n=8, first=12, **more),
    ]


@kind("MPEG-TS, two recordings joined")
def _(folder: Path) -> Made:
    return Made(joined(folder / "x.ts", *_parts(folder, ".ts")), list(range(N)), [index / 25 for index in range(N)])


@kind("MPEG-TS, two recordings joined, the second of a later hour")
def _(folder: Path) -> Made:
    first, second = _parts(folder, ".ts")
    path = joined(folder / "x.ts", first, remux(second, folder / "later.ts", 3600.0))
    return Made(path, list(range(N)), [index / 25 for index in range(N)])


@kind("MPEG-PS, two recordings joined")
def _(folder: Path) -> Made:
    path = joined(folder / "x.mpg", *_parts(folder, ".mpg", "mpeg2video", bf="2"))
    return Made(path, list(range(N)), [index / 25 for index in range(N)])


@kind("MPEG-TS, two recordings of other sizes joined")
def _(folder: Path) -> Made:
    first = write(folder / "a.ts", n=12)
    second = write(folder / "b.ts", n=8, first=12, size=(2 * WIDTH, 2 * HEIGHT))
    return Made(joined(folder / "x.ts", first, second), list(range(N)), [index / 25 for index in range(N)])


@kind("MP4, a cover picture and sound beside")
def _(folder: Path) -> Made:
    with av.open(str(folder / "x.mp4"), "w") as out:
        cover, stream = out.add_stream("mjpeg", rate=25), out.add_stream("libx264", rate=25)
        cover.width, cover.height, cover.pix_fmt, cover.disposition = 32, 32, "yuvj420p", Disposition.attached_pic
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        sound(out)
        out.mux(cover.encode(av.VideoFrame.from_ndarray(picture(63, 32, 32), format="rgb24")))
        for index in range(N):
            out.mux(stream.encode(av.VideoFrame.from_ndarray(picture(index), format="rgb24")))
        out.mux(stream.encode())
    return Made(folder / "x.mp4", list(range(N)), [index / 25 for index in range(N)])


@kind("Matroska, two videos: the first")
def _(folder: Path) -> Made:
    with av.open(str(folder / "x.mkv"), "w") as out:
        streams = [out.add_stream("libx264", rate=25) for _ in range(2)]
        for stream in streams:
            stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for index in range(N):
            for stream, shown in zip(streams, (index, 63 - index), strict=True):
                out.mux(stream.encode(av.VideoFrame.from_ndarray(picture(shown), format="rgb24")))
        for stream in streams:
            out.mux(stream.encode())
    return Made(folder / "x.mkv", list(range(N)), [index / 25 for index in range(N)])


@pytest.fixture(autouse=True)
def _quiet() -> None:
    av.logging.set_level(None)


@pytest.mark.parametrize("name", KINDS)
def test_pictures_and_times_are_those_of_a_player(name: str, tmp_path: Path) -> None:
    made = KINDS[name](tmp_path)
    with av.open(str(made.path)) as container:
        truth = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    opened = open_video(made.path)
    times, pictures = zip(*opened.frames(), strict=True)
    assert (opened.width, opened.height) == made.size
    assert [number(image) for image in pictures] == made.numbers == [number(image) for image in truth]
    assert all(np.array_equal(a, b) for a, b in zip(pictures, truth, strict=True) if a.shape == b.shape)
    np.testing.assert_allclose(times, made.times, atol=1.1e-3)  # Matroska and FLV have milliseconds
    np.testing.assert_array_equal(times, opened.times)
    rate = 1 / np.median(np.diff(made.times)) if len(made.times) > 1 else 25
    assert abs(opened.fps / rate - 1) < 0.03


@pytest.mark.parametrize(
    "name", ["MP4, H.264 with B-frames", "AVI, H.264 with B-frames", "MPEG-TS, two recordings joined"]
)
def test_times_before_the_pictures_are_the_same(name: str, tmp_path: Path) -> None:
    made = KINDS[name](tmp_path)
    opened = open_video(made.path)
    np.testing.assert_allclose(opened.times, made.times, atol=1e-3)
    assert opened.about_fps == opened.fps == 25
