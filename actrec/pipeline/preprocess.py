"""Preprocessing: the coordinates of a stored clip become torso lengths about the pelvis.

It comes after the store and before windows. Its two modes (`offline.py`, `causal.py`) fill missing joints, centre and
scale, and turn bodies of three dimensions (`view.py`). The mode is saved with the model, and is the same in training,
evaluation and serving.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float
from numpy import ndarray

from actrec.pipeline.causal import push_clip
from actrec.pipeline.offline import clip_reference, normalize_clip
from actrec.pipeline.resampling import frame_grid, resample
from actrec.pipeline.view import VIEWS, clip_turn, directions
from actrec.skeleton import Skeleton
from actrec.types import ActrecError, NormalizedSequence


class Reference(NamedTuple):
    """By what a frame was normalised.

    Attributes:
        origin: The place of the body that became zero, in the unit of the keypoints.
        scale: The length of the torso, in that unit.
        turn: The rotation matrix that was applied last; None if the frame was not turned.
    """

    origin: Float[ndarray, " coordinate"]
    scale: float
    turn: Float[ndarray, "3 3"] | None = None


@dataclass(frozen=True)
class Preprocess:
    """Fills missing joints, moves the origin to the pelvis, scales to torso lengths, and turns (blog post 2.2).

    Attributes:
        mode: "offline" uses the whole clip for every frame; "causal" uses the frames up to each, see
            `actrec.pipeline.causal`.
        confidence_threshold: Joints with a lower confidence are missing; above 0, which marks an unobserved joint.
        view: How clips of three dimensions are turned: "camera" leaves them as they are; "y" or "z" turns each about
            that axis, which should be the vertical one, so that its shoulders lie along x; "body" lays the spine along
            y as well. See `actrec.pipeline.view`.
        fps: Frames per second that every clip is resampled to; None keeps the clip's own rate. Causal mode resamples
            first, as a stream does: a new frame is interpolated from the two frames of the clip around its time.
    """

    mode: str = "offline"
    confidence_threshold: float = 0.2
    fps: float | int | None = None
    view: str = "camera"

    def __post_init__(self) -> None:
        if self.mode not in ("offline", "causal"):
            raise ActrecError(f"preprocess.mode is '{self.mode}'. Choose one of: offline, causal.")
        if self.view not in VIEWS:
            raise ActrecError(f"preprocess.view is '{self.view}'. Choose one of: {', '.join(VIEWS)}.")
        if not 0 < self.confidence_threshold <= 1:
            raise ActrecError(
                f"preprocess.confidence_threshold is {self.confidence_threshold}; expected above 0 and at most 1."
            )
        if self.fps is not None and not 0 < self.fps < np.inf:
            raise ActrecError(
                f"preprocess.fps is {self.fps}; expected a positive number, or null to keep each clip's own rate."
            )

    def observed(self, keypoints: Float[ndarray, "*frame joint value"]) -> Bool[ndarray, "*frame joint"]:
        """Returns which joints are observed: those with a confidence at or above the threshold."""
        return keypoints[..., -1] >= self.confidence_threshold

    def length(self, n_frames: int, fps: float) -> int:
        """Returns the number of frames that a clip of `n_frames` at `fps` frames per second has after preprocessing."""
        return n_frames if self.fps is None else int((n_frames - 1) * self.fps / fps + 1e-6) + 1

    def at_rate(
        self, keypoints: Float[ndarray, "frame joint value"], fps: float
    ) -> tuple[Float[ndarray, "_ joint value"], float]:
        """Resamples a stored clip to the rate `fps` of preprocessing; returns the keypoints and their rate.

        A joint is observed in a new frame if it is observed in both frames around it.
        """
        if self.fps is None or self.fps == fps:
            return keypoints, fps
        observed = self.observed(keypoints)
        resampled = self._resample(NormalizedSequence(keypoints, observed, observed), fps)
        return np.where(resampled.observed[..., None], resampled.keypoints, 0), float(self.fps)

    def reference(self, keypoints: Float[ndarray, "frame joint value"], skeleton: Skeleton) -> Reference:
        """Returns by what a clip's last frame was centred, scaled and turned."""
        observed = self.observed(keypoints)
        if self.mode == "offline":
            raw = keypoints.astype(np.float64)
            turn = None if self.view == "camera" else clip_turn(directions(raw, observed, skeleton), self.view)
            return Reference(*clip_reference(raw, observed, skeleton), turn)
        stream, _, _ = push_clip(keypoints, observed, skeleton, self.view)
        turn = None if self.view == "camera" else stream["turn"][0]
        return Reference(stream["origin"][0], float(stream["scale"][0]), turn)

    def _resample(self, sequence: NormalizedSequence, fps: float) -> NormalizedSequence:
        assert self.fps is not None
        positions = frame_grid(0.0, fps / self.fps, self.length(len(sequence), fps))
        return resample(sequence, np.minimum(positions, len(sequence) - 1))

    def __call__(
        self, keypoints: Float[ndarray, "frame joint value"], skeleton: Skeleton, fps: float
    ) -> NormalizedSequence:
        """Normalises a clip to torso lengths about its pelvis; confidences are kept.

        Args:
            keypoints: x and y in pixels, or x, y and z in any unit of length; and confidence in [0, 1].
        """
        _check_joints(keypoints, skeleton)
        if self.view != "camera" and keypoints.shape[2] != 4:
            raise ActrecError(
                f"preprocess.view={self.view} turns bodies of three dimensions; these keypoints have two. Set "
                "preprocess.view=camera."
            )
        if self.mode == "causal":
            keypoints, _ = self.at_rate(keypoints, fps)
            observed = self.observed(keypoints)
            _, frames, known = push_clip(keypoints, observed, skeleton, self.view)
            return NormalizedSequence(frames, observed, known)
        sequence = normalize_clip(keypoints, self.observed(keypoints), skeleton, self.view)
        return sequence if self.fps is None or self.fps == fps else self._resample(sequence, fps)


def _check_joints(keypoints: Float[ndarray, "frame joint value"], skeleton: Skeleton) -> None:
    if keypoints.shape[1] != skeleton.n_joints:
        raise ActrecError(
            f"These keypoints have {keypoints.shape[1]} joints; skeleton '{skeleton.name}' has {skeleton.n_joints}. "
            "Name the skeleton that they were stored with."
        )
