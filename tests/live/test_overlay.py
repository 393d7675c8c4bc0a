from __future__ import annotations

import numpy as np
import pytest

from actrec.live.overlay import Overlay
from actrec.live.tracking import TrackedPerson
from actrec.online.prediction import Prediction
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
