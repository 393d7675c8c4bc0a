from __future__ import annotations

import unicodedata
from typing import Any

import pytest

from actrec.data.sources.labels import LabelMap, clean_label
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


def test_a_near_spelling_is_named() -> None:
    with pytest.raises(ActrecError, match="Did you mean 'squats'"):
        LabelMap(TABLE)("ucf101", "Sqats")


def test_accents_and_spaces() -> None:
    decomposed = unicodedata.normalize("NFD", "épée")
    assert clean_label(f" {decomposed}\u00a0  fight\n") == "épée fight"
    assert LabelMap()("mine", decomposed) == "épée"
    assert LabelMap({"fencing": {"mine": "épée"}})("mine", decomposed.upper()) == "fencing"


def test_vowel_signs_and_punctuation_tell_labels_apart() -> None:
    labels = LabelMap({"a": {"x": ["कि", "!"]}, "b": {"x": ["का", "?"]}})
    assert [labels("x", text) for text in ("कि", "का", "!", "?")] == ["a", "b", "a", "b"]


def test_whole_numbers_are_labels() -> None:
    labels = LabelMap({7: {"x": [1, "2"]}})
    assert labels.names == ("7",)
    assert [labels("x", text) for text in ("1", "2")] == ["7", "7"]


@pytest.mark.parametrize(
    "table", [{True: {"x": "on"}}, {"a": {"x": None}}, {"a": {"x": [1000.0]}}, {"a": {"x": [False]}}, {1e3: {"x": "y"}}]
)
def test_what_yaml_reads_as_no_text_is_refused(table: Any) -> None:
    with pytest.raises(ActrecError, match=r"that YAML reads as .* Put it in quotes"):
        LabelMap(table)


def test_a_label_without_sources_is_refused() -> None:
    with pytest.raises(ActrecError, match=r"has 'y' for label 'a'; expected spellings by source"):
        LabelMap({"a": "y"})


def test_none_is_the_last_label() -> None:
    assert LabelMap({"squat": {}, "none": {}}).names == ("squat", "none")
    with pytest.raises(ActrecError, match="'none' before other labels; put it last"):
        LabelMap({"none": {}, "squat": {}})
