from __future__ import annotations

import logging

import pytest

from actrec.data.sources.official_splits import families_of, official_splits, split_named, val_is, warn_unlisted
from actrec.types import ActrecError


@pytest.mark.parametrize(("name", "split"), [("Training", "train"), (" VALID ", "val"), ("test", "test"), ("x", None)])
def test_names_of_splits(name: str, split: str | None) -> None:
    assert split_named(name) == split


@pytest.mark.parametrize(
    ("names", "families"),
    [
        (["train", "val", "test"], [{"train": "train", "val": "val", "test": "test"}]),
        (["test1", "train1", "train2", "test2"], [{"train": f"train{n}", "test": f"test{n}"} for n in (1, 2)]),
        (["xsub_train", "xsub_val", "xview_train", "all"], [{"train": "xsub_train", "val": "xsub_val"}]),
        (["contest_train", "contest_test"], [{"train": "contest_train", "test": "contest_test"}]),
        (["Training", "validation"], [{"train": "Training", "val": "validation"}]),
        (["all"], []),
    ],
)
def test_lists_that_belong_together(names: list[str], families: list[dict[str, str]]) -> None:
    assert families_of(names) == families


def test_val_is_test_where_there_is_no_test(caplog: pytest.LogCaptureFixture) -> None:
    assert val_is(["train", "val"]) == "test"
    assert val_is(["train", "val", "test"]) == "val"
    with caplog.at_level(logging.INFO):
        assert official_splits({"train": ["a"], "val": ["b"], "test": []}, "x.pkl") == {"a": "train", "b": "test"}
    assert "val is the test split (x.pkl)" in caplog.text
    assert official_splits({"train": ["a"], "val": ["b"], "test": ["c"]}, "")["b"] == "val"


def test_a_clip_in_two_lists() -> None:
    with pytest.raises(ActrecError, match="Clip 'b' is both in train and in test of x"):
        official_splits({"train": ["a", "b"], "test": ["b"]}, "x")


def test_clips_in_no_list_are_named(caplog: pytest.LogCaptureFixture) -> None:
    warn_unlisted([], 9, "x")
    assert not caplog.text
    warn_unlisted(list("abcd"), 9, "train and test")
    assert "4 of 9 clips are in none of train and test and have no split (the first: a, b, c)" in caplog.text
