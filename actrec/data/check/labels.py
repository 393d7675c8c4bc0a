"""Checks labels and groups: names that mean the same, few groups or clips, and groups in two parts of the split."""

from __future__ import annotations

import difflib
import itertools
from collections.abc import Iterator, Sequence

from actrec.data.check.findings import ERROR, NOTE, WARNING, Finding, Text, Value, few
from actrec.data.check.traits import Described, by_label, names
from actrec.types import NONE

_LEAST_GROUPS = 3  # one each for train, val and test
_FEW_GROUPS = 5
_IMBALANCE = 10
_TYPO = 0.9  # similarity of two long names that differ by a typing error
_RARE, _RARELY = 2, 0.1  # clips, and share of the other's clips; a rarer name may be a typing error though it is short

TEXTS = {
    "one_class": Text(
        "There is one class",
        "All clips have the label '{label}'.",
        "Training needs at least two classes.",
        "Add clips of another action, or of no action (the label none).",
    ),
    "alike": Text(
        "Two labels that may mean the same",
        "'{rare}' ({n_rare:g} clips) and '{frequent}' ({n_frequent:g} clips) are spelt nearly alike.",
        "They are trained as two classes, which cannot be told apart.",
        "Give them one name in the label map, folder or table.",
    ),
    "few_groups": Text(
        "Classes with few groups",
        "{classes} few groups (videos or people): {listed}.",
        "Train, val and test need one each; with a handful, results say little.",
        "Add clips from other videos or people, or leave the class out (dataset.exclude_labels=[…]).",
    ),
    "imbalance": Text(
        "Classes are of unequal size",
        "'{most}' has {n_most:g} clips, '{least}' {n_least:g}: {ratio:.0f} times as many.",
        "The network prefers frequent classes; accuracy hides the rare ones.",
        "Add clips of rare classes, and judge by macro F1.",
    ),
    "groups_in_two_parts": Text(
        "Groups are in two parts of the split",
        "{n_groups:g} groups have clips in two of train, val and test, such as '{group}'; {which}.",
        "The test is of videos or people that training has seen: its results are too high.",
        "Correct the columns split and group (for a split by camera, a group is a person seen by one camera), or draw "
        "a split by group (split.protocol=grouped).",
    ),
}


def labels(clips: Sequence[Described]) -> Iterator[Finding]:
    """Finds faults of labels and groups."""
    classes = by_label(clips)
    yield from _one_class(clips, classes)
    alike = list(_alike(clips, classes))
    yield from alike
    misspelt = {str(finding.values["rare"]) for finding in alike}
    classes = {label: members for label, members in classes.items() if label not in misspelt}
    yield from _few_groups(clips, classes)
    yield from _imbalance(clips, classes)
    yield from _groups_in_two_parts(clips)


def _one_class(clips: Sequence[Described], classes: dict[str, list[Described]]) -> Iterator[Finding]:
    if len(classes) == 1:
        (label,) = classes
        yield Finding("one_class", ERROR, (), len(clips), {"label": label})


def _alike(clips: Sequence[Described], classes: dict[str, list[Described]]) -> Iterator[Finding]:
    found = sorted(classes)
    for number, one in enumerate(found):
        for other in found[number + 1 :]:
            rare, frequent = sorted((one, other), key=lambda label: len(classes[label]))
            is_rare = len(classes[rare]) <= max(_RARE, _RARELY * len(classes[frequent])) < len(classes[frequent])
            if _mean_the_same(one, other) or (is_rare and _is_one_error(_letters(one), _letters(other))):
                values: dict[str, Value] = {
                    "rare": rare,
                    "frequent": frequent,
                    "n_rare": len(classes[rare]),
                    "n_frequent": len(classes[frequent]),
                }
                yield Finding("alike", WARNING, names(classes[rare]), len(clips), values)


def _mean_the_same(one: str, other: str) -> bool:
    """Whether two labels differ only in case, punctuation, plural or a typing error."""
    a, b = _spelling(one), _spelling(other)
    if a == b:
        return True
    if any(letter.isdigit() for letter in a + b) or a[:1] != b[:1] or min(len(a), len(b)) < 5:
        return False
    return difflib.SequenceMatcher(None, a, b).ratio() > _TYPO and abs(len(a) - len(b)) <= 1


def _is_one_error(one: str, other: str) -> bool:
    """Whether a letter was left out or changed, or two neighbouring letters exchanged."""
    if any(letter.isdigit() for letter in one + other) or min(len(one), len(other)) < 4:
        return False
    same = _same_start(one, other)
    one, other = one[same:], other[same:]
    same = _same_start(one[::-1], other[::-1])
    one, other = one[: len(one) - same], other[: len(other) - same]
    return max(len(one), len(other)) == 1 or (len(one) == 2 and one == other[::-1])


def _same_start(one: str, other: str) -> int:
    return sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))


def _letters(label: str) -> str:
    return "".join(_words(label))


def _words(label: str) -> list[str]:
    return "".join(letter if letter.isalnum() else " " for letter in label.casefold()).split()


def _spelling(label: str) -> str:
    words = _words(label)
    singular = [
        word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word for word in words
    ]
    return "".join(singular) or label


def _few_groups(clips: Sequence[Described], classes: dict[str, list[Described]]) -> Iterator[Finding]:
    counts = {label: len({clip.group for clip in members}) for label, members in classes.items()}
    rare = {label: count for label, count in counts.items() if count < _FEW_GROUPS}
    if rare:
        listed = ", ".join(f"{label} ({count})" for label, count in sorted(rare.items(), key=lambda item: item[1]))
        severity = ERROR if sum(count < _LEAST_GROUPS for count in rare.values()) > len(counts) / 2 else WARNING
        counted = "1 class has" if len(rare) == 1 else f"{len(rare)} classes have"
        shown = names([clip for label in rare for clip in classes[label]][:6])
        yield Finding("few_groups", severity, (), len(clips), {"listed": listed, "classes": counted}, shown)


def _imbalance(clips: Sequence[Described], classes: dict[str, list[Described]]) -> Iterator[Finding]:
    counts = {label: len(members) for label, members in classes.items() if label != NONE}
    if not counts:
        return
    most, least = max(counts, key=lambda label: counts[label]), min(counts, key=lambda label: counts[label])
    ratio = counts[most] / counts[least]
    if ratio > 3:
        values: dict[str, Value] = {
            "most": most,
            "least": least,
            "n_most": counts[most],
            "n_least": counts[least],
        }
        yield Finding("imbalance", WARNING if ratio > _IMBALANCE else NOTE, (), len(clips), {**values, "ratio": ratio})


def _groups_in_two_parts(clips: Sequence[Described]) -> Iterator[Finding]:
    parts: dict[str, set[str]] = {}
    for clip in clips:
        parts.setdefault(clip.group, set()).add(clip.split)
    shared = {group for group, found in parts.items() if len(found - {""}) > 1}
    if shared:
        found = [clip for clip in clips if clip.group in shared]
        values: dict[str, Value] = {"n_groups": len(shared), "group": min(shared)}
        severity = WARNING if few(len(found), len(clips), 0.01) else ERROR
        yield Finding("groups_in_two_parts", severity, names(found), len(clips), values)
