"""When sets begin and end, from probabilities and phases that are drawn here, and not by a network."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actrec.online.hysteresis import Hysteresis, LabelHysteresis
from actrec.online.prediction import Prediction, Set
from actrec.online.set_list import SetList
from actrec.online.sets import SetTracker

FPS, RULE = 15.0, Hysteresis(pause=1.0)
LABELS = ("squat", "lunges", "running", "none")
SQUAT, LUNGES, RUNNING, NONE = np.eye(4, dtype=np.float32) * 0.85 + 0.0375


class Stream:
    """The decisions about one person."""

    def __init__(self, none: int | None = 3) -> None:
        self.held, self.sets = LabelHysteresis(RULE, len(LABELS), none), SetTracker(RULE, LABELS, ("running",))
        self.frame, self.shown = 0, list[Set | None]()

    def go(
        self, probabilities: np.ndarray, shares: Sequence[float] | np.ndarray, seen: bool = True, phase: bool = True
    ) -> Stream:
        """Goes on for a frame for each of the shares of a repetition that are done."""
        for share in shares:
            angle = 2 * np.pi * share
            self.held.update(probabilities, self.sets.repeated(self.frame / FPS))
            vector = np.array([np.sin(angle), np.cos(angle)], dtype=np.float32) if phase else None
            self.sets.update(self.frame / FPS, self.held, probabilities, vector, seen)
            self.shown.append(self.sets.current())
            self.frame += 1
        return self

    def found(self) -> list[Set]:
        frame = np.zeros((0, 17, 2), dtype=np.float32)
        found = SetList()
        found.update(
            Prediction(0.0, "", SQUAT, "", None, frame, 1, True, set=each) for each in self.shown if each is not None
        )
        return [each for _, each in found.sets]

    def counts(self) -> list[tuple[str, int | None]]:
        return [(each.label, each.repetitions) for each in self.found()]


def moving(n: int, seconds: float = 1.5, start: float = 0.0) -> np.ndarray:
    """Shares of n repetitions."""
    return np.linspace(start, n, int((n - start) * seconds * FPS) + 1)


def still(seconds: float, place: float = 0.0) -> np.ndarray:
    return np.full(int(seconds * FPS), place)


def test_without_none_a_set_goes_on_while_its_label_is_held() -> None:
    doubtful = np.array([0.3, 0.25, 0.25, 0.2], dtype=np.float32)  # between `leave` and `enter`
    stream = Stream(none=None).go(SQUAT, moving(2)).go(doubtful, still(3.0))
    (only,) = stream.found()
    assert only.end == pytest.approx((stream.frame - 1) / FPS)


def test_a_set_is_from_the_first_frame_in_favour_of_it_to_the_last_in_which_it_is_held() -> None:
    stream = Stream().go(NONE, still(1)).go(SQUAT, moving(3)).go(NONE, still(3))
    (only,) = stream.found()
    assert only.label == "squat"
    assert only.start == pytest.approx(15 / FPS)
    assert only.end == pytest.approx((15 + len(moving(3)) - 1) / FPS)
    assert only.repetitions == 3
    assert only.probability == pytest.approx(SQUAT[0])


def test_a_moment_without_a_repetition_is_no_set() -> None:
    stream = Stream().go(SQUAT, still(0.4)).go(NONE, still(2)).go(LUNGES, still(0.8)).go(NONE, still(2))
    assert stream.counts() == [("lunges", 0)]
    quick = Stream().go(SQUAT, moving(1, seconds=0.4)).go(NONE, still(2))
    assert quick.counts() == [("squat", 1)]


def test_a_short_pause_goes_on_with_the_set_and_a_long_one_begins_another() -> None:
    stream = Stream().go(SQUAT, moving(2)).go(NONE, still(0.9)).go(SQUAT, moving(2))
    assert stream.counts() == [("squat", 4)]
    stream.go(NONE, still(1.5)).go(SQUAT, moving(1))
    assert stream.counts() == [("squat", 4), ("squat", 1)]


def test_another_action_ends_the_set_at_once() -> None:
    stream = Stream().go(SQUAT, moving(2)).go(LUNGES, moving(3)).go(SQUAT, moving(1))
    assert stream.counts() == [("squat", 2), ("lunges", 3), ("squat", 1)]
    one, two, _ = stream.found()
    assert one.end <= two.start


def test_a_flicker_of_the_label_neither_ends_the_set_nor_loses_a_repetition() -> None:
    stream, whole = Stream(), moving(4)
    for frame, share in enumerate(whole):
        stream.go((SQUAT, NONE, LUNGES)[(frame % 9 == 7) + 2 * (frame % 9 == 8)], [share])
    assert stream.counts() == [("squat", 4)]


def test_phases_without_an_action_count_nothing() -> None:
    stream = Stream().go(NONE, moving(5)).go(NONE, moving(1)[:-12]).go(SQUAT, still(1))
    assert stream.counts() == [("squat", 0)]
    stream.go(NONE, moving(1, seconds=0.8)).go(SQUAT, still(1))  # in a pause
    assert stream.counts() == [("squat", 0)]


@given(start=st.floats(0, 0.25), end=st.floats(0.8, 1), late=st.integers(0, 2))
def test_one_quick_repetition_counts(start: float, end: float, late: int) -> None:
    """The label is held late, and the stream begins and ends within the repetition."""
    shares = np.linspace(start, end, int((end - start) * 1.2 * FPS) + 1)
    stream = Stream().go(NONE, shares[:late]).go(SQUAT, shares[late:])
    assert stream.counts() == [("squat", 1)]


def test_a_repetition_that_was_done_before_the_label_is_held_counts_for_a_second() -> None:
    shares = moving(3, seconds=0.4)
    for pause, expected in ((0.0, 3), (0.7, 3), (1.2, 1)):
        stream = Stream()
        for frame, share in enumerate(shares[:14]):  # 2 repetitions are done, and none of these is held
            stream.go((SQUAT, LUNGES)[frame // 2 % 2], [share])
        assert stream.shown[-1] is None
        for frame, share in enumerate(still(pause, float(shares[13]))):
            stream.go((LUNGES, SQUAT)[frame // 2 % 2], [share])
        stream.go(SQUAT, shares[14:]).go(SQUAT, still(0.3))
        assert stream.counts() == [("squat", expected)]


def test_a_complete_repetition_makes_up_for_a_lower_probability() -> None:
    doubtful = np.array([0.55, 0.1, 0.1, 0.25], dtype=np.float32)  # between `no_action` and `action`
    assert Stream().go(doubtful, still(4)).counts() == []
    assert Stream().go(doubtful, moving(3)).counts() == [("squat", 3)]
    improbable = np.array([0.3, 0.1, 0.1, 0.5], dtype=np.float32)
    assert Stream().go(improbable, moving(3)).counts() == []


def test_actions_without_repetitions_and_models_without_phase_count_nothing() -> None:
    stream = Stream()
    assert stream.go(NONE, still(0.5)).sets.repetitions == 0
    assert stream.go(RUNNING, moving(3)).counts() == [("running", None)]
    assert stream.sets.repetitions is None
    assert stream.go(SQUAT, moving(1)).counts() == [("running", None), ("squat", 1)]
    plain = Stream().go(SQUAT, moving(3), phase=False)
    assert plain.counts() == [("squat", None)]
    assert plain.sets.repetitions is None


@pytest.mark.parametrize("place", [0.2, 0.45, 0.6, 0.7])
@pytest.mark.parametrize("probabilities", [SQUAT, NONE])
def test_a_person_who_is_lost_goes_on_with_the_repetition(place: float, probabilities: np.ndarray) -> None:
    """Within `max_gap` the recogniser goes on with the last pose; what the network makes of it decides nothing."""
    stream = Stream().go(SQUAT, moving(2)).go(SQUAT, place * moving(1))
    stream.go(probabilities, still(5, place), seen=False)
    (before,) = stream.found()
    assert before.repetitions == 2
    assert stream.sets.open
    stream.go(SQUAT, place + (1 - place) * moving(1)).go(NONE, still(2))
    assert stream.counts() == [("squat", 3)]
    assert not stream.sets.open


@given(seed=st.integers(0, 10**6), cut=st.integers(1, 120))
@settings(max_examples=60, deadline=None)
def test_a_state_goes_on_where_it_was(seed: int, cut: int) -> None:
    rng = np.random.default_rng(seed)
    frames = [((SQUAT, LUNGES, NONE)[int(rng.integers(3))], bool(rng.random() < 0.8)) for _ in range(0, 150, 10)]
    shares = np.cumsum(rng.uniform(-0.05, 0.15, 150))
    one, two = Stream(), Stream()
    for t in range(cut):
        one.go(frames[t // 10][0], [shares[t]], frames[t // 10][1])
    two.frame = one.frame
    two.held.restore(one.held.state())
    two.sets.restore(one.sets.state())
    for t in range(cut, 150):
        for each in (one, two):
            each.go(frames[t // 10][0], [shares[t]], frames[t // 10][1])
        assert one.shown[-1] == two.shown[-1]
        assert one.sets.repetitions == two.sets.repetitions
    np.testing.assert_array_equal(one.sets.state(), two.sets.state())


def test_a_held_label_of_a_state_without_sets_begins_one() -> None:
    before, after = Stream().go(SQUAT, moving(2)), Stream()
    after.held.restore(before.held.state())
    after.frame = before.frame
    after.go(SQUAT, moving(1))
    (found,) = after.found()
    assert found.start == pytest.approx(before.frame / FPS)


def test_a_state_that_no_stream_has_is_refused() -> None:
    stream = Stream().go(SQUAT, moving(2))
    good = stream.sets.state()
    changes = {0: 2, 1: 4, 2: -1, 3: 0, 4: -1, 5: 3, 6: 99, 7: np.nan, 8: -1e11, 11: np.inf, 12: 1e9, 13: 7, 15: 0.5}
    for index, value in changes.items():
        bad = good.copy()
        bad[index] = value
        with pytest.raises(ValueError, match=r"NaN|not that of a stream"):
            Stream().sets.restore(bad)
    Stream().sets.restore(good)
    Stream().sets.restore(Stream().sets.state())
