import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actrec.evaluation.segments import (
    LabelledSet,
    SessionRecord,
    auroc,
    counted_repetitions,
    delays,
    edit_score,
    runs,
    segment_counts,
    wrong_stretches,
)
from actrec.evaluation.session_metrics import session_metrics
from actrec.types import ActrecError

NONE = 3
LABELS = ("a", "b", "c", "none")
frames = st.lists(st.integers(0, NONE), min_size=1, max_size=30).map(np.array)


def record(true: list[int], held: list[int], **options: object) -> SessionRecord:
    action = np.array([label != NONE for label in held], dtype=float)
    return SessionRecord(10.0, np.array(true), np.array(held), action, **options)  # type: ignore[arg-type]


def slow_segments(labels: np.ndarray) -> list[tuple[int, set[int]]]:
    """The label and the frames of every segment that is not "none"."""
    found = []
    for label, group in itertools.groupby(enumerate(labels.tolist()), key=lambda pair: pair[1]):
        found.append((label, {number for number, _ in group}))
    return [each for each in found if each[0] != NONE]


@given(frames)
def test_runs_put_together_are_the_labels(labels):
    again = [label for label, start, end in runs(labels) for _ in range(start, end)]
    assert again == labels.tolist()
    assert all(one[0] != two[0] for one, two in itertools.pairwise(runs(labels)))


@given(st.data(), st.sampled_from([0.1, 0.25, 0.5]))
def test_segments_are_matched_as_in_ms_tcn(data, overlap):
    n = data.draw(st.integers(1, 30))
    true, held = (np.array(data.draw(st.lists(st.integers(0, NONE), min_size=n, max_size=n))) for _ in range(2))
    wanted, free, right, wrong = slow_segments(true), set(range(len(slow_segments(true)))), 0, 0
    for label, inside in slow_segments(held):
        share = {
            number: len(inside & there) / (max(inside | there) - min(inside | there) + 1) * (label == other)
            for number, (other, there) in enumerate(wanted)
        }
        best = max(share, key=lambda number: (share[number], -number), default=None)
        if best is not None and share[best] >= overlap and best in free:
            free.remove(best)
            right += 1
        else:
            wrong += 1
    assert segment_counts(true, held, NONE, overlap) == (right, wrong, len(free))


def slow_distance(one: tuple[int, ...], two: tuple[int, ...]) -> int:
    if not one or not two:
        return len(one) + len(two)
    return min(
        slow_distance(one[1:], two) + 1,
        slow_distance(one, two[1:]) + 1,
        slow_distance(one[1:], two[1:]) + (one[0] != two[0]),
    )


@given(st.lists(st.tuples(*[st.integers(0, NONE)] * 2), min_size=1, max_size=7).map(np.array))
def test_the_edit_score_is_the_recursive_distance(labels):
    true, held = labels.T
    one, two = (tuple(label for label, _ in slow_segments(labels)) for labels in (true, held))
    expected = 1 - slow_distance(one, two) / max(len(one), len(two), 1)
    assert edit_score(true, held, NONE) == pytest.approx(expected)


@given(st.lists(st.tuples(st.integers(0, 4), st.booleans()), min_size=1, max_size=20))
def test_auroc_is_the_share_of_pairs_in_order(items):
    scores, positive = np.array([float(score) for score, _ in items]), np.array([kind for _, kind in items])
    pairs = [(a > b) + 0.5 * (a == b) for a in scores[positive] for b in scores[~positive]]
    found = auroc(scores, positive)
    assert math.isnan(found) if not pairs else found == pytest.approx(np.mean(pairs))


def test_a_wrong_stretch_has_no_frame_of_its_label_and_is_a_false_alarm_if_mostly_nothing_is_done():
    assert wrong_stretches(record([3, 3, 0, 0, 3, 3, 3, 3], [0, 0, 0, 3, 1, 3, 1, 1]), NONE) == (2, 0)
    assert wrong_stretches(record([0, 0, 0, 3, 3, 3, 2, 3], [1, 1, 3, 3, 1, 1, 1, 3]), NONE) == (1, 1)
    assert wrong_stretches(record([3, 3, 3], [3, 3, 3]), NONE) == (0, 0)


def test_delays_are_in_seconds_and_what_is_never_held_is_missed():
    late = record([3, 0, 0, 0, 3, 1, 1, 2, 2], [0, 3, 3, 0, 0, 0, 0, 2, 2])
    assert delays(late, NONE) == [pytest.approx(0.2), math.inf, 0.0]
    metrics = session_metrics([late], LABELS)
    assert metrics["delay_median"] == pytest.approx(0.1)
    assert metrics["missed"] == pytest.approx(1 / 3)


def test_repetitions_are_those_of_all_sets_that_overlap():
    one = record(
        [0],
        [0],
        true_sets=[LabelledSet(0, 1, 9, 10), LabelledSet(1, 10, 12, 2), LabelledSet(2, 20, 30)],
        sets=[
            LabelledSet(0, 1.5, 4, 5),
            LabelledSet(0, 5, 9.5, 4),
            LabelledSet(0, 10, 11, 3),
            LabelledSet(1, 40, 50, 9),
        ],
    )
    assert counted_repetitions(one) == [(10, 9), (2, 0)]
    metrics = session_metrics([one], LABELS)
    assert metrics["repetition_mae"] == pytest.approx((0.1 + 1) / 2)
    assert metrics["repetition_obo"] == pytest.approx(1 / 2)


def test_wrong_sessions_are_told():
    with pytest.raises(ActrecError, match="as many of each kind"):
        record([0, 1], [0])
    with pytest.raises(ActrecError, match="before it begins"):
        record([0], [0], sets=[LabelledSet(0, 3, 2)])
    with pytest.raises(ActrecError, match="beyond the 4 classes"):
        session_metrics([record([0], [7])], LABELS)
    with pytest.raises(ActrecError, match="finite times"):
        record([0], [0], sets=[LabelledSet(0, 3, math.nan)])
    with pytest.raises(ActrecError, match="-1 repetitions"):
        record([0], [0], true_sets=[LabelledSet(0, 1, 2, -1)])
    with pytest.raises(ActrecError, match=r"0\.0 frames a second"):
        SessionRecord(0.0, np.array([0]), np.array([0]), np.array([0.5]))
    with pytest.raises(ActrecError, match="3 scores of 2 items"):
        auroc(np.zeros(3), np.array([True, False]))
