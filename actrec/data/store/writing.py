"""Writing a skeleton store: one clip at a time, each all or nothing, so that a run killed anywhere can go on.

Several workers can make one store together, each its own share of the clips; whichever finds that nothing is missing
any more finishes it.
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
from actrec.data.store.ledger import Ledger, Stored
from actrec.data.store.plausibility import observed_share
from actrec.data.store.provenance import Provenance
from actrec.data.store.reading import Row
from actrec.data.store.summary import StoreSummary
from actrec.data.store.update import Accept, bring_up_to_date
from actrec.files import csv_text, replace_file
from actrec.types import ActrecError

__all__ = ["REJECTED", "Accept", "ClipSource", "Shard", "StoreSummary", "write_store"]

REJECTED = "rejected.csv"


@dataclass(frozen=True)
class Shard:
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
    def parse(cls, text: str) -> Shard:
        """Reads "2/8", the third of eight."""
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
    share: Shard | None = None,
) -> StoreSummary:
    """Makes a skeleton store, goes on with one that is not finished, or brings one up to date with its sources.

    Clips whose sources are the same are not read again, be they stored or left out; those whose sources changed are
    made again, and those that are not among `clips` any more are removed. An unexpected exception rejects the clip that
    raised it.

    Args:
        path: The store's folder, made if need be.
        clips: What to store, in the order that the manifest is to have.
        info: How the store is made, for `store.json`: at least `dataset` and `raw`, all of it plain JSON.
        accept: Gives a clip its label and skeleton; None leaves it out. What it raises ends the run.
        max_rejected: Shard of bad clips above which the run fails, and no manifest is written.
        share: Which of the clips this worker makes; all if not given.

    Raises:
        ActrecError: Two clips have one id, the folder holds another store, or too many clips are bad.
        SetupError: No clip can be read.
        OSError: The store cannot be written.
    """
    path, clips = Path(path), _distinct(clips)
    mine = clips if share is None else clips[share.index :: share.of]
    done: dict[str, Stored | None] = {}
    summary = StoreSummary()
    suffix = "" if share is None else f"-{share.index}-of-{share.of}"
    with Ledger.open(path, info, suffix) as ledger:
        before = ledger.ids
        with tqdm(mine, desc=str(info["dataset"]), unit="clip", disable=None) as bar:
            for clip in bar:
                tried = summary.tried
                done[clip.clip_id] = bring_up_to_date(clip, ledger, accept, summary)
                if summary.tried > tried:
                    pace = summary.frames / max(bar.format_dict["elapsed"], 1e-9)
                    bar.set_postfix_str(f"{pace:.0f} frames/s", refresh=False)
        ledger.read()
        _finish(path, clips, ledger, done, summary, max_rejected, before)
    return summary


def _distinct(given: Iterable[ClipSource]) -> list[ClipSource]:
    """Makes the ids of clips distinct on every file system.

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


def _finish(
    path: Path,
    clips: Sequence[ClipSource],
    ledger: Ledger,
    done: dict[str, Stored | None],
    summary: StoreSummary,
    max_rejected: float,
    before: set[str],
) -> None:
    """Sums up the store over all workers' clips, and finishes it where none is missing."""
    left_out: list[Row] = []
    for clip in clips:
        settled = clip.clip_id in done or _settled(clip, ledger)
        stored = done[clip.clip_id] if clip.clip_id in done else ledger.find(clip.clip_id)
        reason = ledger.why_left_out(clip.clip_id)
        if settled and stored is not None:
            summary.rows += stored.rows
            summary.measures += stored.measures
            if not any(each.any for each in stored.measures):
                summary.unseen += [row["clip_id"] for row in stored.rows]
        elif not settled or reason is None:
            summary.missing += 1
        else:
            left_out.append(reason)
            if reason["reason"]:
                summary.rejected[clip.origin] = reason["reason"]
            else:
                summary.skipped[clip.source, reason["label"]] += 1
    summary.observed = observed_share(summary.measures)
    if not summary.missing:
        summary.removed = len(before - {row["clip_id"] for row in summary.rows})
        _check_rejected(path, summary, sum(row["reason"] != "" for row in left_out), len(clips), max_rejected)
        ledger.close(summary.rows, left_out, [clip.clip_id for clip in clips])


def _settled(clip: ClipSource, ledger: Ledger) -> bool:
    """Whether another worker has brought a clip up to date."""
    record = ledger.provenance(clip.clip_id)
    return record is not None and Provenance(clip).settled(record)


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
