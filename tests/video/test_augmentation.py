from __future__ import annotations

import colorsys

import numpy as np
import pytest

from actrec.types import ActrecError
from actrec.video.augmentation import Color, Flip, Tempo, draw_transform

RNG = np.random.default_rng(0)
PICTURE = np.random.default_rng(1).integers(0, 256, (12, 10, 3), dtype=np.uint8)


def test_flip_mirrors_left_to_right() -> None:
    flip = Flip().draw(RNG)
    assert (flip.picture(PICTURE)[:, 0] == PICTURE[:, -1]).all()
    assert (flip.picture(flip.picture(PICTURE)) == PICTURE).all()
    assert flip.times(np.arange(3.0)).tolist() == [0, 1, 2]


@pytest.mark.parametrize(("saturation", "value"), [(1.0, 1.0), (0.5, 1.0), (1.0, 0.5), (1.3, 0.8)])
def test_color_multiplies_saturation_and_value_and_keeps_hue(saturation: float, value: float) -> None:
    drawn = Color((saturation, saturation), (value, value)).draw(RNG)
    out = drawn.picture(PICTURE)
    for before, after in zip(PICTURE.reshape(-1, 3), out.reshape(-1, 3), strict=True):
        h, s, v = colorsys.rgb_to_hsv(*before / 255)
        want = colorsys.hsv_to_rgb(h, min(s * saturation, 1), min(v * value, 1))
        assert np.abs(np.array(want) * 255 - after).max() <= 5  # OpenCV has 180 hues


def test_tempo_changes_times_alone() -> None:
    drawn = Tempo((2.0, 2.0)).draw(RNG)
    assert drawn.times(np.arange(4.0)).tolist() == [0, 0.5, 1, 1.5]
    assert drawn.picture(PICTURE) is PICTURE


def test_a_draw_is_the_clip_s_own_and_stays_in_range() -> None:
    tempo = Tempo((0.8, 1.25))
    factors = [draw_transform(f"clip_{n}", "tempo", tempo).speed for n in range(300)]
    assert factors == [draw_transform(f"clip_{n}", "tempo", tempo).speed for n in range(300)]
    assert 0.8 <= min(factors) < 0.83
    assert 1.2 < max(factors) <= 1.25
    assert abs(np.median(np.log(factors))) < 0.04


@pytest.mark.parametrize("values", [(1.2, 0.8), (0.0, 1.0), (-1.0, 1.0), (1.0, 1.0, 1.0)])
def test_ranges_are_checked(values: tuple) -> None:
    with pytest.raises(ActrecError, match=r"tempo\.factor"):
        Tempo(values)
    with pytest.raises(ActrecError, match=r"color\.value"):
        Color(value=values)
