"""Writes sets for `sets.csv`, the printed summary, and the answers of the API."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from actrec.files import csv_text
from actrec.online.prediction import Set
from actrec.online.set_list import PersonSet

_COLUMNS = ("person", "label", "start", "end", "repetitions", "mean_probability")
_NO_ACTION = "no action"
_REST = 1.0  # seconds between two sets from which the summary says that there was no action


def set_answer(each: Set) -> dict[str, Any]:
    """Converts a set to plain data; `repetitions` is None if they are not counted."""
    return {
        "label": each.label,
        "start": round(each.start, 3),
        "end": round(each.end, 3),
        "repetitions": each.repetitions,
        "mean_probability": round(each.probability, 4),
    }


def person_set_answers(sets: Sequence[PersonSet]) -> list[dict[str, Any]]:
    """Converts sets to plain data, each with its person."""
    return [{"person": person} | set_answer(each) for person, each in sets]


def sets_csv(sets: Sequence[PersonSet]) -> str:
    """Formats the text of `sets.csv`: times in seconds; `repetitions` is empty where they are not counted."""
    return csv_text(_COLUMNS, (tuple(row[name] for name in _COLUMNS) for row in person_set_answers(sets)))


def sets_summary(sets: Sequence[PersonSet]) -> list[str]:
    """Summarises the sets in a line for each person who did any, which begins with the person if there are several.

    For example "squat, 0:12 to 0:41, 11 repetitions; no action; push_ups, 1:05 to 1:32, 14 repetitions".
    """
    by_person = dict[str, list[Set]]()
    for person, each in sets:
        by_person.setdefault(person, []).append(each)
    lines = {person: "; ".join(_person_summary(found)) for person, found in by_person.items()}
    if len(lines) == 1:
        return list(lines.values())
    return [f"person {person}: {line}" for person, line in lines.items()] or [_NO_ACTION]


def _person_summary(sets: Sequence[Set]) -> list[str]:
    found = [_in_words(sets[0])]
    for before, each in pairwise(sets):
        found += [_NO_ACTION] if each.start - before.end >= _REST else []
        found.append(_in_words(each))
    return found


def _in_words(each: Set) -> str:
    text = f"{each.label}, {_clock(each.start)} to {_clock(each.end)}"
    if each.repetitions is None:
        return text
    return f"{text}, {each.repetitions} repetition{'' if each.repetitions == 1 else 's'}"


def _clock(seconds: float) -> str:
    """Formats a time as minutes and seconds, 1:05, or with hours, 1:02:05."""
    minutes, second = divmod(int(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"
