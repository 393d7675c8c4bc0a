from __future__ import annotations

import pytest

from actrec.data.labels import LabelMap
from actrec.types import ActrecError

TABLE = {"push_ups": {"ucf101": "Push Ups", "penn_action": ["pushup", "push_ups"]}, "squat": {"ucf101": "Squats"}}


@pytest.mark.parametrize("spelling", ["PushUps", "push ups", "PUSH_UPS", "Push-Ups"])
def test_case_and_punctuation_do_not_matter(spelling: str) -> None:
    assert LabelMap(TABLE)("ucf101", spelling) == "push_ups"


def test_spellings_belong_to_their_source() -> None:
    labels = LabelMap(TABLE, unmapped="skip")
    assert labels("penn_action", "pushup") == "push_ups"
    assert labels("ucf101", "pushup") is None
    assert labels("penn_action", "squat") is None
    assert labels.names == ("push_ups", "squat")
    assert labels.sources == ("ucf101", "penn_action")


def test_a_label_that_is_not_in_the_map() -> None:
    with pytest.raises(ActrecError, match=r"'yoga' of source 'ucf101' is not in .*: pushups, squats\. .*unmapped=skip"):
        LabelMap(TABLE)("ucf101", "yoga")


def test_without_a_map_labels_stay() -> None:
    assert LabelMap()("mine", "Wave Hands") == "Wave Hands"


def test_a_spelling_of_two_labels_is_refused() -> None:
    with pytest.raises(ActrecError, match="to both 'a' and 'b'"):
        LabelMap({"a": {"x": "one"}, "b": {"x": "One"}})
