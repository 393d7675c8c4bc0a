"""Turns a stored clip's pixels into torso lengths about the pelvis: after the store, before windows, and the same in
training, evaluation and serving."""

from __future__ import annotations

from bisect import insort
from collections.abc import Mapping
from dataclasses import dataclass
from math import isnan
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float
from numpy import ndarray

from actrec.data.windows import frame_grid, resample
from actrec.skeleton import Skeleton
from actrec.types import ActrecError, NormalizedSequence

# A torso counts where it is more than this share of the body's extent, and any length where it is more than this many
# pixels: nothing is ever divided by less.
EPSILON = 1e-3

# The longer side of the box about a body, in torso lengths: the median over Penn Action's training clips.
TORSOS_PER_BOX = 2.8


def interpolate_missing(
    keypoints: Float[ndarray, "frame joint 3"], observed: Bool[ndarray, "frame joint"]
) -> Float[ndarray, "frame joint 3"]:
    """Joints interpolated linearly over time from the frames in which they were observed, held at both ends.

    Confidence stays as it is. A joint observed in no frame is zero in x and y.
    """
    n_frames = len(keypoints)
    frames = np.arange(n_frames)[:, None]
    before = np.maximum.accumulate(np.where(observed, frames, -1))
    after = np.minimum.accumulate(np.where(observed, frames, n_frames)[::-1])[::-1]
    first, last = np.where(before < 0, after, before), np.where(after == n_frames, before, after)
    weight = (frames - first) / np.maximum(last - first, 1)
    filled = keypoints.copy()
    xy, known = keypoints[..., :2], observed.any(0)
    start = np.take_along_axis(xy, np.minimum(first, n_frames - 1)[..., None], axis=0)
    stop = np.take_along_axis(xy, np.maximum(last, 0)[..., None], axis=0)
    filled[..., :2] = np.where(observed[..., None], xy, start + (stop - start) * weight[..., None])
    filled[:, ~known, :2] = 0
    return filled


def hold_missing(
    keypoints: Float[ndarray, "frame joint 3"], observed: Bool[ndarray, "frame joint"]
) -> Float[ndarray, "frame joint 3"]:
    """Joints held at where they were last observed. Confidence stays as it is; not yet observed is zero in x and y."""
    last = np.maximum.accumulate(np.where(observed, np.arange(len(keypoints))[:, None], -1))
    filled = keypoints.copy()
    filled[..., :2] = np.take_along_axis(keypoints[..., :2], np.maximum(last, 0)[..., None], axis=0)
    filled[..., :2][last < 0] = 0
    return filled


def pelvis(
    keypoints: Float[ndarray, "frame joint 3"], observed: Bool[ndarray, "frame joint"], skeleton: Skeleton
) -> Float[ndarray, "frame 2"]:
    """Midpoint of the hips, or the one hip that is observed; NaN where none is."""
    return _midpoint(keypoints, observed, skeleton.index(skeleton.hips))


def _midpoint(
    keypoints: Float[ndarray, "frame joint 3"], observed: Bool[ndarray, "frame joint"], joints: list[int]
) -> Float[ndarray, "frame 2"]:
    seen = observed[:, joints, None]
    count = seen.sum(1)
    total = np.where(seen, keypoints[:, joints, :2], 0).sum(1)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def boxes(
    keypoints: Float[ndarray, "frame joint 3"], observed: Bool[ndarray, "frame joint"]
) -> Float[ndarray, "frame 4"]:
    """Each frame's least x and y and negated greatest x and y over observed joints; infinite where there are none.

    With the sign turned, the box about many frames is the minimum of theirs.
    """
    xy = keypoints[..., :2]
    return np.where(observed[..., None], np.concatenate([xy, -xy], axis=-1), np.inf).min(1)


def extents(boxes: Float[ndarray, "frame 4"]) -> Float[ndarray, " frame"]:
    """Longer side of each of the `boxes`, in pixels; minus infinity for that of no joints."""
    return -(boxes[:, :2] + boxes[:, 2:]).min(1)


def torso_lengths(
    keypoints: Float[ndarray, "frame joint 3"], observed: Bool[ndarray, "frame joint"], skeleton: Skeleton
) -> Float[ndarray, " frame"]:
    """Mid-shoulders to pelvis in pixels, or shoulder to hip where one side alone is observed; else, or degenerate, NaN.

    Seen from the side, a body shows one of each: on Penn Action's training clips a quarter never shows all four, and
    the one side's length is 1.00 of the whole's (0.91 to 1.09 from the 10th to the 90th percentile).
    """
    shoulders, hips = skeleton.index(skeleton.shoulders), skeleton.index(skeleton.hips)
    sides = observed[:, shoulders] & observed[:, hips]  # (frame, side): a side counts with its shoulder and its hip
    paired = np.zeros_like(observed)
    paired[:, shoulders] = paired[:, hips] = sides
    torso = _midpoint(keypoints, paired, shoulders) - _midpoint(keypoints, paired, hips)
    lengths = np.where(sides.any(1), np.linalg.norm(torso, axis=-1), 0.0)
    least = EPSILON * np.maximum(extents(boxes(keypoints, observed)), 1)
    return np.where(lengths > least, lengths, np.nan)


def _normalize(
    filled: Float[ndarray, "frame joint 3"],
    known: Bool[ndarray, "frame joint"],
    origin: Float[ndarray, "_ 2"],
    scale: Float[ndarray, " _"],
) -> Float[ndarray, "frame joint 3"]:
    normalized = filled.astype(np.float32)
    normalized[..., :2] = np.where(known[..., None], (filled[..., :2] - origin[:, None]) / scale[:, None, None], 0)
    return normalized


class Measures(NamedTuple):
    """What centring and scaling need of each frame by itself; NaN where the joints for it were not observed.

    Attributes:
        centroid: Mean place of the observed joints.
        pelvis: See `pelvis`.
        torso: See `torso_lengths`.
        box: See `boxes`.
    """

    centroid: Float[ndarray, "frame 2"]
    pelvis: Float[ndarray, "frame 2"]
    torso: Float[ndarray, " frame"]
    box: Float[ndarray, "frame 4"]


def measure(
    keypoints: Float[ndarray, "frame joint 3"], observed: Bool[ndarray, "frame joint"], skeleton: Skeleton
) -> Measures:
    """Measures of frames, of one person or of many: no frame plays a part in another's."""
    return Measures(
        _midpoint(keypoints, observed, list(range(skeleton.n_joints))),
        pelvis(keypoints, observed, skeleton),
        torso_lengths(keypoints, observed, skeleton),
        boxes(keypoints, observed),
    )


class CausalStream:
    """Causal preprocessing with memory: frames go in, in order and as many at a time as there are.

    What comes out for a frame draws on that frame and those before it, and is the same however they are divided up.

    - A missing joint is held at its last observed place; one not yet observed is zero after normalisation.
    - The origin is the pelvis of the first frame with a hip observed. Until then it is the centroid of the observed
      joints of the first frame that has any: fixed, so that only the person moves and not the origin.
    - The scale is the median torso length so far; until one is known, what the longer side of the box about every joint
      observed so far makes probable (`TORSOS_PER_BOX`); until that is more than a point, 1.

    Args:
        skeleton: The keypoints' joint layout.
        confidence_threshold: Joints below it are missing.

    Attributes:
        origin: Of the newest frame, in pixels.
        scale: Of the newest frame, in pixels a torso length.
    """

    def __init__(self, skeleton: Skeleton, confidence_threshold: float = 0.2) -> None:
        self.skeleton, self.threshold = skeleton, confidence_threshold
        self.origin, self.scale = np.zeros(2), 1.0
        self._last = np.zeros((1, skeleton.n_joints, 3))
        self._known = np.zeros((1, skeleton.n_joints), dtype=bool)
        self._pelvis = self._centroid = np.full(2, np.nan)
        self._torsos: list[float] = []
        self._box = np.full((1, 4), np.inf)

    def push(self, keypoints: Float[ndarray, "frame joint 3"], measures: Measures | None = None) -> NormalizedSequence:
        """The next frames, normalised.

        Args:
            keypoints: x and y in pixels, and confidence.
            measures: Of those frames, where they are at hand.
        """
        raw = keypoints.astype(np.float64)
        observed = keypoints[..., 2] >= self.threshold
        if measures is None:
            _check_joints(keypoints, self.skeleton)
            measures = measure(raw, observed, self.skeleton)
        known = np.logical_or.accumulate(np.concatenate([self._known, observed]))
        filled = hold_missing(np.concatenate([self._last, raw]), np.concatenate([self._known, observed]))
        self._last, self._known = filled[-1:], known[-1:]
        origin, scale = self._origins(measures), self._scales(measures)
        if len(keypoints):
            self.origin, self.scale = origin[-1], float(scale[-1])
        return NormalizedSequence(_normalize(filled[1:], known[1:], origin, scale), observed, known[1:])

    def _origins(self, measures: Measures) -> Float[ndarray, "frame 2"]:
        origins = np.zeros((len(measures.pelvis), 2))
        if isnan(self._centroid[0]):
            self._centroid = _first_known(measures.centroid)
        if not isnan(self._centroid[0]):  # before any joint is observed, all are zero whatever the origin
            origins[:] = self._centroid
        start = 0
        if isnan(self._pelvis[0]):
            start = int((~np.isnan(measures.pelvis[:, 0])).argmax())
            self._pelvis = _first_known(measures.pelvis)
        if not isnan(self._pelvis[0]):
            origins[start:] = self._pelvis
        return origins

    def _scales(self, measures: Measures) -> Float[ndarray, " frame"]:
        so_far = np.minimum.accumulate(np.concatenate([self._box, measures.box]))
        self._box = so_far[-1:]
        extent = extents(so_far[1:])
        scales = np.where(extent > EPSILON, extent / TORSOS_PER_BOX, 1.0)
        for frame, torso in enumerate(measures.torso.tolist()):
            if not isnan(torso):
                insort(self._torsos, torso)
            if self._torsos:
                middle = len(self._torsos) // 2
                scales[frame] = (self._torsos[middle] + self._torsos[~middle]) / 2
        return scales

    def state(self, n_frames: int) -> dict[str, ndarray]:
        """All that it remembers, in arrays whose size `n_frames`, the most frames that it is given, alone decides."""
        torsos = np.full(n_frames, np.nan)
        torsos[: len(self._torsos)] = self._torsos
        return {
            "last": self._last,
            "known": self._known,
            "pelvis": self._pelvis,
            "centroid": self._centroid,
            "box": self._box,
            "torsos": torsos,
            "origin": self.origin,
            "scale": np.array(self.scale),
        }

    def restore(self, state: Mapping[str, ndarray]) -> None:
        """Goes on from what `state` gave."""
        self._last, self._known, self._box = state["last"], state["known"], state["box"]
        self._pelvis, self._centroid = state["pelvis"], state["centroid"]
        self._torsos = state["torsos"][~np.isnan(state["torsos"])].tolist()
        self.origin, self.scale = state["origin"], float(state["scale"])


def _first_known(places: Float[ndarray, "frame 2"]) -> Float[ndarray, " 2"]:
    """The first that is not NaN; NaN where all are."""
    known = places[~np.isnan(places[:, 0])]
    return known[0] if len(known) else np.full(2, np.nan)


@dataclass(frozen=True)
class Preprocess:
    """Fills missing joints, moves the origin to the pelvis, and measures in torso lengths (blog post 2.2).

    Attributes:
        mode: "offline" looks at the whole clip; "causal" gives each frame from those up to it, see `CausalStream`.
        confidence_threshold: Joints below it are missing. Above 0, as a confidence of 0 is an unobserved joint.
        fps: Frames a second that every clip is resampled to; None keeps the clip's own. In causal mode that comes
            first, as it does in a stream: a frame of the new rate draws on the two of the clip around its time, and so
            on nothing later than the clip's next frame.
    """

    mode: str = "offline"
    confidence_threshold: float = 0.2
    fps: float | int | None = None

    def __post_init__(self) -> None:
        if self.mode not in ("offline", "causal"):
            raise ActrecError(f"preprocess.mode is '{self.mode}'. Choose one of: offline, causal.")
        if not 0 < self.confidence_threshold <= 1:
            raise ActrecError(
                f"preprocess.confidence_threshold is {self.confidence_threshold}; expected above 0 and at most 1."
            )
        if self.fps is not None and not 0 < self.fps < np.inf:
            raise ActrecError(
                f"preprocess.fps is {self.fps}; expected a positive number, or null to keep each clip's own rate."
            )

    def length(self, n_frames: int, fps: float) -> int:
        """Frames that a clip of `n_frames` at `fps` frames a second has afterwards."""
        return n_frames if self.fps is None else int((n_frames - 1) * self.fps / fps + 1e-6) + 1

    def at_rate(
        self, keypoints: Float[ndarray, "frame joint 3"], fps: float
    ) -> tuple[Float[ndarray, "_ joint 3"], float]:
        """A clip as it is stored, at the rate that preprocessing works at, and that rate; offline it is the clip's own.

        A joint is observed where it was so in each frame that the new one draws on.
        """
        if self.mode == "offline" or self.fps is None or self.fps == fps:
            return keypoints, fps
        observed = keypoints[..., 2] >= self.confidence_threshold
        resampled = self._resample(NormalizedSequence(keypoints, observed, observed), fps)
        return np.where(resampled.observed[..., None], resampled.keypoints, 0), float(self.fps)

    def reference(
        self, keypoints: Float[ndarray, "frame joint 3"], skeleton: Skeleton
    ) -> tuple[Float[ndarray, " 2"], float]:
        """Origin, in pixels, and scale, in pixels a torso length, of a clip's last frame."""
        if self.mode == "offline":
            observed = keypoints[..., 2] >= self.confidence_threshold
            return _offline_reference(keypoints.astype(np.float64), observed, skeleton)
        stream = CausalStream(skeleton, self.confidence_threshold)
        stream.push(keypoints)
        return stream.origin, stream.scale

    def _resample(self, sequence: NormalizedSequence, fps: float) -> NormalizedSequence:
        assert self.fps is not None
        positions = frame_grid(0.0, fps / self.fps, self.length(len(sequence), fps))
        return resample(sequence, np.minimum(positions, len(sequence) - 1))

    def __call__(
        self, keypoints: Float[ndarray, "frame joint 3"], skeleton: Skeleton, fps: float
    ) -> NormalizedSequence:
        """A clip in torso lengths about its pelvis, with its confidences as they are.

        Args:
            keypoints: x and y in pixels, and confidence in [0, 1].
            skeleton: Their joint layout.
            fps: The clip's own frames a second.
        """
        _check_joints(keypoints, skeleton)
        if self.mode == "causal":
            return CausalStream(skeleton, self.confidence_threshold).push(self.at_rate(keypoints, fps)[0])
        sequence = _offline(keypoints, keypoints[..., 2] >= self.confidence_threshold, skeleton)
        return sequence if self.fps is None or self.fps == fps else self._resample(sequence, fps)


def _offline_reference(
    raw: Float[ndarray, "frame joint 3"], observed: Bool[ndarray, "frame joint"], skeleton: Skeleton
) -> tuple[Float[ndarray, " 2"], float]:
    """Origin and scale of a whole clip, in pixels."""
    origin, scale = np.zeros(2), 1.0
    hips = observed[:, skeleton.index(skeleton.hips)].sum(1)
    if hips.any():  # the first frame with both hips, or else with one
        origin = pelvis(raw, observed, skeleton)[hips.argmax()]
    elif observed.any():
        origin = raw[observed][:, :2].mean(0)
    torsos, extent = torso_lengths(raw, observed, skeleton), extents(boxes(raw, observed).min(0, keepdims=True))[0]
    if np.isfinite(torsos).any():
        scale = float(np.nanmedian(torsos))
    elif extent > EPSILON:
        scale = float(extent) / TORSOS_PER_BOX
    return origin, scale


def _offline(
    keypoints: Float[ndarray, "frame joint 3"], observed: Bool[ndarray, "frame joint"], skeleton: Skeleton
) -> NormalizedSequence:
    raw = keypoints.astype(np.float64)
    origin, scale = _offline_reference(raw, observed, skeleton)
    known = np.broadcast_to(observed.any(0), observed.shape)
    normalized = _normalize(interpolate_missing(raw, observed), known, origin[None], np.array([scale]))
    return NormalizedSequence(normalized, observed, known)


def _check_joints(keypoints: Float[ndarray, "frame joint 3"], skeleton: Skeleton) -> None:
    if keypoints.shape[1] != skeleton.n_joints:
        raise ActrecError(
            f"These keypoints have {keypoints.shape[1]} joints; skeleton '{skeleton.name}' has {skeleton.n_joints}. "
            "Name the skeleton that they were stored with."
        )
