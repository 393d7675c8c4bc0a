"""Checks the inputs of the recogniser: settings, names, timestamps and keypoints."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from actrec.model.spec import ModelSpec
from actrec.skeleton import Skeleton
from actrec.types import ActrecError

MOST_BRIDGED = 1000  # frames at the model's rate that may come due at once


def check_settings(spec: ModelSpec, max_gap: float, max_people: int) -> None:
    """Raises an ActrecError for settings of a recogniser under which a push would have no bounds."""
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


def number_of(timestamp: object) -> float:
    """Converts a timestamp to a float.

    Raises:
        ActrecError: It is no number.
    """
    try:
        if isinstance(timestamp, str | bytes | bool):
            raise TypeError
        return float(timestamp)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError, RuntimeError):
        raise ActrecError(f"The timestamp is {str(timestamp)[:40]!r}; expected a number of seconds.") from None


def checked_name(person: object) -> str:
    """Checks that a person's name is a string, and returns it.

    Raises:
        ActrecError: It is no string.
    """
    if not isinstance(person, str):
        raise ActrecError(f"The person is {str(person)[:40]!r}; expected a name, a string.")
    return person


def numbers_of(keypoints: object, skeleton: Skeleton) -> Float[ndarray, "joint 3"]:
    """Converts one person's keypoints to an array; `actrec.types.checked_keypoints` checks the values.

    Raises:
        ActrecError: They are no numbers, or not three for each joint.
    """
    expected = (skeleton.n_joints, 3)
    try:
        array = np.asarray(keypoints)
    except (TypeError, ValueError, RuntimeError, OverflowError) as error:
        raise ActrecError(f"The keypoints are no array ({error}); expected shape {expected}.") from None
    if array.shape != expected or array.dtype.kind not in "fiu":
        raise ActrecError(
            f"The keypoints are {array.dtype} of shape {array.shape}; expected numbers of shape {expected}: x, y and "
            f"confidence of each joint of '{skeleton.name}'."
        )
    with np.errstate(over="ignore"):  # values that become infinite are refused later
        return array.astype(np.float64)
