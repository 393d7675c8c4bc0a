"""The output of online recognition."""

from __future__ import annotations

from dataclasses import dataclass

from jaxtyping import Float
from numpy import ndarray


@dataclass(frozen=True)
class Prediction:
    """The prediction for a person after a frame.

    Attributes:
        timestamp: Time of that frame, in seconds.
        probabilities: Probability of each class, from this frame and those before it.
        label: The most probable class.
        held: The class after hysteresis (`Hysteresis`), which changes only after several frames; None is no action.
        forecast: Poses 1 to N frames ahead, in pixels, in the model's joint layout; NaN for a joint not yet observed.
        n_frames: Frames of the person so far, at the model's rate.
        seen: Whether a joint was observed in the newest frame that was pushed.
    """

    timestamp: float
    person: str
    probabilities: Float[ndarray, " class"]
    label: str
    held: str | None
    forecast: Float[ndarray, "horizon joint 2"]
    n_frames: int
    seen: bool
