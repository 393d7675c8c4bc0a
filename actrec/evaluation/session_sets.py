"""Shows the sets of sessions, done and recognised side by side, and writes them as `sets.csv`."""

from __future__ import annotations

from collections.abc import Sequence

from actrec.evaluation.segments import LabelledSet, SessionRecord
from actrec.files import csv_text

_COLUMNS = ("session", "which", "label", "start", "end", "repetitions")
_NOTHING = "-"


def sets_csv(records: Sequence[SessionRecord], labels: Sequence[str]) -> str:
    """Formats the text of a run's `sets.csv`: the sets of all sessions, in seconds.

    The column `which` is "done" or "recognised"; `repetitions` is empty where they are not counted.
    """
    rows = [
        (record.name, which, labels[each.label], f"{each.start:.2f}", f"{each.end:.2f}", each.repetitions)
        for record in records
        for which, sets in (("done", record.true_sets), ("recognised", record.sets))
        for each in sets
    ]
    return csv_text(_COLUMNS, rows)


def sets_table(record: SessionRecord, labels: Sequence[str]) -> str:
    """Formats a table of the sets of one session: what was done, and beside each set what was recognised then.

    A recognised set is beside the set with which it overlaps most; one that overlaps none has a row of its own.
    """
    rows = [(each.start, _in_words(each, labels), "; ".join(found)) for each, found in _beside(record, labels)]
    for each in record.sets:
        if not any(_overlap(each, done) > 0 for done in record.true_sets):
            rows.append((each.start, "", _in_words(each, labels)))
    lines = [("done", "recognised"), *((one or _NOTHING, other or _NOTHING) for _, one, other in sorted(rows))]
    width = max(len(one) for one, _ in lines)
    return "\n".join(f"  {one:<{width}}   {other}" for one, other in lines)


def _beside(record: SessionRecord, labels: Sequence[str]) -> list[tuple[LabelledSet, list[str]]]:
    """Returns each set that was done, with the recognised ones that overlap with it most."""
    beside: list[tuple[LabelledSet, list[str]]] = [(done, []) for done in record.true_sets]
    for each in sorted(record.sets, key=lambda found: found.start):
        best = max(beside, key=lambda item: _overlap(each, item[0]), default=None)
        if best is not None and _overlap(each, best[0]) > 0:
            best[1].append(_in_words(each, labels))
    return beside


def _overlap(one: LabelledSet, other: LabelledSet) -> float:
    return min(one.end, other.end) - max(one.start, other.start)


def _in_words(each: LabelledSet, labels: Sequence[str]) -> str:
    text = f"{labels[each.label]} {each.start:.1f} to {each.end:.1f} s"
    return text if each.repetitions is None else f"{text}, {each.repetitions} ×"
