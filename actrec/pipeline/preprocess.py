"""Turns a stored clip's pixels into torso lengths about the pelvis: after the store, before windows, and the same in
training, evaluation and serving."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float
from numpy import ndarray

from actrec.pipeline.causal import normalize, push_clip
from actrec.pipeline.measures import EPSILON, TORSOS_PER_BOX, boxes, extents, pelvis, torso_lengths
from actrec.pipeline.windows import frame_grid, resample
from actrec.skeleton import Skeleton
from actrec.types import ActrecError, NormalizedSequence


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


@dataclass(frozen=True)
class Preprocess:
    """Fills missing joints, moves the origin to the pelvis, and measures in torso lengths (blog post 2.2).

    Attributes:
        mode: "offline" looks at the whole clip; "causal" gives each frame from those up to it, see
            `actrec.pipeline.causal`.
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

    def observed(self, keypoints: Float[ndarray, "*frame joint 3"]) -> Bool[ndarray, "*frame joint"]:
        """Which joints count."""
        return keypoints[..., 2] >= self.confidence_threshold

    def length(self, n_frames: int, fps: float) -> int:
        """Frames that a clip of `n_frames` at `fps` frames a second has afterwards."""
        return n_frames if self.fps is None else int((n_frames - 1) * self.fps / fps + 1e-6) + 1

    def at_rate(
        self, keypoints: Float[ndarray, "frame joint 3"], fps: float
    ) -> tuple[Float[ndarray, "_ joint 3"], float]:
        """A clip as it is stored, at the rate that preprocessing works at, and that rate.

        A joint is observed where it was so in each frame that the new one draws on.
        """
        if self.fps is None or self.fps == fps:
            return keypoints, fps
        observed = self.observed(keypoints)
        resampled = self._resample(NormalizedSequence(keypoints, observed, observed), fps)
        return np.where(resampled.observed[..., None], resampled.keypoints, 0), float(self.fps)

    def reference(
        self, keypoints: Float[ndarray, "frame joint 3"], skeleton: Skeleton
    ) -> tuple[Float[ndarray, " 2"], float]:
        """Origin, in pixels, and scale, in pixels a torso length, of a clip's last frame."""
        observed = self.observed(keypoints)
        if self.mode == "offline":
            return _offline_reference(keypoints.astype(np.float64), observed, skeleton)
        stream, _, _ = push_clip(keypoints, observed, skeleton)
        return stream["origin"][0], float(stream["scale"][0])

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
            keypoints, _ = self.at_rate(keypoints, fps)
            observed = self.observed(keypoints)
            _, frames, known = push_clip(keypoints, observed, skeleton)
            return NormalizedSequence(frames, observed, known)
        sequence = _offline(keypoints, self.observed(keypoints), skeleton)
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
    box = boxes(raw, observed)
    torsos, extent = torso_lengths(raw, observed, skeleton, box), extents(box.min(0, keepdims=True))[0]
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
    normalized = normalize(raw, interpolate_missing(raw, observed)[..., :2], known, origin[None], np.array([scale]))
    return NormalizedSequence(normalized, observed, known)


def _check_joints(keypoints: Float[ndarray, "frame joint 3"], skeleton: Skeleton) -> None:
    if keypoints.shape[1] != skeleton.n_joints:
        raise ActrecError(
            f"These keypoints have {keypoints.shape[1]} joints; skeleton '{skeleton.name}' has {skeleton.n_joints}. "
            "Name the skeleton that they were stored with."
        )
