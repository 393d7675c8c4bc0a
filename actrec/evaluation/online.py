"""Evaluates online recognition: streams labelled clips frame by frame and compares the labels of each frame."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray

from actrec.online.recognizer import OnlineRecognizer
from actrec.online.set_list import SetList
from actrec.pipeline.observation import RATIOS
from actrec.types import ActrecError, SkeletonSequence

_AT_ONCE = 32  # clips streamed as one batch

NOBODY = -2  # before the person is first observed


class Streamed(NamedTuple):
    """The labels of a clip's frames.

    Attributes:
        label: The predicted class number after each frame; `NOBODY` before the person is first observed.
        held: The class number of the held label, or -1 for no action; `NOBODY` as above.
        action: How sure the recogniser is of any action; NaN before the person is first observed.
        sets: The sets of the person.
    """

    label: Int[ndarray, " frame"]
    held: Int[ndarray, " frame"]
    action: Float[ndarray, " frame"]
    sets: SetList


def _empty(n_frames: int) -> Streamed:
    return Streamed(np.full(n_frames, NOBODY), np.full(n_frames, NOBODY), np.full(n_frames, np.nan), SetList())


def stream_clips(recognizer: OnlineRecognizer, clips: Sequence[SkeletonSequence]) -> list[Streamed]:
    """Streams clips in the recogniser's skeleton, and returns the labels of their frames."""
    results = [_empty(len(clip)) for clip in clips]
    by_rate: dict[float, list[int]] = defaultdict(list)
    for number in sorted(range(len(clips)), key=lambda number: len(clips[number])):
        by_rate[clips[number].fps].append(number)
    for fps, numbers in by_rate.items():
        at_once = min(_AT_ONCE, recognizer.max_people)
        for start in range(0, len(numbers), at_once):
            _stream_together(recognizer, clips, numbers[start : start + at_once], fps, results)
    return results


def _stream_together(
    recognizer: OnlineRecognizer,
    clips: Sequence[SkeletonSequence],
    numbers: list[int],
    fps: float,
    into: list[Streamed],
) -> None:
    classes = {label: number for number, label in enumerate(recognizer.labels)}
    for frame in range(max(len(clips[number]) for number in numbers)):
        there = {str(number): clips[number].keypoints[frame] for number in numbers if frame < len(clips[number])}
        for person in set(recognizer.people) - set(there):
            recognizer.forget(person)
        for person, prediction in recognizer.push_all(there, frame / fps).items():
            streamed = into[int(person)]
            streamed.label[frame] = classes[prediction.label]
            streamed.held[frame] = -1 if prediction.held is None else classes[prediction.held]
            streamed.action[frame] = prediction.action
            streamed.sets.update([prediction])
    for person in recognizer.people:
        recognizer.forget(person)


def frames_to_decision(held: Int[ndarray, " frame"], label: int) -> float:
    """Counts the frames until the held label is correct and stays so to the clip's end; infinite if it never does."""
    wrong = np.flatnonzero(held != label)
    needed = wrong[-1] + 2 if len(wrong) else 1
    return float(needed) if needed <= len(held) else math.inf


def evaluate_online(recognizer: OnlineRecognizer, clips: Sequence[SkeletonSequence]) -> dict[str, Any]:
    """Computes the metrics of online recognition over a split.

    Returns:
        `accuracy` of the predicted label, `held_accuracy`, and `held_wrong` (share of clips with a wrong held label),
        each by observation ratio; `frames_to_decision`: the median over all clips (None where half of them never reach
        a final right decision), and `decided`, the share of clips that do.

    Raises:
        ActrecError: There are no clips, or one has a label that the model does not know.
    """
    unknown = sorted({clip.label for clip in clips} - set(recognizer.labels))
    if unknown or not clips:
        raise ActrecError(f"The model does not know: {', '.join(unknown)}." if unknown else "There are no clips.")
    labels = [recognizer.labels.index(clip.label) for clip in clips]
    streamed = stream_clips(recognizer, clips)
    figures: dict[str, Any] = {"accuracy": {}, "held_accuracy": {}, "held_wrong": {}}
    for ratio in RATIOS:
        last = [math.ceil(round(ratio * len(clip), 9)) - 1 for clip in clips]
        now, held = (
            np.array([frames[i] for frames, i in zip(parts, last, strict=True)])
            for parts in ([each.label for each in streamed], [each.held for each in streamed])
        )
        figures["accuracy"][str(ratio)] = float((now == labels).mean())
        figures["held_accuracy"][str(ratio)] = float((held == labels).mean())
        figures["held_wrong"][str(ratio)] = float(((held != labels) & (held >= 0)).mean())
    needed = [frames_to_decision(each.held, label) for each, label in zip(streamed, labels, strict=True)]
    median, decided = float(np.median(needed)), float(np.isfinite(needed).mean())
    figures["frames_to_decision"] = {"median": median if math.isfinite(median) else None, "decided": decided}
    return figures


def online_summary(figures: dict[str, Any]) -> str:
    """Formats the metrics as a sentence."""
    needed = figures["frames_to_decision"]
    after = "never" if needed["median"] is None else f"after {needed['median']:.0f} frames"
    return (
        f"the predicted label is right at the end in {figures['accuracy']['1.0']:.4f} of clips, the held label in "
        f"{figures['held_accuracy']['1.0']:.4f}; the final right decision comes {after} "
        f"(median; {needed['decided']:.3f} of clips reach one)"
    )
