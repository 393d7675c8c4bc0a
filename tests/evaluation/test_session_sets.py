"""The sets of sessions as a table and as sets.csv."""

from __future__ import annotations

import csv
import io

import numpy as np

from actrec.evaluation.segments import LabelledSet, SessionRecord
from actrec.evaluation.session_sets import sets_csv, sets_table

LABELS = ("squat", "jump", "none")


def record(done: list[LabelledSet], recognised: list[LabelledSet], name: str = "session_1") -> SessionRecord:
    nothing = np.full(600, 2)
    return SessionRecord(10.0, nothing, nothing, np.zeros(600), done, recognised, name=name)


def test_each_set_is_beside_what_was_recognised_then() -> None:
    done = [LabelledSet(0, 2.0, 10.0, 5), LabelledSet(1, 20.0, 30.0), LabelledSet(0, 40.0, 45.0, 1)]
    recognised = [LabelledSet(0, 2.5, 6.0, 3), LabelledSet(1, 7.0, 12.0), LabelledSet(0, 9.0, 22.0, 2)]
    recognised.append(LabelledSet(1, 33.0, 36.0, 0))
    lines = sets_table(record(done, recognised), LABELS).splitlines()
    assert [[cell.strip() for cell in line.split("   ", 1)] for line in (line.strip() for line in lines)] == [
        ["done", "recognised"],
        ["squat 2.0 to 10.0 s, 5 ×", "squat 2.5 to 6.0 s, 3 ×; jump 7.0 to 12.0 s"],  # 9 to 22 overlaps most with jump
        ["jump 20.0 to 30.0 s", "squat 9.0 to 22.0 s, 2 ×"],
        ["-", "jump 33.0 to 36.0 s, 0 ×"],
        ["squat 40.0 to 45.0 s, 1 ×", "-"],
    ]
    assert len({line.index(cell) for line, cell in zip(lines, ["recognised", "squat 2.5"], strict=False)}) == 1


def test_a_session_without_sets_has_a_head_alone() -> None:
    assert sets_table(record([], []), LABELS).split() == ["done", "recognised"]


def test_all_sets_of_all_sessions_are_rows() -> None:
    one, other = record([LabelledSet(0, 2.0, 10.0, 5)], []), record([], [LabelledSet(1, 1.0, 2.5)], "session_2")
    rows = list(csv.DictReader(io.StringIO(sets_csv([one, other], LABELS))))
    assert [list(row.values()) for row in rows] == [
        ["session_1", "done", "squat", "2.00", "10.00", "5"],
        ["session_2", "recognised", "jump", "1.00", "2.50", ""],
    ]
