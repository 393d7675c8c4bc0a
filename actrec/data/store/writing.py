"""Writes a skeleton store clip by clip; a run that was killed at any point can be continued.

Several workers can make one store together, each its own shard of the clips; the worker that finds that no clip is
missing finishes the store.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tqdm import tqdm

from actrec.data.store.clip_ids import distinct_ids
from actrec.data.store.clip_source import ClipSource
from actrec.data.store.ledger import NOBODY, Ledger, StoredClip
from actrec.data.store.provenance import Provenance
from actrec.data.store.ranges import check_coordinates, observed_share
from actrec.data.store.reading import Row
from actrec.data.store.summary import StoreSummary
from actrec.data.store.update import Accept, update_clip
from actrec.files import csv_text, replace_file
from actrec.types import ActrecError

REJECTED = "rejected.csv"


@dataclass(frozen=True)
class Shard:
    """The part of a store's clips that one worker makes: every `of`-th clip, from number `index` on.

    Raises:
        ActrecError: `index` is not from 0 to `of` - 1.
    """

    index: int
    of: int

    def __post_init__(self) -> None:
        if not 0 <= self.index < self.of:
            raise ActrecError(
                f"shard={self.index}/{self.of} does not exist; expected 0/{self.of} to {self.of - 1}/{self.of}."
            )

    @classmethod
    def parse(cls, text: str) -> Shard:
        """Parses "2/8", the third of eight shards."""
        match = re.fullmatch(r"(\d+)/(\d+)", text)
        if match is None:
            raise ActrecError(f"shard is '{text}'; expected i/n, with i from 0 to n - 1: shard=0/8.")
        return cls(int(match[1]), int(match[2]))


def write_store(
    path: str | Path,
    clips: Iterable[ClipSource],
    info: dict[str, Any],
    accept: Accept = lambda sequence: sequence,
    max_rejected: float = 0.05,
    shard: Shard | None = None,
) -> StoreSummary:
    """Makes a skeleton store, continues one that is not finished, or updates one from its sources.

    Clips whose sources are the same are not read again, whether they are stored or left out; clips whose sources
    changed are made again, and clips that are no longer among `clips` are removed. A clip that raises an unexpected
    exception is rejected.

    Args:
        clips: The clips, in the order of the manifest.
        info: The options with which the store is made, for `store.json`: plain JSON, at least `dataset` and `raw`.
        accept: Gives a clip its label and skeleton, or returns None to leave it out. Its exceptions end the run.
        max_rejected: Share of bad clips above which the run fails, and no manifest is written.
        shard: The part of the clips that this worker makes; by default all.

    Raises:
        ActrecError: Two clips have the same id, the folder holds another store, too many clips are bad, segments do
            not fit into their clips, or some clips have two coordinates and others three.
        SetupError: No clip can be read.
        OSError: The store cannot be written.
    """
    path, clips = Path(path), _distinct(clips)
    mine = clips if shard is None else clips[shard.index :: shard.of]
    done: dict[str, StoredClip | None] = {}
    kinds: dict[int, str] = {}
    summary = StoreSummary()
    suffix = "" if shard is None else f"-{shard.index}-of-{shard.of}"
    with Ledger(path, info, suffix) as ledger:
        before = ledger.ids
        with tqdm(mine, desc=str(info["dataset"]), unit="clip", disable=None) as bar:
            for clip in bar:
                tried = summary.tried
                done[clip.clip_id] = stored = update_clip(clip, ledger, accept, summary)
                check_coordinates(stored.measures if stored else (), kinds)
                if summary.tried > tried:
                    pace = summary.frames / max(bar.format_dict["elapsed"], 1e-9)
                    bar.set_postfix_str(f"{pace:.0f} frames/s", refresh=False)
        if summary.wrong_segments:
            listed = "".join(f"\n  {reason}" for reason in summary.wrong_segments)
            raise ActrecError(
                f"The segments of {len(summary.wrong_segments)} clips are wrong:{listed}\nCorrect them and repeat the "
                "command: the keypoints are kept, and no file is read again."
            )
        ledger.read()
        _finish(path, clips, ledger, done, summary, max_rejected, before)
    return summary


def _distinct(given: Iterable[ClipSource]) -> list[ClipSource]:
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
                f"Two clips have the id '{clip.clip_id}': {other.origin} and {clip.origin}. Give each clip its "
                "own (a column clip_id, or another file name)."
            )
    return clips


def _finish(
    path: Path,
    clips: Sequence[ClipSource],
    ledger: Ledger,
    done: dict[str, StoredClip | None],
    summary: StoreSummary,
    max_rejected: float,
    before: set[str],
) -> None:
    """Summarises the clips of all workers, and finishes the store if none is missing."""
    left_out: list[Row] = []
    for clip in clips:
        record = ledger.provenance(clip.clip_id)
        is_done = clip.clip_id in done or (record is not None and Provenance(clip).is_done(record))
        stored = done[clip.clip_id] if clip.clip_id in done else ledger.find(clip.clip_id)
        reason = ledger.left_out(clip.clip_id)
        if is_done and stored is not None:
            summary.rows += stored.rows
            summary.measures += stored.measures
            if not any(each.any for each in stored.measures):
                summary.unseen += [row["clip_id"] for row in stored.rows]
        elif not is_done or reason is None:
            summary.missing += 1
        else:
            left_out.append(reason)
            if reason["reason"] == NOBODY:
                summary.nobody.append(clip.origin)
            elif reason["reason"]:
                summary.rejected[clip.origin] = reason["reason"]
            else:
                summary.skipped[clip.source, reason["label"]] += 1
    check_coordinates(summary.measures, {})
    summary.observed = observed_share(summary.measures)
    if not summary.missing:
        summary.removed = len(before - {row["clip_id"] for row in summary.rows})
        n_bad = sum(row["reason"] not in ("", NOBODY) for row in left_out)
        _check_rejected(path, summary, n_bad, len(clips), max_rejected)
        ledger.finish(summary.rows, left_out, [clip.clip_id for clip in clips])


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
