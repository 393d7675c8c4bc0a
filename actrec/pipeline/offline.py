"""Offline preprocessing of a whole clip; `Preprocess(mode="offline")` applies it.

- A missing joint is interpolated linearly over time between the frames in which it was observed, and held before the
  first and after the last of them; a joint that was never observed is zero after normalisation.
- The origin is the pelvis of the first frame with both hips observed, else of the first frame with one hip; without
  hips, the centroid of all observed joints.
- The scale is the median torso length; without one, the longest side of the box about all observed joints, divided by
  `TORSOS_PER_BOX`; without that, 1.
- With `preprocess.view`, all frames are turned by the shoulders of the first eight frames that show them.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float
from numpy import ndarray

from actrec.pipeline.measures import EPSILON, TORSOS_PER_BOX, boxes, extents, normalize, pelvis, torso_lengths
from actrec.pipeline.view import clip_turn, directions, turned
from actrec.skeleton import Skeleton
from actrec.types import NormalizedSequence


def interpolate_missing(
    keypoints: Float[ndarray, "frame joint value"], observed: Bool[ndarray, "frame joint"]
) -> Float[ndarray, "frame joint value"]:
    """Fills missing joints by linear interpolation over time, and holds the first and last observed place at the ends.

    Confidence stays as it is. The coordinates of a joint observed in no frame are zero.
    """
    n_frames = len(keypoints)
    frames = np.arange(n_frames)[:, None]
    before = np.maximum.accumulate(np.where(observed, frames, -1))
    after = np.minimum.accumulate(np.where(observed, frames, n_frames)[::-1])[::-1]
    first, last = np.where(before < 0, after, before), np.where(after == n_frames, before, after)
    weight = (frames - first) / np.maximum(last - first, 1)
    filled = keypoints.copy()
    places, known = keypoints[..., :-1], observed.any(0)
    start = np.take_along_axis(places, np.minimum(first, n_frames - 1)[..., None], axis=0)
    stop = np.take_along_axis(places, np.maximum(last, 0)[..., None], axis=0)
    filled[..., :-1] = np.where(observed[..., None], places, start + (stop - start) * weight[..., None])
    filled[:, ~known, :-1] = 0
    return filled


def clip_reference(
    raw: Float[ndarray, "frame joint value"], observed: Bool[ndarray, "frame joint"], skeleton: Skeleton
) -> tuple[Float[ndarray, " coordinate"], float]:
    """Computes the origin of a whole clip, and its scale: the length of its torso, in the unit of the keypoints."""
    origin, scale = np.zeros(raw.shape[2] - 1), 1.0
    hips = observed[:, skeleton.index(skeleton.hips)].sum(1)
    if hips.any():  # the first frame with both hips, or else with one
        origin = pelvis(raw, observed, skeleton)[hips.argmax()]
    elif observed.any():
        origin = raw[observed][:, :-1].mean(0)
    box = boxes(raw, observed)
    torsos, extent = torso_lengths(raw, observed, skeleton, box), extents(box.min(0, keepdims=True))[0]
    if np.isfinite(torsos).any():
        scale = float(np.nanmedian(torsos))
    elif extent > EPSILON:
        scale = float(extent) / TORSOS_PER_BOX
    return origin, scale


def normalize_clip(
    keypoints: Float[ndarray, "frame joint value"],
    observed: Bool[ndarray, "frame joint"],
    skeleton: Skeleton,
    view: str = "camera",
) -> NormalizedSequence:
    """Fills, centres, scales and turns a whole clip."""
    raw = keypoints.astype(np.float64)
    origin, scale = clip_reference(raw, observed, skeleton)
    known = np.broadcast_to(observed.any(0), observed.shape)
    normalized = normalize(raw, interpolate_missing(raw, observed)[..., :-1], known, origin[None], np.array([scale]))
    if view != "camera":
        normalized = turned(normalized, clip_turn(directions(raw, observed, skeleton), view))
    return NormalizedSequence(normalized, observed, known)
