from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from actrec.live.overlay import Overlay, counter
from actrec.live.tracking import TrackedPerson
from actrec.online.prediction import Prediction, Set
from actrec.skeleton import COCO17

LABELS = ["深蹲", "a\nlabel", "قرفصاء", "$x$ <b>"]


pytestmark = pytest.mark.usefixtures("no_fonts")


def _person(label: str, person: str = "1") -> TrackedPerson:
    keypoints = np.ones((17, 3), np.float32) * np.array([150, 120, 1], np.float32)
    chosen = (np.array(LABELS) == label).astype(float)
    prediction = Prediction(0.0, person, chosen, label, label, np.zeros((0, 17, 2)), 1, True)
    return TrackedPerson(person, np.array([100, 60, 200, 200], np.float32), keypoints, prediction)


@pytest.mark.parametrize(
    ("label", "text"),
    list(zip(LABELS, ["class 0  100 %", "a label  100 %", "قرفصاء  100 %", "$x$ <b>  100 %"], strict=True)),
)
def test_labels_of_any_script_are_drawn(label: str, text: str) -> None:
    overlay = Overlay(COCO17, COCO17, 2.0, LABELS)
    person = _person(label)
    assert overlay._text(person) == text
    picture = np.zeros((240, 320, 3), np.uint8)
    overlay(picture, [person, _person(label, "人\n2")], 0.5)
    assert (picture > 200).any()


@pytest.mark.parametrize(
    ("current", "repetitions", "shown"),
    [
        (None, None, ""),
        (None, 0, ""),  # before the first set
        (Set("深蹲", 1.0, 9.9, None, 0.5), None, ""),  # the model has no phase, or the action no repetitions
        (Set("深蹲", 1.0, 9.9, 0, 0.5), 0, "0"),
        (Set("深蹲", 1.0, 8.0, 12, 0.5), 12, "12"),  # it has just ended
        (Set("深蹲", 1.0, 6.0, 12, 0.5), 12, ""),
    ],
)
def test_the_counter_is_that_of_the_set(current: Set | None, repetitions: int | None, shown: str) -> None:
    person = _person("深蹲")
    later = replace(person.prediction, timestamp=10.0, repetitions=repetitions, set=current)
    assert counter(person._replace(prediction=later)) == shown


def test_the_counter_is_larger_than_the_label() -> None:
    pictures = []
    for repetitions in (None, 8):
        person = _person("深蹲")
        now = replace(person.prediction, repetitions=repetitions, set=Set("深蹲", 0.0, 0.0, repetitions, 1.0))
        picture = np.zeros((480, 640, 3), np.uint8)
        Overlay(COCO17, COCO17, 2.0, LABELS)(picture, [person._replace(prediction=now)], 0.0)
        pictures.append((picture[:60] == 255).all(-1))  # white letters above the box
    rows = [np.flatnonzero(letters.any(1)) for letters in pictures]
    assert np.ptp(rows[1]) > 1.5 * np.ptp(rows[0])
