import pytest
import torch
from torch.optim.lr_scheduler import LambdaLR

from actrec.training.schedule import warmup_cosine, warmup_steps


def rates(scheduler: LambdaLR, steps: int) -> list[float]:
    found = []
    for _ in range(steps):
        found.append(scheduler.get_last_lr()[0])
        scheduler.optimizer.step()
        scheduler.step()
    return found


def optimizer() -> torch.optim.Optimizer:
    return torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.01)


def test_the_blog_posts_schedule() -> None:
    by_step = rates(warmup_steps(optimizer(), epochs=70, steps_per_epoch=4), 70 * 4)
    assert by_step[:20] == pytest.approx([0.01 * (step + 1) / 20 for step in range(20)])
    for epoch, rate in ((5, 1e-2), (29, 1e-2), (30, 1e-3), (44, 1e-3), (45, 1e-4), (60, 1e-5), (69, 1e-5)):
        assert by_step[4 * epoch] == by_step[4 * epoch + 3] == pytest.approx(rate)


def test_cosine_rises_and_falls_to_nothing() -> None:
    by_step = rates(warmup_cosine(optimizer(), epochs=10, steps_per_epoch=3, warmup_epochs=2), 31)
    assert by_step[5] == by_step[6] == pytest.approx(0.01)
    assert by_step[18] == pytest.approx(0.005)
    assert by_step[30] == pytest.approx(0)
    assert by_step[:6] == sorted(by_step[:6])
    assert by_step[6:] == sorted(by_step[6:], reverse=True)
