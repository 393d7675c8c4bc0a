"""Writing a skeleton store: one clip at a time, each all or nothing, so that a run killed anywhere can go on.

Several workers can make one store together, each its own share of the clips; whichever finds that nothing is missing
any more finishes it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tqdm import tqdm

from actrec.data.ids import distinct_ids, safe_id
from actrec.data.ledger import Ledger, Stored, person_id, stamp
from actrec.data.store import Row
from actrec.files import csv_text, printable, replace_file
from actrec.skeleton import get_skeleton
from actrec.types import ActrecError, SetupError, SkeletonSequence

REJECTED = "rejected.csv"
Accept = Callable[[SkeletonSequence], SkeletonSequence | None]


@dataclass(frozen=True)
class ClipSource:
    """A clip that an importer has found, not yet read.

    Attributes:
        clip_id: Unique in the store; made a safe file name by `ids.safe_id`.
        source: Which data set it is from.
        origin: The file that it is in, for messages.
        load: Reads it: one sequence, or a list of them, one a person. Raises `ActrecError` where the file is bad, and
            the clip is then left out and listed.
        label: The source's own, where it is known before the clip is read.
        pose: What is to find the joints: name and version; None where they are in the file.
        file: The file, or folder of pictures, whose content the clip is made from; `origin` if not given.
        row: What goes into the clip's row of the manifest as it is given here and leaves the keypoints alone: label,
            group and split, where they are known before the clip is read. With another row, it is not read again.
        inputs: What else shapes the clip, by name, as plain JSON: frame rate, picture size, options of the importer.
            With other inputs the clip is made again.
        content: Stamps the clip's part of a file that has many; the whole file counts if not given.
        given_id: The id as it was given.
    """

    clip_id: str
    source: str
    origin: str
    load: Callable[[], SkeletonSequence | list[SkeletonSequence]]
    label: str | None = None
    pose: tuple[str, str] | None = None
    file: str = ""
    row: Mapping[str, str] = field(default_factory=dict)
    inputs: Mapping[str, Any] = field(default_factory=dict)
    content: Callable[[], str] | None = None
    given_id: str = field(init=False, default="")

    def __post_init__(self) -> None:
        object.__setattr__(self, "given_id", self.clip_id)
        object.__setattr__(self, "clip_id", safe_id(self.clip_id))
        object.__setattr__(self, "file", self.file or self.origin)
        object.__setattr__(self, "origin", printable(self.origin))


@dataclass(frozen=True)
class Share:
    """Which of a store's clips a worker makes: every `of`-th, from number `index` on.

    Raises:
        ActrecError: There is no such share.
    """

    index: int
    of: int

    def __post_init__(self) -> None:
        if not 0 <= self.index < self.of:
            raise ActrecError(f"shard={self.index}/{self.of} is none; expected 0/{self.of} to {self.of - 1}/{self.of}.")

    @classmethod
    def parse(cls, text: str) -> Share:
        """Reads "2/8", the third of eight."""
        match = re.fullmatch(r"(\d+)/(\d+)", text)
        if match is None:
            raise ActrecError(f"shard is '{text}'; expected i/n, with i from 0 to n - 1: shard=0/8.")
        return cls(int(match[1]), int(match[2]))


@dataclass
class StoreSummary:
    """What a run of `write_store` did, and what the store now has.

    Attributes:
        rows: The manifest's rows.
        written: How many clips this run wrote; the others were there.
        frames: How many frames those have.
        missing: Clips that other workers have yet to make; the store is not finished.
        observed: Of all joints in all frames, the share that has a confidence above zero.
        unseen: Clips in which no joint is observed in any frame; they are kept.
        rejected: Bad clips: their origin and what is wrong with them.
        skipped: Clips left out by the label map, by source and that source's label.
    """

    rows: list[Row] = field(default_factory=list)
    written: int = 0
    frames: int = 0
    missing: int = 0
    observed: float = 0.0
    unseen: list[str] = field(default_factory=list)
    rejected: dict[str, str] = field(default_factory=dict)
    skipped: Counter[tuple[str, str]] = field(default_factory=Counter)


def write_store(
    path: str | Path,
    clips: Iterable[ClipSource],
    info: dict[str, Any],
    accept: Accept = lambda sequence: sequence,
    max_rejected: float = 0.05,
    share: Share | None = None,
) -> StoreSummary:
    """Make a skeleton store, or go on with one; clips that are whole are not read or written again.

    Nor is a clip that was left out, while its file has not changed.

    Args:
        path: The store's folder, made if need be.
        clips: What to store, in the order that the manifest is to have.
        info: How the store is made, for `store.json`: at least `dataset` and `raw`, all of it plain JSON.
        accept: Gives a clip its label and skeleton; None leaves it out. What it raises ends the run.
        max_rejected: Share of bad clips above which the run fails, and no manifest is written.
        share: Which of the clips this worker makes; all if not given.

    Raises:
        ActrecError: Two clips have one id, the folder holds another store, or too many clips are bad.
        SetupError: No clip can be read.
    """
    path, clips = Path(path), _distinct(clips)
    mine = clips if share is None else clips[share.index :: share.of]
    done: dict[str, Stored] = {}
    summary = StoreSummary()
    suffix = "" if share is None else f"-{share.index}-of-{share.of}"
    with Ledger.open(path, info, suffix) as ledger:
        with tqdm(mine, desc=str(info["dataset"]), unit="clip", disable=None) as bar:
            for clip in bar:
                stored = ledger.find(clip.clip_id)
                if stored is None and not _stays_out(clip, ledger):
                    stored = _make(clip, ledger, accept, summary)
                    pace = summary.frames / max(bar.format_dict["elapsed"], 1e-9)
                    bar.set_postfix_str(f"{pace:.0f} frames/s", refresh=False)
                if stored is not None:
                    done[clip.clip_id] = stored
        ledger.read()
        _finish(path, clips, ledger, done, summary, max_rejected)
    return summary


def _distinct(given: Iterable[ClipSource]) -> list[ClipSource]:
    """The clips, with ids that stay apart.

    Raises:
        ActrecError: A clip is there twice, or two were given one id.
    """
    clips = list(given)
    ids = distinct_ids([clip.clip_id for clip in clips], [clip.given_id for clip in clips])
    clips = [
        clip if clip.clip_id == name else replace(clip, clip_id=name) for clip, name in zip(clips, ids, strict=True)
    ]
    seen: dict[str, ClipSource] = {}
    for clip in clips:
        other = seen.setdefault(clip.clip_id, clip)
        if other is not clip:
            if other.origin == clip.origin:
                raise ActrecError(f"{other.origin} is listed twice. Leave one out.")
            raise ActrecError(
                f"Two clips would have the id '{clip.clip_id}': {other.origin} and {clip.origin}. Give each clip its "
                "own (a column clip_id, or another file name)."
            )
    return clips


def _stays_out(clip: ClipSource, ledger: Ledger) -> bool:
    row = ledger.why_left_out(clip.clip_id)
    return row is not None and row["stamp"] != "" and row["stamp"] == stamp(clip.origin)


def _make(clip: ClipSource, ledger: Ledger, accept: Accept, summary: StoreSummary) -> Stored | None:
    """Reads a clip into the store; None where it is left out."""
    try:
        loaded = clip.load()
        people = loaded if isinstance(loaded, list) else [loaded]
        for sequence in people:
            _check_joints(sequence)
    except SetupError:
        raise
    except ActrecError as error:
        ledger.leave_out(clip.clip_id, clip.source, clip.label or "", clip.origin, " ".join(str(error).split()))
        return None
    ids = [person_id(clip.clip_id, number + 1) for number in range(len(people))]
    if not isinstance(loaded, list):
        ids = [clip.clip_id]
    sequences = [
        accept(replace(sequence, clip_id=name, source=clip.source)) for sequence, name in zip(people, ids, strict=True)
    ]
    kept = [sequence for sequence in sequences if sequence is not None]
    if not kept:
        ledger.leave_out(clip.clip_id, clip.source, people[0].label, clip.origin, "")
        return None
    ledger.add(kept)
    summary.written += len(kept)
    summary.frames += sum(map(len, kept))
    return ledger.find(clip.clip_id)


def _check_joints(sequence: SkeletonSequence) -> None:
    skeleton = get_skeleton(sequence.skeleton)
    if sequence.keypoints.shape[1] != skeleton.n_joints:
        raise ActrecError(
            f"it has {sequence.keypoints.shape[1]} joints; skeleton '{skeleton.name}' has {skeleton.n_joints}. Name "
            "the skeleton that it has: dataset.skeleton=…"
        )


def _finish(
    path: Path,
    clips: Sequence[ClipSource],
    ledger: Ledger,
    done: dict[str, Stored],
    summary: StoreSummary,
    max_rejected: float,
) -> None:
    """Adds the store up, over all workers' clips, and finishes it where none is missing."""
    joints = observed = 0
    left_out: list[Row] = []
    for clip in clips:
        stored = done.get(clip.clip_id) or ledger.find(clip.clip_id)
        reason = ledger.why_left_out(clip.clip_id)
        if stored is not None:
            summary.rows += stored.rows
            joints, observed = joints + stored.joints, observed + stored.observed
            summary.unseen += [row["clip_id"] for row in stored.rows] if not stored.observed else []
        elif reason is None:
            summary.missing += 1
        else:
            left_out.append(reason)
            if reason["reason"]:
                summary.rejected[clip.origin] = reason["reason"]
            else:
                summary.skipped[clip.source, reason["label"]] += 1
    summary.observed = observed / max(joints, 1)
    if not summary.missing:
        _check_rejected(path, summary, sum(row["reason"] != "" for row in left_out), len(clips), max_rejected)
        ledger.close(summary.rows, left_out)


def _check_rejected(path: Path, summary: StoreSummary, n_bad: int, n_clips: int, max_rejected: float) -> None:
    bad = summary.rejected
    if bad:
        replace_file(path / REJECTED, csv_text(("file", "reason"), bad.items()))
    else:
        (path / REJECTED).unlink(missing_ok=True)
    if n_bad > max_rejected * n_clips or not summary.rows:
        examples = "".join(f"\n  {origin}: {reason}" for origin, reason in list(bad.items())[:3])
        listed = f" All are listed in {path / REJECTED}; the first of them:{examples}" if bad else ""
        raise ActrecError(
            f"{n_bad} of {n_clips} clips could not be read and {len(summary.rows)} could be kept; at most "
            f"{max_rejected:.0%} may be bad (max_rejected=…), and the store {path} was not finished.{listed}"
        )
