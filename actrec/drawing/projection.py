"""Projects poses of three dimensions to the plane of a picture, where all drawing is done.

Poses of two dimensions pass through unchanged. In three dimensions y is up and the coordinates are right-handed, as
Kinect gives them: seen from the camera, z is away from it and x to its left. The projection is parallel, so that
lengths do not depend on the distance.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float
from numpy import ndarray

AZIMUTH, ELEVATION = 30.0, 15.0  # degrees of the fixed view: beside the recording camera's place, and above it
TURN = 6.0  # seconds in which a turning view goes once about the body


def project(
    places: Float[ndarray, "*lead joint coordinate"],
    azimuth: float | int | Float[ndarray, "*#lead"] = AZIMUTH,
    elevation: float | int = ELEVATION,
) -> Float[ndarray, "*lead joint 2"]:
    """Projects places to a picture's x and y, y down; those of two dimensions are returned as they are.

    Args:
        azimuth: By how many degrees the camera is turned about the vertical axis through the origin, from the place of
            the camera that recorded the poses; one for all poses, or one for each.
        elevation: By how many degrees the camera looks down.
    """
    if places.shape[-1] == 2:
        return places
    around, down = np.radians(np.asarray(azimuth)[..., None]), np.radians(elevation)
    x, y, z = np.moveaxis(places, -1, 0)
    across, depth = x * np.cos(around) + z * np.sin(around), z * np.cos(around) - x * np.sin(around)
    return np.stack([-across, -y * np.cos(down) - depth * np.sin(down)], -1).astype(places.dtype)


def turning(
    places: Float[ndarray, "frame joint coordinate"], middle: Float[ndarray, " coordinate"], fps: float
) -> Float[ndarray, "frame joint 2"]:
    """Projects a clip by a camera that goes about it once in six seconds, from the fixed view on.

    Args:
        middle: A place on the vertical axis that the camera turns about; see `centre`.
    """
    if places.shape[-1] == 2:
        return places
    return project(places - middle, AZIMUTH + 360 * np.arange(len(places)) / (fps * TURN))


def centre(keypoints: Float[ndarray, "*frame joint value"]) -> Float[ndarray, " coordinate"]:
    """Computes the middle of the box about all observed joints; zero without any."""
    seen = keypoints[keypoints[..., -1] > 0][:, :-1]
    return (seen.min(0) + seen.max(0)) / 2 if len(seen) else np.zeros(keypoints.shape[-1] - 1, keypoints.dtype)


def fit(
    poses: Float[ndarray, "frame joint 2"], observed: Bool[ndarray, "frame joint"], side: int
) -> tuple[float, Float[ndarray, " 2"]]:
    """Computes the scale and shift that place a clip in a square picture of `side` pixels."""
    seen = poses[observed]
    low, high = (seen.min(0), seen.max(0)) if len(seen) else (np.zeros(2), np.ones(2))
    scale = 0.8 * side / max(float((high - low).max()), 1e-6)
    return scale, side / 2 - scale * (low + high) / 2
