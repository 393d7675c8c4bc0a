"""Turned, tiny, cut and damaged files."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.stream import Disposition

from actrec.types import ActrecError
from actrec.video.video import open_video
from tests.data.clips import HEIGHT, WIDTH, N, joined, number, picture, sound, write

MATRICES = {
    "90 degrees": [0, 1, 0, -1, 0, 0],
    "180 degrees": [-1, 0, 0, 0, -1, 0],
    "270 degrees": [0, -1, 0, 1, 0, 0],
    "mirrored": [-1, 0, 0, 0, 1, 0],
    "mirrored and turned": [0, 1, 0, 1, 0, 0],
}
# What a player makes of the stored picture: its rows and columns, by numpy.
UPRIGHT: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "90 degrees": lambda stored: np.rot90(stored, -1),
    "180 degrees": lambda stored: np.rot90(stored, 2),
    "270 degrees": lambda stored: np.rot90(stored, 1),
    "mirrored": lambda stored: stored[:, ::-1],
    "mirrored and turned": lambda stored: stored.swapaxes(0, 1),
}


@pytest.mark.parametrize("name", MATRICES)
def test_turned_and_mirrored_videos_are_upright(name: str, tmp_path: Path) -> None:
    a, b, u, c, d, v = MATRICES[name]
    matrix = [a << 16, b << 16, u, c << 16, d << 16, v, 0, 0, 1 << 30]
    path = write(tmp_path / "x.mp4", prepare=lambda stream: stream.set_display_matrix(matrix))
    with av.open(str(path)) as container:
        stored = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    opened = open_video(path)
    upright = [UPRIGHT[name](each) for each in stored]
    assert (opened.height, opened.width) == upright[0].shape[:2]
    np.testing.assert_array_equal([each for _, each in opened.frames()], upright)
    small = next(iter(opened.frames(48)))[1]
    height, width = np.array(upright[0].shape[:2]) // 2
    assert small.shape == (height, width, 3)
    corner = np.argwhere((small[..., 0] > 180) & (small[..., 1] < 120)).mean(0) / small.shape[:2]
    expected = np.argwhere((upright[0][..., 0] > 180) & (upright[0][..., 1] < 120)).mean(0) / upright[0].shape[:2]
    np.testing.assert_allclose(corner, expected, atol=0.05)


@pytest.mark.parametrize("size", [(16, 16), (2, 2), (1, 1), (15, 33)])
def test_tiny_pictures(size: tuple[int, int], tmp_path: Path) -> None:
    path = write(tmp_path / "x.mkv", "ffv1", size=size, pixels="bgr0", n=3)
    opened = open_video(path)
    assert (opened.width, opened.height) == size
    expected = [picture(index, *size) for index in range(3)]
    np.testing.assert_array_equal([each for _, each in opened.frames()], expected)
    assert max(next(iter(opened.frames(8)))[1].shape[:2]) == min(max(size), 8)


def test_pixels_that_are_not_square_stay_as_they_are_stored(tmp_path: Path) -> None:
    def wide(stream: object) -> None:
        stream.codec_context.sample_aspect_ratio = Fraction(16, 11)

    opened = open_video(write(tmp_path / "x.mp4", prepare=wide))
    assert (opened.width, opened.height) == (WIDTH, HEIGHT)


def cut(path: Path, share: float) -> Path:
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    return path


def only_sound(path: Path, with_cover: bool = False) -> Path:
    with av.open(str(path), "w") as out:
        if with_cover:
            cover = out.add_stream("mjpeg", rate=25)
            cover.width, cover.height, cover.pix_fmt, cover.disposition = 32, 32, "yuvj420p", Disposition.attached_pic
        sound(out)
        if with_cover:
            out.mux(cover.encode(av.VideoFrame.from_ndarray(picture(63, 32, 32), format="rgb24")))
    return path


REFUSED: dict[str, tuple[Callable[[Path], Path], str]] = {
    "MP4, cut before its index": (lambda folder: cut(write(folder / "x.mp4"), 0.5), "cut short"),
    "MP4, cut behind its index": (
        lambda folder: cut(write(folder / "x.mp4", mux={"movflags": "faststart"}), 0.9),
        r"of 20 frames, \d+ can be decoded",
    ),
    "AVI, cut": (
        lambda folder: cut(write(folder / "x.avi", "mjpeg", pixels="yuvj420p"), 0.6),
        r"of \d\d frames, \d+ can",
    ),
    "sound alone": (lambda folder: only_sound(folder / "x.mp4"), "no video, only sound"),
    "sound and a cover": (lambda folder: only_sound(folder / "x.mp4", True), "no video, only a cover picture"),
    "pictures of another shape from the middle on": (
        lambda folder: joined(
            folder / "x.ts", write(folder / "a.ts", n=12), write(folder / "b.ts", size=(HEIGHT, WIDTH))
        ),
        r"change from 96 × 64 to 64 × 96 pixels at 0\.48 s",
    ),
    "5000 frames a second": (
        lambda folder: write(folder / "x.mp4", times=[index / 5000 for index in range(N)], rate=5000),
        "5000 a second; expected at most 1000",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_right_is_refused_with_the_reason(name: str, tmp_path: Path) -> None:
    make, message = REFUSED[name]
    path = make(tmp_path)
    with pytest.raises(ActrecError, match=message):
        assert open_video(path).fps


@pytest.mark.parametrize("ending", [".mkv", ".ts", ".webm"])
def test_streams_that_are_cut_give_what_there_is(ending: str, tmp_path: Path) -> None:
    """Such containers say nowhere how many frames they hold."""
    path = cut(write(tmp_path / f"x{ending}", "libvpx-vp9" if ending == ".webm" else "libx264"), 0.9)
    with av.open(str(path)) as container:
        truth = [number(frame.to_ndarray(format="rgb24")) for frame in container.decode(video=0)]
    assert 1 < len(truth) < N
    assert [number(each) for _, each in open_video(path).frames()] == truth


def test_a_packet_that_cannot_be_decoded_costs_no_other(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """FLV is cut within a packet; a decoder of many threads would lose others with it."""
    opened = open_video(cut(write(tmp_path / "x.flv", bf="0"), 0.8))
    found = [number(each) for _, each in opened.frames()]
    with av.open(str(tmp_path / "x.flv")) as container:
        whole = sum(1 for packet in container.demux(video=0) if packet.size and not packet.is_corrupt)
    assert found == list(range(whole))
    assert "1 of" in caplog.text
