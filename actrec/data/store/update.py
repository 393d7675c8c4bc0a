"""Brings one clip of a store up to date: decides whether it must be read, and reads it."""

from __future__ import annotations

import errno
import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from actrec.data.store.clip_source import ClipSource
from actrec.data.store.ledger import Ledger, Stored, left_out_stamp, person_id
from actrec.data.store.provenance import NOTHING, ROW, SOURCE, Provenance
from actrec.data.store.rows import sequences as sequences_of
from actrec.data.store.summary import CHANGED, MENDED, NEW, StoreSummary
from actrec.skeleton import get_skeleton
from actrec.types import ActrecError, SetupError, SkeletonSequence

log = logging.getLogger(__name__)

Accept = Callable[[SkeletonSequence], SkeletonSequence | None]

# Faults of the machine, which every clip would meet: no space, too many open files, no memory.
_ENDS = {getattr(errno, name, None) for name in ("ENOSPC", "EDQUOT", "EROFS", "EMFILE", "ENFILE", "ENOMEM")}


def bring_up_to_date(clip: ClipSource, ledger: Ledger, accept: Accept, summary: StoreSummary) -> Stored | None:
    """Brings a clip up to date and returns it as stored; None where it is left out.

    The clip is read only where its source has changed. An unexpected exception leaves out this clip alone, and so does
    a file that cannot be read or does not fit into memory.

    Args:
        clip: The clip.
        ledger: Of the store.
        accept: Gives a sequence its label and skeleton; None leaves it out.
        summary: Takes note of what was done.

    Raises:
        ActrecError: The label is not known.
        SetupError: No clip can be read.
        OSError: The store cannot be written.
    """
    try:
        return _current(clip, ledger, accept, summary)
    except (ActrecError, OSError):  # a table or an option of the user's is wrong; the store cannot be written
        raise
    except Exception as error:
        _reject(Provenance(clip), ledger, summary, error)
        return None


def _reject(source: Provenance, ledger: Ledger, summary: StoreSummary, error: Exception) -> None:
    """Leaves a clip out for an unexpected error; the next run tries it again, since the error may be temporary."""
    log.debug("%s: unexpected error", source.clip.origin, exc_info=error)
    summary.unforeseen += 1
    reason = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    ledger.leave_out(source, source.clip.label or "", _line(reason), again=True)


def _current(clip: ClipSource, ledger: Ledger, accept: Accept, summary: StoreSummary) -> Stored | None:
    source, record, stored = Provenance(clip), ledger.provenance(clip.clip_id), ledger.find(clip.clip_id)
    if record is None and stored is not None:
        if not source.agrees(stored.rows, ledger.written(stored)):
            return _make(source, ledger, accept, summary, CHANGED)
        summary.adopted += 1
        return _restate(source, stored, ledger, accept, summary)
    if record is None:
        row = ledger.why_left_out(clip.clip_id)
        if row is None or row["stamp"] == "" or row["stamp"] != left_out_stamp(clip):
            return _make(source, ledger, accept, summary, MENDED if ledger.rows(clip.clip_id) else NEW)
        change = NOTHING
    else:
        change = source.change(record)
    if change == SOURCE or (stored is None and change == ROW):
        return _make(source, ledger, accept, summary, CHANGED if ledger.rows(clip.clip_id) else NEW)
    if stored is None and record is not None and record["people"]:
        return _make(source, ledger, accept, summary, MENDED if ledger.rows(clip.clip_id) else NEW)
    if stored is not None and change == ROW:
        return _restate(source, stored, ledger, accept, summary)
    ledger.confirm(source, stored)
    return stored


def _make(source: Provenance, ledger: Ledger, accept: Accept, summary: StoreSummary, why: str) -> Stored | None:
    """Reads a clip into the store; None where it is left out."""
    clip, _ = source.clip, source.content  # hashed before it is read: a change meanwhile is found by the next run
    summary.tried += 1
    try:
        loaded = clip.load()
        people = loaded if isinstance(loaded, list) else [loaded]
        for sequence in people:
            _check_joints(sequence)
    except SetupError:
        raise
    except ActrecError as error:
        ledger.leave_out(source, clip.label or "", _line(str(error)))
        return None
    except OSError as error:
        if error.errno in _ENDS:
            raise
        _reject(source, ledger, summary, error)
        return None
    ids = [person_id(clip.clip_id, number + 1) for number in range(len(people))]
    if not isinstance(loaded, list):
        ids = [clip.clip_id]
    sequences = [
        accept(replace(sequence, clip_id=name, source=clip.source)) for sequence, name in zip(people, ids, strict=True)
    ]
    kept = [sequence for sequence in sequences if sequence is not None]
    if not kept:
        ledger.leave_out(source, people[0].label, "")
        return None
    stored = ledger.add(source, kept, len(kept) if isinstance(loaded, list) else 0)
    summary.written += len(kept)
    summary.because[why] += len(kept)
    summary.frames += sum(map(len, kept))
    return stored


def _restate(
    source: Provenance, stored: Stored, ledger: Ledger, accept: Accept, summary: StoreSummary
) -> Stored | None:
    """Updates the row of a stored clip without reading its source; None where the new label leaves it out."""
    values: dict[str, Any] = dict(source.clip.row)
    if "label" not in values:
        ledger.confirm(source, stored)
        return stored
    try:
        sequences = [replace(sequence, **values) for sequence in sequences_of(ledger.path, stored.rows)]
    except ActrecError:  # a wrong value, which reading the clip rejects
        return _make(source, ledger, accept, summary, CHANGED)
    kept = [sequence for sequence in map(accept, sequences) if sequence is not None]
    if not kept:
        ledger.leave_out(source, values["label"], "")
        return None
    restated = ledger.restate(source, stored, kept)
    summary.restated += sum(new != old for new, old in zip(restated.rows, stored.rows, strict=True))
    return restated


def _line(text: str) -> str:
    return " ".join(text.split())


def _check_joints(sequence: SkeletonSequence) -> None:
    skeleton = get_skeleton(sequence.skeleton)
    if sequence.keypoints.shape[1] != skeleton.n_joints:
        raise ActrecError(
            f"it has {sequence.keypoints.shape[1]} joints; skeleton '{skeleton.name}' has {skeleton.n_joints}. Name "
            "the skeleton that it has: dataset.skeleton=…"
        )
