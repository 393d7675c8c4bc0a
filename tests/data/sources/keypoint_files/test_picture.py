from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from actrec.data.sources.keypoint_files.importer import KeypointFiles
from actrec.data.sources.keypoint_files.picture import in_pixels
from actrec.types import ActrecError, SkeletonSequence
from tests.data.sources.keypoint_files import tools
from tests.data.sources.keypoint_files.tools import motion


@pytest.mark.parametrize(("width", "height"), [(640, 360), (360, 640), (480, 480)])
def test_x_and_y_of_a_padded_square(width: int, height: int) -> None:
    """Each joint is put into the padded picture, and its shares are multiplied by width and height, or not."""
    pixels = motion(17, 3).astype(np.float32)
    side = max(width, height)
    shares = pixels.copy()
    for frame in range(3):
        for joint in range(17):
            if pixels[frame, joint, 2]:
                x, y, _ = pixels[frame, joint]
                shares[frame, joint, 0] = (x + (side - width) / 2) / side
                shares[frame, joint, 1] = (y + (side - height) / 2) / side
    flat = shares * np.array([width, height, 1], np.float32)
    for keypoints, in_shares in ((shares, True), (flat, False)):
        found = in_pixels(keypoints, in_shares, (width, height), padded=True)
        np.testing.assert_allclose(found, pixels, atol=1e-3)
        assert not found[1, 3].any()


def test_pictures_that_were_not_padded() -> None:
    pixels = motion(17, 3).astype(np.float32)
    shares = pixels / np.array([640, 360, 1], np.float32)
    np.testing.assert_array_equal(in_pixels(pixels, False, (640, 360), padded=False), pixels)
    np.testing.assert_allclose(in_pixels(shares, True, (640, 360), padded=False), pixels, atol=1e-3)
    np.testing.assert_array_equal(in_pixels(shares, True, (640, 0), padded=False), shares)


def test_padded_files_need_the_size_of_the_picture(tmp_path: Path) -> None:
    pixels = motion(17)
    side = np.array([640, 360, 1])
    squashed = np.where(pixels[..., 2:] > 0, (pixels + np.array([0, 140, 0])) / [640, 640, 1] * side, 0)
    listed = tools.movenet(tmp_path, "wave_1", squashed)
    (source,) = KeypointFiles(padded=True)(tmp_path)
    with pytest.raises(ActrecError, match=r"a padded picture needs its size.*labels.csv"):
        source.load()
    (tmp_path / "labels.csv").write_text(f"file,label,width,height\n{listed},wave,640,360\n")
    (source,) = KeypointFiles(padded=True)(tmp_path)
    clip = source.load()
    assert isinstance(clip, SkeletonSequence)
    np.testing.assert_allclose(clip.keypoints, pixels, atol=1e-3)
