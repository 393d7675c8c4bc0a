"""Repetitions counted by courses of the phase that are drawn here, and not by a network."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actrec.online.hysteresis import Hysteresis
from actrec.online.repetitions import RepetitionCounter

FPS = 15.0
RULE = Hysteresis()


def vectors(share: np.ndarray, noise: float = 0.0, seed: int = 0, length: float = 1.0) -> np.ndarray:
    """Sine and cosine of a course of the share of a repetition, with noise of the angle in radians."""
    angle = 2 * np.pi * share + noise * np.random.default_rng(seed).standard_normal(len(share))
    return length * np.stack([np.sin(angle), np.cos(angle)], 1).astype(np.float32)


def times_of(phases: np.ndarray, fps: float = FPS) -> np.ndarray:
    return np.arange(len(phases)) / fps


def count(phases: np.ndarray, lost: slice = slice(0, 0), counter: RepetitionCounter | None = None) -> int:
    counter, total, gone = counter or RepetitionCounter(RULE), 0, set(range(len(phases))[lost])
    for frame, time in enumerate(times_of(phases)):
        if frame not in gone:
            total += counter.update(float(time), phases[frame])
    return total


def course(*places: float, seconds: float) -> np.ndarray:
    """A share that goes evenly from place to place."""
    steps = np.abs(np.diff(places))
    ends = np.concatenate([[0], np.cumsum(steps) / steps.sum()])
    return np.interp(np.linspace(0, 1, int(seconds * FPS) + 1), ends, places)


@given(hertz=st.floats(0.2, 3.0), n=st.integers(1, 12), noise=st.floats(0, 0.25), seed=st.integers(0, 999))
@settings(max_examples=150, deadline=None)
def test_every_repetition_counts_once_at_any_tempo(hertz: float, n: int, noise: float, seed: int) -> None:
    moving = np.arange(0, n, hertz / FPS)
    share = np.concatenate([np.zeros(5), moving, np.full(5, float(n))])
    assert count(vectors(share, noise, seed)) == n


@given(start=st.floats(0, 0.3), end=st.floats(0.85, 1), seconds=st.floats(0.5, 5))
def test_a_clip_that_is_cut_at_its_ends_counts(start: float, end: float, seconds: float) -> None:
    assert count(vectors(course(start, end, seconds=seconds))) == 1


@pytest.mark.parametrize(
    ("places", "expected"),
    [
        ((0, 0.45, 0), 0),  # goes back before the turn
        ((0, 0.3, 0, 0.45, 0, 1), 1),
        ((0, 0.6, 0.4, 0.6, 0.4, 0.6, 1), 1),  # wavers at the bottom
        ((0, 0.6, 0.4, 0.6, 0), 0),  # and gives up
        ((0, 0.9, 0.7, 0.9, 0.7, 1.2), 1),  # wavers on the way back
        ((0, 0.9, 0.55, 0.95, 1, 1.3), 1),
        ((0.5, 1), 0),  # gets up
        ((0.45, 1.2), 0),
        ((0.6, 1.45, 1), 0),
        ((0.5, 2), 1),
        ((0, -0.6, 0.3), 0),
        ((0, -1, 1), 2),  # once backwards, and twice forwards
        ((0, 3, 2.6, 3.6, 4), 4),
    ],
)
@pytest.mark.parametrize("noise", [0.0, 0.1])
def test_only_whole_repetitions_count(places: tuple[float, ...], expected: int, noise: float) -> None:
    seconds = 1.5 * float(np.abs(np.diff(places)).sum())
    assert count(vectors(course(*places, seconds=seconds), noise)) == expected


def test_standing_still_counts_nothing() -> None:
    for seed in range(20):
        for place in (0.0, 0.25, 0.5, 0.75):
            assert count(vectors(np.full(150, place), 0.3, seed)) == 0


def test_uncertain_phases_change_nothing() -> None:
    wild = np.random.default_rng(0).uniform(0, 1, 200)
    assert count(vectors(wild, length=0.9 * RULE.certainty)) == 0
    whole = vectors(course(0, 4, seconds=8))
    whole[25:28] *= 0.1
    assert count(whole) == 4


@pytest.mark.parametrize("place", np.arange(0.1, 0.95, 0.1))
@pytest.mark.parametrize("seconds", [0.4, 0.8])
def test_lost_frames_in_a_repetition_lose_no_count(place: float, seconds: float) -> None:
    """Half a repetition or more may pass unseen; it is taken to have gone forward."""
    share = course(0, 3, seconds=4.5)
    start = int((1 + place) * 1.5 * FPS)
    assert count(vectors(share), slice(start, start + int(seconds * FPS))) == 3


def test_a_state_goes_on_in_the_middle_of_a_repetition() -> None:
    phases = vectors(course(0, 3, seconds=5))
    for cut in range(1, len(phases)):
        one, two = RepetitionCounter(RULE), RepetitionCounter(RULE)
        first = count(phases[:cut], counter=one)
        two.restore(np.array(one.state()))
        assert two.state() == one.state()
        rest = sum(two.update(t / FPS, phases[t]) for t in range(cut, len(phases)))
        assert first + rest == 3


@pytest.mark.parametrize("state", [(np.inf, 0, 1), (0.9, 0, 1), (0.1, np.nan, 0), (0.1, 0, 0.5), (np.nan, np.nan, 1)])
def test_a_state_that_no_stream_has_is_refused(state: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match=r"NaN|not that of a stream"):
        RepetitionCounter(RULE).restore(np.array(state, dtype=float))
