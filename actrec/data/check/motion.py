"""Checks motion and time: still and jumping clips, repeated frames, short clips, and frame rates."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from actrec.data.check.findings import ERROR, NOTE, WARNING, Finding, Value, few
from actrec.data.check.steps import FAST, SHUFFLED
from actrec.data.check.traits import Traits, names

RATES = (5.0, 240.0)
_CONSTANT, _STILL = 0.02, 0.12  # torso lengths that the most mobile joint moves in a clip
_SECONDS = 8.0  # a cut in a longer stretch costs few windows
_REPEATED = 0.3  # share of frames


def motion(clips: Sequence[Traits], window: int) -> Iterator[Finding]:
    """Finds clips whose motion or timing is wrong.

    Args:
        window: Number of frames that the network is to see.
    """
    moving = [clip for clip in clips if clip.n_frames > 4 and clip.ranges.seen.any()]
    constant = [clip for clip in moving if clip.motion < _CONSTANT]
    yield from _some("constant_clips", constant, clips, 0.01)
    still = [clip for clip in moving if _CONSTANT <= clip.motion < _STILL]
    yield from _some("still", still, clips, 0.1)
    jumping = [clip for clip in moving if clip.step > FAST and clip.shuffled > SHUFFLED]
    yield from _some("jumping", sorted(jumping, key=lambda clip: -clip.step), clips, 0.01, ERROR)
    shuffled = {clip.clip_id for clip in jumping}
    jumps = [clip for clip in moving if clip.clip_id not in shuffled and _jumps_often(clip)]
    frames = {clip.clip_id: int(clip.jumps[0]) for clip in jumps}
    yield from _some("jumps", sorted(jumps, key=lambda clip: -len(clip.jumps)), clips, 0.1, frames=frames)
    repeated = [clip for clip in moving if clip.repeated > _REPEATED and clip.motion >= _CONSTANT]
    yield from _some("repeated", sorted(repeated, key=lambda clip: -clip.repeated), clips, 0.02)
    yield from timing(clips, window)


def _jumps_often(clip: Traits) -> bool:
    return len(clip.jumps) > 0 and len(clip.jumps) * _SECONDS * clip.fps >= clip.n_frames


def timing(clips: Sequence[Traits], window: int) -> Iterator[Finding]:
    """Finds clips that are short, and frame rates that no camera has."""
    rate = [clip for clip in clips if not RATES[0] <= clip.fps <= RATES[1]]
    yield from _some("rate", rate, clips, 0.0)
    whole = [clip for clip in clips if not clip.is_part]  # windows of longer clips are cut across their parts
    single = [clip for clip in whole if clip.n_frames == 1]
    yield from _some("single", single, clips, 0.01)
    short = sorted((clip for clip in whole if 1 < clip.n_frames < window), key=lambda clip: clip.n_frames)
    if short:
        very = sum(clip.n_frames <= window // 8 for clip in short)
        values: dict[str, Value] = {"window": window, "very": very, "very_short": window // 8}
        severity = NOTE if few(very, len(clips), 0.02) else WARNING
        yield Finding("short", severity, names(short), len(clips), values)


def _some(
    kind: str,
    found: Sequence[Traits],
    clips: Sequence[Traits],
    share: float,
    severity: str = WARNING,
    frames: dict[str, int] | None = None,
) -> Iterator[Finding]:
    """Makes a finding of clips: a note if they are at most this share of all."""
    if found:
        is_few = share > 0 and few(len(found), len(clips), share)
        yield Finding(kind, NOTE if is_few else severity, names(found), len(clips), frames=frames or {})
