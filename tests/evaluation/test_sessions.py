from typing import Any

import numpy as np
import pytest

from actrec.evaluation.sessions import session_records, sessions_summary, summarize_sessions
from actrec.online.prediction import Prediction, Set
from actrec.online.recognizer import OnlineRecognizer
from actrec.types import NO_LABEL, ActrecError, Segment, SkeletonSequence

LABELS = ("squat", "lunges", "none")


class Script(OnlineRecognizer):
    """A recogniser that holds what it is told, by the number of the frame."""

    people: Any = None  # instead of the property

    def __init__(self, held: list[str | None], sets: dict[int, Set] | None = None) -> None:
        self.held, self.sets, self.labels, self.max_people = held, sets or {}, LABELS, 4
        self.people = []

    def push_all(self, people: Any, timestamp: float) -> dict[str, Prediction]:
        self.people, frame = list(people), round(10 * timestamp)
        held = self.held[frame]
        made = Prediction(
            timestamp, "", np.ones(3) / 3, held or "none", held, np.zeros((0, 17, 2)), frame + 1, True,
            float(held is not None), None, None, self.sets.get(frame),
        )  # fmt: skip
        return dict.fromkeys(people, made)

    def forget(self, person: str) -> None:
        self.people.remove(person)


def session(*segments: Segment, n_frames: int = 20, label: str = "none") -> SkeletonSequence:
    keypoints = np.ones((n_frames, 17, 3), dtype=np.float32)
    return SkeletonSequence(keypoints, 10.0, "coco17", label, "one", segments=segments)


def test_what_is_held_is_compared_with_the_segments():
    clip = session(Segment("squat", 5, 15, 3), Segment("", 15, 20))
    script = Script(
        [None] * 6 + ["squat"] * 14, {12: Set("squat", 0.5, 1.2, 2, 0.9), 19: Set("squat", 0.5, 1.9, 3, 0.9)}
    )
    (record,) = session_records(script, [clip], {"one": [("walk", 0, 5), ("squat", 5, 20)]})
    assert record.true.tolist() == [2] * 5 + [0] * 10 + [NO_LABEL] * 5
    assert record.held.tolist() == [2] * 6 + [0] * 14
    assert [tuple(each) for each in record.sets] == [(0, 0.5, 1.9, 3)]
    assert [tuple(each) for each in record.true_sets] == [(0, 0.5, 1.5, 3)]
    metrics = summarize_sessions([record], LABELS)
    assert metrics["frame_accuracy"] == pytest.approx(14 / 15)
    assert metrics["delay_median"] == pytest.approx(0.1)
    assert metrics["repetition_obo"] == 1
    assert metrics["held_by_motion"]["walk"] == {"none": 1.0}
    assert "1 sessions of" in sessions_summary(metrics)


def test_a_session_without_rows_is_one_segment():
    (record,) = session_records(Script([None] * 20), [session()])
    assert record.true.tolist() == [2] * 20
    assert not record.true_sets


def test_an_unknown_label_is_told():
    with pytest.raises(ActrecError, match=r"'dance'.*knows squat, lunges, none"):
        session_records(Script([None] * 20), [session(Segment("dance", 0, 5))])
