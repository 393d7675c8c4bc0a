from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actrec.data.store.clip_ids import distinct_ids, safe_id


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("../a b/c:ö", "_a_b_c_ö"),
        ("CON", "_CON"),
        ("nul.flip", "_nul.flip"),
        ("lpt1", "_lpt1"),
        ("console", "console"),
        ("…", "_"),
        ("", "_"),
        ("a \udcff", "a__"),  # a byte that is no UTF-8, as Python gives it
    ],
)
def test_what_a_file_name_cannot_hold(text: str, expected: str) -> None:
    assert safe_id(text) == expected


def test_long_names_end_in_a_hash_of_the_whole() -> None:
    names = [safe_id("ж" * 200 + ending) for ending in ("", "a", "b")]
    assert len(set(names)) == 3
    assert all(name.startswith("ж" * 100) for name in names)
    assert safe_id("a" * 240) == "a" * 240


@given(st.lists(st.text(max_size=300), max_size=8, unique=True))
def test_ids_stay_apart_on_every_file_system(texts: list[str]) -> None:
    ids = distinct_ids([safe_id(text) for text in texts], texts)
    assert len({name.lower() for name in ids}) == len(texts)
    for name in ids:
        assert len(f"{name}.p99999.npz.tmp".encode()) <= 255
        assert safe_id(name) == name


def test_what_needs_no_cleaning_keeps_its_id_whatever_the_order() -> None:
    for texts in (["a_b", "a/b", "A_b"], ["a/b", "A_b", "a_b"]):
        ids = dict(zip(texts, distinct_ids([safe_id(text) for text in texts], texts), strict=True))
        assert ids["A_b"] == "A_b"
        assert ids["a_b"].startswith("a_b-")
        assert ids["a/b"].startswith("a_b-")
        assert len(set(ids.values())) == 3


def test_an_id_like_that_of_a_person_of_another_clip() -> None:
    ids = distinct_ids(["hall", "hall.p1", "gym.p1"], ["hall", "hall.p1", "gym.p1"])
    assert ids[0] == "hall"
    assert ids[1].startswith("hall.p1-")
    assert ids[2] == "gym.p1"


def test_ids_that_were_given_twice_are_left_to_be_refused() -> None:
    assert distinct_ids(["a", "a"], ["a", "a"]) == ["a", "a"]
