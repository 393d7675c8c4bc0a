"""The state of one person in a recogniser, without that of the engine."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from actrec.online.enrolled import History
from actrec.online.hysteresis import LabelHysteresis
from actrec.online.prediction import Prediction
from actrec.online.resampler import StreamResampler
from actrec.online.sets import LONGEST_FRAME, SetTracker
from actrec.online.state_checks import checked_array
from actrec.types import LATEST


class PersonState:
    """A person who is followed.

    Attributes:
        n_frames: Frames so far, at the model's rate.
        last_seen: Time of the last frame in which a joint was observed, in seconds.
        history: The newest embeddings; None for a model without enrolled classes.
        prediction: The newest prediction; None before the first.
    """

    def __init__(
        self,
        resampler: StreamResampler,
        hysteresis: LabelHysteresis,
        sets: SetTracker,
        history: History | None = None,
    ) -> None:
        self.resampler, self.hysteresis, self.sets, self.history = resampler, hysteresis, sets, history
        self.n_frames, self.last_seen = 0, np.nan
        self.prediction: Prediction | None = None

    def decide(
        self,
        time: float,
        pushed: float,
        probabilities: Float[ndarray, " class"],
        phase: Float[ndarray, "2"] | None,
    ) -> None:
        """Takes the outputs of the network for the next frame, of `time`, which is due with the one pushed last."""
        self.n_frames += 1
        self.hysteresis.update(probabilities, self.sets.repeated(time))
        seen = self.last_seen == pushed and pushed - time <= LONGEST_FRAME
        self.sets.update(time, self.hysteresis, probabilities, phase, seen)

    def state(self) -> dict[str, ndarray]:
        """Returns the state as arrays of fixed size; the prediction is not part of it."""
        own = {"n_frames": np.array(self.n_frames), "last_seen": np.array(self.last_seen)}
        clock = {f"clock.{name}": value for name, value in self.resampler.state().items()}
        recent = self.history.state() if self.history is not None else {}
        enrolled = {f"enrolled.{name}": value for name, value in recent.items()}
        return own | {"held": self.hysteresis.state(), "set": self.sets.state()} | clock | enrolled

    def restore(self, state: Mapping[str, ndarray]) -> None:
        """Restores what `state` returned; one of an earlier version, without sets, goes on without a set."""
        self.n_frames = int(checked_array(state, "n_frames", (), int))
        self.last_seen = float(checked_array(state, "last_seen", (), float))
        self.hysteresis.restore(state["held"])
        if "set" in state:
            self.sets.restore(checked_array(state, "set", self.sets.state().shape, float))
        self.resampler.restore(substate(state, "clock"))
        if self.history is not None:
            self.history.restore(substate(state, "enrolled"))
        if not -LATEST <= self.last_seen <= self.resampler.time or self.n_frames < 1:
            raise ValueError("the person was never observed")


def substate(state: Mapping[str, ndarray], part: str) -> dict[str, ndarray]:
    """Selects the entries of a state named `part.…`, without that prefix."""
    prefix = f"{part}."
    return {name.removeprefix(prefix): value for name, value in state.items() if name.startswith(prefix)}
