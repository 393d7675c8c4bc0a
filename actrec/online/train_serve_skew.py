"""Finds differences between a model's training data and a stream (training-serving skew), for warnings."""

from __future__ import annotations

from collections.abc import Sequence

from actrec.model.spec import ModelSpec
from actrec.pipeline.pipeline import Pipeline
from actrec.pipeline.windows import AnchoredWindows, ResizeWindows, SlidingWindows
from actrec.types import NONE

# Overrides that train a model for streams, by data set.
_EXPERIMENTS = {
    "penn_action": "experiment=penn_online",
    "synthetic": "experiment=live",
}
_OTHERWISE = "experiment=mine judge=stream store=<the store of this training>"


def streaming_mismatches(spec: ModelSpec) -> list[str]:
    """Lists the differences between a model's training data and a stream, a sentence each."""
    parts, found = spec.pipeline, list[str]()
    length, rate = parts.windows.length, parts.preprocess.fps
    if isinstance(parts.windows, ResizeWindows):
        found.append(
            f"Its training windows are whole clips, each resampled to {length} frames (windows=resize); a stream's "
            "frames come at the camera's rate, and the end of an action is not known."
        )
    elif isinstance(parts.windows, SlidingWindows):
        found.append(
            "Its training windows are preprocessed from their clip's first frame on, and a clip's prediction is the "
            "mean over its windows (windows=sliding); in a stream preprocessing restarts with each window, and only "
            "the newest window is used."
        )
    if parts.preprocess.mode == "offline":
        found.append(
            "It was trained on skeletons that are centred, scaled and filled from the whole clip "
            "(preprocess=offline); a stream has no later frames to use."
        )
    if not spec.network_options.get("causal", True):
        found.append(
            "Its network decides by the whole of a window (network.causal=false); a stream's newest frame has no later "
            "ones."
        )
    if rate is None:
        found.append(
            f"It has no frame rate of its own (preprocess.fps=null): it was trained on clips of {spec.fps:g} frames a "
            "second, and at another rate every movement is faster or slower."
        )
    if spec.decision == "mean":
        found.append(
            "Its decision is the mean over a window's frames (decision=mean); a stream's is that of the newest frame."
        )
    return found


def streaming_advice(spec: ModelSpec) -> str:
    """Returns the overrides that train such a model for streams."""
    if spec.dataset not in _EXPERIMENTS:
        return _OTHERWISE
    return _EXPERIMENTS[spec.dataset] + (" decision=last" if spec.decision == "mean" else "")


def streaming_warning(spec: ModelSpec) -> str | None:
    """Formats the differences, what else limits the model in a stream, and what to do; None where there is nothing."""
    found, warnings = streaming_mismatches(spec), list[str]()
    if found:
        warnings.append(
            "This model is not trained for streams, in which its accuracy may be lower than its metrics. "
            f"{' '.join(found)} Train one for streams with: {streaming_advice(spec)}"
        )
    if NONE not in spec.labels:
        warnings.append(
            f"This model has no class '{NONE}': it takes every other movement for one of its actions. The model "
            "sport14 has it, and so do models that are trained on data with it."
        )
    return " ".join(warnings) or None


def training_mismatches(pipeline: Pipeline, lengths: Sequence[int], crop: float) -> list[str]:
    """Lists how the training clips of a model with `windows=anchored` differ from a stream, a sentence each.

    Args:
        pipeline: The model's.
        lengths: Number of frames of each training clip, at the model's rate.
        crop: Probability that a clip is cropped (`augmentation.temporal_crop`).
    """
    windows, found = pipeline.windows, list[str]()
    if not isinstance(windows, AnchoredWindows) or not lengths:
        return found
    if not crop:
        longer = sum(n_frames > windows.length for n_frames in lengths)
        found.append(
            "Every training window begins at its clip's first frame, while a stream's windows begin anywhere in an "
            f"action ({longer} of {len(lengths)} clips are longer than windows.length={windows.length}, and their "
            "later frames are never trained on). Set augmentation.temporal_crop.p=0.6."
        )
    if max(lengths) < windows.length:
        found.append(
            f"No training clip fills a window: the longest has {max(lengths)} frames at the model's rate, and a "
            f"stream's windows get windows.length={windows.length}. Set windows.length={max(lengths)} or less, or "
            "give longer clips."
        )
    return found
