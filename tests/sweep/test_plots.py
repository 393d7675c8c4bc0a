from __future__ import annotations

import io
import math

import pytest

from actrec.sweep.plots import grid, settings_bars
from actrec.sweep.runs import SweptRun
from actrec.sweep.settings import Setting


def _setting(values: dict, val: float) -> Setting:
    run = SweptRun.__new__(SweptRun, *(None,) * len(SweptRun._fields))._replace(val_accuracy=val)
    return Setting(values, [run], 0.8, 0.7, 0.9)


@pytest.mark.parametrize("val", [0.9, math.nan])
def test_a_grid_is_drawn_with_and_without_validation(val: float) -> None:
    figure = grid([_setting({"a": a, "b": b}, val) for a in (1, 2) for b in (3, 4)])
    figure.savefig(io.BytesIO(), format="png", dpi=40)
    texts = [text.get_text() for axes in figure.axes for text in axes.texts]
    assert texts == ["0.900" if val == val else "none"] * 4 + ["0.800"] * 4


def test_bars_are_of_bounded_size_and_names_of_one_line() -> None:
    settings = [_setting({"name": f"$a\n{'深' * 90}", "k": k}, 0.9) for k in range(400)]
    figure = settings_bars(settings)
    assert figure.get_size_inches()[1] < 11
    figure.savefig(io.BytesIO(), format="png", dpi=40)
    names = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert len(names) == 30
    assert all("\n" not in name for name in names)
