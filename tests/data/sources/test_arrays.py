from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actrec.data.sources.arrays import load_array, with_confidence
from actrec.skeleton import COCO17
from actrec.types import ActrecError, SkeletonSequence


def test_x_and_y_alone_are_seen_but_for_zero_and_nan() -> None:
    array = np.full((4, 17, 2), 50, dtype=np.float64)
    array[1, 2] = 0
    array[1, 3] = (0, 50)
    array[1, 4] = (50, np.nan)
    keypoints = with_confidence(array, COCO17)
    assert keypoints[1, :5].tolist() == [[50, 50, 1], [50, 50, 1], [0, 0, 0], [0, 50, 1], [0, 0, 0]]
    assert keypoints[..., 2].sum() == 4 * 17 - 2


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.int64, np.uint8])
def test_every_kind_of_number_is_taken(dtype: Any) -> None:
    array = np.arange(2 * 17 * 2).reshape(2, 17, 2).astype(dtype)
    keypoints = with_confidence(array, COCO17)
    np.testing.assert_array_equal(keypoints[..., :2], array)
    assert keypoints[0, 0].tolist() == [0, 1, 1]


def test_confidences_are_not_clipped_here_and_nan_is_unobserved() -> None:
    array = np.ones((2, 17, 3))
    array[0, 0, 2], array[0, 1, 0], array[0, 2, 2] = np.nan, np.nan, 98
    keypoints = with_confidence(array, COCO17)
    assert keypoints[0, :3].tolist() == [[0, 0, 0], [0, 0, 0], [1, 1, 98]]


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 99), st.floats(0.1, 3))
def test_a_z_beyond_the_range_of_a_confidence_is_refused(seed: int, spread: float) -> None:
    rng = np.random.default_rng(seed)
    array = np.concatenate([rng.uniform(0, 300, (9, 17, 2)), rng.normal(0, spread, (9, 17, 1))], axis=-1)
    out_of_range = array[..., 2].min() < -0.1 or array[..., 2].max() > 1.1
    assert out_of_range
    with pytest.raises(ActrecError, match=r"Sequence 'a' has confidences from .* expected \[0, 1\]"):
        SkeletonSequence(with_confidence(array, COCO17), fps=30.0, skeleton="coco17", clip_id="a")


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (
            np.zeros((2, 40, 17)),
            r"shape \(2, 40, 17\) of float64; expected .*\(frame, joint, 3\).*transpose\(1, 2, 0\)",
        ),
        (np.zeros((3, 17, 40)), r"Give array\.transpose\(2, 1, 0\)"),
        (np.zeros((17, 40, 3)), r"Give array\.transpose\(1, 0, 2\)"),
        (np.zeros((40, 3, 17)), r"Give array\.transpose\(0, 2, 1\)"),
        (np.zeros((40, 51)), r"array\.reshape\(len\(array\), 17, -1\)"),
        (np.zeros((2, 40, 17, 3)), r"array\[person\]"),
        (np.zeros((40, 17, 5)), r"\(frame, joint, 4\), x, y, z and confidence\. It has 5 values for a joint"),
        (np.zeros((40, 25, 3)), "25 joints; skeleton 'coco17' has 17"),
        (np.zeros((0, 17, 3)), "It is empty"),
        (np.zeros((40, 0, 3)), "It is empty"),
        (np.zeros(3), "one person in one clip"),
        (np.zeros((40, 17, 3), dtype=complex), "of complex128; .*as floats"),
        (np.zeros((40, 17, 3), dtype=bool), "of bool; .*as floats"),
        (np.full((40, 17, 3), "1"), "of <U1; .*as floats"),
    ],
)
def test_another_array_is_told_what_to_become(array: np.ndarray, message: str) -> None:
    with pytest.raises(ActrecError, match=message):
        with_confidence(array, COCO17)


def test_three_dimensions() -> None:
    rng = np.random.default_rng(0)
    places, confidence = rng.normal(0, 1, (5, 17, 3)), rng.random((5, 17, 1))
    whole = np.concatenate([places, confidence], -1)
    np.testing.assert_array_equal(with_confidence(whole, COCO17), whole)
    np.testing.assert_array_equal(with_confidence(whole, COCO17, coordinates=3), whole)
    places[1, 2], places[2, 3, 2], whole[3, 4, 1] = 0, np.nan, np.nan
    assert with_confidence(whole, COCO17)[3, 4].tolist() == [0, 0, 0, 0]
    given = with_confidence(places, COCO17, coordinates=3)
    assert given[1, 2].tolist() == given[2, 3].tolist() == [0, 0, 0, 0]
    np.testing.assert_array_equal(given[0, :, :3], places[0])
    assert given[..., 3].sum() == 5 * 17 - 2
    with pytest.raises(ActrecError, match=r"\(40, 17, 2\) of float64; expected .* x, y and z \(coordinates=3\)"):
        with_confidence(np.ones((40, 17, 2)), COCO17, coordinates=3)


def test_an_advised_order_is_taken() -> None:
    right = np.random.default_rng(0).random((40, 17, 3))
    np.testing.assert_array_equal(with_confidence(right.transpose(2, 0, 1).transpose(1, 2, 0), COCO17), right)


class TestFiles:
    def test_the_array_of_keypoints_in_an_npz(self, tmp_path: Path) -> None:
        pose = np.ones((4, 17, 3))
        np.savez(tmp_path / "named.npz", other=np.zeros((4, 17, 3)), keypoints=pose)
        np.savez(tmp_path / "likely.npz", fps=np.array(30), pose=pose, box=np.zeros((4, 4)))
        np.savez(tmp_path / "only.npz", pose)
        for name in ("named", "likely", "only"):
            np.testing.assert_array_equal(load_array(tmp_path / f"{name}.npz"), pose)

    def test_of_several_arrays_none_is_picked_in_silence(self, tmp_path: Path) -> None:
        np.savez(tmp_path / "a.npz", first=np.ones((4, 17, 3)), second=np.ones((4, 17, 3)))
        with pytest.raises(ActrecError, match=r"first \(4, 17, 3\), second \(4, 17, 3\); .*Name it 'keypoints'"):
            load_array(tmp_path / "a.npz")
        np.savez(tmp_path / "a.npz")
        with pytest.raises(ActrecError, match="no array"):
            load_array(tmp_path / "a.npz")

    def test_what_is_no_array_of_numbers(self, tmp_path: Path) -> None:
        np.save(tmp_path / "a.npy", np.array([{"x": 1}]), allow_pickle=True)
        with pytest.raises(ActrecError, match="holds Python objects, or is no"):
            load_array(tmp_path / "a.npy")
        (tmp_path / "b.npy").write_text("1,2,3")
        with pytest.raises(ActrecError, match="holds Python objects, or is no"):
            load_array(tmp_path / "b.npy")
        (tmp_path / "c.npy").mkdir()
        with pytest.raises(ActrecError, match="it is a folder"):
            load_array(tmp_path / "c.npy")
