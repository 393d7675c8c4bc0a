"""Finds fonts that have the letters of a text, for Pillow and for matplotlib.

The default font is DejaVu Sans, which is installed with matplotlib and has Latin, Greek, Cyrillic and Arabic letters.
Other letters are looked up in the system's fonts with matplotlib's font manager.
"""

from __future__ import annotations

from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from jaxtyping import Int
from matplotlib import font_manager
from matplotlib.ft2font import FT2Font
from numpy import ndarray
from PIL import ImageFont

OWN = "DejaVu Sans"
_OWN_FILES = ("DejaVuSans.ttf", "DejaVuSans-Bold.ttf")
# Preferred families: made for running text, with a weight similar to DejaVu.
_FIRST = (
    *("Noto Sans CJK", "Source Han Sans", "Noto Sans", "WenQuanYi", "Droid Sans Fallback", "PingFang", "Hiragino Sans"),
    *("Apple SD Gothic Neo", "Microsoft YaHei", "Yu Gothic", "Malgun Gothic", "Nirmala UI", "Segoe UI"),
    "Arial Unicode MS",
)
_NOT_FOR_TEXT = ("Color Emoji", "LastResort", "Last Resort", "Blank")  # colour bitmaps, or boxes for all letters


def _data_fonts() -> Path:
    return Path(matplotlib.get_data_path()) / "fonts"


@cache
def _letters(file: str, index: int = 0) -> Int[ndarray, " letter"]:
    """Lists the code points of a font file; none where it cannot be read or has bitmaps only."""
    try:
        font = FT2Font(file, face_index=index) if index else FT2Font(file)
        codes = font.get_charmap() if font.scalable else {}
    except (OSError, RuntimeError, TypeError):
        codes = {}
    return np.array(sorted(codes), dtype=np.int32)


def _has(file: str, index: int, code: int) -> bool:
    letters = _letters(file, index)
    place = int(np.searchsorted(letters, code))
    return place < len(letters) and int(letters[place]) == code


@cache
def is_own(letter: str) -> bool:
    """Returns whether DejaVu has a letter, upright and bold."""
    return all(_has(str(_data_fonts() / "ttf" / name), 0, ord(letter)) for name in _OWN_FILES)


@cache
def _candidates() -> list[Any]:
    """Lists the system's upright fonts of regular weight, preferred families first.

    matplotlib's own are left out, since its mathematical fonts have other letters at the usual code points.
    """
    manager = font_manager.fontManager
    known = {entry.fname for entry in manager.ttflist}
    for file in font_manager.findSystemFonts():  # matplotlib caches its list between processes
        if file not in known:
            try:
                manager.addfont(file)
            except (OSError, RuntimeError, ValueError):
                continue
    own = str(_data_fonts())
    found = [
        entry
        for entry in manager.ttflist
        if not entry.fname.startswith(own)
        and entry.style == "normal"
        and entry.weight in ("normal", "regular", "book", 300, 350, 400, 500)
        and not any(word in entry.name for word in _NOT_FOR_TEXT)
    ]

    def rank(entry: Any) -> tuple[int, str, str]:
        place = next((k for k, name in enumerate(_FIRST) if entry.name.startswith(name)), len(_FIRST))
        return place, entry.name, entry.fname

    return sorted(found, key=rank)


@cache
def font_with(letter: str) -> Any | None:
    """Finds the first font of the system that has a letter, as matplotlib's entry; None where no font has it."""
    return next((entry for entry in _candidates() if _has(entry.fname, getattr(entry, "index", 0), ord(letter))), None)


def can_draw(letter: str) -> bool:
    """Returns whether any installed font has a letter."""
    return is_own(letter) or font_with(letter) is not None


@lru_cache(32)
def _truetype(file: str, index: int, size: int) -> Any:
    return ImageFont.truetype(file, size, index=index)


def for_pillow(text: str, size: int) -> tuple[Any, str]:
    """Selects one Pillow font for a whole text; returns it and the text, with "?" for letters that the font lacks."""
    files = [(str(_data_fonts() / "ttf" / "DejaVuSans-Bold.ttf"), 0)]
    for letter in dict.fromkeys(text):
        entry = None if is_own(letter) else font_with(letter)
        if entry is not None:
            files.append((entry.fname, getattr(entry, "index", 0)))
    lacking = [sum(not _has(*file, ord(letter)) for letter in text) for file in files]
    file, index = files[lacking.index(min(lacking))]
    fitted = "".join(letter if _has(file, index, ord(letter)) else "?" for letter in text)
    return _truetype(file, index, size), fitted


def forget() -> None:
    """Clears the caches, so that the system's fonts are searched again."""
    for each in (_letters, is_own, _candidates, font_with, _truetype):
        each.cache_clear()
