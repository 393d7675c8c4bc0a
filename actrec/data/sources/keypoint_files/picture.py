"""Converts x and y of keypoint files to pixels of the picture."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from actrec.types import ActrecError


def in_pixels(
    keypoints: Float[ndarray, "row joint 3"], in_shares: bool, size: tuple[int, int], padded: bool
) -> Float[ndarray, "row joint 3"]:
    """Converts keypoints to pixels, where the size of the picture is known.

    Networks with a square input, such as MoveNet's, give shares of a square to which the picture was padded at both
    sides. Tools that multiply them by the picture's width and height, as if they were shares of the picture, write
    bodies that are too flat (of a wide picture) or too thin.

    Args:
        in_shares: Whether x and y are shares, and not yet multiplied by width and height.
        size: Width and height of the picture in pixels; zeros if they are not known.
        padded: Whether the shares are, or were, of the padded square.

    Raises:
        ActrecError: The picture was padded, and its size is not known.
    """
    if 0 in size:
        if padded:
            raise ActrecError(
                "a padded picture needs its size: give columns width and height in labels.csv, or "
                "dataset.importer.width=… dataset.importer.height=…"
            )
        return keypoints
    picture = np.array(size, np.float32)
    xy = keypoints[..., :2]
    if padded:
        side = picture.max()
        xy = (xy if in_shares else xy / picture) * side - (side - picture) / 2
    elif in_shares:
        xy = xy * picture
    pixels = keypoints.copy()
    pixels[..., :2] = np.where(keypoints[..., 2:] > 0, xy, 0)
    return pixels
