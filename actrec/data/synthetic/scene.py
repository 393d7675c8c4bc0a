"""Computes what can be observed of a body: the position of each joint in the picture, and how far it is hidden.

Joints are hidden by the body itself, by the edge of the picture, or for other reasons. Lengths are in torso lengths T
(mid-shoulders to pelvis, in 3D), so that they do not depend on the size of the picture. Arrays have coordinates first
and joints last, with which numpy is twice as fast.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Float32, Int
from numpy import ndarray

from actrec.skeleton import COCO17

Degree = Float32[ndarray, "frame 17"]
Image = Float32[ndarray, "2 frame 17"]
Planar = Float32[ndarray, "axis frame 17"]

_KEYS_A_SECOND = 6.0  # rate of occlusion, slow noise and annotated key frames, with linear interpolation in between
FACE = COCO17.index(("nose", "left_eye", "right_eye", "left_ear", "right_ear"))
SHOULDERS, NOSE, EARS = COCO17.index(COCO17.shoulders), FACE[0], FACE[3:]
HIPS = COCO17.index(COCO17.hips)
ARMS, LEGS = ([COCO17.index([f"{side}_{part}" for part in parts]) for side in ("left", "right")]
                for parts in (("shoulder", "elbow", "wrist"), ("hip", "knee", "ankle")))  # fmt: skip
MIRROR = COCO17.mirror_index

# The 20 nodes are the joints and the middles of shoulders, hips and ears. Capsules between two nodes, with this radius
# in T, hide the joints behind them, except their own ends.
_NODES = np.eye(17, 20, dtype=np.float32)
for _row, _pair in enumerate((SHOULDERS, HIPS, EARS)):
    _NODES[_pair, 17 + _row] = 0.5
_MID_SHOULDERS, _PELVIS, _HEAD = 17, 18, 19
_FLESH = {("shoulder", "elbow"): 0.10, ("elbow", "wrist"): 0.08, ("hip", "knee"): 0.15, ("knee", "ankle"): 0.11,
          ("shoulder", "hip"): 0.16}  # fmt: skip
_CAPSULES = [(*COCO17.index((f"{side}_{start}", f"{side}_{end}")), radius) for (start, end), radius in _FLESH.items()
             for side in ("left", "right")] + [(_MID_SHOULDERS, _PELVIS, 0.22), (_HEAD, NOSE, 0.18)]  # fmt: skip
_FROM, _TO = (np.array([capsule[end] for capsule in _CAPSULES]) for end in (0, 1))
_PER_RADIUS = np.array([[1 / radius] for *_, radius in _CAPSULES], dtype=np.float32)
_OTHERS = (np.arange(17) != _FROM[:, None]) & (np.arange(17) != _TO[:, None])
_OTHERS[-1, FACE] = False
# Cosine between the line of sight and the vector from the middle of the head at which nose, eyes and ears begin to be
# hidden, and the inverse of the range until they are hidden. In a face towards the camera, ears are half hidden.
_TURN_FROM = np.array([0.05, 0.05, 0.05, -0.5, -0.5], dtype=np.float32)
_PER_TURN = np.array([2, 2, 2, 1, 1], dtype=np.float32)


class Scene(NamedTuple):
    """The observable quantities of a clip, for annotator and estimator alike.

    Attributes:
        image: Joints in pixels.
        keys: Numbers of the key frames.
        spread: Weights of linear interpolation from key frames to frames.
        covered: Degree to which the body hides each joint, 0 to 1.
        averted: Degree to which each part of the face is turned away, 0 to 1; 0 for other joints.
        lost: Whether a joint is hidden for another reason.
        speed: T per second.
        outside: Distance of each joint from the picture, in T; 0 inside.
        box: Left and top, right and bottom edge of the picture, in pixels.
        torso: T in pixels.
        hard: How easily left and right are confused, from 0 (upright, facing the camera) to 1.
        tilted: How far the trunk is from upright in the picture, 0 to 1 (lying, upside down, or seen along its
            length).
        grid: Side of an annotator's pixel, in pixels: they saw pictures 640 wide.
    """

    image: Image
    keys: Int[ndarray, " key"]
    spread: Float32[ndarray, "frame key"]
    covered: Degree
    averted: Degree
    lost: Bool[ndarray, "frame 17"]
    speed: Degree
    outside: Degree
    box: Float32[ndarray, "2 2"]
    torso: float
    hard: float
    tilted: Float32[ndarray, " frame"]
    fps: float
    grid: float


def observe(
    camera: Float[ndarray, "frame 17 3"],
    image: Float[ndarray, "frame 17 2"],
    size: tuple[int, int],
    fps: float,
    rng: np.random.Generator,
    *,
    cropped: float,
    lost: float,
) -> Scene:
    """Computes what can be observed of a body.

    Args:
        camera: COCO-17 joints in metres: x right, y down, z away from the camera.
        image: Their projection in pixels.
        cropped: Probability that the edge of the picture cuts off a part of the body.
        lost: Frequency of joints that are hidden for other reasons; 1 is as measured.
    """
    camera, image = _planar(camera), _planar(image)
    keys, spread = _key_frames(image.shape[1], max(round(fps / _KEYS_A_SECOND), 1))
    nodes, pixels = camera[:, keys] @ _NODES, image[:, keys]
    flat = nodes[:2] / np.maximum(nodes[2], 0.1)
    metres = float(_norm(nodes[..., _MID_SHOULDERS] - nodes[..., _PELVIS]).mean()) + 1e-6
    torso = metres * _extent(pixels) / _extent(flat[..., :17]) / float(nodes[2].mean())
    box = np.array([[0, 0], size], dtype=np.float32)
    if rng.random() < cropped:
        _crop(box, pixels, rng)
    averted, hard, tilted = _averted(nodes)
    hidden = np.stack([_covered(nodes, flat, metres), averted])
    covered, averted = spread @ hidden
    speed = np.zeros(image.shape[1:], dtype=np.float32)
    speed[1:] = _norm(image[:, 1:] - image[:, :-1]) * np.float32(fps / torso)
    speed[:-1] += 0.5 * (speed[1:] - speed[:-1])
    (left, top), (right, bottom) = box
    x, y = image
    outside = np.maximum(np.maximum(left - x, x - right), np.maximum(top - y, y - bottom))
    outside = np.maximum(outside * np.float32(1 / torso), 0)
    away = _lost(len(spread), lost * (0.2 + hard), fps, rng)
    grid = max(size) / 640
    return Scene(
        image, keys, spread, covered, averted, away, speed, outside, box, torso, hard, spread @ tilted, fps, grid
    )


def _planar(points: Float[ndarray, "frame 17 axis"]) -> Float32[ndarray, "axis frame 17"]:
    return np.ascontiguousarray(points.transpose(2, 0, 1), dtype=np.float32)


def _norm(vectors: Float32[ndarray, "axis *shape"]) -> Float32[ndarray, "*shape"]:
    length: ndarray = np.sqrt((vectors * vectors).sum(0))
    return length


def _extent(points: Float32[ndarray, "2 key 17"]) -> float:
    """Computes the extent of the joints, which is invariant to shaking and rolling of the camera."""
    apart = points - points.sum(-1, keepdims=True) / points.shape[-1]
    return float(np.sqrt(np.vdot(apart, apart))) + 1e-9


def _key_frames(n_frames: int, step: int) -> tuple[Int[ndarray, " key"], Float32[ndarray, "frame key"]]:
    """Returns every `step`-th frame and the last one, and the weights of linear interpolation between these."""
    keys = np.append(np.arange(0, n_frames - 1, step), n_frames - 1)
    t = np.arange(n_frames)
    after = np.minimum(t // step + 1, len(keys) - 1)
    before = np.maximum(after - 1, 0)
    share = (t - keys[before]) / np.maximum(keys[after] - keys[before], 1)
    spread = np.zeros((n_frames, len(keys)), dtype=np.float32)
    spread[t, after] = share
    spread[t, before] += 1 - share
    return keys, spread


def _covered(
    nodes: Float32[ndarray, "3 key 20"], flat: Float32[ndarray, "2 key 20"], torso: float
) -> Float32[ndarray, "key 17"]:
    """Computes the degree, 0 to 1, to which limbs, trunk and head in front of it hide each joint.

    Args:
        nodes: In metres.
        flat: Their projection at a distance of 1.
        torso: T in metres.
    """
    places = np.concatenate([flat, nodes[2:]])
    starts, ends = places[..., _FROM], places[..., _TO]
    (ax, ay, az), (bx, by, bz) = starts[..., None], (ends - starts)[..., None]
    px, py, pz = places[:, :, None, :17]
    dx, dy = px - ax, py - ay
    t = (dx * bx + dy * by) / (bx * bx + by * by + np.float32(1e-9))
    t = np.minimum(np.maximum(t, 0), 1)
    dx -= t * bx
    dy -= t * by
    depth = az + t * bz
    apart = np.sqrt(dx * dx + dy * dy) * depth * (_PER_RADIUS * np.float32(2 / torso))
    behind = (pz - depth) * np.float32(3.3 / torso) - np.float32(0.6)  # from 0.18 T behind the bone to 0.48 T
    hidden = np.minimum(np.maximum(behind, 0), 1) * np.minimum(np.maximum(2.5 - apart, 0), 1)
    most: ndarray = (hidden * _OTHERS).max(1)
    return most


def _averted(
    nodes: Float32[ndarray, "3 key 20"],
) -> tuple[Float32[ndarray, "key 17"], float, Float32[ndarray, " key"]]:
    """Computes how far the head hides each part of the face, and `hard` and `tilted` of `Scene`; all are 0 to 1."""
    head = nodes[..., _HEAD, None]
    face = nodes[..., FACE] - head
    cosine = (face * head).sum(0) / (_norm(face) * _norm(head) + np.float32(1e-9))
    averted = np.zeros((nodes.shape[1], 17), dtype=np.float32)
    averted[:, FACE] = np.minimum(np.maximum((cosine - _TURN_FROM) * _PER_TURN, 0), 1)
    across = nodes[..., SHOULDERS[0]] - nodes[..., SHOULDERS[1]]
    trunk = nodes[..., _PELVIS] - nodes[..., _MID_SHOULDERS]
    facing, upright = across[0] / (_norm(across) + 1e-9), trunk[1] / (_norm(trunk) + 1e-9)
    hard = min(max(1 - float(np.minimum(facing, upright).mean()), 0.0), 1.0)
    return averted, hard, np.minimum(1 - upright, 1).astype(np.float32)


def _crop(box: Float32[ndarray, "2 2"], pixels: Float32[ndarray, "2 key 17"], rng: np.random.Generator) -> None:
    """Moves an edge of the picture into the body, mostly the bottom: Penn's pull-ups lack half of the ankles."""
    low, high = pixels.min((1, 2)), pixels.max((1, 2))
    inwards = rng.uniform(0.05, 0.3) * (high - low)
    side = rng.random()
    if side < 0.7:
        box[1, 1] = high[1] - inwards[1]
    elif side < 0.85:
        box[1, 0] = high[0] - inwards[0]
    else:
        box[0, 0] = low[0] + inwards[0]


def stretches(
    n_frames: int, chance: Float[ndarray, " row"], mean: float, rng: np.random.Generator
) -> Bool[ndarray, "frame row"]:
    """Draws for each row, with its probability, some consecutive frames of the clip, on average `mean`."""
    chosen, start, length = rng.random((3, len(chance)))
    first = start * (n_frames + mean) - mean
    first[chosen >= chance] = n_frames
    t = np.arange(n_frames)[:, None]
    return (t >= first) & (t <= first - mean * np.log1p(-length))


def _lost(n_frames: int, rate: float, fps: float, rng: np.random.Generator) -> Bool[ndarray, "frame 17"]:
    """Draws joints that are unobserved for other reasons than the body: singly, in pairs, or whole limbs.

    They are unobserved for some time (0.6 s in the median) or the whole clip. In Penn's jumping jacks, in which the
    body hides little, 3 % of the joints are.
    """
    messy = rate * 1.6 * rng.random() ** 5
    lost = stretches(n_frames, np.full(17, 0.3 * messy), 0.8 * fps, rng)
    alone, paired = rng.random((2, 17)) < np.array([[0.05], [0.08]]) * messy
    lost |= alone | paired | paired[MIRROR]
    for joints, chance in zip(ARMS + LEGS, rng.random(4), strict=True):
        if chance < 0.1 * messy:
            lost[:, joints[int(rng.integers(3)) :]] = True
    return lost
