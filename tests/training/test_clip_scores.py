from __future__ import annotations

import pytest
import torch

from actrec.training.clip_scores import ClipScores


def test_clip_scores_are_those_of_a_plain_loop_on_any_number_of_ranks() -> None:
    rng = torch.Generator().manual_seed(0)
    probabilities = torch.rand(60, 4, generator=rng).softmax(1)
    clip, label = torch.randint(1, 13, (60,), generator=rng), torch.randint(4, (13,), generator=rng)  # clip 0 is unseen
    right = []
    for number in clip.unique():
        total = sum(probabilities[row] for row in range(60) if clip[row] == number)
        right.append(bool(torch.as_tensor(total).argmax() == label[number]))
    want = sum(right) / len(right)

    def feed(metric: ClipScores, rows: slice) -> None:
        metric.update(probabilities[rows], clip[rows], label[clip[rows]])

    alone = ClipScores(13, 4)
    for start in range(0, 60, 7):
        feed(alone, slice(start, start + 7))
    assert alone.compute().item() == pytest.approx(want)

    ranks = [ClipScores(13, 4), ClipScores(13, 4)]
    for rank, metric in enumerate(ranks):
        feed(metric, slice(rank, None, 2))
    ranks[0].distributed_available_fn = lambda: True
    ranks[0].dist_sync_fn = lambda state, group: [
        metric.scores if state.is_floating_point() else metric.labels for metric in ranks
    ]
    assert ranks[0].compute().item() == pytest.approx(want)


def test_clip_scores_reset_and_take_half_precision() -> None:
    metric = ClipScores(2, 3)
    metric.update(torch.tensor([[0.1, 0.8, 0.1]], dtype=torch.bfloat16), torch.tensor([1]), torch.tensor([1]))
    assert metric.compute() == 1
    metric.reset()
    metric.update(torch.tensor([[0.8, 0.1, 0.1]]), torch.tensor([1]), torch.tensor([1]))
    assert metric.compute() == 0
