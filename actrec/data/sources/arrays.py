"""Reads arrays of keypoints from `.npy` and `.npz` files, and converts them to x, y (and z), and confidence.

Only shapes are checked here; `SkeletonSequence` checks the values.
"""

from __future__ import annotations

from itertools import permutations
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float, Num
from numpy import ndarray

from actrec.skeleton import Skeleton
from actrec.types import ActrecError

ARRAYS = (".npy", ".npz")  # endings of files
_KEY = "keypoints"
_EXPECTED = (
    "expected numbers of shape (frame, joint, 3), x, y and confidence, or (frame, joint, 2), or in three dimensions "
    "(frame, joint, 4), x, y, z and confidence"
)
_POSITIONS = (
    "expected numbers of shape (frame, joint, 3), x, y and z (coordinates=3), or (frame, joint, 4), with a confidence"
)


def load_array(file: Path) -> ndarray:
    """Reads an npy file, or of an npz file `keypoints` or the only likely array; an ActrecError if there is none."""
    try:
        with file.open("rb") as stream:  # np.load would leave a damaged file open
            loaded = np.load(stream)
            if isinstance(loaded, ndarray):
                return loaded
            arrays = {name: loaded[name] for name in ([_KEY] if _KEY in loaded.files else loaded.files)}
    except FileNotFoundError:
        raise ActrecError("there is no such file.") from None
    except IsADirectoryError:
        raise ActrecError(f"it is a folder; {_EXPECTED} in an .npy or .npz file.") from None
    except Exception as error:  # numpy and zipfile raise many kinds for a damaged file
        raise ActrecError(f"it cannot be read as a numpy array ({_without_pickle(error)}).") from None
    likely = [name for name, array in arrays.items() if _is_likely(array)]
    if len(arrays) == 1 or len(likely) == 1:
        return arrays[(likely or list(arrays))[0]]
    found = ", ".join(f"{name} {array.shape}" for name, array in arrays.items()) or "no array"
    raise ActrecError(f"it has {found}; expected one array of keypoints. Name it '{_KEY}'.")


def _without_pickle(error: Exception) -> str:
    if "allow_pickle" in str(error):
        return "it holds Python objects, or is no .npy file; save an array of numbers with numpy.save"
    return str(error)


def _is_likely(array: ndarray) -> bool:
    return array.ndim == 3 and array.shape[2] in (2, 3, 4) and array.dtype.kind in "fiu"


def with_confidence(array: ndarray, skeleton: Skeleton, coordinates: int = 2) -> Float[ndarray, "frame joint value"]:
    """Converts an array to x, y (and z), and confidence; a joint with NaN is unobserved, and set to zero.

    An array of four values has x, y, z and a confidence. Without confidences, they are 1, or 0 where all coordinates
    are exactly 0, as pose estimators write a joint that was not found.

    Args:
        coordinates: Coordinates of an array of three values: of 2, the third value is a confidence, and z in the range
            of a confidence is not detected; of 3, it is z, and arrays of two values are refused.

    Raises:
        ActrecError: The array does not have that shape.
    """
    fits = _is_likely(array) and 0 not in array.shape and array.shape[1] == skeleton.n_joints
    if not fits or array.shape[2] < coordinates:
        expected = _EXPECTED if coordinates == 2 else _POSITIONS
        raise ActrecError(f"it has shape {array.shape} of {array.dtype}; {expected}. {_advice(array, skeleton)}")
    keypoints = np.ones((*array.shape[:2], max(array.shape[2], coordinates + 1)), np.result_type(array.dtype, "f4"))
    keypoints[..., : array.shape[2]] = array
    if array.shape[2] == coordinates:
        keypoints[..., -1] = seen(array)
    keypoints[np.isnan(keypoints).any(-1)] = 0
    return keypoints


def seen(points: Num[ndarray, "*frame joint coordinate"]) -> Bool[ndarray, "*frame joint"]:
    """Returns which joints were found, in points without confidences: not those with NaN or at exactly zero."""
    return ~(np.isnan(points).any(-1) | (points == 0).all(-1))


def _advice(array: ndarray, skeleton: Skeleton) -> str:
    """Suggests what an array of another kind is likely to be, and how to convert it."""
    shape, n_joints = array.shape, skeleton.n_joints
    if array.dtype.kind not in "fiu":
        return "Save x, y and confidence as floats."
    if 0 in shape:
        return "It is empty: leave the clip out."
    if len(shape) == 2:
        return f"Are a frame's joints in one row? Give array.reshape(len(array), {n_joints}, -1)."
    if len(shape) == 4:
        return "Does it have several people? Give each its own array: array[person]."
    if len(shape) != 3:
        return "Give the joints of one person in one clip."
    orders = (order for order in permutations(range(3)) if shape[order[1]] == n_joints and shape[order[2]] in (2, 3, 4))
    own = (0, 1, 2)  # comes first
    if (order := next(orders, own)) != own:
        return f"Are its axes in another order? Give array.transpose{order}."
    if shape[1] == n_joints:
        return f"It has {shape[2]} values for a joint."
    return (
        f"It has {shape[1]} joints; skeleton '{skeleton.name}' has {n_joints}. Name the one that it has: "
        "dataset.skeleton=…"
    )
