from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from jaxtyping import Float
from numpy import ndarray

from actrec.data.sources.keypoint_files.importer import KeypointFiles
from actrec.data.sources.keypoint_files.settling import settled
from actrec.types import SkeletonSequence
from tests.data.sources.keypoint_files import tools
from tests.data.sources.keypoint_files.tools import motion

Keypoints = Float[ndarray, "frame joint 3"]


def clip(n_frames: int = 40) -> Keypoints:
    """Returns a body that walks, half its size a second."""
    body = motion(17, 2)[0]
    body[:, 2] = 1
    keypoints = np.repeat(body[None], n_frames, axis=0).astype(np.float32)
    keypoints[..., 0] += np.linspace(0, 0.5 * 200 * n_frames / 30, n_frames)[:, None]
    return keypoints


def unobserved(keypoints: Keypoints) -> list[int]:
    return [int(frame) for frame in np.flatnonzero(~keypoints[..., 2].any(1))]


@pytest.mark.parametrize("first", [1, 3, 5])
def test_frames_before_the_body_s_place_is_found_are_left_out(first: int) -> None:
    keypoints = clip()
    beside, mirrored = keypoints.copy(), keypoints.copy()
    beside[:first, :, :2] += 40
    mirrored[:first, :, 0] = 400 - mirrored[:first, :, 0]
    for wrong in (beside, mirrored):
        before = wrong.copy()
        right = settled(wrong, 30.0, 0.2)
        assert unobserved(right) == list(range(first))
        np.testing.assert_array_equal(right[first:], keypoints[first:])
        np.testing.assert_array_equal(wrong, before)


def test_a_body_that_is_lost_again_before_it_is_found() -> None:
    """Another place in frames 2 and 3, nothing in frame 4, and then the right place."""
    keypoints = clip()
    keypoints[:2], keypoints[4] = 0, 0
    keypoints[2:4, :, :2] += 60
    assert unobserved(settled(keypoints, 30.0, 0.2)) == [0, 1, 2, 3, 4]


def test_what_is_no_such_jump_is_kept() -> None:
    later = clip()
    later[:10, :, :2] += 100  # a cut
    running = clip()
    running[..., 0] += np.arange(40)[:, None] * 0.2 * 200  # 6 sizes a second, all the time
    start = clip()
    start[..., 0] += 0.5 * 200 * 4 * (np.arange(40) / 30)[:, None] ** 2  # speeds up by 4 sizes a second, each second
    few = clip()
    few[0, 3:] = 0
    few[0, :3, :2] += 100  # three joints tell nothing of the body
    for keypoints in (clip(), later, running, start, few, clip(2), clip(1), 0 * clip()):
        np.testing.assert_array_equal(settled(keypoints, 30.0, 0.2), keypoints)
    beside = clip()
    beside[:3, :, :2] += 40
    np.testing.assert_array_equal(settled(beside, 30.0, 0.0), beside)


@pytest.mark.parametrize("person", ["main", "all"])
def test_files_are_read_without_those_frames(person: str, tmp_path: Path) -> None:
    wrong = clip()
    wrong[:2, :, :2] += 40
    tools.movenet(tmp_path, "wave_1", wrong)
    (source,) = KeypointFiles(person=person)(tmp_path)
    loaded = source.load()
    first = loaded[0] if isinstance(loaded, list) else loaded
    assert unobserved(first.keypoints) == ([] if person == "all" else [0, 1])
    np.testing.assert_allclose(first.keypoints[-38:], wrong[2:], atol=1e-4)
    (source,) = KeypointFiles(settle=0)(tmp_path)
    whole = source.load()
    assert isinstance(whole, SkeletonSequence)
    np.testing.assert_allclose(whole.keypoints, wrong, atol=1e-4)
