"""What a pose estimator or an annotator makes of a body that is known exactly: the generator's last step.

Half of the clips are seen as YOLO sees them, half as Penn Action's annotators did. Measured: annotators on Penn's
training clips of eight gym actions (574 clips); the estimator with yolov8n-pose on 384 frames of ten gym videos.
Lengths are in torso lengths T (mid-shoulders to pelvis, in 3D), so that nothing depends on the size of the picture.
Inside, coordinates come first and joints last: numpy is twice as fast that way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Float32, Int
from numpy import ndarray

from actrec.skeleton import COCO17
from actrec.types import ActrecError

Degree = Float32[ndarray, "frame 17"]
Image = Float32[ndarray, "2 frame 17"]

_KEYS_A_SECOND = 6.0  # how often occlusion is found, slow noise drawn and a joint moved by hand; straight lines between
_FACE = COCO17.index(("nose", "left_eye", "right_eye", "left_ear", "right_ear"))
_SHOULDERS, _HIPS, _NOSE, _EARS = COCO17.index(COCO17.shoulders), COCO17.index(COCO17.hips), _FACE[0], _FACE[3:]
_ARMS, _LEGS = ([COCO17.index([f"{side}_{part}" for part in parts]) for side in ("left", "right")]
                for parts in (("shoulder", "elbow", "wrist"), ("hip", "knee", "ankle")))  # fmt: skip
_MIRROR = COCO17.mirror_index


def _per_joint(**parts: float) -> Float32[ndarray, " 17"]:
    return np.array([parts[joint.split("_")[-1]] for joint in COCO17.joints], dtype=np.float32)


# The logit of YOLO's confidence in a joint seen plainly (shoulders and hips 0.99, wrists 0.96, ankles 0.95), and what
# it loses when the joint is wholly hidden: far wrists have 0.45, far shoulders 0.93, far eyes 0.4, far ears 0.1.
_PLAIN = _per_joint(nose=3.2, eye=3.2, ear=3.3, shoulder=5.0, elbow=3.9, wrist=3.3, hip=4.9, knee=4.2, ankle=3.2)
_HIDDEN = _per_joint(nose=5.5, eye=4.6, ear=4.9, shoulder=2.8, elbow=3.8, wrist=3.8, hip=2.0, knee=2.6, ankle=2.4)

# After the joints come the middles of shoulders, hips and ears; between two of these 20 nodes there is flesh, this
# thick (T), that hides what is behind it but its own ends.
_NODES = np.eye(17, 20, dtype=np.float32)
for _row, _pair in enumerate((_SHOULDERS, _HIPS, _EARS)):
    _NODES[_pair, 17 + _row] = 0.5
_MID_SHOULDERS, _PELVIS, _HEAD = 17, 18, 19
_FLESH = {("shoulder", "elbow"): 0.10, ("elbow", "wrist"): 0.08, ("hip", "knee"): 0.15, ("knee", "ankle"): 0.11,
          ("shoulder", "hip"): 0.16}  # fmt: skip
_CAPSULES = [(*COCO17.index((f"{side}_{start}", f"{side}_{end}")), radius) for (start, end), radius in _FLESH.items()
             for side in ("left", "right")] + [(_MID_SHOULDERS, _PELVIS, 0.22), (_HEAD, _NOSE, 0.18)]  # fmt: skip
_FROM, _TO = (np.array([capsule[end] for capsule in _CAPSULES]) for end in (0, 1))
_PER_RADIUS = np.array([[1 / radius] for *_, radius in _CAPSULES], dtype=np.float32)
_OTHERS = (np.arange(17) != _FROM[:, None]) & (np.arange(17) != _TO[:, None])
_OTHERS[-1, _FACE] = False
# Cosine between the line of sight and the way from the middle of the head at which nose, eyes and ears begin to hide,
# and over how much more they are gone. An ear is half hidden in a face that looks at the camera.
_TURN_FROM = np.array([0.05, 0.05, 0.05, -0.5, -0.5], dtype=np.float32)
_PER_TURN = np.array([2, 2, 2, 1, 1], dtype=np.float32)


class _Scene(NamedTuple):
    """What both observers look at.

    Attributes:
        image: Joints in pixels.
        keys: Numbers of the key frames.
        spread: From key frames to frames.
        covered: How far the body hides each joint, 0 to 1.
        averted: How far each part of the face is turned away, 0 to 1; 0 for other joints.
        lost: Whether something else hides the joint.
        speed: T a second.
        outside: How far each joint is outside the picture, in T.
        box: Left and top, right and bottom end of the picture, in pixels.
        torso: T in pixels.
        hard: How easily sides are confused, from 0 (upright, facing the camera) to 1.
        fps: Frames a second.
        grid: Side of an annotator's pixel: they saw pictures 640 wide.
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
    fps: float
    grid: float


@dataclass(frozen=True)
class Faults:
    """An observer's faults, drawn anew for every clip; all are off where their option is 0.

    Attributes:
        annotated_share: Share of clips seen by an annotator: confidence is 1 or 0, some joints are never observed. The
            rest are seen by an estimator, which guesses with a confidence between 0 and 1.
        unannotated: Joints that an annotator never observes. The nose then stands for Penn's head, which is higher.
        occlusion: How much the body hides of itself, 1 is as measured.
        jitter: Size of the noise in place, 1 is as measured.
        lost: How often joints are unseen though nothing of the body hides them, 1 is as measured.
        cropped: Share of clips in which the picture ends within the body.
        swaps: Mean number of stretches in which an estimator takes left for right, where sides are easily confused.
        missed: Share of an estimator's clips in which it misses the person in some frames.
        blurred: Share of an estimator's clips that are hard to see throughout (one of ten videos).
        weakest: An estimator's clip gets a threshold up to this, and joints of less confidence are unobserved.
    """

    annotated_share: float = 0.5
    unannotated: Sequence[str] = ("left_eye", "right_eye", "left_ear", "right_ear")
    occlusion: float = 1.0
    jitter: float = 1.0
    lost: float = 1.0
    cropped: float = 0.1
    swaps: float = 0.4
    missed: float = 0.1
    blurred: float = 0.1
    weakest: float = 0.3

    def __post_init__(self) -> None:
        for name in ("annotated_share", "occlusion", "cropped", "missed", "blurred", "weakest"):
            if not 0 <= getattr(self, name) <= 1:
                raise ActrecError(f"The {name} of Faults is {getattr(self, name)}; expected 0 to 1.")
        for name in ("jitter", "lost", "swaps"):
            if not getattr(self, name) >= 0:
                raise ActrecError(f"The {name} of Faults is {getattr(self, name)}; expected 0 or more.")
        strange = [joint for joint in self.unannotated if joint not in COCO17.joints]
        if strange:
            raise ActrecError(f"Faults.unannotated has {strange}; choose from {', '.join(COCO17.joints)}.")

    def __call__(
        self,
        camera: Float[ndarray, "frame 17 3"],
        image: Float[ndarray, "frame 17 2"],
        width: int,
        height: int,
        fps: float,
        rng: np.random.Generator,
    ) -> Float32[ndarray, "frame 17 3"]:
        """The clip as observed: x, y in pixels, and confidence; an unobserved joint is (0, 0, 0).

        Args:
            camera: COCO-17 joints in metres: x right, y down, z away from the camera.
            image: Their projection in pixels.
            width: Of the picture, in pixels.
            height: Of the picture, in pixels.
            fps: Frames a second.
            rng: All that is drawn is drawn from here.
        """
        scene = self._scene(_planar(camera), _planar(image), width, height, fps, rng)
        observe = self._annotate if rng.random() < self.annotated_share else self._estimate
        xy, confidence = observe(scene, rng)
        out = np.empty((*confidence.shape, 3), dtype=np.float32)
        out[..., 0], out[..., 1], out[..., 2] = *(xy * (confidence > 0)), confidence
        return out

    def _scene(
        self, camera: ndarray, image: Image, width: int, height: int, fps: float, rng: np.random.Generator
    ) -> _Scene:
        keys, spread = _key_frames(image.shape[1], max(round(fps / _KEYS_A_SECOND), 1))
        nodes, pixels = camera[:, keys] @ _NODES, image[:, keys]
        flat = nodes[:2] / np.maximum(nodes[2], 0.1)
        metres = float(_norm(nodes[..., _MID_SHOULDERS] - nodes[..., _PELVIS]).mean()) + 1e-6
        torso = metres * _extent(pixels) / _extent(flat[..., :17]) / float(nodes[2].mean())
        box = np.array([[0, 0], [width, height]], dtype=np.float32)
        if rng.random() < self.cropped:
            _crop(box, pixels, rng)
        averted, hard = _averted(nodes)
        hidden = np.stack([_covered(nodes, flat, metres), averted]) * np.float32(self.occlusion)
        covered, averted = spread @ hidden
        speed = np.zeros(image.shape[1:], dtype=np.float32)
        speed[1:] = _norm(image[:, 1:] - image[:, :-1]) * np.float32(fps / torso)
        speed[:-1] += 0.5 * (speed[1:] - speed[:-1])
        (left, top), (right, bottom) = box
        x, y = image
        outside = np.maximum(np.maximum(left - x, x - right), np.maximum(top - y, y - bottom))
        outside = np.maximum(outside * np.float32(1 / torso), 0)
        lost = _lost(len(spread), self.lost * (0.2 + hard), fps, rng)
        grid = max(width, height) / 640
        return _Scene(image, keys, spread, covered, averted, lost, speed, outside, box, torso, hard, fps, grid)

    def _annotate(self, scene: _Scene, rng: np.random.Generator) -> tuple[Image, Degree]:
        """Penn Action's annotators: whole pixels, and nothing of what they cannot see."""
        xy = scene.image.copy()
        xy[..., _NOSE] += _nose_to_head(xy, rng)
        if self.jitter:
            if rng.random() < 0.25:  # moved by hand in the key frames alone
                xy = scene.spread @ xy[:, scene.keys]
            # Penn's second differences in the median: 0 at rest, 0.017 T at 0.9 T/s, 0.05 T at 3.5 T/s; white in time.
            size = self.jitter * scene.torso * np.exp(0.8 * rng.standard_normal())
            sigma = np.float32(0.001 * size) + np.float32(0.003 * size) * scene.speed
            xy += sigma * rng.standard_normal(xy.shape, dtype=np.float32)
            xy = np.rint(xy * np.float32(1 / scene.grid)) * np.float32(scene.grid)
        degree = 0.7 * scene.covered + 0.3 * scene.covered.mean(0)
        degree[:, _NOSE] *= 0.5  # a head shows where a nose does not
        # A limit above 1 is an annotator who places every joint: 42 % of Penn's clips lack none.
        strictness = np.maximum(rng.normal(0.45, 0.4) + 0.1 * rng.standard_normal(17), 0.1)
        seen = (degree <= strictness) & (scene.outside <= 0) & ~scene.lost
        seen[:, COCO17.index(self.unannotated)] = False
        return xy, seen.astype(np.float32)

    def _estimate(self, scene: _Scene, rng: np.random.Generator) -> tuple[Image, Degree]:
        """YOLO: a guess for nearly every joint, with a confidence that tells how good it is."""
        n_frames, n_keys = scene.spread.shape
        slow = scene.spread @ rng.standard_normal((3, n_keys, 17), dtype=np.float32)
        white = rng.standard_normal((2, n_frames, 17), dtype=np.float32)
        blur = 3.5 * (rng.random() < self.blurred) + 0.5 * rng.standard_normal() + 20 / max(scene.torso, 10.0)
        plain = _PLAIN - np.float32(blur) + 0.5 * rng.standard_normal(17, dtype=np.float32)
        logit = plain - _HIDDEN * np.maximum(scene.covered, scene.averted) + 0.6 * slow[2]
        logit -= 0.2 * np.minimum(scene.speed, 6) + 10 * np.minimum(scene.outside, 1)
        logit[scene.lost] -= 3
        confidence = 1 / (1 + np.exp(-logit))
        doubt = 1 - confidence
        # YOLO's second differences in the median, at a confidence above 0.9: 0.02 T at 0.3 T/s, 0.04 at 1.2, 0.08 at
        # 2.4, 0.13 at 5; from 0.3 to 0.7 half as much again, and nearly twice as much at speed.
        sigma = (0.006 + 0.006 * scene.speed * (1 + 2.2 * doubt)) * np.float32(self.jitter * scene.torso)
        xy = scene.image + sigma * (white + 1.5 * slow[:2])
        if self.jitter:  # a hidden joint is guessed near the other side's
            towards = np.maximum(doubt - 0.2, 0) * (0.8 * rng.random(17, dtype=np.float32))
            xy += towards * (scene.image[..., _MIRROR] - scene.image)
        xy, confidence = _swap(xy, confidence, self.swaps * scene.hard, scene.fps, rng)
        if scene.outside.any():
            low, high = scene.box[..., None, None]
            xy = np.where(scene.outside > 0, np.minimum(np.maximum(xy, low), high), xy)
        seen = confidence > self.weakest * rng.random()
        if rng.random() < self.missed:
            seen &= ~_stretches(n_frames, np.full(2, 0.7), 0.2 * scene.fps, rng).any(1, keepdims=True)
        return xy, confidence * seen


def _planar(points: Float[ndarray, "frame 17 axis"]) -> Float32[ndarray, "axis frame 17"]:
    return np.ascontiguousarray(points.transpose(2, 0, 1), dtype=np.float32)


def _norm(vectors: Float32[ndarray, "axis *shape"]) -> Float32[ndarray, "*shape"]:
    length: ndarray = np.sqrt((vectors * vectors).sum(0))
    return length


def _extent(points: Float32[ndarray, "2 key 17"]) -> float:
    """How far the joints lie apart, which neither shaking nor rolling the camera changes."""
    apart = points - points.sum(-1, keepdims=True) / points.shape[-1]
    return float(np.sqrt(np.vdot(apart, apart))) + 1e-9


def _key_frames(n_frames: int, step: int) -> tuple[Int[ndarray, " key"], Float32[ndarray, "frame key"]]:
    """Every so many frames and the last one; and the weights of the straight lines from one to the next."""
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
    """How far limbs, trunk and head that are nearer to the camera hide each joint, 0 to 1.

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


def _averted(nodes: Float32[ndarray, "3 key 20"]) -> tuple[Float32[ndarray, "key 17"], float]:
    """How far the head itself hides each part of the face; and how easily sides are confused, 0 to 1."""
    head = nodes[..., _HEAD, None]
    face = nodes[..., _FACE] - head
    cosine = (face * head).sum(0) / (_norm(face) * _norm(head) + np.float32(1e-9))
    averted = np.zeros((nodes.shape[1], 17), dtype=np.float32)
    averted[:, _FACE] = np.minimum(np.maximum((cosine - _TURN_FROM) * _PER_TURN, 0), 1)
    across = nodes[..., _SHOULDERS[0]] - nodes[..., _SHOULDERS[1]]
    trunk = nodes[..., _PELVIS] - nodes[..., _MID_SHOULDERS]
    facing, upright = across[0] / (_norm(across) + 1e-9), trunk[1] / (_norm(trunk) + 1e-9)
    return averted, min(max(1 - float(np.minimum(facing, upright).mean()), 0.0), 1.0)


def _crop(box: Float32[ndarray, "2 2"], pixels: Float32[ndarray, "2 key 17"], rng: np.random.Generator) -> None:
    """Moves an end of the picture into the body: mostly the bottom, as Penn's pull-ups lack half the ankles."""
    low, high = pixels.min((1, 2)), pixels.max((1, 2))
    inwards = rng.uniform(0.05, 0.3) * (high - low)
    side = rng.random()
    if side < 0.7:
        box[1, 1] = high[1] - inwards[1]
    elif side < 0.85:
        box[1, 0] = high[0] - inwards[0]
    else:
        box[0, 0] = low[0] + inwards[0]


def _nose_to_head(image: Image, rng: np.random.Generator) -> Float32[ndarray, "2 frame"]:
    """From the nose to where annotators see the head: 0.43 T above the shoulders (5th to 95th percentile 0.26 to 0.68)
    in Penn's upright frontal clips, while YOLO's noses, and the generated ones, are at 0.3."""
    inwards, upwards = rng.random(), min(max(rng.normal(0.45, 0.35), -0.1), 1.3)
    weights = np.zeros(17, dtype=np.float32)
    weights[_EARS], weights[_SHOULDERS], weights[_NOSE] = 0.5 * (inwards + upwards), -0.5 * upwards, -inwards
    return image @ weights


def _stretches(
    n_frames: int, chance: Float[ndarray, " row"], mean: float, rng: np.random.Generator
) -> Bool[ndarray, "frame row"]:
    """For each row, with its chance, one stretch of the clip, of `mean` frames in the mean."""
    chosen, start, length = rng.random((3, len(chance)))
    first = start * (n_frames + mean) - mean
    first[chosen >= chance] = n_frames
    t = np.arange(n_frames)[:, None]
    return (t >= first) & (t <= first - mean * np.log1p(-length))


def _lost(n_frames: int, rate: float, fps: float, rng: np.random.Generator) -> Bool[ndarray, "frame 17"]:
    """Joints unseen through no fault of the body's, for a stretch or the whole clip: alone, in pairs, or whole limbs.

    In Penn's jumping jacks, where the body hides little, 3 % are; stretches last 0.6 s in the median.
    """
    messy = rate * 1.6 * rng.random() ** 5
    lost = _stretches(n_frames, np.full(17, 0.3 * messy), 0.8 * fps, rng)
    alone, paired = rng.random((2, 17)) < np.array([[0.05], [0.08]]) * messy
    lost |= alone | paired | paired[_MIRROR]
    for joints, chance in zip(_ARMS + _LEGS, rng.random(4), strict=True):
        if chance < 0.1 * messy:
            lost[:, joints[int(rng.integers(3)) :]] = True
    return lost


def _swap(xy: Image, confidence: Degree, rate: float, fps: float, rng: np.random.Generator) -> tuple[Image, Degree]:
    """Arms, legs or the whole body with left taken for right, each for a fraction of a second."""
    arms, legs, whole = _stretches(xy.shape[1], np.array([0.3, 0.3, 0.4]) * rate, 0.3 * fps, rng).T[..., None]
    swapped = np.repeat(whole, 17, 1)
    swapped[:, np.ravel(_ARMS)] ^= arms
    swapped[:, np.ravel(_LEGS)] ^= legs
    return np.where(swapped, xy[..., _MIRROR], xy), np.where(swapped, confidence[:, _MIRROR], confidence)
