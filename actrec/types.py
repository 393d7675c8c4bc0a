"""What passes between the stages: frozen dataclasses outside the network, named tuples of tensors inside."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int, UInt8
from numpy import ndarray

if TYPE_CHECKING:  # recognition by ONNX Runtime does without torch
    from torch import Tensor


Picture = UInt8[ndarray, "height width 3"]  # RGB


class ActrecError(ValueError):
    """A mistake that the user can mend: the message says what, where, got, expected, and what to do."""


class SetupError(ActrecError):
    """What every clip needs is missing (a package, a pose model): a run over many ends with it."""


# Heatmap and SimCC scores overshoot: 1.05 is common in MMPose's files. Values farther out are errors.
CONFIDENCES = (-0.1, 1.1)
FARTHEST = 1e5  # pixels from the picture's corner; FFmpeg's largest picture has 65,535 a side
LATEST = 1e10  # seconds; an epoch's are 1.8e9, its milliseconds 1.8e12


def checked_keypoints(keypoints: Float[ndarray, "*frame joint 3"], what: str) -> Float[ndarray, "*frame joint 3"]:
    """Checks the ranges of keypoints from outside, the same for every way in, and returns them as float32.

    Confidences from -0.1 to 1.1 are clipped to [0, 1].

    Args:
        keypoints: x and y in pixels, and confidence.
        what: What they are of, the subject of the error's sentence: "Sequence 'a'".

    Raises:
        ActrecError: A value is NaN or infinite, a coordinate is beyond any picture, or a confidence out of range.
    """
    if not np.isfinite(keypoints).all():
        raise ActrecError(f"{what} has keypoints that are NaN or infinite. Give an unobserved joint as (0, 0, 0).")
    if keypoints.size == 0:
        return keypoints.astype(np.float32, copy=False)
    farthest = float(np.abs(keypoints[..., :2]).max())
    if farthest > FARTHEST:
        raise ActrecError(
            f"{what} has a coordinate of {farthest:.6g}; expected x and y in pixels of the picture, at most "
            f"{FARTHEST:g} from its corner."
        )
    confidence = keypoints[..., 2]
    least, greatest = float(confidence.min()), float(confidence.max())
    if least < CONFIDENCES[0] - 1e-6 or greatest > CONFIDENCES[1] + 1e-6:  # of float32
        raise ActrecError(
            f"{what} has confidences from {least:.4g} to {greatest:.4g}; expected [0, 1] ({CONFIDENCES[0]:g} to "
            f"{CONFIDENCES[1]:g} is clipped to it). {_unit_of_confidence(least, greatest)}"
        )
    checked = keypoints.astype(np.float32, copy=False)
    if least < 0 or greatest > 1:
        checked = np.concatenate([checked[..., :2], checked[..., 2:].clip(0, 1)], axis=-1)
    return checked


def _unit_of_confidence(least: float, greatest: float) -> str:
    """Suggests what confidences out of range are likely to be, and what to do."""
    if least < CONFIDENCES[0]:
        return "Is the third value z? Give (x, y, confidence), or (x, y) alone where there are no confidences."
    for whole, name in ((100, "per cent"), (255, "bytes")):
        if 2 < greatest <= whole:
            return f"Are they {name}? Divide them by {whole}."
    return "Divide them by the greatest value that the pose model can give."


def checked_timestamp(timestamp: float) -> float:
    """Checks that a frame's time is a number of seconds.

    Raises:
        ActrecError: It is not finite, or so great that it must be in another unit.
    """
    if not np.isfinite(timestamp):
        raise ActrecError(f"The timestamp is {timestamp}; expected a number of seconds.")
    if abs(timestamp) > LATEST:
        raise ActrecError(
            f"The timestamp is {timestamp:.6g}; expected seconds, at most {LATEST:g}. Is it in milliseconds or "
            "nanoseconds since 1970? Divide it by 1e3 or 1e9."
        )
    return float(timestamp)


@dataclass(frozen=True)
class SkeletonSequence:
    """One clip's keypoints as stored, before any preprocessing.

    Attributes:
        keypoints: x and y in pixels and confidence in [0, 1]; a confidence of 0 is an unobserved joint.
        fps: Frames a second.
        skeleton: Name of the joint layout.
        clip_id: Unique within a store.
        group: What must never be split between train, val and test: the source video.
        split: The source's official one: "train", "val", "test" or empty.
        variant: "original" or the name of a video augmentation.
    """

    keypoints: Float[ndarray, "frame joint 3"]
    fps: float
    skeleton: str
    label: str = ""
    clip_id: str = ""
    source: str = ""
    group: str = ""
    split: str = ""
    variant: str = "original"
    width: int = 0
    height: int = 0

    def __post_init__(self) -> None:
        shape = self.keypoints.shape
        if len(shape) != 3 or shape[2] != 3 or shape[0] == 0:
            raise ActrecError(
                f"Sequence '{self.clip_id}' has keypoints of shape {shape}; expected (frame, joint, 3) and at least "
                "one frame."
            )
        what = f"Sequence '{self.clip_id}'" if self.clip_id else "The sequence"
        object.__setattr__(self, "keypoints", checked_keypoints(self.keypoints, what))
        if not (np.isfinite(self.fps) and self.fps > 0):
            raise ActrecError(f"Sequence '{self.clip_id}' has {self.fps} frames a second; expected a positive number.")

    def __len__(self) -> int:
        return len(self.keypoints)


@dataclass(frozen=True)
class NormalizedSequence:
    """A clip after preprocessing.

    Attributes:
        keypoints: x and y in torso lengths about the origin, and confidence in [0, 1].
        observed: Whether the joint was seen in that frame, rather than interpolated or held.
        known: Whether the joint has a place in that frame: observed, interpolated or held. x and y are zero elsewhere.
    """

    keypoints: Float[ndarray, "frame joint 3"]
    observed: Bool[ndarray, "frame joint"]
    known: Bool[ndarray, "frame joint"]

    def __len__(self) -> int:
        return len(self.keypoints)

    def take(self, frames: slice | Int[ndarray, " time"]) -> NormalizedSequence:
        """The frames of that slice, or of those numbers."""
        return NormalizedSequence(self.keypoints[frames], self.observed[frames], self.known[frames])


@dataclass(frozen=True)
class Window(NormalizedSequence):
    """A fixed number of frames, cut from a clip.

    Attributes:
        valid: Whether the frame is real, and not padding.
    """

    valid: Bool[ndarray, " frame"]


class Batch(NamedTuple):
    """Windows as the network takes them.

    Attributes:
        features: Per joint: x and y in torso lengths, confidence, and what else the feature options add.
        valid: Whether the frame is real, and not padding.
        observed: Whether what the stream shows of the joint was seen in that frame: the joint, its bone's two ends, or
            where it was in the frame before too; see `actrec.pipeline.features.Features.observed`.
        label: Class number.
        clip: Which clip of the split the window is from.
    """

    features: Float[Tensor, "batch time joint channel"]
    valid: Bool[Tensor, "batch time"]
    observed: Bool[Tensor, "batch time joint"]
    label: Int[Tensor, " batch"]
    clip: Int[Tensor, " batch"]


class NetworkOutput(NamedTuple):
    """What a network gives for a batch of windows; `horizon` is N, 0 where the network forecasts nothing.

    What stands at frames that are not valid has no meaning, and nothing reads it.

    Attributes:
        logits: Class scores of every frame, from that frame and those before it.
        latents: The encoder's latent Z_t.
        latent_forecasts: Entry [n - 1, :, t] is the forecast of Z_{t+n} made at t.
        pose_forecasts: Entry [n - 1, :, t] is the forecast pose of frame t + n made at t, in torso lengths.
    """

    logits: Float[Tensor, "batch time class"]
    latents: Float[Tensor, "batch time node dim"]
    latent_forecasts: Float[Tensor, "horizon batch time node dim"]
    pose_forecasts: Float[Tensor, "horizon batch time joint coordinate"]
