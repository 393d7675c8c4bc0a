import pytest
import torch
from torchdiffeq import odeint

from actrec.network.dynamics import Dynamics, rk4_step
from actrec.network.temporal import time_code
from actrec.types import ActrecError


class Field(torch.nn.Module):
    """A field that depends on state and time, on each frame by itself."""

    def forward(self, z: torch.Tensor, code: torch.Tensor) -> torch.Tensor:
        return torch.sin(z) + 0.3 * code * z


Z = torch.linspace(-1, 1, 2 * 3 * 2 * 4, dtype=torch.float64).reshape(2, 3, 2, 4)


@pytest.mark.parametrize(("solver", "method"), [("rk4_38", "rk4"), ("euler", "euler"), ("midpoint", "midpoint")])
def test_solvers_are_torchdiffeqs(solver: str, method: str) -> None:
    field, frames = Field(), torch.arange(3, dtype=torch.float64)
    times = torch.arange(4, dtype=torch.float64)
    expected = odeint(lambda t, z: field(z, time_code(frames + t, 4)[:, None]), Z, times, method=method)[1:]
    torch.testing.assert_close(Dynamics(field, 3, solver)(Z), expected)


def test_classical_rk4_is_exact_to_fourth_order() -> None:
    # dz/dt = t³ has t⁴ / 4, which a rule of fourth order gives exactly.
    for t in (0.0, 1.0, 2.0):
        stepped = rk4_step(lambda z, t: t**3 + 0 * z, torch.zeros(1, 1, 1, 1, dtype=torch.float64), t)
        assert stepped.item() == pytest.approx(((t + 1) ** 4 - t**4) / 4)
    # dz/dt = z, one step: 1 + 1 + 1/2 + 1/6 + 1/24.
    grown = rk4_step(lambda z, t: z, torch.ones(1, 1, 1, 1, dtype=torch.float64), 0.0)
    assert grown.item() == pytest.approx(1 + 1 + 1 / 2 + 1 / 6 + 1 / 24)


def test_linear_keeps_the_velocity() -> None:
    forecasts = Dynamics(None, 2, "linear")(Z)
    for n in (1, 2):
        torch.testing.assert_close(forecasts[n - 1, :, 0], Z[:, 0])
        for t in (1, 2):
            torch.testing.assert_close(forecasts[n - 1, :, t], Z[:, t] + n * (Z[:, t] - Z[:, t - 1]))


def test_no_horizon_no_forecast() -> None:
    assert Dynamics(None, 0, "rk4")(Z).shape == (0, *Z.shape)


def test_an_unknown_solver_is_named() -> None:
    with pytest.raises(ActrecError, match="no solver 'rk5'"):
        Dynamics(None, 3, "rk5")
