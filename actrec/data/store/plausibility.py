"""Checks the plausibility of keypoints: measures a store's clips, and finds likely errors in them.

Findings are plain data; `plausibility_text.py` formats them. Correct data should have none.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray

from actrec.data.store import fingerprints
from actrec.data.store.reading import Row
from actrec.pipeline.preprocess import Preprocess
from actrec.skeleton import get_skeleton

THRESHOLD = Preprocess.confidence_threshold
SMALL = 10.0  # pixels; no person is smaller
RATES = (5.0, 240.0)
_MARGIN = 0.1  # share of the picture's size by which joints may lie outside, as in estimates of YOLO and HRNet
_MOST = 0.5
_HARDLY = 0.05
_INVERTED = 0.75  # share of frames; in 6 % of Penn Action's, the hips are above the shoulders
_LYING = 0.9  # share of frames; people who lie have their heads on either side
_MARKED = 0.01  # share of the observed joints


@dataclass(frozen=True)
class ClipMeasure:
    """Statistics of one sequence's keypoints.

    Attributes:
        keypoints: Hash of the array.
        seen: Number of frames in which each joint is observed, with a confidence of 0.2 or more, as in preprocessing.
        any: Number of joints with a confidence above 0, in all frames.
        low: Least x and y of observed joints, and least confidence above 0; NaN if there are none.
        high: Greatest x and y of observed joints, and greatest confidence.
        outside: Share of the observed joints that are outside the picture, if its size is known.
        torsos: Number of frames in which shoulders and hips are observed.
        inverted: Number of these in which the hips are above the shoulders.
        lying: Number of these in which the shoulders are to the left of the hips, more than above or below.
        marked: Number of observed joints at exactly (0, 0) or (-1, -1), as some tools write missing joints.
    """

    row: Row
    keypoints: str
    seen: Int[ndarray, " joint"]
    any: int
    low: Float[ndarray, "3"]
    high: Float[ndarray, "3"]
    outside: float
    torsos: int
    inverted: int
    lying: int
    marked: int

    @property
    def n_frames(self) -> int:
        return int(self.row["n_frames"])


@dataclass(frozen=True)
class Finding:
    """A likely error in the data.

    Attributes:
        kind: "small", "outside", "hardly", "faint", "constant", "rate", "inverted", "lying", "marked", "single",
            "two_labels" or "two_groups".
        clips: The ids of the clips concerned; empty if it concerns a whole source.
        of: Number of clips that were checked.
        values: Numbers and names for the warning.
    """

    kind: str
    clips: tuple[str, ...]
    of: int
    values: Mapping[str, float | str] = field(default_factory=dict)


def measure(keypoints: Float[ndarray, "frame joint 3"], row: Row) -> ClipMeasure:
    """Measures the keypoints of a stored sequence."""
    seen = keypoints[..., 2] >= THRESHOLD
    joints = keypoints.reshape(-1, 3)
    points = observed = joints.T.take(np.flatnonzero(joints[:, 2] > 0), axis=1)  # three rows reduce faster than columns
    low, high = (points.min(1), points.max(1)) if points.size else (np.full(3, np.nan), np.full(3, np.nan))
    if low[2] < THRESHOLD:
        observed = points[:, points[2] >= THRESHOLD]
        none = (np.nan, np.nan)
        low[:2], high[:2] = (observed[:2].min(1), observed[:2].max(1)) if observed.size else (none, none)
    torso = _torso(row["skeleton"])
    whole, xy = seen[:, torso].all(1), keypoints[:, torso, :2]
    down = xy[:, 2:].sum(1) - xy[:, :2].sum(1)  # twice the vector from mid-shoulders to mid-hips
    return ClipMeasure(
        row=row,
        keypoints=fingerprints.arrays([keypoints]),
        seen=seen.sum(0),
        any=points.shape[1],
        low=low,
        high=high,
        outside=_outside(observed, low, high, (int(row["width"]), int(row["height"]))),
        torsos=int(whole.sum()),
        inverted=int((whole & (down[:, 1] < 0)).sum()),
        lying=int((whole & (down[:, 0] > np.abs(down[:, 1]))).sum()),
        marked=_marked(observed, low),
    )


@cache
def _torso(skeleton: str) -> list[int]:
    layout = get_skeleton(skeleton)
    return layout.index([*layout.shoulders, *layout.hips])


def _outside(
    points: Float[ndarray, "3 seen"], low: Float[ndarray, "3"], high: Float[ndarray, "3"], size: tuple[int, int]
) -> float:
    if not points.size or min(size) <= 0:
        return 0.0
    (width, height), (x, y) = size, (_MARGIN * size[0], _MARGIN * size[1])
    if low[0] >= -x and low[1] >= -y and high[0] <= width + x and high[1] <= height + y:
        return 0.0
    left, right = points[0] < -x, points[0] > width + x
    return float((left | right | (points[1] < -y) | (points[1] > height + y)).mean())


def _marked(points: Float[ndarray, "3 seen"], low: Float[ndarray, "3"]) -> int:
    if not points.size or low[0] > 0 or low[1] > 0:
        return 0
    x, y = points[:2]
    return int(((x == y) & ((x == 0) | (x == -1))).sum())


def observed_share(clips: Sequence[ClipMeasure]) -> float:
    """Computes the share of observed joints among all joints in all frames.

    A joint that is observed in no frame of a source does not count, since that source's layout does not have it.
    """
    seen = possible = 0
    for source in _by_source(clips):
        by_joint = np.sum([clip.seen for clip in source], axis=0)
        seen += int(by_joint.sum())
        possible += int((by_joint > 0).sum()) * sum(clip.n_frames for clip in source)
    return seen / max(possible, 1)


def findings(clips: Sequence[ClipMeasure]) -> list[Finding]:
    """Finds likely errors in the clips of a store."""
    found = [*_of_clips(clips), *_repeated(clips)]
    for source in _by_source(clips):
        found += _of_source(source)
    return found


def _by_source(clips: Iterable[ClipMeasure]) -> list[list[ClipMeasure]]:
    sources: defaultdict[tuple[str, str], list[ClipMeasure]] = defaultdict(list)
    for clip in clips:
        sources[clip.row["source"], clip.row["skeleton"]].append(clip)
    return list(sources.values())


def _of_clips(clips: Sequence[ClipMeasure]) -> Iterator[Finding]:
    measured = [clip for clip in clips if clip.seen.sum() >= 3 * clip.n_frames]
    small = [clip for clip in measured if (clip.high - clip.low)[:2].max() < SMALL]
    if small:
        greatest = max(float(np.abs([clip.low[:2], clip.high[:2]]).max()) for clip in small)
        yield _finding("small", small, clips, greatest=greatest)
    for kind, these in {
        "outside": [clip for clip in clips if clip.outside > _MOST],
        "hardly": [clip for clip in clips if clip.any and clip.seen.sum() < _HARDLY * clip.n_frames * len(clip.seen)],
        "rate": [clip for clip in clips if not RATES[0] <= float(clip.row["fps"]) <= RATES[1]],
        "single": [clip for clip in clips if clip.n_frames == 1],
    }.items():
        if these:
            yield _finding(kind, these, clips)


def _of_source(clips: Sequence[ClipMeasure]) -> Iterator[Finding]:
    name = clips[0].row["source"]
    seen, above_zero = sum(int(clip.seen.sum()) for clip in clips), sum(clip.any for clip in clips)
    if above_zero and seen < _MOST * above_zero:
        yield Finding("faint", (), len(clips), {"source": name, "share": 1 - seen / above_zero})
    joints = sum(clip.n_frames * len(clip.seen) for clip in clips)
    lows, highs = ([values[2] for values in each] for each in zip(*((c.low, c.high) for c in clips), strict=True))
    if above_zero == joints and min(lows) == max(highs) and len(clips) > 1:
        yield Finding("constant", (), len(clips), {"source": name, "confidence": float(lows[0])})
    torsos, inverted = sum(clip.torsos for clip in clips), sum(clip.inverted for clip in clips)
    if torsos and inverted > _INVERTED * torsos:
        yield Finding("inverted", (), len(clips), {"source": name, "share": inverted / torsos})
    lying, marked = sum(clip.lying for clip in clips), sum(clip.marked for clip in clips)
    if lying > _LYING * torsos and len({clip.row["label"] for clip in clips}) > 1:
        yield Finding("lying", (), len(clips), {"source": name, "share": lying / torsos})
    if marked > _MARKED * seen:
        yield Finding("marked", (), len(clips), {"source": name, "share": marked / seen})


def _repeated(clips: Sequence[ClipMeasure]) -> Iterator[Finding]:
    """Finds clips with the same keypoints under two labels, or in two groups, which a split may separate."""
    same: defaultdict[str, list[ClipMeasure]] = defaultdict(list)
    for clip in clips:
        if clip.any and clip.n_frames > 1:
            same[clip.keypoints].append(clip)
    for kind, column in (("two_labels", "label"), ("two_groups", "group")):
        twice = [each for each in same.values() if len({clip.row[column] for clip in each}) > 1]
        if twice:
            yield _finding(kind, [clip for each in twice for clip in each], clips)


def _finding(kind: str, these: Sequence[ClipMeasure], clips: Sequence[ClipMeasure], **values: float | str) -> Finding:
    return Finding(kind, tuple(clip.row["clip_id"] for clip in these), len(clips), values)
