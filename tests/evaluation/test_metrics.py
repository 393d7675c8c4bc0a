from __future__ import annotations

import numpy as np
import pytest
import torch
from torchmetrics.functional.classification import (
    multiclass_accuracy,
    multiclass_f1_score,
    multiclass_precision,
    multiclass_recall,
)

from actrec.evaluation.metrics import classification_metrics, confusion_counts, paired_interval, summarize
from actrec.types import ActrecError

CLASSES = [f"class_{k}" for k in range(8)]
RATIOS = [str(round(0.1 * step, 1)) for step in range(1, 11)]


def _guesses(n_clips: int = 200, skill: float = 2.0) -> tuple[np.ndarray, np.ndarray]:
    rng, n_classes = np.random.default_rng(0), len(CLASSES)
    labels = rng.integers(n_classes, size=n_clips)
    labels[:n_classes] = np.arange(n_classes)
    logits = rng.normal(size=(n_clips, n_classes))
    logits[np.arange(n_clips), labels] += skill
    odds = np.exp(logits)
    return odds / odds.sum(1, keepdims=True), labels


def _summary(n_bootstrap: int = 300, seed: int = 0, groups: list[str] | None = None) -> dict:
    labels = _guesses()[1]
    by_ratio = {ratio: _guesses(skill=0.5 + 2 * float(ratio))[0] for ratio in RATIOS}
    groups = groups or [f"g{clip // 2}" for clip in range(len(labels))]
    return summarize(by_ratio, labels, groups, CLASSES, n_bootstrap, seed)


def test_figures_agree_with_torchmetrics() -> None:
    probabilities, labels = _guesses()
    got = classification_metrics(probabilities, labels, CLASSES)
    scores, target, k = torch.from_numpy(probabilities), torch.from_numpy(labels), len(CLASSES)
    assert got["accuracy"] == pytest.approx(multiclass_accuracy(scores, target, k, average="micro").item())
    top5 = multiclass_accuracy(scores, target, k, average="micro", top_k=5)
    assert got["top5_accuracy"] == pytest.approx(top5.item())
    assert got["macro_precision"] == pytest.approx(multiclass_precision(scores, target, k).item())
    assert got["macro_recall"] == pytest.approx(multiclass_recall(scores, target, k).item())
    assert got["macro_f1"] == pytest.approx(multiclass_f1_score(scores, target, k).item())
    assert got["absent_classes"] == []


def test_per_class_figures_are_those_of_a_plain_loop() -> None:
    probabilities, labels = _guesses(60, skill=0.7)
    predicted = probabilities.argmax(1)
    got = classification_metrics(probabilities, labels, CLASSES)["per_class"]
    for k, name in enumerate(CLASSES):
        right = sum(p == k and y == k for p, y in zip(predicted, labels, strict=True))
        given, there = sum(p == k for p in predicted), sum(y == k for y in labels)
        precision, recall = (right / given if given else 0.0), right / there
        f1 = 2 * precision * recall / (precision + recall) if right else 0.0
        assert got[name] == pytest.approx({"precision": precision, "recall": recall, "f1": f1, "n_clips": there})


def test_averages_leave_out_absent_classes() -> None:
    probabilities = np.array([[0.8, 0.1, 0.1], [0.1, 0.8, 0.1], [0.1, 0.1, 0.8]])
    got = classification_metrics(probabilities, np.array([0, 1, 0]), ["a", "b", "c"])
    assert got["absent_classes"] == ["c"]
    assert set(got["per_class"]) == {"a", "b"}
    assert got["macro_recall"] == pytest.approx((0.5 + 1) / 2)
    assert got["macro_precision"] == pytest.approx(1)
    assert got["macro_f1"] == pytest.approx((2 / 3 + 1) / 2)


def test_top5_looks_at_five_classes() -> None:
    probabilities = np.tile(np.linspace(1, 0.1, 8), (8, 1))
    assert classification_metrics(probabilities, np.arange(8), CLASSES)["top5_accuracy"] == pytest.approx(5 / 8)


def test_confusion_counts_have_the_truth_in_rows() -> None:
    counts = confusion_counts(np.array([0, 0, 2]), np.array([1, 0, 1]), 3)
    assert counts.tolist() == [[1, 1, 0], [0, 0, 0], [0, 1, 0]]


def test_summary_has_what_a_run_leaves() -> None:
    got = _summary()
    assert list(got["observation_accuracy"]) == RATIOS
    assert got["observation_accuracy"]["1.0"] == pytest.approx(got["accuracy"])
    assert got["auc"] == pytest.approx(sum(got["observation_accuracy"].values()) / 10)
    assert (got["n_clips"], got["n_groups"], got["classes"]) == (200, 100, CLASSES)
    intervals = got["intervals"]
    for name in ("accuracy", "macro_precision", "macro_recall", "macro_f1", "top5_accuracy", "auc"):
        low, high = intervals[name]
        assert low <= got[name] <= high
        assert 0 < high - low < 0.2
    for ratio in RATIOS:
        low, high = intervals["observation_accuracy"][ratio]
        assert low <= got["observation_accuracy"][ratio] <= high
    for name in CLASSES:
        for figure in ("precision", "recall", "f1"):
            low, high = intervals["per_class"][name][figure]
            assert 0 <= low <= got["per_class"][name][figure] <= high <= 1


def test_intervals_are_the_same_for_a_seed_and_close_for_another() -> None:
    assert _summary(seed=1) == _summary(seed=1)
    one, two = _summary(2000, seed=1)["intervals"], _summary(2000, seed=2)["intervals"]
    assert one["accuracy"] == pytest.approx(two["accuracy"], abs=0.02)


def test_accuracy_interval_is_that_of_a_plain_bootstrap() -> None:
    probabilities, labels = _guesses(skill=1.0)
    groups = np.arange(200) // 4
    correct = probabilities.argmax(1) == labels
    rng = np.random.default_rng(5)
    drawn = []
    for _ in range(2000):
        chosen = [np.flatnonzero(groups == g) for g in rng.integers(50, size=50)]
        drawn.append(correct[np.concatenate(chosen)].mean())
    got = summarize({"1.0": probabilities}, labels, [f"g{g}" for g in groups], CLASSES, 2000)
    assert got["intervals"]["accuracy"] == pytest.approx(np.percentile(drawn, (2.5, 97.5)), abs=0.015)


def test_one_group_gives_a_point() -> None:
    got = _summary(groups=["only"] * 200)
    assert got["intervals"]["accuracy"] == pytest.approx([got["accuracy"]] * 2)
    assert got["intervals"]["macro_f1"] == pytest.approx([got["macro_f1"]] * 2)


def test_larger_groups_widen_the_interval() -> None:
    labels = np.tile(np.arange(4), 50)
    correct = np.repeat(np.arange(50) % 5 > 0, 4)  # the four clips of a group are right or wrong together
    probabilities = np.eye(4)[np.where(correct, labels, (labels + 1) % 4)]
    clips, groups = [f"c{i}" for i in range(200)], [f"g{i // 4}" for i in range(200)]
    widths = [
        np.ptp(summarize({"1.0": probabilities}, labels, each, CLASSES[:4])["intervals"]["accuracy"])
        for each in (clips, groups)
    ]
    assert widths[1] / widths[0] == pytest.approx(2, rel=0.2)


def test_a_rare_class_leaves_no_hole_in_the_intervals() -> None:
    labels = np.array([0] * 30 + [1])
    probabilities = np.eye(2)[labels]
    got = summarize({"1.0": probabilities}, labels, [f"g{i}" for i in range(31)], ["a", "b"])
    assert got["intervals"]["macro_recall"] == [1, 1]
    assert got["intervals"]["per_class"]["b"]["recall"] == [1, 1]


def test_paired_interval() -> None:
    rng = np.random.default_rng(0)
    a, b = ((rng.random(400) < share).astype(float) for share in (0.9, 0.8))
    groups = [f"g{i}" for i in range(400)]
    difference, low, high = paired_interval(a, b, groups)
    assert difference == pytest.approx(a.mean() - b.mean())
    error = (a - b).std() / np.sqrt(400)  # groups of one clip: the normal interval
    assert (low, high) == pytest.approx((difference - 1.96 * error, difference + 1.96 * error), abs=0.005)
    assert paired_interval(a, a, groups) == (0, 0, 0)


@pytest.mark.parametrize(
    ("probabilities", "message"),
    [(np.zeros((0, 3)), "no clips"), (np.array([[0.5, 0.5, 0.0], [np.nan, 0.0, 0.0]]), "clip number 1")],
)
def test_probabilities_that_cannot_be_judged(probabilities: np.ndarray, message: str) -> None:
    with pytest.raises(ActrecError, match=message):
        classification_metrics(probabilities, np.zeros(len(probabilities), dtype=int), ["a", "b", "c"])


def test_summary_needs_the_whole_clip() -> None:
    with pytest.raises(ActrecError, match=r"'1\.0'"):
        summarize({"0.5": np.eye(2)}, np.arange(2), ["a", "b"], ["a", "b"])


def test_class_numbers_are_enough_below_the_whole_clip() -> None:
    labels = _guesses()[1]
    by_ratio = {ratio: _guesses(skill=float(ratio))[0] for ratio in RATIOS}
    groups = [f"g{clip // 3}" for clip in range(len(labels))]
    numbers = {ratio: found if ratio == "1.0" else found.argmax(1) for ratio, found in by_ratio.items()}
    assert summarize(numbers, labels, groups, CLASSES, 100) == summarize(by_ratio, labels, groups, CLASSES, 100)


def test_a_tie_goes_to_the_lower_class_in_the_top_five_too() -> None:
    alike = np.full((8, 8), 1 / 8)
    got = classification_metrics(alike, np.arange(8), CLASSES)
    assert got["top5_accuracy"] == 5 / 8
    assert got["accuracy"] == 1 / 8
    assert classification_metrics(np.full((2, 3), 1 / 3), np.array([2, 1]), ["a", "b", "c"])["top5_accuracy"] == 1


def test_one_clip_and_one_group_have_intervals_without_width() -> None:
    got = summarize({"0.5": np.array([2]), "1.0": np.eye(8)[3:4]}, np.array([3]), ["g"], CLASSES, 20)
    assert got["intervals"]["accuracy"] == [1, 1]
    assert got["intervals"]["observation_accuracy"]["0.5"] == [0, 0]
    assert list(got["per_class"]) == ["class_3"]
    assert len(got["absent_classes"]) == 7


def test_resampling_is_that_of_a_plain_loop() -> None:
    labels, groups = np.array([0, 0, 1, 1, 2, 2, 2]), ["a", "a", "b", "c", "c", "d", "d"]
    predicted = np.array([0, 1, 1, 2, 2, 0, 2])
    got = summarize({"1.0": np.eye(3)[predicted]}, labels, groups, ["x", "y", "z"], 40, seed=5)
    drawn, names = np.random.default_rng(5).multinomial(4, np.full(4, 0.25), 40), ["a", "b", "c", "d"]
    accuracies = []
    for times in drawn:
        clips = [k for k, group in enumerate(groups) for _ in range(times[names.index(group)])]
        accuracies.append(np.mean(predicted[clips] == labels[clips]))
    assert got["intervals"]["accuracy"] == pytest.approx(np.percentile(accuracies, (2.5, 97.5)).tolist())
