import math
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actrec.evaluation.segments import LabelledSet, SessionRecord
from actrec.evaluation.session_metrics import held_by_motion, session_metrics
from actrec.types import NO_LABEL, ActrecError

NONE = 3
LABELS = ("a", "b", "c", "none")
COUNTS = {"n_sessions", "n_sets", "minutes"}


def record(true: list[int], held: list[int], **options: object) -> SessionRecord:
    action = np.array([label != NONE for label in held], dtype=float)
    return SessionRecord(10.0, np.array(true, int), np.array(held, int), action, **options)  # type: ignore[arg-type]


def test_frames_that_nobody_labelled_do_not_count():
    with_gap = record([0, 0, NO_LABEL, NO_LABEL, 3, 3], [0, 0, 1, 1, 3, 3])
    metrics = session_metrics([with_gap], LABELS)
    assert metrics["frame_accuracy"] == metrics["frame_macro_f1"] == metrics["edit"] == 1
    assert metrics["false_alarms_a_minute"] == metrics["false_alarm_share"] == 0


def test_frame_metrics_are_counted_by_hand():
    metrics = session_metrics([record([0, 0, 0, 1, 3, 3, 3, 3], [0, 0, 1, 1, 3, 3, 3, 0])], LABELS)
    assert metrics["frame_accuracy"] == pytest.approx(6 / 8)
    assert metrics["frame_macro_f1"] == pytest.approx(np.mean([2 / 3, 2 / 3, 6 / 7]))
    assert metrics["false_alarm_share"] == pytest.approx(1 / 4)
    assert metrics["n_sessions"] == 1
    assert metrics["minutes"] == pytest.approx(0.8 / 60)


def test_a_session_without_any_action_has_no_delays_and_no_repetitions():
    metrics = session_metrics([record([3, 3, 3], [3, 3, 3])], LABELS)
    assert metrics["frame_accuracy"] == metrics["edit"] == 1
    for name in ("segment_f1_50", "delay_median", "missed", "repetition_mae", "repetition_obo", "action_auroc"):
        assert math.isnan(metrics[name])


def test_motions_have_shares_of_what_was_held():
    one = record([3, 3, 3, 3], [0, 3, 3, 3], motions=["deadlift", "deadlift", "walk", "walk"])
    assert held_by_motion([one], LABELS) == {"deadlift": {"a": 0.5, "none": 0.5}, "walk": {"none": 1.0}}


@given(st.lists(st.tuples(st.integers(NO_LABEL, NONE), st.integers(0, NONE)), min_size=1, max_size=40))
def test_frame_metrics_are_those_of_a_loop_over_frames_and_classes(pairs):
    metrics = session_metrics([record(*map(list, zip(*pairs, strict=True)))], LABELS)
    known = [(true, held) for true, held in pairs if true != NO_LABEL]
    scores = []
    for label in range(len(LABELS)):
        both = sum(true == held == label for true, held in known)
        either = sum(true == label for true, _ in known) + sum(held == label for _, held in known)
        scores += [2 * both / either] if either else []
    idle = [held != NONE for true, held in known if true == NONE]
    for name, values in (
        ("frame_accuracy", [true == held for true, held in known]),
        ("frame_macro_f1", scores),
        ("false_alarm_share", idle),
    ):
        expected = sum(values) / len(values) if values else math.nan
        assert metrics[name] == pytest.approx(expected, nan_ok=True)


@pytest.mark.parametrize("records", [[], [record([], [])], [record([NO_LABEL] * 5, [0] * 5)]])
def test_metrics_without_data_are_nan(records):
    metrics = session_metrics(records, LABELS)
    assert all(math.isnan(value) for name, value in metrics.items() if name not in COUNTS)
    assert metrics["n_sessions"] == len(records)
    assert held_by_motion(records, LABELS) == {}


def test_false_alarms_are_counted_for_each_labelled_minute():
    half = record([3] * 600 + [NO_LABEL] * 600, [3] * 300 + [0] * 100 + [3] * 800)
    metrics = session_metrics([half], LABELS)
    assert metrics["minutes"] == pytest.approx(2)
    assert metrics["false_alarms_a_minute"] == pytest.approx(1)


def test_segments_of_all_sessions_are_counted_together_and_edit_is_their_mean():
    full = record([0, 3, 1, 3, 2], [0, 3, 1, 3, 2])
    wrong = record([0, 0, 3, 3], [1, 1, 3, 3])
    metrics = session_metrics([full, wrong], LABELS)
    assert metrics["segment_f1_50"] == pytest.approx(2 * 3 / (2 * 3 + 1 + 1))
    assert metrics["edit"] == pytest.approx((1 + 0) / 2)


def test_sets_are_matched_by_label_and_overlap_and_unlabelled_time_does_not_count():
    done = [LabelledSet(0, 0.0, 2.0), LabelledSet(1, 3.0, 5.0)]
    found = [
        LabelledSet(0, 0.5, 2.0),  # 1.5 of 2 s
        LabelledSet(1, 3.0, 3.9),  # 0.9 of 2 s
        LabelledSet(2, 5.0, 6.0),  # nothing was done
        LabelledSet(2, 7.0, 9.0),  # nobody knows
    ]
    labels = [0] * 20 + [NONE] * 10 + [1] * 20 + [NONE] * 20 + [NO_LABEL] * 20
    metrics = session_metrics([record(labels, labels[:70] + [NONE] * 20, true_sets=done, sets=found)], LABELS)
    assert metrics["set_f1_25"] == pytest.approx(2 * 2 / (2 * 2 + 1))
    assert metrics["set_f1_50"] == pytest.approx(2 * 1 / (2 * 1 + 2 + 1))


def test_small_integers_do_not_overflow():
    labels = (*(f"c{number}" for number in range(14)), "none")
    frames = np.array([13, 14] * 4, np.int8)
    assert session_metrics([SessionRecord(10.0, frames, frames, np.ones(8))], labels)["frame_accuracy"] == 1


def test_long_sessions_take_seconds():
    rng = np.random.default_rng(0)
    true = np.repeat(rng.integers(0, 4, 500), 400)
    held = np.where(rng.random(len(true)) < 0.02, rng.integers(0, 4, len(true)), true)
    motions = [f"motion {number}" for number in np.repeat(np.arange(500) % 60, 400)]
    long = SessionRecord(15.0, true, held, rng.random(len(true)), motions=motions)
    begin = time.process_time()
    session_metrics([long], LABELS)
    held_by_motion([long], LABELS)
    assert time.process_time() - begin < 5


def test_wrong_classes_are_told():
    with pytest.raises(ActrecError, match="expected 'none' last"):
        session_metrics([record([0], [0])], ("none", "a"))
    for wrong in (record([0], [7]), record([0], [-1]), record([0], [0], sets=[LabelledSet(9, 0, 1)])):
        with pytest.raises(ActrecError, match="beyond the 4 classes"):
            session_metrics([wrong], LABELS)
