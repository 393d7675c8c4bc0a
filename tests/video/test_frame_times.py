from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actrec.types import ActrecError
from actrec.video.frame_times import FrameTimes


def times_of(stamps: list[float | None], rate: float | None = 10.0, leap: float = 3600.0, keys: tuple = ()) -> list:
    times = FrameTimes(rate, leap)
    return [times(stamp, index in keys) for index, stamp in enumerate(stamps)]


@pytest.mark.parametrize(
    ("stamps", "expected"),
    [
        ([5.0, 5.1, 5.4], [0, 0.1, 0.4]),
        ([None, None, None], [0, 0.1, 0.2]),
        ([None, None, 7.0, 7.1], [0, 0.1, 0.2, 0.3]),
        ([1.0, None, 1.3, None], [0, 0.1, 0.3, 0.4]),
        ([0.0, 0.1, 4000.0, 4000.1], [0, 0.1, 0.2, 0.3]),
        ([0.0, 0.1, 300.0], [0, 0.1, 300.0]),
        ([90.0, 90.1, 2.0, 2.1], [0, 0.1, 0.2, 0.3]),  # far back: begun anew
        ([0.0, 0.3, 0.1, 0.2, 0.4], [0, 0.3, 0.3, 0.3, 0.4]),  # a little back: out of order, and no drift
        ([0.0, 0.1, 0.1, 0.2], [0, 0.1, 0.1, 0.2]),
    ],
)
def test_stamps_become_times_that_ascend(stamps: list, expected: list) -> None:
    times = times_of(stamps)
    np.testing.assert_allclose(times, expected, atol=1e-4)
    assert (np.diff(times) > 0).all()


def test_a_key_frame_that_is_earlier_begins_anew() -> None:
    np.testing.assert_allclose(times_of([0.0, 0.1, 0.2, 0.0, 0.1], keys=(0, 3)), [0, 0.1, 0.2, 0.3, 0.4])


def test_a_leap_of_broadcasts_is_shorter() -> None:
    np.testing.assert_allclose(times_of([0.0, 0.1, 20.0], leap=10.0), [0, 0.1, 0.2])


def test_without_stamps_and_rate() -> None:
    with pytest.raises(ActrecError, match="neither times nor a frame rate"):
        times_of([None], None)


@given(
    st.lists(st.none() | st.floats(-1e10, 1e10), min_size=1, max_size=50),
    st.sampled_from([1.0, 25.0, 1000.0]),
    st.sampled_from([10.0, 3600.0]),
    st.sets(st.integers(0, 49)),
)
def test_whatever_the_stamps_are_times_ascend_from_0_without_leaps(
    stamps: list[float | None], rate: float, leap: float, keys: set[int]
) -> None:
    times = times_of(stamps, rate, leap, tuple(keys))
    assert times[0] == 0
    steps = np.diff(times)
    assert (steps > 0).all()
    assert (steps <= leap + 1e-4).all()
