"""The answers for JSONL, uploads and streams are of one schema, which OpenAPI describes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from actrec.live.answers import frame_answer, person_lines, to_json
from actrec.live.tracking import TrackedPerson
from actrec.online.prediction import Prediction, Set
from actrec.serve.schema import FrameAnswer, Person

LABELS = ("squat", "push_ups")


@pytest.fixture
def person() -> TrackedPerson:
    forecast = np.array([[[1.0, 2.0], [np.nan, np.nan], [3.04, 4.06]]], np.float32)
    prediction = Prediction(
        timestamp=0.5,
        person="1",
        probabilities=np.array([0.25, 0.75], np.float32),
        label="push_ups",
        held=None,
        forecast=forecast,
        n_frames=7,
        seen=True,
        action=0.75,
        phase=3.14159,
        repetitions=4,
        set=Set("push_ups", 0.1, 0.45678, 4, 0.7),
    )
    keypoints = np.array([[10, 20, 0.5], [0, 0, 0], [30, 40, 1]], np.float32)
    return TrackedPerson("1", np.array([1, 2, 3, 4], np.float32), keypoints, prediction)


def test_an_answer_has_the_fields_that_are_described(person: TrackedPerson) -> None:
    answer = {"frame": 3} | frame_answer(0.5, [person]) | {"sets": None}
    assert set(answer) == set(FrameAnswer.model_fields)
    assert set(answer["people"][0]) == set(Person.model_fields)
    assert FrameAnswer.model_validate_json(to_json(answer)).model_dump() == answer
    assert answer["people"][0]["forecast"] == [[1.0, 2.0], None, [3.0, 4.1]]


def test_repetitions_and_the_set_are_told(person: TrackedPerson) -> None:
    (answer,) = frame_answer(0.5, [person])["people"]
    assert (answer["action"], answer["phase"], answer["repetitions"]) == (0.75, 3.142, 4)
    assert answer["set"] == {
        "label": "push_ups",
        "start": 0.1,
        "end": 0.457,
        "repetitions": 4,
        "mean_probability": 0.7,
    }
    bare = replace(person.prediction, phase=None, repetitions=None, set=None)  # of a model without phase, at first
    (answer,) = frame_answer(0.5, [bare])["people"]
    assert (answer["phase"], answer["repetitions"], answer["set"]) == (None, None, None)


def test_keypoints_that_a_client_has_sent_are_not_returned(person: TrackedPerson) -> None:
    (sent,) = frame_answer(0.123456789, [person.prediction])["people"]
    assert set(Person.model_fields) - set(sent) == {"box", "keypoints"}
    assert frame_answer(0.123456789, [])["timestamp"] == 0.123456789  # clients match answers to frames by it


def test_a_line_is_a_person_of_the_answer(person: TrackedPerson) -> None:
    answer = frame_answer(0.5, [person])
    (line,) = person_lines(3, answer, LABELS)
    assert (line.pop("frame"), line.pop("time")) == (3, 0.5)
    assert line.pop("probabilities") == {"squat": 0.25, "push_ups": 0.75}
    assert line == {name: value for name, value in answer["people"][0].items() if name != "probabilities"}
    assert list(person_lines(4, frame_answer(0.6, []), LABELS)) == [{"frame": 4, "time": 0.6, "person": None}]


def test_half_a_surrogate_pair_is_escaped() -> None:
    assert to_json({"person": "\ud800 深"}).encode() == b'{"person": "\\ud800 \xe6\xb7\xb1"}'
    with pytest.raises(ValueError, match="JSON compliant"):
        to_json({"x": float("nan")})


def test_a_scaled_person_has_scaled_places_and_the_same_confidences(person: TrackedPerson) -> None:
    half = person.scaled(0.5)
    np.testing.assert_allclose(half.box, person.box / 2)
    np.testing.assert_allclose(half.keypoints[:, :2], person.keypoints[:, :2] / 2)
    np.testing.assert_allclose(half.keypoints[:, 2], person.keypoints[:, 2])
    np.testing.assert_allclose(half.prediction.forecast, person.prediction.forecast / 2)
