"""Evaluates a recogniser on sessions, clips longer than an action: streams them, and compares with their segments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from actrec.evaluation.online import stream_clips
from actrec.evaluation.segments import LabelledSet, SessionRecord
from actrec.evaluation.session_metrics import held_by_motion, session_metrics
from actrec.online.recognizer import OnlineRecognizer
from actrec.types import NO_LABEL, NONE, ActrecError, Segment, SkeletonSequence

Motions = Sequence[tuple[str, int, int]]  # name of the motion, first frame and end of every stretch


def session_records(
    recognizer: OnlineRecognizer, sessions: Sequence[SkeletonSequence], motions: Mapping[str, Motions] | None = None
) -> list[SessionRecord]:
    """Streams sessions frame by frame, as in serving, and returns what was held in each frame beside its label.

    Args:
        recognizer: Of a model with or without the class "none", and without people.
        sessions: In the recogniser's layout. Frames in no segment are "none".
        motions: The motions of the sessions by clip id, where they are known.

    Raises:
        ActrecError: A segment has a label that the model does not know.
    """
    labels = session_labels(recognizer.labels)
    number = {label: index for index, label in enumerate(labels)}
    records = []
    for clip, streamed in zip(sessions, stream_clips(recognizer, sessions), strict=True):
        true = np.full(len(clip), number[NONE])
        segments = clip.segments or (Segment(clip.label, 0, len(clip)),)
        for each in segments:
            if each.label not in number and each.label:
                raise ActrecError(
                    f"Clip '{clip.clip_id}' has a segment '{each.label}'; the model knows {', '.join(labels)}."
                )
            true[each.start : each.end] = number[each.label] if each.label else NO_LABEL
        held = np.array([number[NONE] if label < 0 else label for label in streamed.held.tolist()])
        records.append(
            SessionRecord(
                clip.fps,
                true,
                held,
                streamed.action,
                [
                    LabelledSet(number[each.label], each.start / clip.fps, each.end / clip.fps, each.repetitions)
                    for each in segments
                    if each.label not in ("", NONE)
                ],
                [
                    LabelledSet(number[each.label], each.start, each.end, each.repetitions)
                    for _, each in streamed.sets.sets
                ],
                _names((motions or {}).get(clip.clip_id, ())),
                clip.clip_id,
            )
        )
    return records


def session_labels(labels: Sequence[str]) -> list[str]:
    """Returns a model's labels with "none" as the last one."""
    return [label for label in labels if label != NONE] + [NONE]


def _names(motions: Motions) -> list[str]:
    return [name for name, start, end in motions for _ in range(end - start)]


def summarize_sessions(records: Sequence[SessionRecord], labels: Sequence[str]) -> dict[str, Any]:
    """Computes the metrics of sessions, see `session_metrics`, and with known motions what was held in each."""
    labels = session_labels(labels)
    by_motion = held_by_motion(records, labels)
    return session_metrics(records, labels) | ({"held_by_motion": by_motion} if by_motion else {})


def sessions_summary(metrics: Mapping[str, Any]) -> str:
    """Formats the metrics as a sentence."""
    return (
        f"{metrics['n_sessions']} sessions of {metrics['minutes']:.1f} minutes: frame macro-F1 "
        f"{metrics['frame_macro_f1']:.3f}, segmental F1 at 50 % {metrics['segment_f1_50']:.3f} (of sets: "
        f"{metrics['set_f1_50']:.3f}), "
        f"{metrics['false_alarms_a_minute']:.2f} false alarms a minute, delay {metrics['delay_median']:.2f} s, "
        f"repetitions off by at most one {metrics['repetition_obo']:.3f}"
    )
