"""Measures the ranges of a store's keypoints: of each sequence while the store is made, and of all in one line."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray

from actrec.data.store import fingerprints
from actrec.data.store.reading import Row, check_alike
from actrec.pipeline.preprocess import Preprocess

THRESHOLD = Preprocess.confidence_threshold
SMALL = 10.0  # pixels; no person is smaller


@dataclass(frozen=True)
class ClipRanges:
    """The ranges of one sequence's keypoints.

    Attributes:
        keypoints: Hash of the array.
        seen: Number of frames in which each joint is observed, with a confidence of 0.2 or more, as in preprocessing.
        any: Number of joints with a confidence above 0, in all frames.
        low: Least x, y (and z) of observed joints, and least confidence above 0; NaN if there are none.
        high: Greatest x, y (and z) of observed joints, and greatest confidence.
    """

    row: Row
    keypoints: str
    seen: Int[ndarray, " joint"]
    any: int
    low: Float[ndarray, " value"]
    high: Float[ndarray, " value"]

    @property
    def n_frames(self) -> int:
        return int(self.row["n_frames"])

    @property
    def n_coordinates(self) -> int:
        """The number of coordinates: 2 or 3."""
        return len(self.low) - 1


def measure_ranges(keypoints: Float[ndarray, "frame joint value"], row: Row) -> ClipRanges:
    """Measures the keypoints of a stored sequence."""
    seen, n_values = keypoints[..., -1] >= THRESHOLD, keypoints.shape[2]
    joints = keypoints.reshape(-1, n_values)
    points = joints.T.take(np.flatnonzero(joints[:, -1] > 0), axis=1)  # a few rows reduce faster than columns
    unknown = np.full(n_values, np.nan)
    low, high = (points.min(1), points.max(1)) if points.size else (unknown, unknown.copy())
    if low[-1] < THRESHOLD:
        observed = points[:-1, points[-1] >= THRESHOLD]
        low[:-1], high[:-1] = (observed.min(1), observed.max(1)) if observed.size else (np.nan, np.nan)
    return ClipRanges(
        row=row,
        keypoints=fingerprints.arrays([keypoints]),
        seen=seen.sum(0),
        any=points.shape[1],
        low=low,
        high=high,
    )


def check_coordinates(clips: Iterable[ClipRanges], known: dict[int, str]) -> None:
    """Raises an ActrecError if some clips have two coordinates and others three.

    Args:
        known: The id of a clip with each number of coordinates, to which those of `clips` are added.
    """
    for clip in clips:
        known.setdefault(clip.n_coordinates, clip.row["clip_id"])
    check_alike(known)


def observed_share(clips: Sequence[ClipRanges]) -> float:
    """Computes the share of observed joints among all joints in all frames.

    A joint that is observed in no frame of a source does not count, since that source's layout does not have it.
    """
    seen = possible = 0
    for source in _by_source(clips):
        by_joint = np.sum([clip.seen for clip in source], axis=0)
        seen += int(by_joint.sum())
        possible += int((by_joint > 0).sum()) * sum(clip.n_frames for clip in source)
    return seen / max(possible, 1)


def _by_source(clips: Iterable[ClipRanges]) -> list[list[ClipRanges]]:
    sources: defaultdict[tuple[str, str], list[ClipRanges]] = defaultdict(list)
    for clip in clips:
        sources[clip.row["source"], clip.row["skeleton"]].append(clip)
    return list(sources.values())


def ranges_line(clips: Sequence[ClipRanges]) -> str:
    """Describes the ranges of coordinates, confidences and frame rates."""
    rates = sorted(float(clip.row["fps"]) for clip in clips)
    sizes = [(int(clip.row["width"]), int(clip.row["height"])) for clip in clips if int(clip.row["width"]) > 0]
    low = np.array([clip.low for clip in clips if clip.any])
    high = np.array([clip.high for clip in clips if clip.any])
    if not len(low):
        return "No joint is observed in any clip."
    if np.isnan(low[:, 0]).all():
        return f"No joint is observed in any clip: no confidence is above {np.fmax.reduce(high[:, -1]):.2f}."
    least, greatest = np.fmin.reduce(low).tolist(), np.fmax.reduce(high).tolist()
    digits = 2 if max(map(abs, (*least[:-1], *greatest[:-1]))) < SMALL else 0
    pictures = ""
    if sizes:
        narrow, wide = np.min(sizes, axis=0).tolist(), np.max(sizes, axis=0).tolist()
        pictures = f" (pictures {_range(narrow[0], wide[0])} wide, {_range(narrow[1], wide[1])} high)"
    median = rates[len(rates) // 2]
    rate = f"{rates[0]:g}" if rates[0] == rates[-1] else f"{rates[0]:g} to {rates[-1]:g} (median {median:g})"
    ranges = [_range(first, last, digits) for first, last in zip(least[:-1], greatest[:-1], strict=True)]
    if len(ranges) == 2:
        places = f"x {ranges[0]} and y {ranges[1]} pixels{pictures}"
    else:
        places = f"x {ranges[0]}, y {ranges[1]} and z {ranges[2]} in the data's unit of length"
    return f"Observed joints: {places}, confidence {_range(least[-1], greatest[-1], 2)}; {rate} frames a second."


def _range(low: float | int, high: float | int, digits: int = 0) -> str:
    return f"{low:.{digits}f}" if low == high else f"{low:.{digits}f} to {high:.{digits}f}"
