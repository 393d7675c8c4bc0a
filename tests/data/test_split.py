from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actrec.data.split import Split, cut_windows
from actrec.types import ActrecError, Segment, SkeletonSequence

Make = Callable[..., list[SkeletonSequence]]
Parts = dict[str, list[SkeletonSequence]]


def clip(name: str, label: str, group: str, split: str = "", variant: str = "original", n: int = 1) -> SkeletonSequence:
    return SkeletonSequence(
        np.ones((n, 13, 3), dtype=np.float32),
        fps=30.0,
        skeleton="penn13",
        label=label,
        clip_id=name,
        group=group,
        split=split,
        variant=variant,
    )


def ids(parts: Parts) -> dict[str, list[str]]:
    return {part: [sequence.clip_id for sequence in sequences] for part, sequences in parts.items()}


def groups(parts: Parts) -> dict[str, set[str]]:
    return {part: {sequence.group for sequence in sequences} for part, sequences in parts.items()}


@st.composite
def stores(draw: st.DrawFn) -> list[SkeletonSequence]:
    """Clips of classes with at least three groups each, some of them with variants."""
    sequences = []
    for label in range(draw(st.integers(1, 4))):
        for group in range(draw(st.integers(3, 12))):
            split = draw(st.sampled_from(["train", "test"])) if group > 1 else "train"
            for number in range(draw(st.integers(1, 3))):
                name = f"{label}_{group}_{number}"
                sequences.append(clip(name, f"class {label}", f"{label}_{group}", split))
                if draw(st.booleans()):
                    sequences.append(clip(f"{name}_flip", f"class {label}", f"{label}_{group}", split, "flip"))
    return draw(st.permutations(sequences))


@settings(max_examples=60, deadline=None)
@given(
    stores(), st.sampled_from(["official", "grouped"]), st.integers(0, 99), st.floats(0.01, 0.9), st.floats(0.01, 0.9)
)
def test_laws(sequences: list[SkeletonSequence], protocol: Any, seed: int, val: float, test: float) -> None:
    split = Split(protocol, val_share=val, test_share=test, seed=seed)
    parts = split(sequences)
    found = groups(parts)
    assert not found["train"] & found["val"]
    assert not found["train"] & found["test"]
    assert not found["val"] & found["test"]
    assert {sequence.variant for part in ("val", "test") for sequence in parts[part]} <= {"original"}
    originals = sorted(sequence.clip_id for sequence in sequences if sequence.variant == "original")
    given_out = [sequence for part in parts.values() for sequence in part]
    assert sorted(sequence.clip_id for sequence in given_out if sequence.variant == "original") == originals
    labels = {sequence.label for sequence in sequences}
    assert {sequence.label for sequence in parts["train"]} == {sequence.label for sequence in parts["val"]} == labels
    if protocol == "grouped":
        assert {sequence.label for sequence in parts["test"]} == labels
    else:
        assert {sequence.split for sequence in parts["test"]} <= {"test"}
        assert {sequence.split for part in ("train", "val") for sequence in parts[part]} == {"train"}
    assert ids(split(sorted(sequences, key=lambda sequence: sequence.group, reverse=True))) == ids(parts)


def test_shares_are_of_each_class() -> None:
    sequences = [
        clip(f"{label}{n:03d}", label, f"{label}{n:03d}") for label in "ab" for n in range({"a": 100, "b": 10}[label])
    ]
    parts = Split("grouped", val_share=0.1, test_share=0.2)(sequences)
    counts = {part: Counter(sequence.label for sequence in found) for part, found in parts.items()}
    assert counts["test"] == {"a": 20, "b": 2}
    assert counts["val"] == {"a": 8, "b": 1}


def test_another_seed_is_another_draw(make_sequences: Make) -> None:
    sequences = make_sequences(n_labels=2, clips_per_label=40)
    draws = [ids(Split("grouped", seed=seed)(sequences)) for seed in (0, 0, 1)]
    assert draws[0] == draws[1] != draws[2]


def test_leaving_out_a_class_does_not_change_another(make_sequences: Make) -> None:
    sequences = make_sequences(n_labels=3, clips_per_label=20)
    kept = [sequence for sequence in sequences if sequence.label != "label_0"]
    every, some = Split("grouped")(sequences), Split("grouped")(kept)
    for part in every:
        assert [s.clip_id for s in every[part] if s.label != "label_0"] == [s.clip_id for s in some[part]]


@settings(max_examples=60, deadline=None)
@given(st.integers(3, 15), st.integers(1, 5), st.integers(0, 99))
def test_people_who_do_every_exercise_are_never_split(n_people: int, n_labels: int, seed: int) -> None:
    sequences = [clip(f"{p}_{k}", f"class {k}", f"person {p}") for p in range(n_people) for k in range(n_labels)]
    parts = Split("grouped", seed=seed)(sequences)
    people, n_test = groups(parts), max(round(0.2 * n_people), 1)
    assert sum(len(found) for found in people.values()) == n_people
    assert len(people["test"]) == n_test
    assert len(people["val"]) == max(round(0.1 * (n_people - n_test)), 1)
    for part in parts.values():
        assert {sequence.label for sequence in part} == {f"class {k}" for k in range(n_labels)}


def test_a_shared_group_serves_both_its_classes() -> None:
    sequences = [clip(f"a{n}", "a", f"g{n}") for n in range(4)] + [clip(f"b{n}", "b", f"h{n}") for n in range(4)]
    sequences += [clip("b9", "b", "g0"), clip("b8", "b", "g1")]
    for seed in range(20):
        parts = Split("grouped", seed=seed)(sequences)
        assert sum(len(found) for found in groups(parts).values()) == 8
        assert all({sequence.label for sequence in part} == {"a", "b"} for part in parts.values())


def test_stored_splits_are_taken_where_every_clip_has_one() -> None:
    sequences = [clip(f"a{n}", "a", f"a{n}", "test" if n < 5 else "train") for n in range(8)]
    assert ids(Split(None)(sequences))["test"] == [f"a{n}" for n in range(5)]


def listed(**splits: int) -> list[SkeletonSequence]:
    """Clips "train0", "train1" …, of two classes; those of "none" have no split."""
    return [
        clip(f"{split}{n}", "ab"[n % 2], f"{split}{n}", "" if split == "none" else split)
        for split, count in splits.items()
        for n in range(count)
    ]


@pytest.mark.parametrize("protocol", ["official", None])
def test_an_official_val_is_val(protocol: Any, caplog: pytest.LogCaptureFixture) -> None:
    sequences = [*listed(train=8, val=3, test=4), clip("flipped", "a", "val0", "val", "flip")]
    with caplog.at_level(logging.INFO):
        parts = Split(protocol)(sequences)
    for part, count in {"train": 8, "val": 3, "test": 4}.items():
        assert ids(parts)[part] == [f"{part}{n}" for n in range(count)]
    assert "train, val and test as in the store. Clips: 8 train (8 groups), 3 val (3 groups), 4 test" in caplog.text
    assert ids(Split(protocol, val_share=0.0)(sequences)) == ids(parts)


def test_val_is_test_where_no_clip_is_of_test(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        parts = Split(None)(listed(train=8, val=3))
    assert ids(parts)["test"] == ["val0", "val1", "val2"]
    assert {name[:5] for name in ids(parts)["val"]} == {"train"}
    assert "train and val, as test, as in the store; val drawn from train by group" in caplog.text


@pytest.mark.parametrize("protocol", ["official", None])
def test_a_clip_without_a_split_among_clips_with_one(protocol: Any, caplog: pytest.LogCaptureFixture) -> None:
    sequences = listed(train=8, test=4, none=5)
    with pytest.raises(ActrecError, match=r"5 of 17 clips have no .*none0, none1, none2, ….*unlisted=leave_out"):
        Split(protocol)(sequences)
    with caplog.at_level(logging.WARNING):
        parts = Split(protocol, unlisted="leave_out")(sequences)
    assert "none0, none1, none2, …) and are left out" in caplog.text
    assert ids(parts) == ids(Split(protocol)(listed(train=8, test=4)))


@pytest.mark.parametrize(
    ("protocol", "count", "told"),
    [
        (
            "grouped",
            {"none": 20},
            "test and val drawn by group, stratified by label (split.val_share=0.1, split.t",
        ),
        (None, {"none": 20}, "split.test_share=0.2, split.seed=3). Clips: 14 train (14 groups), 2 val"),
        ("grouped", {"train": 20}, "; the store's own split is not used"),
        ("official", {"train": 20, "test": 2}, "val drawn from train by group, stratified by label (split.val_share=0"),
        ("random_windows", {"none": 20}, "drawn by window"),
    ],
)
def test_a_draw_is_told(protocol: Any, count: dict[str, int], told: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        Split(protocol, seed=3)(listed(**count))
    assert told in caplog.text


def test_a_split_of_another_name() -> None:
    with pytest.raises(ActrecError, match="Clip 'dev0' is of the split 'dev'; expected train, val or test"):
        Split("official")(listed(train=8, dev=1))


@pytest.mark.parametrize(("protocol", "n"), [("official", 1), ("grouped", 1), ("grouped", 2)])
def test_a_class_with_too_few_groups(protocol: Any, n: int) -> None:
    sequences = [clip(f"a{k}", "a", f"a{k}", "train") for k in range(9)]
    sequences += [clip(f"yoga{k}", "yoga", f"yoga{k}", "train") for k in range(n)]
    with pytest.raises(ActrecError, match=rf"Class 'yoga' has {n} group.*dataset\.exclude_labels=\[yoga\]"):
        Split(protocol)(sequences)


def test_a_class_may_be_absent_from_the_official_test() -> None:
    sequences = [clip(f"{label}{n}", label, f"{label}{n}", "train") for label in "ab" for n in range(4)]
    parts = Split("official")([*sequences, clip("a9", "a", "a9", "test")])
    assert ids(parts)["test"] == ["a9"]


@settings(max_examples=60, deadline=None)
@given(stores(), st.sampled_from(["official", "grouped"]), st.integers(1, 9), st.integers(0, 99))
def test_few_clips_of_each_class(sequences: list[SkeletonSequence], protocol: Any, few: int, seed: int) -> None:
    every = Split(protocol, seed=seed)(sequences)
    split = Split(protocol, seed=seed, clips_per_class=few)
    parts = split(sequences)
    assert {**ids(parts), "train": []} == {**ids(every), "train": []}
    originals = [sequence for sequence in every["train"] if sequence.variant == "original"]
    assert set(ids(parts)["train"]) <= {sequence.clip_id for sequence in originals}
    counts = Counter(sequence.label for sequence in originals)
    assert Counter(s.label for s in parts["train"]) == {label: min(few, n) for label, n in counts.items()}
    assert ids(split(sequences[::-1])) == ids(parts)
    more = Split(protocol, seed=seed, clips_per_class=few + 1)(sequences)
    assert set(ids(parts)["train"]) <= set(ids(more)["train"])


def test_another_seed_is_another_few(make_sequences: Make) -> None:
    sequences = make_sequences(n_labels=2, clips_per_label=40)
    draws = [ids(Split(val_share=0.0, seed=seed, clips_per_class=3)(sequences))["train"] for seed in (0, 0, 1)]
    assert draws[0] == draws[1] != draws[2]


def test_few_windows(make_sequences: Make) -> None:
    parts = Split("random_windows", length=8, stride=4, clips_per_class=5)(make_sequences(n_labels=2))
    assert Counter(window.label for window in parts["train"]) == {"label_0": 5, "label_1": 5}


def test_no_val_if_none_is_wanted() -> None:
    parts = Split("official", val_share=0.0)([clip("a", "a", "a", "train"), clip("b", "a", "b", "test")])
    assert ids(parts) == {"train": ["a"], "val": [], "test": ["b"]}


def test_official_without_official_splits(make_sequences: Make) -> None:
    with pytest.raises(ActrecError, match=r"8 of 8 clips have no official split.*split\.protocol=grouped"):
        Split("official")(make_sequences(n_labels=1, split=""))


def test_a_group_in_both_official_parts() -> None:
    sequences = [clip(f"a{n}", "a", f"g{n}", "train") for n in range(4)]
    sequences += [clip(f"b{n}", "a", f"g{n}", "test") for n in range(4)]
    with pytest.raises(ActrecError, match=r"Group 'g\d' has clips in (train|val) and in test"):
        Split("official")(sequences)


def test_random_windows_warn_and_ignore_groups(make_sequences: Make, caplog: pytest.LogCaptureFixture) -> None:
    sequences = [replace(s, split="") for s in make_sequences(n_labels=2, clips_per_label=4, frames=(200, 300))]
    with caplog.at_level(logging.WARNING):
        parts = Split("random_windows", length=32, stride=16)(sequences)
    assert "too high" in caplog.text
    found = groups(parts)
    assert found["train"] & found["test"]
    names = [name for part in ids(parts).values() for name in part]
    assert len(names) == len(set(names)) == sum((len(s) - 32) // 16 + 1 for s in sequences)
    assert {len(s) for part in parts.values() for s in part} == {32}


def test_windows() -> None:
    keypoints = np.arange(10, dtype=np.float32)[:, None, None] * np.ones((1, 13, 3), dtype=np.float32)
    keypoints[..., 2] = 1
    windows = cut_windows(replace(clip("x", "a", "g"), keypoints=keypoints), length=4, stride=3)
    assert [(w.clip_id, w.group, w.keypoints[:, 0, 0].tolist()) for w in windows] == [
        ("x#0", "g", [0, 1, 2, 3]),
        ("x#1", "g", [3, 4, 5, 6]),
        ("x#2", "g", [6, 7, 8, 9]),
    ]
    assert [len(w) for w in cut_windows(clip("x", "a", "g", n=2), length=4, stride=3)] == [2]


@pytest.mark.parametrize(
    "options",
    [
        {"protocol": "offical"},
        {"val_share": 1.0},
        {"test_share": -0.1},
        {"stride": 0},
        {"unlisted": "drop"},
        {"clips_per_class": 0},
        {"clips_per_class": True},
    ],
)
def test_wrong_options(options: dict[str, Any]) -> None:
    with pytest.raises(ActrecError, match=r"split\."):
        Split(**options)


def test_sessions_are_drawn_as_one_class_so_that_rare_labels_do_not_matter() -> None:
    labels = ["squat", "squat", "lunge", "plank", "none", "none"]
    sessions = [
        replace(clip(str(n), label, f"g{n}", n=9), segments=(Segment(label, 0, 5),)) for n, label in enumerate(labels)
    ]
    parts = Split("grouped", val_share=0.2, test_share=0.2)(sessions)
    assert {part: len(found) for part, found in parts.items()} == {"train": 4, "val": 1, "test": 1}
    with pytest.raises(ActrecError, match=r"all clips with segments has 2 groups.*from other videos\.$"):
        Split("grouped")(sessions[:2])
    with pytest.raises(ActrecError, match=r"Class 'jump' has 1 group .*leave it out"):
        Split("grouped")([*sessions, clip("x", "jump", "x")])


def test_a_session_without_actions_is_drawn_with_the_others() -> None:
    sessions = [replace(clip(str(n), "squat", f"g{n}", n=9), segments=(Segment("squat", 0, 5),)) for n in range(9)]
    parts = Split("grouped", val_share=0.2, test_share=0.2)([*sessions, clip("idle", "none", "idle")])
    assert {part: len(found) for part, found in parts.items()} == {"train": 6, "val": 2, "test": 2}
    with pytest.raises(ActrecError, match=r"Class 'none' has 1 group .*leave it out"):
        Split("grouped")([clip(str(n), "squat", f"g{n}") for n in range(9)] + [clip("idle", "none", "idle")])
