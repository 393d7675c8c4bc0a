from __future__ import annotations

import numpy as np

from actrec.evaluation.confusion import SHOWN, WHOLE, classes_shown, most_frequent


def test_a_matrix_of_few_classes_is_whole() -> None:
    counts = np.diag(np.arange(WHOLE))
    counts[3, 7] = 2
    assert classes_shown(counts).tolist() == list(range(WHOLE))


def test_of_many_classes_those_of_the_most_frequent_confusions_are_shown() -> None:
    counts = np.diag(np.full(400, 50))
    for k in range(20):  # twenty pairs, the later the more often, and both ways round
        counts[2 * k, 399 - 2 * k] = k + 1
        counts[399 - 2 * k, 2 * k] = k
    shown = classes_shown(counts)
    assert len(shown) == SHOWN == 30
    want = sorted(each for k in range(5, 20) for each in (2 * k, 399 - 2 * k))
    assert shown.tolist() == want


def test_where_little_is_confused_the_largest_classes_come_after() -> None:
    counts = np.diag(np.arange(100, 0, -1))
    assert classes_shown(counts).tolist() == list(range(30))
    counts[98, 99] = 1
    assert classes_shown(counts).tolist() == [*range(28), 98, 99]


def test_the_most_frequent_confusions_come_first() -> None:
    counts = np.array([[5, 3, 0], [3, 0, 0], [1, 0, 9]])
    found = most_frequent(counts, ["a", "b", "c"])
    assert [(each.label, each.prediction, each.n_clips) for each in found] == [
        ("b", "a", 3),
        ("a", "b", 3),
        ("c", "a", 1),
    ]
    assert [each.share for each in found] == [1.0, 3 / 8, 0.1]
    assert most_frequent(counts, ["a", "b", "c"], 1) == found[:1]
    assert most_frequent(np.diag([1, 2, 3]), ["a", "b", "c"]) == []
