"""Finds classes that are told by their frame rate."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from actrec.data.check.findings import WARNING, Finding, Value
from actrec.data.check.traits import Traits, by_label, names

_NEARLY_ALL, _HARDLY_ANY = 0.8, 0.1
_LEAST = 3  # clips


def rates_by_class(clips: Sequence[Traits]) -> Iterator[Finding]:
    """Finds classes of which nearly all clips have a frame rate that hardly any clip of another class has."""
    classes = {label: members for label, members in by_label(clips).items() if len(members) >= _LEAST}
    for label, members in classes.items() if len(classes) > 1 else ():
        rate, count = Counter(round(clip.fps) for clip in members).most_common(1)[0]
        others = [round(clip.fps) == rate for clip in clips if clip.label != label]
        if count > _NEARLY_ALL * len(members) and sum(others) < _HARDLY_ANY * len(others):
            values: dict[str, Value] = {"label": label, "rate": rate}
            yield Finding("rates_by_class", WARNING, names(members), len(clips), values)
