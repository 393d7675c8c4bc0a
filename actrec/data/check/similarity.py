"""Compares clips by their poses: a descriptor of each clip, and regression on it that leaves groups out.

The descriptor is the body's pose at eight moments from the clip's first to its last frame, in torso lengths from the
pelvis, with mean and deviation of the pose over time and of the directions of bones. It needs no training. Regression
is kernel ridge regression on similarities to some of the clips (Nyström's approximation), each similarity the mean
over the clip and its mirror image. What it predicts for a clip when the clip's group is left out of the fit follows
from the fit with all clips in closed form, so nothing is fitted twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.linalg
from jaxtyping import Float, Int
from numpy import ndarray

from actrec.data.check.traits import Traits
from actrec.pipeline.measures import midpoint
from actrec.skeleton import get_skeleton

LANDMARKS = 800
_FARTHEST = 4.0  # torso lengths from the pelvis; joints further out are taken to be errors
_RIDGE = 0.1

Poses = Float[ndarray, "clip time joint 2"]


@dataclass(frozen=True)
class Posed:
    """The poses of clips of one joint layout.

    Attributes:
        clips: Those with at least one observed joint.
        poses: In torso lengths from the pelvis of each moment; NaN for a joint that is never seen.
    """

    clips: Sequence[Traits]
    poses: Poses

    @property
    def labels(self) -> Int[ndarray, " clip"]:
        return np.unique([clip.label for clip in self.clips], return_inverse=True)[1]

    @property
    def groups(self) -> Int[ndarray, " clip"]:
        return np.unique([clip.group for clip in self.clips], return_inverse=True)[1]

    @property
    def mirror_index(self) -> Int[ndarray, " joint"]:
        return get_skeleton(self.clips[0].skeleton).mirror_index


def posed(clips: Sequence[Traits]) -> Posed | None:
    """Normalises the poses of clips of the most frequent joint layout; None if there are not two of them."""
    layouts = [clip.skeleton for clip in clips]
    layout = max(sorted(set(layouts)), key=layouts.count, default="")
    chosen = [clip for clip in clips if clip.skeleton == layout and np.isfinite(clip.scale)]
    if len(chosen) < 2:
        return None
    skeleton = get_skeleton(layout)
    poses = np.stack([clip.poses for clip in chosen])
    known = np.isfinite(poses[..., 0])
    centre = midpoint(poses, known, list(range(skeleton.n_joints)))
    pelvis = midpoint(poses, known, skeleton.index(skeleton.hips))
    origin = np.where(np.isfinite(pelvis), pelvis, centre)
    scale = np.array([clip.scale for clip in chosen])[:, None, None, None]
    return Posed(chosen, np.clip((poses - origin[:, :, None]) / scale, -_FARTHEST, _FARTHEST).astype(np.float32))


class Descriptor:
    """Computes descriptors of poses: parts of equal weight, with zeros for joints that are never seen."""

    def __init__(self, data: Posed) -> None:
        self._bones = get_skeleton(data.clips[0].skeleton).bone_index
        parts = self._parts(data.poses)
        self._sizes = [max(float(np.sqrt((part**2).sum(1).mean())), 1e-6) for part in parts]

    def __call__(self, poses: Poses) -> Float[ndarray, "clip feature"]:
        parts = self._parts(poses)
        return np.concatenate([part / size for part, size in zip(parts, self._sizes, strict=True)], axis=1)

    def _parts(self, poses: Poses) -> list[Float[ndarray, "clip _"]]:
        bones = poses[:, :, self._bones[:, 0]] - poses[:, :, self._bones[:, 1]]
        lengths = np.hypot(bones[..., :1], bones[..., 1:])
        bones = bones / np.maximum(lengths, 1e-3)
        raw = [poses, poses.mean(1), poses.std(1), bones, bones.std(1)]
        return [np.nan_to_num(part).reshape(len(poses), -1).astype(np.float32) for part in raw]


def mirrored(poses: Poses, mirror_index: Int[ndarray, " joint"]) -> Poses:
    """Mirrors poses: x is negated, and left and right joints are swapped."""
    return poses[:, :, mirror_index] * np.array([-1, 1], np.float32)


def squared_distances(a: Float[ndarray, "a feature"], b: Float[ndarray, "b feature"]) -> Float[ndarray, "a b"]:
    return np.maximum((a**2).sum(1)[:, None] + (b**2).sum(1) - 2 * a @ b.T, 0)


class Features:
    """Computes the features of poses in which their similarity is a dot product.

    Args:
        data: The clips among which the landmarks are drawn.
        rng: For this draw.
        by_class: Whether clips of another class are less similar, by a factor of two.
    """

    def __init__(self, data: Posed, rng: np.random.Generator, by_class: bool = False) -> None:
        self._describe, self._mirror = Descriptor(data), data.mirror_index
        vectors = self._describe(data.poses)
        landmarks = np.sort(rng.permutation(len(vectors))[:LANDMARKS])
        self._landmarks, self._by_class = vectors[landmarks], by_class
        self._classes = data.labels[landmarks]
        between = squared_distances(self._landmarks, self._landmarks)
        self._width = max(float(np.median(between)), 1e-6)
        kernel = self._similarities(data.poses[landmarks], self._classes)
        values, directions = scipy.linalg.eigh(kernel)
        kept = values > 1e-4 * values[-1]
        self._whiten = (directions[:, kept] / np.sqrt(values[kept])).astype(np.float32)

    def __call__(self, poses: Poses, classes: Int[ndarray, " clip"]) -> Float[ndarray, "clip feature"]:
        return self._similarities(poses, classes) @ self._whiten

    def _similarities(self, poses: Poses, classes: Int[ndarray, " clip"]) -> Float[ndarray, "clip landmark"]:
        total = np.zeros((len(poses), len(self._landmarks)), np.float32)
        for each in (poses, mirrored(poses, self._mirror)):
            total += np.exp(-squared_distances(self._describe(each), self._landmarks) / self._width) / 2
        return total * np.where(classes[:, None] == self._classes, 1, 0.5) if self._by_class else total


def left_out_predictions(
    features: Float[ndarray, "clip feature"],
    targets: Float[ndarray, "clip target"],
    groups: Int[ndarray, " clip"],
    ridge: float = _RIDGE,
) -> Float[ndarray, "clip target"]:
    """Predicts the targets of each group by ridge regression on all other groups.

    With H = Φ (ΦᵀΦ + λ)⁻¹ Φᵀ the residuals of a group that is left out are (1 - H_gg)⁻¹ (y - H y)_g.
    """
    gram = features.T @ features + ridge * np.eye(features.shape[1], dtype=features.dtype)
    factor = scipy.linalg.cholesky(gram, lower=True, check_finite=False)
    half = scipy.linalg.solve_triangular(factor, features.T, lower=True, check_finite=False)  # H = halfᵀ half
    residuals = targets - half.T @ (half @ targets)
    own = np.einsum("fc,fc->c", half, half)
    made = residuals / np.maximum(1 - own, 1e-6)[:, None]
    order = np.argsort(groups, kind="stable")
    for members in np.split(order, np.flatnonzero(np.diff(groups[order])) + 1):
        if len(members) > 1:
            block = np.eye(len(members)) - half[:, members].T @ half[:, members]
            made[members] = np.linalg.solve(block + 1e-6 * np.eye(len(members)), residuals[members])
    return targets - made
