"""The state of one person in a recogniser, without that of the engine."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy import ndarray

from actrec.online.hysteresis import LabelHysteresis
from actrec.online.prediction import Prediction
from actrec.online.resampler import StreamResampler
from actrec.online.state_checks import checked_array
from actrec.types import LATEST


class PersonState:
    """A person who is followed.

    Attributes:
        n_frames: Frames so far, at the model's rate.
        last_seen: Time of the last frame in which a joint was observed, in seconds.
        prediction: The newest prediction; None before the first.
    """

    def __init__(self, resampler: StreamResampler, hysteresis: LabelHysteresis) -> None:
        self.resampler, self.hysteresis, self.n_frames, self.last_seen = resampler, hysteresis, 0, np.nan
        self.prediction: Prediction | None = None

    def state(self) -> dict[str, ndarray]:
        """Returns the state as arrays of fixed size; the prediction is not part of it."""
        own = {"n_frames": np.array(self.n_frames), "last_seen": np.array(self.last_seen)}
        clock = {f"clock.{name}": value for name, value in self.resampler.state().items()}
        return own | {"held": self.hysteresis.state()} | clock

    def restore(self, state: Mapping[str, ndarray]) -> None:
        """Restores what `state` returned."""
        self.n_frames = int(checked_array(state, "n_frames", (), int))
        self.last_seen = float(checked_array(state, "last_seen", (), float))
        self.hysteresis.restore(state["held"])
        self.resampler.restore(substate(state, "clock"))
        if not -LATEST <= self.last_seen <= self.resampler.time or self.n_frames < 1:
            raise ValueError("the person was never observed")


def substate(state: Mapping[str, ndarray], part: str) -> dict[str, ndarray]:
    """Selects the entries of a state named `part.…`, without that prefix."""
    prefix = f"{part}."
    return {name.removeprefix(prefix): value for name, value in state.items() if name.startswith(prefix)}
