"""Simulates the errors of a pose estimator or an annotator, the last step of the generator.

Half of the clips are observed as by YOLO, half as by Penn Action's annotators. The parameters were measured: for the
annotators on Penn's training clips of eight gym actions (574 clips), for the estimator with yolov8n-pose on 384 frames
of ten gym videos. Lengths are in torso lengths T (mid-shoulders to pelvis, in 3D), so that they do not depend on the
size of the picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float32
from numpy import ndarray

from actrec.data.synthetic.scene import (
    ARMS,
    EARS,
    HIPS,
    LEGS,
    MIRROR,
    NOSE,
    SHOULDERS,
    Degree,
    Image,
    Scene,
    observe,
    stretches,
)
from actrec.skeleton import COCO17
from actrec.types import ActrecError


def _per_joint(**parts: float) -> Float32[ndarray, " 17"]:
    return np.array([parts[joint.split("_")[-1]] for joint in COCO17.joints], dtype=np.float32)


# The logit of YOLO's confidence in a fully visible joint (shoulders and hips 0.99, wrists 0.96, ankles 0.95), and by
# how much it decreases if the joint is fully hidden: far wrists have 0.45, far shoulders 0.93, far eyes 0.4, far ears
# 0.1.
_PLAIN = _per_joint(nose=3.2, eye=3.2, ear=3.3, shoulder=5.0, elbow=3.9, wrist=3.3, hip=4.9, knee=4.2, ankle=3.2)
_HIDDEN = _per_joint(nose=5.5, eye=4.6, ear=4.9, shoulder=2.8, elbow=3.8, wrist=3.8, hip=2.0, knee=2.6, ankle=2.4)


# How far along its limb a joint is, for errors that grow towards the ends.
_END = _per_joint(nose=0.2, eye=0.2, ear=0.2, shoulder=0.1, elbow=0.5, wrist=1.0, hip=0.1, knee=0.2, ankle=0.5)


@dataclass(frozen=True)
class Faults:
    """Simulated observation errors, drawn for every clip; an option of 0 switches an error off.

    Attributes:
        annotated_share: Share of clips observed by an annotator: confidences are 1 or 0, and some joints are never
            observed. The other clips are observed by an estimator, with confidences between 0 and 1.
        viewers_sides: Share of annotated clips in which left and right are named from the viewer's side, as in Penn
            Action: in all of its frontal jumping jacks, the left shoulder is at the left of the picture.
        unannotated: Joints that an annotator never observes. The nose is then moved to Penn's head, which is higher.
        head: Mean height by which an annotator's head is above the middle of the head, in lengths of the neck.
        occlusion: Strength of occlusion by the body itself; 1 is as measured.
        jitter: Size of the noise of the positions; 1 is as measured.
        lost: Frequency of joints that are unobserved for other reasons than the body; 1 is as measured.
        cropped: Share of clips in which the edge of the picture cuts off a part of the body.
        swaps: Mean number of times that an estimator confuses left and right, where they are easily confused.
        missed: Share of an estimator's clips in which it misses the person in some frames.
        blurred: Share of an estimator's clips that are blurred throughout (one in ten videos).
        weakest: Greatest confidence threshold of an estimator's clip; joints with a lower confidence are unobserved.
        confident: Share of an estimator's clips in which it is confident of joints that it does not see, as models that
            estimate one person in a box are, and misplaces them.
        unsteady: Standard deviation of the logarithm of the jitter between an estimator's clips.
        collapsed: Share of an estimator's clips in which arms and legs are misplaced for moments, more often the less
            upright the trunk is, and joints are displaced by a constant distance, which grows towards the ends of the
            limbs. Estimators are trained on few pictures of people who lie or are upside down.
        faint: Share of an estimator's clips with lower confidence towards the ends of the limbs, as behind weights:
            in real squats, half of the wrists have less than 0.5.
    """

    annotated_share: float = 0.5
    viewers_sides: float = 0.5
    unannotated: Sequence[str] = ("left_eye", "right_eye", "left_ear", "right_ear")
    head: float = 0.45
    occlusion: float = 1.0
    jitter: float = 1.0
    lost: float = 1.0
    cropped: float = 0.1
    swaps: float = 0.4
    missed: float = 0.1
    blurred: float = 0.1
    weakest: float = 0.3
    confident: float = 0.0
    unsteady: float = 0.0
    collapsed: float = 0.0
    faint: float = 0.0

    def __post_init__(self) -> None:
        shares = ("annotated_share", "viewers_sides", "occlusion", "cropped", "missed", "blurred", "weakest")
        for name in (*shares, "confident", "collapsed", "faint"):
            if not 0 <= getattr(self, name) <= 1:
                raise ActrecError(f"The {name} of Faults is {getattr(self, name)}; expected 0 to 1.")
        for name in ("jitter", "lost", "swaps", "unsteady"):
            if not getattr(self, name) >= 0:
                raise ActrecError(f"The {name} of Faults is {getattr(self, name)}; expected 0 or more.")
        if not np.isfinite(self.head):
            raise ActrecError(f"The head of Faults is {self.head}; expected a finite number.")
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
        """Returns the observed clip: x and y in pixels, and confidence; an unobserved joint is (0, 0, 0).

        Args:
            camera: COCO-17 joints in metres: x right, y down, z away from the camera.
            image: Their projection in pixels.
        """
        scene = observe(camera, image, (width, height), fps, rng, cropped=self.cropped, lost=self.lost)
        seen_by = self._annotate if rng.random() < self.annotated_share else self._estimate
        xy, confidence = seen_by(scene, rng)
        out = np.empty((*confidence.shape, 3), dtype=np.float32)
        out[..., 0], out[..., 1], out[..., 2] = *(xy * (confidence > 0)), confidence
        return out

    def _annotate(self, scene: Scene, rng: np.random.Generator) -> tuple[Image, Degree]:
        """Observes as Penn Action's annotators: in whole pixels, without hidden joints."""
        xy = scene.image.copy()
        xy[..., NOSE] += _nose_to_head(xy, self.head, rng)
        if self.jitter:
            if rng.random() < 0.25:  # annotated only in key frames
                xy = scene.spread @ xy[:, scene.keys]
            # Median second differences in Penn: 0 at rest, 0.017 T at 0.9 T/s, 0.05 T at 3.5 T/s; white noise in time.
            size = self.jitter * scene.torso * np.exp(0.8 * rng.standard_normal())
            sigma = np.float32(0.0035 * size) * scene.speed
            xy += sigma * rng.standard_normal(xy.shape, dtype=np.float32)
            xy = np.rint(xy * np.float32(1 / scene.grid)) * np.float32(scene.grid)
        degree = self.occlusion * (0.7 * scene.covered + 0.3 * scene.covered.mean(0))
        degree[:, NOSE] *= 0.2  # a head is visible where a nose is not
        # Above 1, the annotator places every joint: 42 % of Penn's clips lack none.
        strictness = np.maximum(rng.normal(0.45, 0.4) + 0.1 * rng.standard_normal(17), 0.1)
        seen = (degree <= strictness) & (scene.outside <= 0) & ~scene.lost
        seen[:, COCO17.index(self.unannotated)] = False
        if rng.random() < self.viewers_sides:
            xy, seen = xy[..., MIRROR], seen[:, MIRROR]
        return xy, seen.astype(np.float32)

    def _estimate(self, scene: Scene, rng: np.random.Generator) -> tuple[Image, Degree]:
        """Observes as YOLO: an estimate of nearly every joint, with a confidence that reflects its error."""
        n_frames, n_keys = scene.spread.shape
        slow = scene.spread @ rng.standard_normal((3, n_keys, 17), dtype=np.float32)
        white = rng.standard_normal((2, n_frames, 17), dtype=np.float32)
        blur = 3.5 * (rng.random() < self.blurred) + 0.5 * rng.standard_normal() + 20 / max(scene.torso, 10.0)
        plain = _PLAIN - np.float32(blur) + 0.5 * rng.standard_normal(17, dtype=np.float32)
        if self.faint and rng.random() < self.faint:
            plain -= 5 * _END * rng.random(17, dtype=np.float32)
        logit = plain - _HIDDEN * np.float32(self.occlusion) * np.maximum(scene.covered, scene.averted) + 0.6 * slow[2]
        logit -= 0.2 * np.minimum(scene.speed, 6) + 10 * np.minimum(scene.outside, 1)
        logit[scene.lost] -= 3
        confidence = 1 / (1 + np.exp(-logit))
        doubt = 1 - confidence
        # Median second differences of YOLO at a confidence above 0.9: 0.02 T at 0.3 T/s, 0.04 at 1.2, 0.08 at 2.4, 0.13
        # at 5; at a confidence of 0.3 to 0.7 1.5 times as much, and nearly twice as much in fast motion.
        jitter = self.jitter * (np.exp(self.unsteady * rng.standard_normal()) if self.unsteady else 1.0)
        sigma = (0.006 + 0.006 * scene.speed * (1 + 2.2 * doubt)) * np.float32(jitter * scene.torso)
        xy = scene.image + sigma * (white + 1.5 * slow[:2])
        if self.jitter:  # a hidden joint is estimated near that of the other side
            towards = np.maximum(doubt - 0.2, 0) * (0.8 * rng.random(17, dtype=np.float32))
            xy += towards * (scene.image[..., MIRROR] - scene.image)
        if self.confident and rng.random() < self.confident:
            away = np.float32(0.3 * scene.torso * rng.random()) * (doubt > 0.5)
            xy += away * (scene.spread @ rng.standard_normal((2, n_keys, 17), dtype=np.float32))
            confidence = np.float32(0.5) + np.float32(0.5) * confidence
        if self.collapsed and rng.random() < self.collapsed:
            xy = _misplace(xy, scene, rng)
        xy, confidence = _swap(xy, confidence, self.swaps * scene.hard, scene.fps, rng)
        if scene.outside.any():
            low, high = scene.box[..., None, None]
            xy = np.where(scene.outside > 0, np.minimum(np.maximum(xy, low), high), xy)
        seen = confidence > self.weakest * rng.random()
        if rng.random() < self.missed:
            seen &= ~stretches(n_frames, np.full(2, 0.7), 0.2 * scene.fps, rng).any(1, keepdims=True)
        return xy, confidence * seen


def _nose_to_head(image: Image, head: float, rng: np.random.Generator) -> Float32[ndarray, "2 frame"]:
    """Draws the vector from the nose to Penn's annotated head.

    In Penn's upright frontal clips the head is 0.43 T above the shoulders (5th to 95th percentile: 0.26 to 0.68);
    generated noses of annotated bodies are at 0.3 T, and `head` is 0.45 for these.
    """
    inwards, upwards = rng.random(), min(max(rng.normal(head, 0.35), -0.1), 1.3)
    weights = np.zeros(17, dtype=np.float32)
    weights[EARS], weights[SHOULDERS], weights[NOSE] = 0.5 * (inwards + upwards), -0.5 * upwards, -inwards
    return image @ weights


def _misplace(xy: Image, scene: Scene, rng: np.random.Generator) -> Image:
    """Misplaces whole limbs for moments, onto the other side or elsewhere, and all joints by a constant distance."""
    n_keys = scene.spread.shape[1]
    often, far = rng.random(), np.float32(0.7 * rng.random() * scene.torso)
    level = scene.spread @ rng.standard_normal((n_keys, 4), dtype=np.float32)
    wrong = level > 2.2 - 2.0 * often * scene.tilted[:, None]
    mirrored = scene.spread @ rng.standard_normal((n_keys, 4), dtype=np.float32) > 0.3
    away = far * (scene.spread @ rng.standard_normal((2, n_keys, 17), dtype=np.float32))
    away[..., SHOULDERS + HIPS] *= 0.3
    placed = xy.copy()
    for limb, joints in enumerate(ARMS + LEGS):
        moved = np.where(mirrored[:, limb, None], xy[..., MIRROR[joints]], xy[..., joints] + away[..., joints])
        placed[..., joints] = np.where(wrong[:, limb, None], moved, xy[..., joints])
    aside = np.float32(0.25 * rng.random() * scene.torso) * rng.standard_normal((2, 1, 17), dtype=np.float32)
    placed += aside * _END
    return placed


def _swap(xy: Image, confidence: Degree, rate: float, fps: float, rng: np.random.Generator) -> tuple[Image, Degree]:
    """Exchanges left and right of arms, legs or the whole body, each for a fraction of a second."""
    arms, legs, whole = stretches(xy.shape[1], np.array([0.3, 0.3, 0.4]) * rate, 0.3 * fps, rng).T[..., None]
    swapped = np.repeat(whole, 17, 1)
    swapped[:, np.ravel(ARMS)] ^= arms
    swapped[:, np.ravel(LEGS)] ^= legs
    return np.where(swapped, xy[..., MIRROR], xy), np.where(swapped, confidence[:, MIRROR], confidence)
