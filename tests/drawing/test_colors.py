"""Pages, which cannot import Python, have the colours of `actrec.drawing.colors`."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from actrec.drawing.colors import CLASS_COLORS, DARK, GREY, LIGHT, rgb

PACKAGE = Path(__file__).parents[2] / "actrec"


def _variables(page: str) -> list[dict[str, str]]:
    """The CSS variables of a page, of its light and of its dark scheme."""
    blocks = re.findall(r":root \{([^}]*)\}", page)
    return [dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", block)) for block in blocks]


@pytest.mark.parametrize(
    ("page", "shared"),
    [
        ("serve/page/index.html", {"ink": "ink", "muted": "muted"}),
        (
            "report/templates/report.html",
            {"ink": "ink", "card": "surface", "line": "grid", "good": "good", "bad": "bad"},
        ),
        (
            "report/templates/check.html",
            {"ink": "ink", "card": "surface", "line": "grid", "bad": "bad", "left": "left", "right": "right"},
        ),
    ],
)
def test_the_schemes_of_pages_are_the_themes(page: str, shared: dict[str, str]) -> None:
    for variables, theme in zip(_variables((PACKAGE / page).read_text()), (LIGHT, DARK), strict=True):
        assert {name: variables[name] for name in shared} == {name: getattr(theme, own) for name, own in shared.items()}
        assert variables["accent"] == theme.series[0]


def test_the_live_page_draws_in_the_colours_of_videos() -> None:
    page = (PACKAGE / "serve/page/index.html").read_text()
    listed = re.search(r"const CLASS_COLORS = \[(.*?)\];", page)
    assert listed is not None
    assert tuple(re.findall(r"#[0-9a-f]{6}", listed[1])) == CLASS_COLORS
    assert f'const FORECAST = "{LIGHT.forecast}", GREY = "{GREY}";' in page


def test_a_limb_has_the_colour_of_its_side_and_the_torso_another() -> None:
    assert LIGHT.limb(("left_elbow", "left_wrist"), GREY) == LIGHT.left
    assert LIGHT.limb(("right_hip", "right_knee"), GREY) == LIGHT.right
    assert LIGHT.limb(("left_hip", "right_hip"), GREY) == GREY
    assert rgb(LIGHT.forecast) == (145, 82, 217)
