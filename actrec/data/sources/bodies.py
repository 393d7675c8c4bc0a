"""Chooses the bodies of a clip of which a sensor has tracked several: those that move most, and are bodies."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float
from numpy import ndarray

_LEAST = 0.1  # share of the frames with any body; a body that is seen in fewer is noise
_WIDE = 0.7  # share of its frames in which noise, such as a table, is wider than high

Bodies = Float[ndarray, "body frame joint 4"]


def motion(bodies: Bodies) -> Float[ndarray, " body"]:
    """Sums the squared changes of each body's joints from frame to frame, where both frames have the joint."""
    both = (bodies[:, 1:, :, 3] > 0) & (bodies[:, :-1, :, 3] > 0)
    changes = np.diff(bodies[..., :3].astype(np.float64), axis=1) ** 2
    total: ndarray = (changes.sum(-1) * both).sum((1, 2))
    return total


def plausible(bodies: Bodies) -> Bool[ndarray, " body"]:
    """Returns which are bodies: seen in a tenth of the frames with any, and not nearly always wider than high."""
    joints = bodies[..., 3] > 0
    frames: ndarray = np.asarray(joints.any(2))
    often = frames.sum(1) >= _LEAST * frames.any(0).sum()
    places = np.where(joints[..., None], bodies[..., :2], np.nan)
    places[~frames] = 0
    extent = np.nanmax(places, 2) - np.nanmin(places, 2)
    wide = ((extent[..., 0] > extent[..., 1]) & frames).sum(1) >= _WIDE * frames.sum(1)
    return frames.any(1) & often & ~wide


def main_bodies(bodies: Bodies, most: int = 1) -> list[Float[ndarray, "frame joint 4"]]:
    """Chooses up to `most` bodies, those that move most first; none if no joint of any is observed.

    A tracker that loses a body gives it another number when it finds it again. So bodies that are never seen together
    with a chosen one continue it, those that move more first. Noise is left out, unless there is nothing else.
    """
    likely = plausible(bodies)
    bodies = bodies[likely if likely.any() else (bodies[..., 3] > 0).any((1, 2))]
    left, chosen = np.argsort(-motion(bodies), kind="stable").tolist(), list[ndarray]()
    while left and len(chosen) < most:
        body: ndarray = bodies[left[0]].copy()
        others = []
        for number in left[1:]:
            seen = (bodies[number, :, :, 3] > 0).any(1)
            if (body[seen, :, 3] > 0).any():
                others.append(number)
            else:
                body[seen] = bodies[number, seen]
        left, chosen = others, [*chosen, body]
    return chosen
