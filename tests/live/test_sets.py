"""The sets of a stream: collected frame by frame, as CSV, and in words."""

from __future__ import annotations

import csv

import numpy as np

from actrec.live.sets import person_set_answers, sets_csv, sets_summary
from actrec.online.prediction import Prediction, Set
from actrec.online.set_list import PersonSet, SetList

SQUAT = PersonSet("1", Set("squat", 12.04, 41.96, 11, 0.912345))
PUSH_UPS = PersonSet("1", Set("push_ups", 65.0, 92.0, 14, 0.8))


def frame(person: str, current: Set | None) -> Prediction:
    return Prediction(0.0, person, np.ones(2) / 2, "squat", None, np.zeros((0, 17, 2)), 1, True, set=current)


def test_a_set_is_listed_once_as_it_was_last() -> None:
    found = SetList()
    found.update([frame("1", None), frame("2", None)])
    for repetitions in range(4):
        found.update([frame("2", Set("squat", 2.0, 3.0 + repetitions, repetitions, 0.5))])
    found.update([frame("1", Set("squat", 1.0, 9.0, None, 0.75)), frame("2", Set("lunge", 7.0, 8.0, 0, 0.5))])
    found.update([])
    assert found.sets == [
        ("1", Set("squat", 1.0, 9.0, None, 0.75)),
        ("2", Set("squat", 2.0, 6.0, 3, 0.5)),
        ("2", Set("lunge", 7.0, 8.0, 0, 0.5)),
    ]


def test_rows_of_the_csv_are_the_sets() -> None:
    odd = PersonSet('a,"b"', Set("squat", 0.0, 1.0, None, 1.0))
    rows = list(csv.DictReader(sets_csv([SQUAT, odd]).splitlines()))
    assert rows[0] == {
        "person": "1",
        "label": "squat",
        "start": "12.04",
        "end": "41.96",
        "repetitions": "11",
        "mean_probability": "0.9123",
    }
    assert (rows[1]["person"], rows[1]["repetitions"]) == ('a,"b"', "")
    assert sets_csv([]) == "person,label,start,end,repetitions,mean_probability\n"
    assert [set(each) for each in person_set_answers([SQUAT])] == [set(rows[0])]


def test_sets_are_told_in_words() -> None:
    (line,) = sets_summary([SQUAT, PUSH_UPS])
    assert line == "squat, 0:12 to 0:41, 11 repetitions; no action; push_ups, 1:05 to 1:32, 14 repetitions"
    at_once = PersonSet("1", Set("lunge", 42.5, 3700.0, 1, 0.8))
    assert sets_summary([SQUAT, at_once]) == [
        "squat, 0:12 to 0:41, 11 repetitions; lunge, 0:42 to 1:01:40, 1 repetition"
    ]
    assert sets_summary([]) == ["no action"]


def test_several_people_have_a_line_each_and_uncounted_sets_no_repetitions() -> None:
    other = PersonSet("2", Set("push_ups", 20.0, 25.0, None, 0.8))
    assert sets_summary([SQUAT, other, PUSH_UPS]) == [
        "person 1: squat, 0:12 to 0:41, 11 repetitions; no action; push_ups, 1:05 to 1:32, 14 repetitions",
        "person 2: push_ups, 0:20 to 0:25",
    ]
