"""The output of online recognition."""

from __future__ import annotations

from dataclasses import dataclass

from jaxtyping import Float
from numpy import ndarray


@dataclass(frozen=True)
class Set:
    """A set: the time in which a person does one action, with short pauses.

    Attributes:
        label: The action.
        start: Time of its first frame, in seconds.
        end: Time of its last frame until now. For a model with the class "none", frames that favour another class, or
            no action, do not count, even while the label is still held.
        repetitions: Complete repetitions until now; None if they are not counted.
        probability: Mean probability of the label over the frames that count for `end`.
    """

    label: str
    start: float
    end: float
    repetitions: int | None
    probability: float


@dataclass(frozen=True)
class Prediction:
    """The prediction for a person after a frame.

    Attributes:
        timestamp: Time of that frame, in seconds.
        probabilities: Probability of each class, from this frame and those before it.
        label: The most probable class; "none" if the model has this class and none of its actions is likely.
        held: The class after hysteresis (`Hysteresis`), which changes only after several frames; None is no action.
        forecast: Poses 1 to N frames ahead, in pixels or the unit of the keypoints in 3D, in the model's joint layout;
            NaN for a joint not yet observed.
        n_frames: Frames of the person so far, at the model's rate.
        seen: Whether a joint was observed in the newest frame that was pushed.
        action: Probability that this is any of the model's actions; the greatest of `probabilities` for a model without
            the class "none".
        phase: Phase within a repetition in [0, 2π): 0 at its beginning, π at its turn; None if the model has none.
        repetitions: Complete repetitions of the present set, and after it of the last one: they are 0 again when the
            next one begins. None for a model without phase, and in sets of actions without repetitions.
        set: The present set until now, or the last one; None before the first.
    """

    timestamp: float
    person: str
    probabilities: Float[ndarray, " class"]
    label: str
    held: str | None
    forecast: Float[ndarray, "horizon joint coordinate"]
    n_frames: int
    seen: bool
    action: float = 1.0
    phase: float | None = None
    repetitions: int | None = None
    set: Set | None = None
