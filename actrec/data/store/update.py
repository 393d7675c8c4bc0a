"""Updates one clip of a store: decides whether its source must be read again, and reads it."""

from __future__ import annotations

import errno
import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from actrec.data.store.clip_source import ClipSource
from actrec.data.store.given_segments import NO_SEGMENTS, place
from actrec.data.store.ledger import NOBODY, Ledger, StoredClip, left_out_stamp, person_id
from actrec.data.store.provenance import NOTHING, ROW, SOURCE, Provenance
from actrec.data.store.reading import Row, read_keypoints, read_repetition, sequence_of
from actrec.data.store.summary import CHANGED, NEW, REPAIRED, StoreSummary
from actrec.skeleton import get_skeleton
from actrec.types import ActrecError, SetupError, SkeletonSequence

log = logging.getLogger(__name__)

Accept = Callable[[SkeletonSequence], SkeletonSequence | None]

# Errors of the machine, which would occur for every clip: no space, too many open files, no memory.
_MACHINE_ERRORS = {getattr(errno, name, None) for name in ("ENOSPC", "EDQUOT", "EROFS", "EMFILE", "ENFILE", "ENOMEM")}


def update_clip(clip: ClipSource, ledger: Ledger, accept: Accept, summary: StoreSummary) -> StoredClip | None:
    """Updates a clip and returns it as stored; None if it is left out.

    The clip is read only if its source has changed. An unexpected exception, a file that cannot be read, or one that
    does not fit into memory leaves out only this clip.

    Args:
        accept: Gives a sequence its label and skeleton, or returns None to leave it out.

    Raises:
        ActrecError: The label is unknown.
        SetupError: No clip can be read.
        OSError: The store cannot be written.
    """
    try:
        return _current(clip, ledger, accept, summary)
    except (ActrecError, OSError):  # an error in the user's tables or options, or the store cannot be written
        raise
    except Exception as error:
        _reject(Provenance(clip), ledger, summary, error)
        return None


def _reject(source: Provenance, ledger: Ledger, summary: StoreSummary, error: Exception) -> None:
    """Leaves out a clip after an unexpected error; the next run tries it again, since the error may be temporary."""
    log.debug("%s: unexpected error", source.clip.origin, exc_info=error)
    summary.unexpected += 1
    reason = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    ledger.leave_out(source, source.clip.label or "", _line(reason), retry=True)


def _current(clip: ClipSource, ledger: Ledger, accept: Accept, summary: StoreSummary) -> StoredClip | None:
    source, record, stored = Provenance(clip), ledger.provenance(clip.clip_id), ledger.find(clip.clip_id)
    if record is None and stored is not None:
        if not source.agrees(stored.rows, ledger.written(stored)):
            return _make(source, ledger, accept, summary, CHANGED)
        summary.adopted += 1
        return _update_row(source, stored, ledger, accept, summary)
    if record is None:
        row = ledger.left_out(clip.clip_id)
        if row is None or row["stamp"] == "" or row["stamp"] != left_out_stamp(clip):
            return _make(source, ledger, accept, summary, REPAIRED if ledger.rows(clip.clip_id) else NEW)
        change = NOTHING
    else:
        change = source.change(record)
    if change == SOURCE or (stored is None and change == ROW):
        return _make(source, ledger, accept, summary, CHANGED if ledger.rows(clip.clip_id) else NEW)
    if stored is None and record is not None and record["people"]:
        return _make(source, ledger, accept, summary, REPAIRED if ledger.rows(clip.clip_id) else NEW)
    if stored is not None and change == ROW:
        return _update_row(source, stored, ledger, accept, summary)
    ledger.confirm(source, stored)
    return stored


def _make(source: Provenance, ledger: Ledger, accept: Accept, summary: StoreSummary, why: str) -> StoredClip | None:
    """Reads a clip into the store; returns None if it is left out."""
    clip, _ = source.clip, source.content  # hashed before it is read, so that the next run finds a change in between
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
        if error.errno in _MACHINE_ERRORS:
            raise
        _reject(source, ledger, summary, error)
        return None
    if not people:
        ledger.leave_out(source, clip.label or "", NOBODY)
        return None
    ids = [person_id(clip.clip_id, number + 1) for number in range(len(people))]
    if not isinstance(loaded, list):
        ids = [clip.clip_id]
    named = [replace(sequence, clip_id=name, source=clip.source) for sequence, name in zip(people, ids, strict=True)]
    if (given := _with_segments(named, clip, summary)) is None:  # stored without them; the next run tries them again
        source = Provenance(replace(clip, row={**clip.row, "segments": NO_SEGMENTS}))
    sequences = map(accept, named if given is None else given)
    kept = [sequence for sequence in sequences if sequence is not None]
    if not kept:
        ledger.leave_out(source, people[0].label, "")
        return None
    stored = ledger.add(source, kept, len(kept) if isinstance(loaded, list) else 0)
    summary.written += len(kept)
    summary.reasons[why] += len(kept)
    summary.frames += sum(map(len, kept))
    return stored


def _update_row(
    source: Provenance, stored: StoredClip, ledger: Ledger, accept: Accept, summary: StoreSummary
) -> StoredClip | None:
    """Updates the row of a stored clip without reading its source; returns None if the new label leaves it out."""
    values: dict[str, Any] = {name: value for name, value in source.clip.row.items() if name != "segments"}
    if "label" not in values:
        ledger.confirm(source, stored)
        return stored
    try:
        sequences = [replace(_stored_sequence(ledger, row), **values) for row in stored.rows]
    except ActrecError:  # a wrong value; reading the clip rejects it
        return _make(source, ledger, accept, summary, CHANGED)
    if (given := _with_segments(sequences, source.clip, summary)) is None:
        return stored
    kept = [sequence for sequence in map(accept, given) if sequence is not None]
    if not kept:
        ledger.leave_out(source, values["label"], "")
        return None
    changed = [each.segments != ledger.segments(each.clip_id) for each in kept]
    updated = ledger.update_rows(source, stored, kept)
    rows = zip(updated.rows, stored.rows, changed, strict=True)
    summary.updated += sum(new != old or is_other for new, old, is_other in rows)
    return updated


def _with_segments(
    sequences: list[SkeletonSequence], clip: ClipSource, summary: StoreSummary
) -> list[SkeletonSequence] | None:
    """Returns sequences with the segments that are given for their clip; None if those do not fit, which is noted."""
    if "segments" not in clip.row:
        return sequences
    try:
        return [place(sequence, clip.row["segments"]) for sequence in sequences]
    except ActrecError as error:
        summary.wrong_segments.append(f"{clip.origin}: {_line(str(error))}")
        return None


def _stored_sequence(ledger: Ledger, row: Row) -> SkeletonSequence:
    file = ledger.path / row["file"]
    return sequence_of(row, read_keypoints(file), ledger.segments(row["clip_id"]), read_repetition(file))


def _line(text: str) -> str:
    return " ".join(text.split())


def _check_joints(sequence: SkeletonSequence) -> None:
    skeleton = get_skeleton(sequence.skeleton)
    if sequence.keypoints.shape[1] != skeleton.n_joints:
        raise ActrecError(
            f"it has {sequence.keypoints.shape[1]} joints; skeleton '{skeleton.name}' has {skeleton.n_joints}. Name "
            "the skeleton that it has: dataset.skeleton=…"
        )
