"""A perspective camera: samples its position, lens and motion, and projects the joints."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from actrec.data.synthetic.body import vec
from actrec.data.synthetic.motion import Actor, sway


class View(NamedTuple):
    """The body as a camera sees it.

    Attributes:
        camera: Joints in camera coordinates in metres: x right, y down, z away from the camera.
        image: Their projection in pixels; it may lie outside the picture.
    """

    camera: Float[ndarray, "frame joint 3"]
    image: Float[ndarray, "frame joint 2"]
    width: int
    height: int


# Width, height, weight; Penn Action's longest side is 480, UCF101 is 320 x 240, Kinetics is often 340 x 256.
_SIZES = ((480, 270, 4), (480, 360, 4), (320, 240, 2), (340, 256, 1), (640, 480, 2), (1280, 720, 2), (1920, 1080, 1),
          (270, 480, 1), (720, 1280, 1))  # fmt: skip
_WEIGHTS = np.cumsum([weight for *_, weight in _SIZES]) / sum(weight for *_, weight in _SIZES)


def picture_size(actor: Actor) -> tuple[int, int]:
    """Draws width and height of the picture."""
    width, height, _ = _SIZES[int(np.searchsorted(_WEIGHTS, actor.rng.random()))]
    return width, height


def look(
    actor: Actor,
    joints: Float[ndarray, "frame joint 3"],
    yaw: float,
    t: Float[ndarray, " frame"],
    size: tuple[int, int] | None = None,
    anywhere: bool = False,
) -> View:
    """Films a body from a sampled position, with a sampled lens, on a tripod, panned or by hand.

    Args:
        joints: In the world, in metres.
        yaw: Direction of the camera from the body, in radians: 0 is the front, pi / 2 the left.
        size: Width and height of the picture; None draws them.
        anywhere: Whether the camera is often near, near the floor, or above the head, and the picture is stretched.
    """
    a = actor
    width, height = size or picture_size(a)
    low, high = _bounds(joints)
    middle, extent = 0.5 * (low + high), float(np.hypot(*(high - low)[[0, 2]]))
    distance = max(a.around(3.3, 0.5), 1.3) if anywhere else a.around(4.0, 0.35)
    eye_height = float(np.clip(a.around(1.2, 0.4), 0.15, 3.5))
    if anywhere:
        heights = {"usual": 0.7, "above": 0.2, "below": 0.1}
        eye_height = {"usual": eye_height, "above": a.u(1.7, 3.8), "below": a.u(0.1, 0.5)}[a.pick(heights)]
    away = np.array([np.cos(yaw), np.sin(yaw)]) * distance
    eye = np.array([middle[0] + away[0], middle[1] + away[1], eye_height])
    aim = middle + a.rng.standard_normal(3) * 0.06
    forward = (aim - eye) / np.linalg.norm(aim - eye)
    right = np.array([forward[1], -forward[0], 0.0]) / np.hypot(forward[0], forward[1])
    down = np.array([-forward[2] * right[1], forward[2] * right[0], forward[0] * right[1] - forward[1] * right[0]])
    basis = np.stack([right, down, forward], 1)
    camera = (joints - eye) @ basis
    held = a.pick({"tripod": 0.5, "hand": 0.3, "pan": 0.2})
    shake = {"tripod": 0.0008, "hand": 0.006, "pan": 0.02}[held]
    rate = {"tripod": 0.5, "hand": 0.9, "pan": 0.15}[held]
    shake_x, shake_y = sway(a, t, [shake, 0.6 * shake], rate)
    depth = np.maximum(camera[..., 2:], 0.3)
    flat = camera[..., :2] / depth + vec(shake_x, shake_y, 0.0)[:, None, :2]
    roll = 0.03 * a.rng.standard_normal()
    flat = flat @ np.array([[np.cos(roll), np.sin(roll)], [-np.sin(roll), np.cos(roll)]])
    if anywhere:  # videos that were scaled to another aspect ratio
        flat = flat * [1.0, np.exp(0.1 * a.rng.standard_normal())]
    low, high = _bounds(flat)
    seen = high - low
    share = a.around(0.74, 0.22)  # of the picture, which the action fills
    focal = share / max(seen[0] / width, seen[1] / height, 0.3 * extent / distance / max(width, height))
    slack = np.maximum(np.array([width, height]) - focal * seen, 0) * 0.35
    image = focal * (flat - 0.5 * (low + high)) + np.array([width, height]) * 0.5 + slack * (2 * a.rng.random(2) - 1)
    return View(camera, image, width, height)


def _bounds(points: Float[ndarray, "frame joint axis"]) -> tuple[Float[ndarray, " axis"], Float[ndarray, " axis"]]:
    axes = [points[..., axis] for axis in range(points.shape[2])]  # numpy is slow along a short axis
    return np.array([axis.min() for axis in axes]), np.array([axis.max() for axis in axes])
