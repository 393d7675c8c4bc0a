"""The form of the words for a kind of finding."""

from __future__ import annotations

from typing import NamedTuple


class Text(NamedTuple):
    """The words for a kind of finding; {which} are the clips concerned, {source} is the source's name."""

    title: str
    what: str
    why: str
    do: str
