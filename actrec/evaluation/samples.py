"""Selects a few clips of a split to show in reports and loggers, with their pose forecasts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float
from numpy import ndarray
from torch import nn

from actrec.evaluation.predictions import ClipPrediction
from actrec.model.spec import ModelSpec
from actrec.pipeline.batching import collate
from actrec.pipeline.view import facing
from actrec.pipeline.windows import ResizeWindows
from actrec.types import ActrecError, SkeletonSequence

_CANDIDATES = 10  # clips of a class from which an example is chosen


@dataclass(frozen=True)
class SampleClip:
    """A clip to show, with its prediction and pose forecasts.

    Attributes:
        sequence: The clip, with its true label; keypoints in any unit, in two dimensions y down, in three y up.
        forecasts: Entry t is the forecast of frame t's pose, in the keypoints' unit; NaN where there is none.
    """

    sequence: SkeletonSequence
    prediction: str
    probability: float
    forecasts: Float[ndarray, "frame joint coordinate"] | None = None

    def __post_init__(self) -> None:
        want = (*self.sequence.keypoints.shape[:2], self.sequence.n_coordinates)
        if self.forecasts is not None and self.forecasts.shape != want:
            raise ActrecError(
                f"The forecasts of clip '{self.sequence.clip_id}' have shape {self.forecasts.shape}; expected {want}."
            )


def pick_samples(predictions: Sequence[ClipPrediction], n: int = 8) -> list[int]:
    """Selects the clips to show, by number: the most confident mistakes, up to half, and correct clips of other
    labels.

    Of a label's correct clips, the one of median probability is selected, as a typical one.
    """
    mistakes = [number for number, clip in enumerate(predictions) if not clip.correct]
    mistakes = sorted(mistakes, key=lambda number: -predictions[number].probability)[: n // 2]
    right: dict[str, list[int]] = {}
    for number in sorted(range(len(predictions)), key=lambda number: predictions[number].probability):
        if predictions[number].correct:
            right.setdefault(predictions[number].label, []).append(number)
    shown = {predictions[number].label for number in mistakes}
    labels = sorted(right, key=lambda label: (label in shown, label))[: n - len(mistakes)]
    return [right[label][len(right[label]) // 2] for label in sorted(labels)] + mistakes


def typical_clips(clips: Sequence[SkeletonSequence], classes: Sequence[str]) -> list[SkeletonSequence]:
    """Selects a clip of each class that has any: among its first few, the one with the most observed joints."""
    first: dict[str, list[SkeletonSequence]] = {name: [] for name in classes}
    for clip in clips:
        if len(first[clip.label]) < _CANDIDATES:
            first[clip.label].append(clip)
    return [max(few, key=lambda clip: float((clip.keypoints[..., -1] > 0).mean())) for few in first.values() if few]


@torch.inference_mode()
def sample_clip(network: nn.Module, spec: ModelSpec, clip: SkeletonSequence, prediction: ClipPrediction) -> SampleClip:
    """Returns a clip's first window in network coordinates, with forecasts made a whole horizon before.

    Bodies that `preprocess.view` has turned face the camera, y up.
    """
    batch = collate(spec.pipeline.evaluation_items(clip, 0, 0)[:1])
    device, n = next(network.parameters()).device, spec.pipeline.n_coordinates
    forecasts = network(batch.features.to(device), batch.valid.to(device)).pose_forecasts[..., :n].float().cpu().numpy()
    length, horizon = int(batch.valid.sum()), len(forecasts)
    keypoints = batch.features[0, :length, :, : n + 1].numpy()
    poses = np.full((length, *keypoints.shape[1:2], n), np.nan, dtype=np.float32)
    if 0 < horizon < length:
        poses[horizon:] = forecasts[-1, 0, : length - horizon]
    resized = isinstance(spec.pipeline.windows, ResizeWindows)
    rate = clip.fps * length / len(clip) if resized else float(spec.pipeline.preprocess.fps or clip.fps)
    view = spec.pipeline.preprocess.view
    keypoints = np.concatenate([facing(keypoints[..., :n], view), keypoints[..., n:]], axis=-1)
    window = replace(clip, keypoints=keypoints, skeleton=spec.pipeline.skeleton.name, fps=rate, repetition=None)
    return SampleClip(window, prediction.prediction, prediction.probability, facing(poses, view))
