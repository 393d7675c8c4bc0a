"""Chooses fonts for the texts of matplotlib figures, whose labels may be in any script."""

from __future__ import annotations

from matplotlib.figure import Figure
from matplotlib.text import Text

from actrec.drawing.fonts import OWN, can_draw, font_with, is_own


def font_families(text: str) -> list[str]:
    """Lists the font families that matplotlib needs for a text, DejaVu first."""
    others = (font_with(letter) for letter in dict.fromkeys(text) if not is_own(letter))
    return list(dict.fromkeys([OWN, *(entry.name for entry in others if entry is not None)]))


def set_fonts(figure: Figure) -> None:
    """Sets fonts that have the letters of each text of a figure, and draws texts literally: `$` begins no formula."""
    for text in figure.findobj(Text):
        shown = text.get_text()
        text.set_parse_math(False)
        text.set_usetex(False)
        if shown:
            drawn = "".join(each if each == "\n" or can_draw(each) else "?" for each in shown)
            if drawn != shown:
                text.set_text(drawn)
            text.set_fontfamily(font_families(drawn.replace("\n", "")))


class LetteredFigure(Figure):
    """A figure that sets its fonts (`set_fonts`) whenever it is drawn."""

    def draw(self, renderer: object) -> None:
        """See `Figure.draw`."""
        set_fonts(self)
        super().draw(renderer)  # type: ignore[arg-type]
