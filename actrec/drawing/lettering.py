"""Formats names for pictures: on one line, shortened in the middle, in letters that an installed font has."""

from __future__ import annotations

import logging
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence

from actrec.drawing.fonts import can_draw

log = logging.getLogger(__name__)

LONGEST = 32  # default width of a name, in widths of a Latin letter
_KEPT = "\u200c"  # the zero-width non-joiner, which changes the spelling of Persian words
# Debian packages with fonts for a script, by the first word of its letters' Unicode names.
_PACKAGES = (
    (("CJK", "HIRAGANA", "KATAKANA", "HANGUL", "BOPOMOFO", "IDEOGRAPHIC", "FULLWIDTH"), "fonts-noto-cjk"),
    (("",), "fonts-noto-core"),
)


def spaced(name: str) -> str:
    """Replaces the underscores of a class name by spaces."""
    return name.replace("_", " ")


def one_line(text: str) -> str:
    """Removes line breaks, tabs and invisible characters from a text, and composes accents."""
    text = " ".join(unicodedata.normalize("NFC", text).split())
    return "".join(
        letter
        for letter in text
        if letter in _KEPT or not (unicodedata.category(letter) in ("Cc", "Cf") or "\ufe00" <= letter <= "\ufe0f")
    )


def width(text: str) -> int:
    """Measures a text in widths of a Latin letter; Chinese, Japanese and Korean letters are twice as wide."""
    return sum(
        0 if unicodedata.combining(letter) else 1 + (unicodedata.east_asian_width(letter) in "WF") for letter in text
    )


def shorten(text: str, longest: int = LONGEST) -> str:
    """Shortens a text to this width by removing its middle, since names often differ at the end."""
    if width(text) <= longest:
        return text
    room, head, tail = longest - 1, "", ""
    for letter in text:
        if width(head + letter) > room - room // 2:
            break
        head += letter
    for letter in reversed(text):
        if width(letter + tail) > room // 2:
            break
        tail = letter + tail
    while tail and unicodedata.combining(tail[0]):
        tail = tail[1:]
    return f"{head.rstrip()}…{tail.lstrip()}"


def lettered(name: str, names: Mapping[str, str] | None = None, longest: int = LONGEST) -> str:
    """Formats a name for a picture.

    Args:
        names: See `pictured`; in a name that is not among them, letters that no installed font has become "?".
    """
    if names is not None and name in names:
        return shorten(names[name], longest)
    return drawable(spaced(name), longest)


def drawable(text: str, longest: int = LONGEST) -> str:
    """Formats a text on one line, shortened to this width, with "?" for letters that no installed font has."""
    return "".join(letter if can_draw(letter) else "?" for letter in shorten(one_line(text), longest))


def pictured(classes: Sequence[str], longest: int = LONGEST) -> dict[str, str]:
    """Selects the name of each class in pictures.

    It is the class's own name, or "class 3" (its number, from 0) where no installed font has all its letters. The
    number is appended where shortened names would be equal. A font to install is logged once.
    """
    made, lacking = dict[str, str](), dict[str, str]()
    for number, name in enumerate(classes):
        text = one_line(spaced(name))
        missing = next((letter for letter in text if not can_draw(letter)), None)
        if missing is not None:
            lacking[name] = missing
        made[name] = shorten(text, longest) if missing is None and text else f"class {number}"
    several = {text for text, count in Counter(made.values()).items() if count > 1}
    for number, name in enumerate(classes):
        if made[name] in several:
            made[name] = f"{shorten(made[name], longest - 2 - len(str(number)))} #{number}"
    for name, letter in lacking.items():
        _advise(_package(letter), name)
    return made


def coded(names: Mapping[str, str]) -> dict[str, str]:
    """Selects from the result of `pictured` the classes that are named by their number."""
    return {name: text for name, text in names.items() if not all(can_draw(each) for each in one_line(spaced(name)))}


def _package(letter: str) -> str:
    if unicodedata.category(letter) in ("So", "Sk") or (ord(letter) >= 0x1F000 and ord(letter) < 0x20000):
        return "fonts-symbola"
    name = unicodedata.name(letter, "")
    return next(package for starts, package in _PACKAGES if name.startswith(starts))


_advised: set[str] = set()


def _advise(package: str, name: str) -> None:
    if package not in _advised:
        _advised.add(package)
        log.warning(
            "No installed font has all letters of the class name '%s'; pictures show the numbers of such classes "
            "instead. Install a font that has them, for example the package %s of Debian and Ubuntu.",
            one_line(name),
            package,
        )
