from __future__ import annotations

import unicodedata

import pytest
import yaml
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import OmegaConf

from actrec.data.excluded_labels import alike, exclude_override, excluded
from actrec.types import ActrecError

LABELS = ["null", "1", "on", "x", "手を振る", "a/b", "a, b", "1e3", "nan", "it's", 'say "go"', "#1", "$x", "épée"]


@pytest.mark.parametrize("label", LABELS)
def test_a_label_is_left_out_by_the_override_that_is_advised(label: str) -> None:
    import shlex

    (argument,) = shlex.split(exclude_override([label]))
    value = OverridesParser.create().parse_override(argument).value()
    assert excluded(OmegaConf.create([*value]), LABELS) == {label}  # type: ignore[misc, union-attr]


def test_several_at_once() -> None:
    assert exclude_override(["squat"]) == "dataset.exclude_labels=[squat]"
    assert exclude_override(["squat", "a, b", "null"]) == '\'dataset.exclude_labels=[squat,"a, b","null"]\''


@pytest.mark.parametrize(
    ("written", "labels"),
    [
        ("[1, on, null]", {"1", "on", "null"}),
        ("[1e3, .nan]", {"1e3", "nan"}),
        ("[' x ', x]", {"x"}),
        ("x", {"x"}),
        ("null", set()),
        ("[]", set()),
    ],
)
def test_what_yaml_reads_is_what_was_written(written: str, labels: set[str]) -> None:
    assert excluded(yaml.safe_load(written), LABELS) == labels


def test_accents_may_be_decomposed() -> None:
    assert excluded([unicodedata.normalize("NFD", "épée")], LABELS) == {"épée"}


@pytest.mark.parametrize(
    ("entries", "labels", "message"),
    [
        (["squatt"], ["squat", "lunge"], "has 'squatt', and no clip has that label. Did you mean 'squat'"),
        (["Squat"], ["squat", "lunge"], "Did you mean 'squat'. The labels are: lunge, squat"),
        (["zzz"], ["squat", "lunge"], "has 'zzz', and no clip has that label. The labels are: lunge, squat"),
        ("squats and lunges", ["squat", "lunge"], "no clip has that label"),
        ([True], ["on", "yes", "x"], "can be any of the labels on, yes. Put the one"),
        ([2], ["1", "x"], "has '2', and no clip has that label"),
    ],
)
def test_what_matches_nothing_or_too_much(entries: object, labels: list[str], message: str) -> None:
    with pytest.raises(ActrecError, match=message):
        excluded(entries, labels)


def test_labels_that_are_alike() -> None:
    assert alike(["Push Up", "push_up", "squat", "!", "?"]) == [("Push Up", "push_up")]
