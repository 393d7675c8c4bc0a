from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from omegaconf import OmegaConf

from actrec.pipeline.windows import AnchoredWindows, ResizeWindows, SlidingWindows
from actrec.types import ActrecError, NormalizedSequence, Window
from tests.pipeline.sequences import all_known, growing_sequence

few = settings(max_examples=25, deadline=None)


def head(sequence: NormalizedSequence, n_frames: int) -> NormalizedSequence:
    return sequence.take(slice(n_frames))


def check_padding(window: Window, length: int) -> None:
    n_valid = window.valid.sum()
    assert len(window.keypoints) == len(window.observed) == len(window.valid) == length
    assert n_valid >= 1
    assert window.valid[:n_valid].all()
    assert (window.keypoints[n_valid:] == window.keypoints[n_valid - 1]).all()
    assert not window.observed[n_valid:].any()
    assert (window.known[n_valid:] == window.known[n_valid - 1]).all()


@pytest.mark.parametrize(
    ("tail", "n_frames", "starts"),
    [
        ("pad", 3, [0]),
        ("pad", 8, [0]),
        ("pad", 9, [0, 4]),
        ("pad", 17, [0, 4, 8, 12]),
        ("keep", 3, [0]),
        ("keep", 9, [0, 1]),
        ("keep", 17, [0, 4, 8, 9]),
        ("drop", 3, [0]),
        ("drop", 11, [0]),
        ("drop", 17, [0, 4, 8]),
    ],
)
def test_sliding_windows_are_the_source_frames(tail: str, n_frames: int, starts: list[int]) -> None:
    windows, sequence = SlidingWindows(length=8, stride=4, tail=tail), growing_sequence(n_frames)
    assert windows.count(n_frames) == len(starts)
    cut = windows.evaluate(sequence, n_frames)
    assert len(cut) == len(starts)
    for index, (window, start) in enumerate(zip(cut, starts, strict=True)):
        check_padding(window, 8)
        assert window.valid.sum() == min(8, n_frames - start)
        for slot in range(window.valid.sum()):
            np.testing.assert_array_equal(window.keypoints[slot], sequence.keypoints[start + slot])
            np.testing.assert_array_equal(window.observed[slot], sequence.observed[start + slot])
        again = windows.train(sequence, index, np.random.default_rng(0))
        np.testing.assert_array_equal(again.keypoints, window.keypoints)


@given(n_frames=st.integers(1, 60), length=st.integers(1, 16), data=st.data())
@few
def test_sliding_windows_cover_every_frame_unless_dropped(n_frames: int, length: int, data: st.DataObject) -> None:
    stride = data.draw(st.integers(1, length))
    numbers = np.zeros((n_frames, 17, 3), dtype=np.float32)
    numbers[..., 0] = np.arange(n_frames)[:, None]
    sequence = all_known(numbers)
    for tail in ("keep", "pad", "drop"):
        windows = SlidingWindows(length, stride, tail).evaluate(sequence, n_frames)
        seen = {int(frame) for window in windows for frame in window.keypoints[window.valid, 0, 0]}
        assert seen == set(range(max(seen) + 1))
        missing = n_frames - len(seen)
        assert missing < stride if tail == "drop" else missing == 0
        if tail != "pad" and n_frames >= length:
            assert all(window.valid.all() for window in windows)


def test_training_window_past_a_shortened_clip_is_its_last() -> None:
    windows, sequence = SlidingWindows(8, 4), growing_sequence(14)
    late = windows.train(sequence, 99, np.random.default_rng(0))
    np.testing.assert_array_equal(late.keypoints, windows.evaluate(sequence, 14)[-1].keypoints)


@pytest.mark.parametrize("tail", ["keep", "pad", "drop"])
def test_sliding_on_a_prefix_is_sliding_on_a_shorter_clip(tail: str) -> None:
    windows, sequence = SlidingWindows(8, 4, tail), growing_sequence(30)
    for n_seen in range(1, 31):
        cut = windows.evaluate(head(sequence, n_seen), 30)
        assert len(cut) == windows.count(n_seen)
        np.testing.assert_array_equal(cut[0].keypoints[: min(n_seen, 8)], sequence.keypoints[: min(n_seen, 8)])


@pytest.mark.parametrize("n_frames", [1, 2, 3, 20, 64, 101])
@pytest.mark.parametrize("share", [0.05, 0.5, 0.95, 1.0])
def test_resize_evaluates_the_central_crop(n_frames: int, share: float) -> None:
    sequence = all_known(growing_sequence(n_frames).keypoints)
    (window,) = ResizeWindows(16, p_interval_val=(share,)).evaluate(sequence, n_frames)
    margin = int((1 - share) * n_frames / 2)
    positions = np.linspace(margin, n_frames - 1 - margin, 16)
    assert window.valid.all()
    for joint in range(17):
        for channel in range(3):
            expected = np.interp(positions, np.arange(n_frames), sequence.keypoints[:, joint, channel])
            np.testing.assert_allclose(window.keypoints[:, joint, channel], expected, rtol=1e-4, atol=1e-5)


@given(n_frames=st.integers(1, 90), length=st.integers(1, 32), share=st.floats(0.05, 1), data=st.data())
@few
def test_resize_prefix_agrees_with_the_whole_clip_where_valid(
    n_frames: int, length: int, share: float, data: st.DataObject
) -> None:
    n_seen = data.draw(st.integers(1, n_frames))
    windows, sequence = ResizeWindows(length, p_interval_val=(share,)), growing_sequence(n_frames)
    (whole,) = windows.evaluate(sequence, n_frames)
    (prefix,) = windows.evaluate(head(sequence, n_seen), n_frames)
    check_padding(prefix, length)
    margin = int((1 - share) * n_frames / 2)
    if n_seen > margin:
        np.testing.assert_array_equal(prefix.keypoints[prefix.valid], whole.keypoints[prefix.valid])
        np.testing.assert_array_equal(prefix.observed[prefix.valid], whole.observed[prefix.valid])
        if n_seen < n_frames:
            grid = np.linspace(margin, n_frames - 1 - margin, length)
            assert prefix.valid.sum() == (np.ceil(grid - 1e-6) <= n_seen - 1).sum()
    else:
        assert prefix.valid.sum() == 1
        np.testing.assert_array_equal(prefix.keypoints[0], sequence.keypoints[n_seen - 1])


def test_resize_trains_on_crops_within_the_interval() -> None:
    n_frames, windows = 100, ResizeWindows(8, p_interval_train=(0.5, 0.8))
    numbers = np.zeros((n_frames, 17, 3), dtype=np.float32)
    numbers[..., 0] = np.arange(n_frames)[:, None]
    sequence = all_known(numbers)
    rng = np.random.default_rng(0)
    firsts, sizes = [], []
    for _ in range(300):
        window = windows.train(sequence, 0, rng)
        positions = window.keypoints[:, 0, 0]
        np.testing.assert_allclose(np.diff(positions), np.diff(positions)[0], rtol=1e-3)
        firsts.append(positions[0])
        sizes.append(positions[-1] - positions[0] + 1)
    assert min(sizes) >= 50
    assert max(sizes) <= 80
    assert max(sizes) - min(sizes) > 25
    assert min(firsts) < 5
    assert max(firsts) > 40


def test_one_training_share_is_a_central_crop() -> None:
    windows, sequence = ResizeWindows(16, (0.9,), (0.9,)), growing_sequence(40)
    trained = windows.train(sequence, 0, np.random.default_rng(0))
    np.testing.assert_array_equal(trained.keypoints, windows.evaluate(sequence, 40)[0].keypoints)


@pytest.mark.parametrize("windows", [SlidingWindows(8, 4), ResizeWindows(8)])
def test_one_frame_is_enough(windows: SlidingWindows | ResizeWindows) -> None:
    sequence = growing_sequence(1)
    assert windows.count(1) == 1
    for window in (windows.train(sequence, 0, np.random.default_rng(0)), *windows.evaluate(sequence, 1)):
        np.testing.assert_array_equal(window.keypoints, sequence.keypoints.repeat(8, axis=0))
        assert window.valid[0]


def test_intervals_may_come_from_a_config() -> None:
    windows = ResizeWindows(8, OmegaConf.create([0.5, 1.0]), [0.95])
    assert len(windows.train(growing_sequence(20), 0, np.random.default_rng(0)).keypoints) == 8


@pytest.mark.parametrize(
    "interval", [(), (0.0,), (0.5, 1.5), (0.9, 0.5), (0.1, 0.2, 0.3), pytest.param((0.5, float("nan")), id="nan")]
)
def test_bad_training_interval_is_named(interval: tuple[float, ...]) -> None:
    with pytest.raises(ActrecError, match=r"windows\.p_interval_train is \[.*expected 1 or 2 ascending"):
        ResizeWindows(8, interval)


@pytest.mark.parametrize(
    ("options", "message"),
    [({"length": 0}, "length is 0"), ({"length": 8, "stride": 9}, "stride is 9"), ({"tail": "cut"}, "'cut'")],
)
def test_bad_sliding_options_are_named(options: dict, message: str) -> None:
    with pytest.raises(ActrecError, match=message):
        SlidingWindows(**options)


@given(length=st.integers(1, 12), n_frames=st.integers(1, 60))
@few
def test_the_anchor_moves_when_the_window_is_full_and_half_of_it_stays(length: int, n_frames: int) -> None:
    held: list[int] = []
    for frame in range(n_frames):
        if len(held) == length:
            held = held[len(held) - length // 2 :]
        held.append(frame)
    assert AnchoredWindows(length).start(n_frames) == held[0]
    assert 1 <= n_frames - held[0] <= length


def test_an_anchored_window_is_the_frames_from_its_start() -> None:
    windows, rng = AnchoredWindows(8), np.random.default_rng(0)
    for n_frames in (3, 8, 20):
        for window in (
            windows.train(growing_sequence(n_frames), 0, rng),
            *windows.evaluate(growing_sequence(n_frames), 9),
        ):
            check_padding(window, 8)
            assert window.valid.sum() == min(n_frames, 8)
            np.testing.assert_array_equal(window.keypoints[0], growing_sequence(n_frames).keypoints[0])
    with pytest.raises(ActrecError, match=r"windows.length is 0"):
        AnchoredWindows(0)
