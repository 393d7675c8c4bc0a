"""Checks everything that is passed to a recogniser: settings, names, timestamps and keypoints."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from actrec.model.spec import ModelSpec
from actrec.skeleton import Skeleton
from actrec.types import ActrecError, checked_keypoints, checked_timestamp

MOST_BRIDGED = 1000  # most frames at the model's rate that may be due at once
# Timestamps in another unit than seconds make all frames too far apart, or too close.
FAR_FRAMES = 10  # consecutive gaps; a real stream has gaps, but not at every frame
NEAR_FRAMES = 300
NEAREST = 1 / 1000  # seconds; faster than any camera


def check_settings(spec: ModelSpec, max_gap: float, max_people: int) -> None:
    """Raises an ActrecError for settings that do not limit the work of one push."""
    if not 0 < max_gap < np.inf:
        raise ActrecError(f"max_gap is {max_gap} seconds; expected more than 0, and finite.")
    fps = spec.pipeline.preprocess.fps
    if fps is not None and max_gap * fps > MOST_BRIDGED:
        raise ActrecError(
            f"max_gap is {max_gap:g} seconds: {max_gap * fps:g} frames at the model's {fps:g} a second, all of which "
            f"come at once after a gap. Expected at most {MOST_BRIDGED} frames, {MOST_BRIDGED / fps:.3g} seconds."
        )
    if type(max_people) is not int or max_people < 1:
        raise ActrecError(f"max_people is {max_people}; expected a whole number of at least 1.")


def checked_seconds(timestamp: object) -> float:
    """Converts a timestamp to seconds as a float."""
    try:
        if isinstance(timestamp, str | bytes | bool):
            raise TypeError
        seconds = float(timestamp)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError, RuntimeError):
        raise ActrecError(f"The timestamp is {str(timestamp)[:40]!r}; expected a number of seconds.") from None
    return checked_timestamp(seconds)


def checked_name(person: object) -> str:
    """Returns a person's name."""
    if not isinstance(person, str):
        raise ActrecError(f"The person is {str(person)[:40]!r}; expected a name, a string.")
    return person


def checked_person(
    keypoints: object, skeleton: Skeleton, person: str, n_coordinates: int = 2
) -> Float[ndarray, "joint value"]:
    """Converts one person's keypoints, an array or nested lists, to float32.

    Raises:
        ActrecError: They are not two or three coordinates and a confidence for each joint, or out of range
            (`actrec.types.checked_keypoints`).
    """
    what = f"The frame of person '{person[:40]}'" if person else "The frame"
    numbers = "x, y and confidence" if n_coordinates == 2 else "x, y, z and confidence"
    expected = f"{skeleton.n_joints} joints of '{skeleton.name}', each with the numbers {numbers}"
    try:
        array = np.asarray(keypoints)
    except (TypeError, ValueError, RuntimeError, OverflowError) as error:
        raise ActrecError(f"{what} has keypoints that are no array ({error}); expected {expected}.") from None
    if array.shape != (skeleton.n_joints, n_coordinates + 1) or array.dtype.kind not in "fiu":
        dimensions = "two dimensions, not three" if n_coordinates == 2 else "three dimensions, not two"
        other = (skeleton.n_joints, 6 - n_coordinates)  # the shape that a model of the other kind takes
        reason = f" This model takes {dimensions}." if array.shape == other else ""
        raise ActrecError(
            f"{what} has keypoints of shape {array.shape} and type {array.dtype}; expected {expected}.{reason}"
        )
    with np.errstate(over="ignore"):  # values that become infinite are refused next
        return checked_keypoints(array.astype(np.float64), what)


def check_takes_pictures(spec: ModelSpec) -> None:
    """Raises an ActrecError if people who are found in pictures, which have x and y, are no input of a model."""
    if spec.pipeline.n_coordinates == 3:
        raise ActrecError(
            "This model takes keypoints of three dimensions, and a pose model finds only x and y in videos and "
            "pictures. Give it keypoints: x, y, z and confidence, in an array of shape (frame, joint, 4) or a skeleton "
            "store (python -m actrec.predict source=clip.npz), or frame by frame to OnlineRecognizer.push."
        )


class TimestampUnitCheck:
    """Checks the gaps between the frames of one stream."""

    def __init__(self, max_gap: float) -> None:
        self.max_gap = max_gap
        self._time, self._far, self._near = np.nan, 0, 0

    def push(self, timestamp: float) -> None:
        """Takes the time of the next frame; a time that is not later belongs to another person, or to a new stream.

        Raises:
            ActrecError: The last `FAR_FRAMES` gaps were all longer than `max_gap`, or the last `NEAR_FRAMES` all
                shorter than `NEAREST`. In the first case the next gap is counted from this frame.
        """
        gap, far, near = timestamp - self._time, self._far, self._near
        if gap > 0:
            far = far + 1 if gap > self.max_gap else 0
            near = near + 1 if gap < NEAREST else 0
        if far >= FAR_FRAMES:
            self._time = timestamp  # a stream whose frames become closer again is accepted again
            raise ActrecError(
                f"Each of the last {far} frames came more than max_gap={self.max_gap:g} s after the one before, the "
                f"newest {gap:g} s. {_unit(gap)} A stream that is so slow needs a larger max_gap."
            )
        if near >= NEAR_FRAMES:
            raise ActrecError(
                f"Each of the last {near} frames came less than {NEAREST:g} s after the one before, the newest "
                f"{gap:.3g} s. Are the timestamps in minutes or hours? Give seconds."
            )
        self._time, self._far, self._near = timestamp, far, near


def _unit(gap: float) -> str:
    """Suggests the unit of timestamps with this gap; frames of a camera are 0.004 to 1 s apart."""
    for least, name, per_second in ((2e6, "nanoseconds", "1e9"), (2e3, "microseconds", "1e6")):
        if gap > least:
            return f"Are the timestamps in {name}? Give seconds: divide them by {per_second}."
    return "Are the timestamps in milliseconds? Give seconds: divide them by 1000."
