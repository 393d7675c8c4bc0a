"""Writing a skeleton store: one clip at a time, each all or nothing, so that a run killed anywhere can go on.

The order for a clip is: its npz under a temporary name, its row in `manifest.csv.part`, then the npz's own name. So a
file that has its name has its row, and a clip with both is never done again.
"""

from __future__ import annotations

import csv
import io
import json
import os
import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float
from numpy import ndarray
from tqdm import tqdm

from actrec.data.store import (
    COLUMNS,
    FORMAT_VERSION,
    INFO,
    MANIFEST,
    Row,
    read_info,
    read_keypoints,
    read_rows,
)
from actrec.files import csv_text, replace_file
from actrec.skeleton import get_skeleton
from actrec.types import ActrecError, SkeletonSequence

REJECTED = "rejected.csv"
_PART = MANIFEST + ".part"


@dataclass(frozen=True)
class ClipSource:
    """A clip that an importer has found, not yet read.

    Attributes:
        clip_id: Unique in the store; what a file name cannot hold is replaced by "_".
        source: Which data set it is from.
        origin: The file that it is in, for messages.
        load: Reads it; raises `ActrecError` where the file is bad, and the clip is then left out and listed.
    """

    clip_id: str
    source: str
    origin: str
    load: Callable[[], SkeletonSequence]

    def __post_init__(self) -> None:
        object.__setattr__(self, "clip_id", re.sub(r"[^\w.-]", "_", self.clip_id).lstrip(".") or "_")


@dataclass
class StoreSummary:
    """What a run of `write_store` did, and what the store now has.

    Attributes:
        rows: The manifest's rows.
        written: How many clips this run wrote; the others were there.
        observed: Of all joints in all frames, the share that has a confidence above zero.
        unseen: Clips in which no joint is observed in any frame; they are kept.
        rejected: Bad clips: their origin and what is wrong with them.
        skipped: Clips left out by the label map, by source and that source's label.
    """

    rows: list[Row] = field(default_factory=list)
    written: int = 0
    observed: float = 0.0
    unseen: list[str] = field(default_factory=list)
    rejected: dict[str, str] = field(default_factory=dict)
    skipped: Counter[tuple[str, str]] = field(default_factory=Counter)


def write_store(
    path: str | Path,
    clips: Iterable[ClipSource],
    info: dict[str, Any],
    accept: Callable[[SkeletonSequence], SkeletonSequence | None] = lambda sequence: sequence,
    max_rejected: float = 0.05,
) -> StoreSummary:
    """Make a skeleton store, or go on with one; clips that are whole are not read or written again.

    Args:
        path: The store's folder, made if need be.
        clips: What to store, in the order that the manifest is to have.
        info: How the store is made, for `store.json`: at least `dataset` and `raw`, all of it plain JSON.
        accept: Gives a clip its label and skeleton; None leaves it out. What it raises ends the run.
        max_rejected: Share of bad clips above which the run fails, and no manifest is written.

    Raises:
        ActrecError: Two clips have one id, the folder holds another store, or too many clips are bad.
    """
    path, clips = Path(path), list(clips)
    _check_unique(clips)
    known = _open_store(path, info)
    summary = StoreSummary()
    joints = observed = 0
    with (path / _PART).open("a", newline="", encoding="utf-8") as part:
        for clip in tqdm(clips, desc=f"{info['dataset']}", unit="clip", disable=None):
            row = known.get(clip.clip_id)
            keypoints = _whole(path, row) if row else None
            if row is None or keypoints is None:
                sequence = _load(clip, summary, accept)
                if sequence is None:
                    continue
                row, keypoints = _row(sequence), sequence.keypoints
                _write_clip(path, row, keypoints, part)
                summary.written += 1
            summary.rows.append(row)
            joints += keypoints.shape[0] * keypoints.shape[1]
            seen = int((keypoints[..., 2] > 0).sum())
            observed += seen
            if not seen:
                summary.unseen.append(row["clip_id"])
    summary.observed = observed / max(joints, 1)
    _close_store(path, len(clips), summary, max_rejected)
    return summary


def _check_unique(clips: list[ClipSource]) -> None:
    seen: dict[str, str] = {}
    for clip in clips:
        other = seen.setdefault(clip.clip_id, clip.origin)
        if other is not clip.origin:
            if other == clip.origin:
                raise ActrecError(f"{other} is listed twice. Leave one out.")
            raise ActrecError(
                f"Two clips would have the id '{clip.clip_id}': {other} and {clip.origin}. Ids have letters, digits, "
                "'_', '-' and '.' alone; give each clip its own (a column clip_id, or another file name)."
            )


def _open_store(path: Path, info: dict[str, Any]) -> dict[str, Row]:
    """Check that the folder is this store's, or make it so; returns the rows that it already has."""
    info = {"format_version": FORMAT_VERSION, **info}
    if path.exists() and not path.is_dir():
        raise ActrecError(f"store={path} is a file; give a folder.")
    old, finished = read_info(path), (path / MANIFEST).is_file()
    if old is None and path.is_dir() and any(path.iterdir()):
        raise ActrecError(f"The folder {path} has files in it and is no skeleton store. Give an empty or new store=.")
    differing = [key for key in info if old is not None and old.get(key) != info[key]]
    if old is not None and finished and differing:
        key = differing[0]
        raise ActrecError(
            f"The store {path} was made otherwise: its {key} is {old.get(key)!r}, and now {info[key]!r} is wanted. "
            "Give another store=, or remove that folder."
        )
    (path / "clips").mkdir(parents=True, exist_ok=True)
    known: dict[str, Row] = {}
    if not differing:
        files = [file for file in (path / MANIFEST, path / _PART) if file.is_file() and file.stat().st_size]
        known = {row["clip_id"]: row for file in files for row in read_rows(file) if _complete(row)}
    replace_file(path / _PART, csv_text(COLUMNS, [[row[name] for name in COLUMNS] for row in known.values()]))
    if old is None or differing:
        replace_file(path / INFO, json.dumps(info, indent=2, ensure_ascii=False) + "\n")
    return known


def _close_store(path: Path, n_clips: int, summary: StoreSummary, max_rejected: float) -> None:
    bad = summary.rejected
    if bad:
        replace_file(path / REJECTED, csv_text(("file", "reason"), bad.items()))
    else:
        (path / REJECTED).unlink(missing_ok=True)
    if len(bad) > max_rejected * n_clips or not summary.rows:
        examples = "".join(f"\n  {origin}: {reason}" for origin, reason in list(bad.items())[:3])
        listed = f" All are listed in {path / REJECTED}; the first of them:{examples}" if bad else ""
        raise ActrecError(
            f"{len(bad)} of {n_clips} clips could not be read and {len(summary.rows)} could be kept; at most "
            f"{max_rejected:.0%} may be bad (max_rejected=…), and the store {path} was not finished.{listed}"
        )
    text = csv_text(COLUMNS, [[row[name] for name in COLUMNS] for row in summary.rows])
    manifest = path / MANIFEST
    if not manifest.is_file() or manifest.read_text(encoding="utf-8") != text:
        replace_file(manifest, text)
    (path / _PART).unlink()


def _load(
    clip: ClipSource, summary: StoreSummary, accept: Callable[[SkeletonSequence], SkeletonSequence | None]
) -> SkeletonSequence | None:
    try:
        raw = clip.load()
        skeleton = get_skeleton(raw.skeleton)
        if raw.keypoints.shape[1] != skeleton.n_joints:
            raise ActrecError(
                f"it has {raw.keypoints.shape[1]} joints; skeleton '{skeleton.name}' has {skeleton.n_joints}. Name "
                "the skeleton that it has: dataset.skeleton=…"
            )
    except ActrecError as error:
        summary.rejected[clip.origin] = " ".join(str(error).split())
        return None
    sequence = accept(replace(raw, clip_id=clip.clip_id, source=clip.source))
    if sequence is None:
        summary.skipped[clip.source, raw.label] += 1
    return sequence


def _row(sequence: SkeletonSequence) -> Row:
    values = {name: str(getattr(sequence, name)) for name in COLUMNS if name not in ("n_frames", "file")}
    return {**values, "n_frames": str(len(sequence)), "file": f"clips/{sequence.clip_id}.npz"}


def _complete(row: Row) -> bool:
    """Whether a row of a part file was written to its end; the last one may not be."""
    return None not in row.values() and row["file"] == f"clips/{row['clip_id']}.npz"


def _whole(path: Path, row: Row) -> Float[ndarray, "frame joint 3"] | None:
    """The clip's keypoints, if its file is there, readable and what the row says."""
    try:
        keypoints = read_keypoints(path / row["file"])
    except Exception:  # numpy and zipfile raise a dozen kinds for a damaged archive; whichever it is, make it anew
        return None
    expected = (int(row["n_frames"]), get_skeleton(row["skeleton"]).n_joints, 3)
    sound = keypoints.shape == expected and keypoints.dtype == np.float32 and np.isfinite(keypoints).all()
    return keypoints if sound else None


def _write_clip(path: Path, row: Row, keypoints: Float[ndarray, "frame joint 3"], part: io.TextIOBase) -> None:
    file = path / row["file"]
    temporary = file.with_suffix(".npz.tmp")
    with temporary.open("wb") as stream:
        np.savez(stream, keypoints=keypoints.astype(np.float32, copy=False))
    csv.writer(part, lineterminator="\n").writerow([row[name] for name in COLUMNS])
    part.flush()
    os.replace(temporary, file)
