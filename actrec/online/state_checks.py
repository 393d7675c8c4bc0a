"""Validates the state of a person before a recogniser restores it; it may come from an untrusted source."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from jaxtyping import Bool, Int
from numpy import ndarray

from actrec.pipeline.view import N_FRAMES, turns
from actrec.types import FARTHEST

_GREATEST = 1e15  # limit of features, keys and values; their products are finite in float32


def checked_array(state: Mapping[str, ndarray], name: str, shape: tuple[int, ...], kind: Any) -> ndarray:
    """Returns an array of a state, checked and converted to its type."""
    if name not in state:
        raise ValueError(f"no {name}")
    value, wanted = np.asarray(state[name]), np.dtype(kind)
    if value.shape != shape or not np.can_cast(value.dtype, wanted, "same_kind"):
        raise ValueError(f"{name} is {value.dtype} of shape {value.shape}, expected {wanted} of shape {shape}")
    with np.errstate(over="ignore"):  # values that become infinite are refused later
        return value.astype(wanted)


def check_within(most: float, *arrays: ndarray) -> None:
    """Raises a ValueError where a number is NaN, or its absolute value greater than `most`."""
    if not all((np.abs(array) <= most).all() for array in arrays):
        raise ValueError("numbers that are NaN, infinite or too large")


def check_window_positions(position: Int[ndarray, "2"], answers: Bool[ndarray, "2"], length: int) -> None:
    """Raises a ValueError unless the positions are those of a person's two windows of `length` frames."""
    if answers.sum() == 1:
        elder, younger = int(position[answers][0]), int(position[~answers][0])
        if 1 <= elder <= length and younger == max(elder - (length - length // 2), 0):
            return
    raise ValueError("the positions of the two windows contradict each other")


def check_rows(rows: ndarray, keys: ndarray, values: ndarray, length: int) -> None:
    """Raises a ValueError unless two rows are a valid state of a person in `StepEngine`."""
    check_window_positions(rows["position"], rows["answers"], length)
    for name in ("pelvis", "centroid"):  # NaN where it is not known yet
        check_within(FARTHEST, np.nan_to_num(rows[name], nan=0, posinf=np.inf, neginf=-np.inf))
    check_within(FARTHEST, rows["place"], rows["origin"])
    check_within(_GREATEST, keys, values, rows["frames"], rows["torsos"])
    counted = np.arange(rows["torsos"].shape[1]) < rows["n_torsos"][:, None]
    if not _are_counts(rows["n_torsos"], rows) or (rows["torsos"][counted] <= 0).any():
        raise ValueError("torso lengths that are not positive, or too many of them")


def check_turns(rows: ndarray, view: str) -> None:
    """Raises a ValueError unless the directions of two rows are bounded, and their rotations are made from them."""
    check_within(2 * N_FRAMES * FARTHEST, rows["directions"])
    if not _are_counts(rows["n_directions"], rows):
        raise ValueError("more frames with a direction than there are frames")
    if not np.allclose(rows["turn"], turns(rows["directions"], view), rtol=0, atol=1e-6):
        raise ValueError("a rotation that is not that of the directions")


def _are_counts(numbers: Int[ndarray, "2"], rows: ndarray) -> bool:
    """Returns whether these are numbers of frames of each row; an idle window has processed one frame."""
    return bool(((numbers >= 0) & (numbers <= np.maximum(rows["position"], 1))).all())
