"""The colours of all pictures, reports, videos and pages; `tests/drawing/test_colors.py` holds the pages to them."""

from __future__ import annotations

from dataclasses import dataclass

GREY = "#969696"  # bones of the torso in videos, and people without a label
# Colours of classes, in the order in which the classes first appear; distinguishable with most colour deficiencies.
CLASS_COLORS = (
    *("#2563eb", "#ea7317", "#0f9d77", "#c026d3", "#ca8a04"),
    *("#dc2626", "#0891b2", "#65a30d", "#7c3aed", "#be185d"),
)


@dataclass(frozen=True)
class Theme:
    """A light or dark colour scheme, in "#rrggbb".

    Attributes:
        suffix: Appended to the names of picture files.
        surface: Background.
        ink: Text.
        muted: Secondary text.
        grid: Grid lines and frames.
        good: Correct predictions.
        bad: Wrong predictions.
        series: Lines of a plot, in order.
    """

    suffix: str
    surface: str
    ink: str
    muted: str
    grid: str
    good: str
    bad: str
    series: tuple[str, str, str, str]

    @property
    def left(self) -> str:
        """Colour of left limbs."""
        return self.series[0]

    @property
    def right(self) -> str:
        """Colour of right limbs."""
        return self.series[1]

    @property
    def forecast(self) -> str:
        """Colour of forecast poses."""
        return self.series[3]

    def limb(self, bone: tuple[str, str], other: str) -> str:
        """Selects the colour of a bone, given by its joints' names: that of its side, or `other` for the torso."""
        for side, color in (("left_", self.left), ("right_", self.right)):
            if all(joint.startswith(side) for joint in bone):
                return color
        return other


LIGHT = Theme(
    "",
    "#ffffff",
    "#1d2433",
    "#667085",
    "#e4e7ec",
    "#15803d",
    "#c2410c",
    ("#2563eb", "#ea7317", "#0f9d77", "#9152d9"),
)
DARK = Theme(
    "-dark",
    "#171a21",
    "#e6e9ef",
    "#98a2b3",
    "#2d323d",
    "#4ade80",
    "#ff8a65",
    ("#6ea8fe", "#f6a354", "#4fd1a5", "#c79bf5"),
)


def rgb(color: str) -> tuple[int, int, int]:
    """Converts "#rrggbb" to an RGB tuple."""
    red, green, blue = bytes.fromhex(color.removeprefix("#"))
    return red, green, blue
