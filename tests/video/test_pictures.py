"""Folders of numbered pictures."""

from __future__ import annotations

import random
from pathlib import Path

import cv2
import numpy as np
import pytest

from actrec.types import ActrecError
from actrec.video.limits import TooMuchVideo, VideoLimits
from actrec.video.pictures import natural
from actrec.video.video import open_video


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for number in range(1, 13):
        cv2.imwrite(str(tmp_path / f"{number:06d}.jpg"), np.full((30, 40, 3), 20 * number, dtype=np.uint8))
    (tmp_path / "readme.txt").write_text("no picture")
    return tmp_path


def test_pictures_are_frames_in_the_order_of_their_names(folder: Path) -> None:
    opened = open_video(folder, picture_fps=20.0)
    times, pictures = zip(*opened.frames(20), strict=True)
    np.testing.assert_allclose(times, np.arange(12) / 20)
    assert pictures[0].shape == (15, 20, 3)
    np.testing.assert_allclose([picture.mean() for picture in pictures], 20 * np.arange(1, 13), atol=2)
    assert (opened.width, opened.height, opened.fps) == (40, 30, 20.0)


def test_pictures_are_rgb(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), np.full((8, 8, 3), (0, 0, 255), dtype=np.uint8))  # OpenCV's order: red
    _, picture = next(iter(open_video(tmp_path).frames()))
    assert picture[0, 0].tolist() == [255, 0, 0]


@pytest.mark.parametrize("content", [b"", b"no picture"])
def test_pictures_that_cannot_be_read_are_named(folder: Path, content: bytes) -> None:
    (folder / "000007.jpg").write_bytes(content)
    with pytest.raises(ActrecError, match=r"picture 000007\.jpg cannot be read"):
        list(open_video(folder).frames())


def test_no_pictures(tmp_path: Path) -> None:
    with pytest.raises(ActrecError, match="no pictures"):
        open_video(tmp_path)


def write(folder: Path, *names: str, size: tuple[int, int] = (40, 30)) -> Path:
    """Pictures of which each is brighter than the one before."""
    for number, name in enumerate(names):
        image = np.full((*size[::-1], 3), 20 * number, dtype=np.uint8)
        (folder / name).write_bytes(cv2.imencode(Path(name).suffix, image)[1].tobytes())
    return folder


def test_numbers_are_sorted_by_their_value(tmp_path: Path) -> None:
    names = ["frame 8.png", "frame 09.png", "frame 10.png", "Frame 11.PNG", "frame 0100.png"]
    opened = open_video(write(tmp_path, *names))
    np.testing.assert_array_equal([picture.mean() for _, picture in opened.frames()], 20 * np.arange(5))


def test_natural_order() -> None:
    names = ["1.jpg", "2.jpg", "10.jpg", "a1b2.jpg", "a1b10.jpg", "a2b1.jpg", "b.jpg"]
    shuffled = random.Random(0).sample(names, len(names))
    assert sorted(shuffled, key=natural) == names


@pytest.mark.parametrize("ending", [".bmp", ".webp", ".tif", ".tiff", ".ppm", ".jpeg"])
def test_kinds_of_pictures(ending: str, tmp_path: Path) -> None:
    write(tmp_path, *(f"{number}{ending}" for number in range(3)))
    assert [round(picture.mean() / 20) for _, picture in open_video(tmp_path).frames()] == [0, 1, 2]


def test_hidden_files_are_named_and_left_out(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    write(tmp_path, "1.png", "2.png")
    for name in ("._1.png", "._2.png", "notes.txt"):
        (tmp_path / name).write_bytes(b"x")
    assert len(open_video(tmp_path).times) == 2
    assert "skipped 3 files: ._1.png, ._2.png, notes.txt" in caplog.text


def test_pictures_of_differing_sizes_are_refused(tmp_path: Path) -> None:
    write(tmp_path, "1.png")
    write(tmp_path, "2.png", size=(30, 40))
    with pytest.raises(ActrecError, match=r"2\.png is 30 × 40 pixels, and the first, 1\.png, 40 × 30"):
        list(open_video(tmp_path).frames())


def test_two_pictures_of_one_number_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ActrecError, match=r"it has 1\.bmp and 1\.png"):
        open_video(write(tmp_path, "1.bmp", "1.png", "2.bmp"))


@pytest.mark.parametrize("fps", [0, -1, float("nan"), float("inf"), 1001, "30", None])
def test_a_frame_rate_that_is_none_is_refused(fps: object, tmp_path: Path) -> None:
    with pytest.raises(ActrecError, match="frame rate is given as"):
        open_video(write(tmp_path, "1.png"), fps)


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        (VideoLimits(frames=2), "has 3 frames"),
        (VideoLimits(seconds=1), "lasts 2 seconds"),
        (VideoLimits(side=39), "is 40 pixels a side"),
    ],
)
def test_limits(limits: VideoLimits, message: str, tmp_path: Path) -> None:
    with pytest.raises(TooMuchVideo, match=message):
        open_video(write(tmp_path, "1.png", "2.png", "3.png"), 1, limits)
