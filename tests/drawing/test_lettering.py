"""Labels of any script in pictures; warnings are errors, so a missing glyph fails a test by itself."""

from __future__ import annotations

import io
import logging
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from matplotlib import font_manager
from matplotlib.figure import Figure
from matplotlib.text import Text
from PIL import Image

from actrec.drawing import fonts
from actrec.drawing.lettering import coded, lettered, one_line, pictured, shorten, width
from actrec.evaluation.samples import SampleClip
from actrec.report.figures import font_families, new_figure
from actrec.report.plots import confusion_matrix
from actrec.report.poses import contact_sheet, sample_sheet

LABELS = ["深蹲", "スクワット", "스쿼트", "قرفصاء", "बैठक", "приседание", "🏃 run", "$x_1$ & 50 %", "a\tb\nc", "squat"]


@pytest.fixture
def one_font(tmp_path: Path, no_fonts: None, monkeypatch: pytest.MonkeyPatch) -> str:
    """A system with one font more, whose letters 深 and 蹲 are black boxes; its family."""
    file = tmp_path / "Boxes.ttf"
    _make_font(file, "Boxes of a Test", "深蹲")
    manager = font_manager.fontManager
    before = list(manager.ttflist)
    manager.addfont(file)
    added = [entry for entry in manager.ttflist if entry not in before]
    monkeypatch.setattr(manager, "ttflist", [*before, *added])
    monkeypatch.setattr(fonts, "_candidates", lambda: added)
    return "Boxes of a Test"


def _make_font(file: Path, family: str, letters: str) -> None:
    pen = TTGlyphPen(None)
    for k, place in enumerate(((100, 0), (900, 0), (900, 800), (100, 800))):
        (pen.lineTo if k else pen.moveTo)(place)
    pen.closePath()
    names = [".notdef", *(f"box{k}" for k in range(len(letters)))]
    builder = FontBuilder(1000, isTTF=True)
    builder.setupGlyphOrder(names)
    builder.setupCharacterMap({ord(letter): name for letter, name in zip(letters, names[1:], strict=True)})
    builder.setupGlyf(dict.fromkeys(names, pen.glyph()))
    builder.setupHorizontalMetrics(dict.fromkeys(names, (1000, 100)))
    builder.setupHorizontalHeader(ascent=800, descent=-200)
    builder.setupNameTable({"familyName": family, "styleName": "Regular"})
    builder.setupOS2(sTypoAscender=800, usWinAscent=800, usWinDescent=200)
    builder.setupPost()
    builder.save(file)


def _texts(figure: Figure) -> list[str]:
    figure.savefig(io.BytesIO(), format="png", dpi=40)
    return [text.get_text() for text in figure.findobj(Text) if text.get_text()]


def test_what_no_font_has_is_called_by_its_number(no_fonts: None, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        names = pictured(LABELS)
        pictured(LABELS)
    assert [names[label] for label in LABELS] == [
        *("class 0", "class 1", "class 2", "قرفصاء", "class 4", "приседание", "class 6"),
        *("$x 1$ & 50 %", "a b c", "squat"),
    ]
    assert list(coded(names)) == [LABELS[k] for k in (0, 1, 2, 4, 6)]
    packages = [record.message.split("package ")[1].split()[0] for record in caplog.records]
    assert packages == ["fonts-noto-cjk", "fonts-noto-core", "fonts-symbola"]  # each once
    assert "'深蹲'" in caplog.records[0].message


def test_a_picture_of_labels_of_every_script_is_drawn_without_a_warning(
    no_fonts: None, make_sequences: Callable[..., list], caplog: pytest.LogCaptureFixture
) -> None:
    counts = np.diag(np.arange(1, len(LABELS) + 1))
    shown = _texts(confusion_matrix(counts, LABELS))
    assert {"class 0", "class 4", "قرفصاء", "приседание", "$x 1$ & 50 %", "a b c"} <= set(shown)
    clips = [SampleClip(clip, label, 0.9) for clip, label in zip(make_sequences(10, 1), LABELS, strict=True)]
    names = pictured(LABELS)
    assert "✗ class 0  90 %" in _texts(sample_sheet(clips, names=names))
    bare = _texts(sample_sheet(clips))  # without names: letters that nothing here has are question marks
    assert "✗ ??  90 %" in bare
    _texts(contact_sheet([clip.sequence for clip in clips], with_ids=True, names=names))
    assert not [record for record in caplog.records if record.name.startswith("matplotlib")]


def test_a_font_of_the_system_is_used_for_the_letters_it_has(one_font: str) -> None:
    names = pictured(["深蹲", "深蹲 3 kg", "跑"])
    assert list(names.values()) == ["深蹲", "深蹲 3 kg", "class 2"]
    assert font_families("深蹲 3 kg") == ["DejaVu Sans", one_font]
    assert font_families("squat") == ["DejaVu Sans"]
    figure = new_figure(2.0, 1.0)
    figure.text(0.1, 0.3, "深蹲", fontsize=30)
    data = io.BytesIO()
    figure.savefig(data, format="png", dpi=50)
    picture = np.asarray(Image.open(data))
    dark = (picture[..., :3] < 128).all(-1)
    assert 0.5 < dark[dark.any(1)][:, dark.any(0)].mean() < 1  # two full boxes and a gap


def test_pillow_gets_one_font_for_a_text_and_question_marks_for_the_rest(one_font: str) -> None:
    font, text = fonts.for_pillow("squat", 20)
    assert (font.getname()[0], text) == ("DejaVu Sans", "squat")
    font, text = fonts.for_pillow("深蹲", 20)
    assert (font.getname()[0], text) == (one_font, "深蹲")
    assert fonts.for_pillow("跑 run", 20)[1] == "? run"
    assert fonts.for_pillow("\udce9a", 20)[1] == "?a"  # half a letter, as of a file name in another encoding


def test_fonts_that_matplotlib_has_not_listed_yet_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "Late.ttf"
    _make_font(file, "A late font", "ꙮ")
    (tmp_path / "broken.ttf").write_bytes(b"no font")
    manager = font_manager.fontManager
    monkeypatch.setattr(manager, "ttflist", list(manager.ttflist))
    monkeypatch.setattr(font_manager, "findSystemFonts", lambda: [str(tmp_path / "broken.ttf"), str(file)])
    fonts.forget()
    try:
        assert any(entry.name == "A late font" for entry in fonts._candidates())
    finally:
        fonts.forget()


def test_long_names_lose_their_middle_and_stay_apart() -> None:
    assert shorten("squat") == "squat"
    text = shorten("a_very_long_name_of_a_class_that_ends_in_left", 21)
    assert text == "a_very_lon…ds_in_left"
    assert width(text) == 21
    assert width(shorten("深" * 40, 21)) <= 21
    names = pictured([*(f"{'x' * 30}{k}{'y' * 30}" for k in range(3)), "plain"])
    assert len(set(names.values())) == 4
    assert all(width(name) <= 32 for name in names.values())
    assert list(names.values())[1].endswith(" #1")


def test_what_does_not_show_is_left_out() -> None:
    assert one_line(" a\t b\r\nc\x00\u202e\u200b\ufe0f ") == "a b c"
    assert one_line("e\u0301") == "é"
    assert lettered("jump_\n_rope") == "jump rope"
    assert pictured(["", "\n"]) == {"": "class 0", "\n": "class 1"}


def test_a_dollar_begins_no_formula() -> None:
    figure = new_figure(2.0, 1.0)
    figure.text(0.5, 0.5, r"cost $\frac{1}$")  # as a formula it cannot be read, and savefig would fail
    assert r"cost $\frac{1}$" in _texts(figure)
