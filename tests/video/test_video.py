from __future__ import annotations

import os
import struct
import sys
from pathlib import Path

import numpy as np
import pytest

from actrec.drawing.frames import write_video
from actrec.types import ActrecError, SetupError
from actrec.video.container import Header
from actrec.video.decoding import Footage
from actrec.video.video import Video, is_video, open_video
from tests.data import clips


def corner(number: int) -> np.ndarray:
    """Black, with a white block in the upper left corner, and brighter green from frame to frame."""
    picture = np.zeros((96, 128, 3), dtype=np.uint8)
    picture[:32, :48] = 255
    picture[64:, :, 1] = 5 * number
    return picture


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    path = tmp_path / "Größe und Maß.mp4"
    write_video(path, ((n / 29.97, corner(n)) for n in range(40)), 29.97)
    return path


def turned(path: Path) -> Path:
    """The same file, said to be filmed with a camera turned by 90 degrees (its track's display matrix)."""
    content = bytearray(path.read_bytes())
    matrix = content.find(b"tkhd") + 4 + 40
    assert struct.unpack(">9i", content[matrix : matrix + 36])[::4] == (65536, 65536, 1 << 30)
    content[matrix : matrix + 36] = struct.pack(">9i", 0, 65536, 0, -65536, 0, 0, 96 << 16, 0, 1 << 30)
    out = path.with_name("turned.mp4")
    out.write_bytes(content)
    return out


def test_a_constant_rate(clip: Path) -> None:
    opened = open_video(clip)
    assert opened.is_constant
    assert abs(opened.fps - 29.97) < 0.01
    assert (opened.width, opened.height) == (128, 96)
    times, pictures = zip(*opened.frames(), strict=True)
    np.testing.assert_allclose(times, np.arange(40) / 29.97, atol=1e-3)
    green = [picture[80, 64, 1] for picture in pictures]
    np.testing.assert_allclose(green, 5 * np.arange(40), atol=6)


def test_a_variable_rate(tmp_path: Path) -> None:
    times = np.cumsum([0, *[0.04] * 20, 0.5, *[0.04] * 9])
    write_video(tmp_path / "a.mp4", ((float(time), corner(n)) for n, time in enumerate(times)), 25.0)
    opened = open_video(tmp_path / "a.mp4")
    assert not opened.is_constant
    assert abs(opened.fps - 25) < 0.01
    np.testing.assert_allclose(opened.times, times, atol=1e-3)


@pytest.mark.parametrize("longest", [None, 96])
def test_a_turned_video_is_upright(clip: Path, longest: int | None) -> None:
    opened = open_video(turned(clip))
    assert (opened.width, opened.height) == (96, 128)
    _, picture = next(iter(opened.frames(longest)))
    height, width, _ = picture.shape
    assert (width, height) == ((96, 128) if longest is None else (72, 96))
    white = np.argwhere(picture.min(-1) > 200).mean(0) / (height, width)
    assert white[0] < 0.3  # still above, and now at the right
    assert white[1] > 0.7


@pytest.mark.parametrize(("longest", "size"), [(96, (72, 96)), (128, (96, 128)), (500, (96, 128))])
def test_pictures_are_made_smaller_and_never_larger(clip: Path, longest: int, size: tuple[int, int]) -> None:
    assert {picture.shape[:2] for _, picture in open_video(clip).frames(longest)} == {size}


def test_one_frame(tmp_path: Path) -> None:
    write_video(tmp_path / "one.mp4", [(0.0, corner(0))], 30.0)
    opened = open_video(tmp_path / "one.mp4")
    assert (len(opened.times), opened.fps, len(list(opened.frames()))) == (1, 30.0, 1)


def test_files_that_are_no_videos(clip: Path, tmp_path: Path) -> None:
    content = clip.read_bytes()
    files = {"empty.mp4": b"", "text.mp4": b"hello\n", "cut.mp4": content[:500]}
    for name, wrong in files.items():
        (tmp_path / name).write_bytes(wrong)
    for name, message in [("empty.mp4", "0 bytes"), ("text.mp4", "no video at all"), ("cut.mp4", "cut short")]:
        with pytest.raises(ActrecError, match=message):
            open_video(tmp_path / name)
    with pytest.raises(ActrecError, match="No such file"):
        open_video(tmp_path / "none.mp4")


def test_a_file_that_is_cut_in_the_middle_gives_what_there_is(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (40, 48, 64, 3), dtype=np.uint8)
    write_video(tmp_path / "whole.mp4", ((n / 25, picture) for n, picture in enumerate(noise)), 25.0)
    content = (tmp_path / "whole.mp4").read_bytes()  # its index is in front
    (tmp_path / "cut.mp4").write_bytes(content[: len(content) * 2 // 3])
    read = 0
    with pytest.raises(ActrecError, match=r"of \d+ frames, \d+ can be decoded"):  # noqa: PT012
        for _ in open_video(tmp_path / "cut.mp4").frames():
            read += 1
    assert 5 < read < 40


def test_without_pyav(clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(SetupError, match=r"actrec\[video\]"):
        open_video(clip)


def test_narrow_pictures(tmp_path: Path) -> None:
    write_video(tmp_path / "a.mp4", [(0.0, corner(0)[:64, :48])], 25.0)
    _, picture = next(iter(open_video(tmp_path / "a.mp4").frames()))
    assert picture.shape == (64, 48, 3)


def test_rounded_times_do_not_shift_the_rate(tmp_path: Path) -> None:
    """Matroska rounds to milliseconds, and browsers' recordings have gaps: 33 and 34 ms are 29.97 frames a second."""
    times = np.array([n / 29.97 + (n > 200) for n in range(400)])
    opened = open_video(clips.write(tmp_path / "a.mkv", n=400, times=times.tolist()))
    assert not opened.is_constant
    assert abs(opened.fps - 29.97) < 0.01
    np.testing.assert_allclose(opened.times, times, atol=6e-4)


def test_a_header_without_a_rate(tmp_path: Path) -> None:
    footage = Footage(4, 4, Header(), lambda width, height: iter([(n / 12, None) for n in range(5)]))
    assert Video(tmp_path, footage).fps == Video(tmp_path, footage).about_fps == 12
    assert Video(tmp_path, footage).about_frames == 5


def test_the_rate_where_half_of_the_frames_are_slow(tmp_path: Path) -> None:
    times = [0.0, 0.05, 0.1, 0.6, 1.1]  # the mean of the two middle steps is like neither
    footage = Footage(4, 4, Header(), lambda width, height: iter([(time, None) for time in times]))
    assert Video(tmp_path, footage).fps == pytest.approx(20)


@pytest.mark.parametrize("name", ["a.mp4", "a.MOV", "b.3gp", "c.MTS", "d.gif", "e.VOB", "f.m2ts", "g.flv", "h.ogv"])
def test_names_of_videos(name: str) -> None:
    assert is_video(Path("folder") / name)
    assert not is_video(Path(f"._{name}"))
    assert not is_video(Path(f"{name}.txt"))


def test_what_is_no_file_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.mp4")
    with pytest.raises(ActrecError, match="no regular file"):
        open_video(tmp_path / "a.mp4")
