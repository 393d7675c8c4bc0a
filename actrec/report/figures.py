"""Makes matplotlib figures in the colours of reports, with fonts for any script and no global state of matplotlib."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.text import Text

from actrec.drawing.colors import LIGHT, Theme
from actrec.drawing.fonts import OWN, can_draw, font_with, is_own

SMALL, NORMAL, LARGE = 8.5, 9.5, 11.0  # font sizes


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
        set_fonts(self)
        super().draw(renderer)  # type: ignore[arg-type]


def color_ramp(theme: Theme, series: int = 0) -> LinearSegmentedColormap:
    """Makes a colour map from the theme's surface to a series' colour."""
    return LinearSegmentedColormap.from_list("ramp", [theme.surface, theme.series[series]])


def percent(value: float, _position: object = None) -> str:
    """Formats a share as a percentage; usable as a matplotlib formatter."""
    return f"{round(100 * value, 6):g} %"


def new_figure(width: float, height: float, theme: Theme = LIGHT) -> Figure:
    """Makes an empty figure; its size is in inches."""
    layout = ConstrainedLayoutEngine(w_pad=0.08, h_pad=0.08)
    return LetteredFigure(figsize=(width, height), layout=layout, facecolor=theme.surface)


def new_sheet(width: float, height: float, theme: Theme = LIGHT) -> tuple[Figure, Axes]:
    """Makes a figure and invisible axes that fill it; its size is in inches."""
    figure = LetteredFigure(figsize=(width, height), facecolor=theme.surface)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.axis("off")
    return figure, axes


def style(axes: Axes, theme: Theme, title: str = "", x: str = "", y: str = "") -> None:
    """Applies a theme to axes, with their title and labels."""
    axes.set_facecolor(theme.surface)
    axes.set_title(title, loc="left", fontsize=LARGE, color=theme.ink, weight="bold", pad=10)
    axes.set_xlabel(x, fontsize=NORMAL, color=theme.muted, labelpad=6)
    axes.set_ylabel(y, fontsize=NORMAL, color=theme.muted, labelpad=6)
    axes.tick_params(which="both", labelsize=SMALL, labelcolor=theme.ink, color=theme.grid, length=0)
    axes.spines[:].set_visible(False)
    axes.grid(True, color=theme.grid, linewidth=0.8)
    axes.set_axisbelow(True)
