"""Divides clips with segments into their actions and the stretches between them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from actrec.types import NONE, Segment, SkeletonSequence


def trimmed(clips: Sequence[SkeletonSequence]) -> list[SkeletonSequence]:
    """Divides clips with segments into their actions and the stretches between them, each a clip of one label.

    Frames that nobody has labelled, and stretches of less than half a second, are left out. Other clips are returned
    as they are.
    """
    return [part for clip in clips for part in (_parts(clip) if clip.segments else [clip])]


def actions_of(clips: Iterable[SkeletonSequence]) -> Iterator[SkeletonSequence]:
    """Yields clips, those with segments divided as by `trimmed`; such a part has one segment, its whole.

    The parts of a clip are of one group. Clips without a labelled part are yielded whole.
    """
    for clip in clips:
        for part in trimmed([clip]) or [clip]:
            whole = (Segment(part.label, 0, len(part)),) if clip.segments else ()
            yield replace(part, group=clip.group or clip.clip_id, segments=whole)


def _parts(clip: SkeletonSequence) -> Iterator[SkeletonSequence]:
    bounds = [0, *(frame for each in clip.segments for frame in (each.start, each.end)), len(clip)]
    labels = [NONE, *(label for each in clip.segments for label in (each.label, NONE))]
    for start, end, label in zip(bounds[:-1], bounds[1:], labels, strict=True):
        if label and end - start >= 0.5 * clip.fps:
            yield replace(clip.cut(start, end), clip_id=f"{clip.clip_id}_{start}", label=label, segments=())
