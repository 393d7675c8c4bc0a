"""Types of the data that stages pass on: frozen dataclasses of arrays, and named tuples of tensors for the network.

Also the errors that are the user's to mend, and the checks of keypoints and timestamps.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int, UInt8
from numpy import ndarray

if TYPE_CHECKING:  # recognition by ONNX Runtime runs without PyTorch
    from torch import Tensor


Picture = UInt8[ndarray, "height width 3"]  # RGB


class ActrecError(ValueError):
    """An error that the user can correct: the message says what is wrong, where, what was expected, and what to do."""


class SetupError(ActrecError):
    """An error that concerns every clip, such as a missing package: it ends a run over many clips."""


# Heatmap and SimCC scores may exceed 1: 1.05 is common in MMPose's files.
CONFIDENCES = (-0.1, 1.1)
FARTHEST = 1e5  # pixels from the corner; FFmpeg's largest picture has 65,535 a side
LATEST = 1e10  # seconds; Unix time is 1.8e9 in seconds and 1.8e12 in milliseconds


def checked_keypoints(
    keypoints: Float[ndarray, "*frame joint value"], what: str
) -> Float[ndarray, "*frame joint value"]:
    """Checks the ranges of keypoints from any source, and returns them as float32.

    Confidences from -0.1 to 1.1 are clipped to [0, 1].

    Args:
        keypoints: x and y in pixels, or x, y and z in any unit of length; and confidence.
        what: The subject of the error message, such as "Sequence 'a'".

    Raises:
        ActrecError: A value is NaN or infinite, a coordinate is beyond any picture, or a confidence out of range.
    """
    if not np.isfinite(keypoints).all():
        raise ActrecError(f"{what} has keypoints that are NaN or infinite. Give an unobserved joint as (0, 0, 0).")
    if keypoints.size == 0:
        return keypoints.astype(np.float32, copy=False)
    farthest = float(np.abs(keypoints[..., :-1]).max())
    if farthest > FARTHEST:
        expected = f"x and y in pixels of the picture, at most {FARTHEST:g} from its corner"
        if keypoints.shape[-1] == 4:
            expected = f"x, y and z of at most {FARTHEST:g}, such as metres or millimetres"
        raise ActrecError(f"{what} has a coordinate of {farthest:.6g}; expected {expected}.")
    confidence = keypoints[..., -1]
    least, greatest = float(confidence.min()), float(confidence.max())
    if least < CONFIDENCES[0] - 1e-6 or greatest > CONFIDENCES[1] + 1e-6:  # of float32
        raise ActrecError(
            f"{what} has confidences from {least:.4g} to {greatest:.4g}; expected [0, 1] ({CONFIDENCES[0]:g} to "
            f"{CONFIDENCES[1]:g} is clipped to it). {_unit_of_confidence(least, greatest, keypoints.shape[-1] - 1)}"
        )
    checked = keypoints.astype(np.float32, copy=False)
    if least < 0 or greatest > 1:
        checked = np.concatenate([checked[..., :-1], checked[..., -1:].clip(0, 1)], axis=-1)
    return checked


def _unit_of_confidence(least: float, greatest: float, n_coordinates: int) -> str:
    """Guesses the unit of confidences that are out of range, and suggests a correction."""
    if least < CONFIDENCES[0] and n_coordinates == 2:
        return (
            "Is the third value z? Give (x, y, confidence); (x, y) alone where there are no confidences; or in three "
            "dimensions (x, y, z, confidence)."
        )
    if least < CONFIDENCES[0]:
        return "Give (x, y, z, confidence); the confidence is 1 where the source has none."
    for whole, name in ((100, "per cent"), (255, "bytes")):
        if 2 < greatest <= whole:
            return f"Are they {name}? Divide them by {whole}."
    return "Divide them by the greatest value that the pose model can give."


def checked_timestamp(timestamp: float) -> float:
    """Checks that the time of a frame is in seconds.

    Raises:
        ActrecError: It is not finite, or so large that it must be in another unit.
    """
    if not np.isfinite(timestamp):
        raise ActrecError(f"The timestamp is {timestamp}; expected a number of seconds.")
    if abs(timestamp) > LATEST:
        raise ActrecError(
            f"The timestamp is {timestamp:.6g}; expected seconds, at most {LATEST:g}. Is it in milliseconds or "
            "nanoseconds since 1970? Divide it by 1e3 or 1e9."
        )
    return float(timestamp)


NONE = "none"  # the label of frames in which none of a data set's actions is done; the last of `labels`
NO_LABEL = -1  # the class number of frames that nobody has labelled


@dataclass(frozen=True)
class Segment:
    """A stretch of a clip in which one action is done.

    Attributes:
        label: The action; an empty one marks frames that nobody has labelled.
        start: First frame.
        end: The frame after the last one.
        repetitions: Number of complete repetitions; None if not counted.
    """

    label: str
    start: int
    end: int
    repetitions: int | None = None

    def __post_init__(self) -> None:
        what = f"The segment '{self.label}' from frame {self.start} to {self.end}"
        if self.end <= self.start:
            raise ActrecError(f"{what} ends before it begins; expected half-open frames, start < end.")
        if self.repetitions is not None and self.repetitions < 0:
            raise ActrecError(f"{what} has {self.repetitions} repetitions; expected 0 or more, or an empty cell.")


@dataclass(frozen=True)
class SkeletonSequence:
    """The keypoints of one clip, before any preprocessing.

    Attributes:
        keypoints: x and y in pixels, or in three dimensions x, y and z in any unit of length; and confidence in [0, 1].
            A joint with confidence 0 is unobserved.
        fps: Frames a second.
        skeleton: Name of the joint layout.
        clip_id: Unique within a store.
        group: Clips of one group, such as one source video, are never split between train, val and test.
        split: Its part in the source's official split: "train", "val", "test" or empty.
        variant: "original" or the name of a video augmentation.
        segments: Where the clip is longer than an action: its actions, in order and without overlap; frames in none of
            them are no action. Empty for a clip that is one action, `label`, throughout.
        repetition: The number of repetitions done of the present segment, with fractions: 2.5 is half-way through the
            third. NaN where there is none; None if it is not known.
    """

    keypoints: Float[ndarray, "frame joint value"]
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
    segments: tuple[Segment, ...] = ()
    repetition: Float[ndarray, " frame"] | None = None

    def __post_init__(self) -> None:
        shape = self.keypoints.shape
        if len(shape) != 3 or shape[2] not in (3, 4) or shape[0] == 0:
            raise ActrecError(
                f"Sequence '{self.clip_id}' has keypoints of shape {shape}; expected (frame, joint, 3), or in three "
                "dimensions (frame, joint, 4), and at least one frame."
            )
        what = f"Sequence '{self.clip_id}'" if self.clip_id else "The sequence"
        object.__setattr__(self, "keypoints", checked_keypoints(self.keypoints, what))
        if not (np.isfinite(self.fps) and self.fps > 0):
            raise ActrecError(f"Sequence '{self.clip_id}' has {self.fps} frames a second; expected a positive number.")
        self._check_segments(what)

    def _check_segments(self, what: str) -> None:
        end = 0
        for segment in self.segments:
            where = f"{what} has a segment '{segment.label}' from frame {segment.start} to {segment.end}"
            if segment.start < end:
                reason = "before the clip begins" if segment.start < 0 else f"before the previous one ends, at {end}"
                raise ActrecError(f"{where}, which begins {reason}. Segments must be in order and not overlap.")
            end = segment.end
            if end > len(self):
                raise ActrecError(f"{where}, which ends beyond the clip's {len(self)} frames.")
        if self.repetition is not None and self.repetition.shape != (len(self),):
            raise ActrecError(
                f"{what} has repetitions of shape {self.repetition.shape}; expected one for each of {len(self)} frames."
            )

    def __len__(self) -> int:
        return len(self.keypoints)

    @property
    def n_coordinates(self) -> int:
        """The number of coordinates: 2 or 3."""
        return self.keypoints.shape[2] - 1

    def cut(self, start: int, end: int) -> SkeletonSequence:
        """Returns the frames from `start` up to `end`, with the parts of the segments that lie there.

        A stretch in which no segment lies becomes a clip of the label "none". The repetitions of a segment that is cut
        are no longer counted.
        """
        keypoints = self.keypoints[start:end]
        repetition = None if self.repetition is None else self.repetition[start:end]
        if not self.segments:
            return replace(self, keypoints=keypoints, repetition=repetition)
        kept = []
        for each in self.segments:
            first, last = max(each.start - start, 0), min(each.end - start, len(keypoints))
            if first < last:
                whole = last - first == each.end - each.start
                kept.append(Segment(each.label, first, last, each.repetitions if whole else None))
        label = self.label if kept else NONE
        return replace(self, keypoints=keypoints, repetition=repetition, segments=tuple(kept), label=label)


class Targets(NamedTuple):
    """What a network is to give for each frame: the class number, or `NO_LABEL`, and the repetition, or NaN."""

    label: Int[ndarray, " frame"]
    repetition: Float[ndarray, " frame"]


@dataclass(frozen=True)
class NormalizedSequence:
    """A clip after preprocessing; a joint that is not known in a frame has zero coordinates there."""

    keypoints: Float[ndarray, "frame joint value"]  # coordinates in torso lengths about the origin, and confidence
    observed: Bool[ndarray, "frame joint"]  # and not interpolated or held
    known: Bool[ndarray, "frame joint"]  # observed, interpolated or held
    targets: Targets | None = field(default=None, kw_only=True)  # None: all frames have the clip's label

    def __len__(self) -> int:
        return len(self.keypoints)

    def take(self, frames: slice | Int[ndarray, " time"]) -> NormalizedSequence:
        """Returns the sequence of some of the frames, given as a slice or as indices."""
        targets = self.targets and Targets(*(part[frames] for part in self.targets))
        return NormalizedSequence(self.keypoints[frames], self.observed[frames], self.known[frames], targets=targets)


@dataclass(frozen=True)
class Window(NormalizedSequence):
    """A fixed number of consecutive frames of a clip."""

    valid: Bool[ndarray, " frame"]  # whether the frame is of the clip, and not padding


class Batch(NamedTuple):
    """A batch of windows for the network.

    Attributes:
        features: Per joint: two or three coordinates in torso lengths, confidence, and further channels of the feature
            options.
        valid: Whether the frame is of the clip, and not padding.
        observed: Whether everything that the joint's features are computed from was observed: the joint, both ends of
            its bone, or its position in the previous frame; see `actrec.pipeline.features.Features.observed`.
        label: Class number of the window's clip.
        clip: Number of the window's clip in its split.
        frame_label: Class number of each frame, or `NO_LABEL`; None if it is `label` everywhere.
        repetition: Repetitions done, with fractions, or NaN; None if it is not known.
    """

    features: Float[Tensor, "batch time joint channel"]
    valid: Bool[Tensor, "batch time"]
    observed: Bool[Tensor, "batch time joint"]
    label: Int[Tensor, " batch"]
    clip: Int[Tensor, " batch"]
    frame_label: Int[Tensor, "batch time"] | None = None
    repetition: Float[Tensor, "batch time"] | None = None


class NetworkOutput(NamedTuple):
    """The output of a network for a batch of windows; `horizon` is N, 0 for a network without forecasts.

    The values at frames that are not valid are undefined.

    Attributes:
        logits: Class scores at every frame, computed from that frame and earlier ones.
        latents: The encoder's latents Z_t.
        latent_forecasts: Entry [n - 1, :, t] is the forecast of Z_{t+n} at frame t.
        pose_forecasts: Entry [n - 1, :, t] is the forecast pose of frame t + n at frame t, in torso lengths.
        phase: Sine and cosine of the phase within a repetition: 0 at its beginning, π at its turn, 2π at its end. None
            for a network without this output.
        embedding: What the classifier's linear layer computes the logits from. None for a network without this output.
    """

    logits: Float[Tensor, "batch time class"]
    latents: Float[Tensor, "batch time node dim"]
    latent_forecasts: Float[Tensor, "horizon batch time node dim"]
    pose_forecasts: Float[Tensor, "horizon batch time joint coordinate"]
    phase: Float[Tensor, "batch time 2"] | None = None
    embedding: Float[Tensor, "batch time embedding"] | None = None
