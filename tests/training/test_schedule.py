import io
import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch.optim.lr_scheduler import LRScheduler

from actrec.training.schedule import warmup_cosine, warmup_steps

Make = Callable[..., LRScheduler]


def optimizer() -> torch.optim.Optimizer:
    return torch.optim.SGD([{"params": [torch.nn.Parameter(torch.zeros(1))]} for _ in range(2)], lr=0.01)


def rates(scheduler: LRScheduler, steps: int) -> list[float]:
    found = []
    for _ in range(steps):
        assert len({group["lr"] for group in scheduler.optimizer.param_groups}) == 1
        found.append(scheduler.optimizer.param_groups[0]["lr"])
        scheduler.optimizer.step()
        scheduler.step()
    return found


def step_factor(step: int, n_warmup: int, per_epoch: int, lr_steps: list[float]) -> float:
    return min(1, (step + 1) / n_warmup) * 0.1 ** sum(step / per_epoch >= edge for edge in lr_steps)


def cosine_factor(step: int, n_warmup: int, total: int, final: float) -> float:
    if step < n_warmup:
        return (step + 1) / n_warmup
    return final + (1 - final) * (1 + math.cos(math.pi * (step - n_warmup) / max(1, total - n_warmup))) / 2


@pytest.mark.parametrize(
    ("epochs", "per_epoch", "warmup"), [(70, 4, 5), (70, 3, 0), (70, 1, 1), (40, 7, 33), (9, 2, 20)]
)
@pytest.mark.parametrize("lr_steps", [[30, 45, 60], [], [7.5, 7.5]])
def test_steps_follow_their_formula(epochs: int, per_epoch: int, warmup: int, lr_steps: list[float]) -> None:
    found = rates(warmup_steps(optimizer(), epochs, per_epoch, warmup, lr_steps), epochs * per_epoch)
    wanted = [0.01 * step_factor(s, max(1, warmup * per_epoch), per_epoch, lr_steps) for s in range(epochs * per_epoch)]
    assert found == pytest.approx(wanted, rel=1e-9, abs=0)


@pytest.mark.parametrize(("epochs", "per_epoch", "warmup"), [(60, 40, 3), (10, 3, 2), (5, 4, 0), (1, 2, 1), (2, 1, 5)])
@pytest.mark.parametrize("final", [0.0, 0.05])
def test_the_cosine_follows_its_formula(epochs: int, per_epoch: int, warmup: int, final: float) -> None:
    total = epochs * per_epoch
    found = rates(warmup_cosine(optimizer(), epochs, per_epoch, warmup, final), total)
    wanted = [0.01 * cosine_factor(s, max(1, warmup * per_epoch), total, final) for s in range(total)]
    assert found == pytest.approx(wanted, rel=1e-9, abs=0)


@pytest.mark.parametrize("make", [warmup_steps, warmup_cosine])
def test_a_resumed_schedule_goes_on(make: Make) -> None:
    """The state is saved and loaded as Lightning does it, at each moment of a run."""
    options: dict[str, Any] = {"epochs": 5, "steps_per_epoch": 3, "warmup_epochs": 1}
    options |= {"lr_steps": [2]} if make is warmup_steps else {}
    whole = rates(make(optimizer(), **options), 15)
    for done in range(1, 15):
        first = make(optimizer(), **options)
        rates(first, done)
        saved = io.BytesIO()
        torch.save({"schedule": first.state_dict(), "optimizer": first.optimizer.state_dict()}, saved)
        state = torch.load(io.BytesIO(saved.getvalue()), weights_only=True)
        second = make(optimizer(), **options)
        second.optimizer.load_state_dict(state["optimizer"])
        second.load_state_dict(state["schedule"])
        assert rates(second, 15 - done) == pytest.approx(whole[done:], rel=1e-12)
