"""Checks motion and time: still and jumping clips, repeated frames, short clips, and frame rates."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from actrec.data.check.findings import ERROR, NOTE, WARNING, Finding, Text, Value, few
from actrec.data.check.steps import FAST, SHUFFLED
from actrec.data.check.traits import Described, Traits, by_label, names

RATES = (5.0, 240.0)
_CONSTANT, _STILL = 0.02, 0.12  # torso lengths that the most mobile joint moves in a clip
_SECONDS = 8.0  # a cut in a longer stretch costs few windows
_REPEATED = 0.3  # share of frames
_NEARLY_ALL, _HARDLY_ANY = 0.8, 0.1  # share of the clips of a class, and of the others, with the same rate
_LEAST = 3  # clips of a class

TEXTS = {
    "constant_clips": Text(
        "Clips do not move",
        "{which} {have} the same pose in every frame.",
        "They show no action. Often a still picture was repeated, or tracking stopped.",
        "Leave them out.",
    ),
    "still": Text(
        "Clips are mostly still",
        "{which} hardly {move}: no joint by more than an eighth of a torso.",
        "Their label can only come from the pose.",
        "If their action is a motion, look at what was cut out of the video.",
    ),
    "jumping": Text(
        "Frames are in no order",
        "{which} {have} frames that differ as much from the next as from any other: they may be in the wrong order.",
        "There is no motion to learn.",
        "Sort the frames by number and not by name (10 after 9, not after 1).",
    ),
    "jumps": Text(
        "People jump or are swapped",
        "{which} {have} frames in which the whole body jumps by nearly a torso's length.",
        "Tracking has swapped two people, a video has a cut, or frames are missing: a part of the clip may show "
        "another person or moment.",
        "Look at the frames. Extract with another tracker setting or person=main, or cut the clip there.",
    ),
    "repeated": Text(
        "Frames are repeated",
        "{which} {have} many frames that equal the one before, though the person moves.",
        "Velocities are zero, then double; the frame rate is not the true one.",
        "Leave out repeated frames and give the rate that remains (fps).",
    ),
    "rate": Text(
        "Unlikely frame rates",
        "{which} {have} fewer than {slow:g} or more than {fast:g} frames a second.",
        "Motion is resampled by the rate: it would be too fast or too slow.",
        "Give the rate at which the frames were filmed (fps).",
    ),
    "rates_by_class": Text(
        "A class is told by its frame rate",
        "{which} {have} {rate:g} frames a second: nearly all of '{label}', and hardly a clip of another class.",
        "A network learns the class from its tempo: a shortcut that fails with any other camera.",
        "Resample all clips to one rate (preprocess.fps=15), and film all classes with the same cameras.",
    ),
    "single": Text(
        "Clips of one frame",
        "{which} {have} one frame, which shows no motion.",
        "There is nothing to learn over time.",
        "Leave such clips out.",
    ),
    "short": Text(
        "Clips are shorter than a window",
        "{which} {have} fewer frames than a window ({window:g}); {very:g} have {very_short:g} or fewer.",
        "The rest of the window is padding; very short clips hold too little motion.",
        "Choose shorter windows (windows.length=…), and leave out very short clips.",
    ),
}


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
    yield from _some("jumping", sorted(jumping, key=lambda clip: -clip.step), clips, 0.08, ERROR)
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


def rates_by_class(clips: Sequence[Described]) -> Iterator[Finding]:
    """Finds classes of which nearly all clips have a frame rate that hardly any clip of another class has."""
    classes = {label: members for label, members in by_label(clips).items() if len(members) >= _LEAST}
    for label, members in classes.items() if len(classes) > 1 else ():
        rate, count = Counter(round(clip.fps) for clip in members).most_common(1)[0]
        others = [round(clip.fps) == rate for clip in clips if clip.label != label]
        if count > _NEARLY_ALL * len(members) and sum(others) < _HARDLY_ANY * len(others):
            values: dict[str, Value] = {"label": label, "rate": rate}
            yield Finding("rates_by_class", WARNING, names(members), len(clips), values)
