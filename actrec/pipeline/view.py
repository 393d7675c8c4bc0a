"""Turns bodies of three dimensions so that their shoulders lie along x, however the camera stood (`preprocess.view`).

Both preprocessing modes turn a clip by the mean direction of its shoulders in its first frames, after centring and
scaling; causal preprocessing uses those of them that it has seen so far.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float
from numpy import ndarray

from actrec.pipeline.measures import EPSILON, midpoint
from actrec.skeleton import Skeleton

VIEWS = ("camera", "y", "z", "body")
N_FRAMES = 8  # frames with both shoulders whose mean direction is used

# The turns to y up and the face to the camera: of poses that `preprocess.view` has turned.
_FACING = {
    "y": np.diag([-1.0, 1.0, -1.0]),
    "body": np.diag([-1.0, 1.0, -1.0]),
    "z": np.array([[-1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, 1.0, 0.0]]),
}

Turns = Float[ndarray, "*frame 3 3"]


def turn_fields() -> list[tuple[str, type, tuple[int, ...]]]:
    """Returns the fields of a stream's state that `push_turns` needs, for `numpy.dtype`."""
    return [("directions", np.float64, (2, 3)), ("n_directions", np.int64, ()), ("turn", np.float64, (3, 3))]


def directions(
    keypoints: Float[ndarray, "frame joint 4"], observed: Bool[ndarray, "frame joint"], skeleton: Skeleton
) -> Float[ndarray, "frame 2 3"]:
    """Computes the vectors from right to left shoulder, and from pelvis to mid-shoulders; zero where not observed."""
    places, (left, right) = keypoints[..., :3], skeleton.index(skeleton.shoulders)
    both = (observed[:, left] & observed[:, right])[:, None]
    across = np.where(both, places[:, left] - places[:, right], 0)
    hips, shoulders = (midpoint(places, observed, skeleton.index(pair)) for pair in (skeleton.hips, skeleton.shoulders))
    return np.stack([across, np.nan_to_num(shoulders - hips)], 1)


def turns(totals: Float[ndarray, "*frame 2 3"], view: str) -> Turns:
    """Computes the rotation matrices that lay the first vector along x, and that about y or z, or the second along y.

    With the view "y" or "z", bodies are turned about that axis only, so that it stays upright if it was. Where the
    vectors do not tell a direction, the matrix is the identity.
    """
    across, up = totals[..., 0, :], totals[..., 1, :]
    if view != "body":
        up = np.broadcast_to(np.eye(3)["xyz".index(view)], across.shape)
    kept, up_is = _unit(up)
    level = across - (across * kept).sum(-1, keepdims=True) * kept
    x, level_is = _unit(level)
    level_is &= np.linalg.norm(level, axis=-1) > EPSILON * np.linalg.norm(across, axis=-1)
    rows = (x, np.cross(kept, x), kept) if view == "z" else (x, kept, np.cross(x, kept))
    return np.where((up_is & level_is)[..., None, None], np.stack(rows, -2), np.eye(3))


def _unit(vectors: Float[ndarray, "*frame 3"]) -> tuple[Float[ndarray, "*frame 3"], Bool[ndarray, "*frame"]]:
    """Returns vectors of length one, and where there are any."""
    lengths = np.linalg.norm(vectors, axis=-1)
    return vectors / np.where(lengths > 0, lengths, 1)[..., None], lengths > 0


def push_turns(streams: ndarray, new: Float[ndarray, "stream frame 2 3"], view: str) -> Turns:
    """Computes the rotation matrices of the next frames of each stream, and updates the streams' states."""
    seen = new.any(-1).all(-1) if view == "body" else new[..., 0, :].any(-1)
    number = streams["n_directions"][:, None] + seen.cumsum(1)
    used = np.where((seen & (number <= N_FRAMES))[..., None, None], new, 0)
    totals = streams["directions"][:, None] + used.cumsum(1)
    made = turns(totals, view)
    if new.shape[1]:
        streams["n_directions"], streams["directions"], streams["turn"] = number[:, -1], totals[:, -1], made[:, -1]
    return made


def clip_turn(new: Float[ndarray, "frame 2 3"], view: str) -> Float[ndarray, "3 3"]:
    """Computes the rotation matrix of a whole clip."""
    stream = np.zeros(1, np.dtype(turn_fields()))
    push_turns(stream, new[None], view)
    return stream["turn"][0]


def turned(keypoints: Float[ndarray, "*lead joint 4"], turn: Turns) -> Float[ndarray, "*lead joint 4"]:
    """Turns the coordinates of normalised keypoints; confidences are kept."""
    places = keypoints[..., :3] @ turn.swapaxes(-1, -2)
    return np.concatenate([places, keypoints[..., 3:]], -1).astype(keypoints.dtype)


def facing(places: Float[ndarray, "*lead joint coordinate"], view: str) -> Float[ndarray, "*lead joint coordinate"]:
    """Turns normalised poses so that y is up and, if `preprocess.view` has turned them, that they face the camera."""
    if view not in _FACING:
        return places
    turned: ndarray = places @ _FACING[view].T.astype(places.dtype)
    return turned
