"""What a recogniser says, drawn over the picture that it says it of."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from jaxtyping import Float
from numpy import ndarray
from PIL import Image, ImageDraw, ImageFont

from actrec.data.video import Picture
from actrec.draw import GREY, Colour, draw_skeleton, rgb
from actrec.plots import LIGHT, spaced
from actrec.skeleton import Skeleton
from actrec.watch import Watched

_GHOST = rgb(LIGHT.series[3])
_DARK, _BRIGHT = (20, 24, 32), (255, 255, 255)
_ROWS = 3  # people that the timeline has room for
_LIVE = 30.0  # seconds that the timeline shows where nobody knows how long the stream will be
# Colours of classes, in turn, by the order in which they are first held; apart from one another for most eyes.
_PALETTE = (
    "#2563eb",
    "#ea7317",
    "#0f9d77",
    "#c026d3",
    "#ca8a04",
    "#dc2626",
    "#0891b2",
    "#65a30d",
    "#7c3aed",
    "#be185d",
)


@lru_cache(8)
def _font(size: int) -> Any:
    return ImageFont.truetype(str(Path(matplotlib.get_data_path()) / "fonts/ttf/DejaVuSans-Bold.ttf"), size)


class Overlay:
    """Draws over one stream's pictures.

    Args:
        skeleton: Layout of the keypoints that come.
        forecast_skeleton: Layout of the forecast poses: the model's.
        length: Seconds that the stream lasts; None where that is not known.
    """

    def __init__(self, skeleton: Skeleton, forecast_skeleton: Skeleton, length: float | None = None) -> None:
        self.skeleton, self.forecast_skeleton, self.length = skeleton, forecast_skeleton, length
        self._colours: dict[str, Colour] = {}
        self._held: dict[str, list[tuple[float, str | None]]] = {}  # of each person: times at which the label changed

    def colour(self, label: str) -> Colour:
        """A class's colour, the same throughout the stream."""
        return self._colours.setdefault(label, rgb(_PALETTE[len(self._colours) % len(_PALETTE)]))

    def __call__(self, picture: Picture, people: Sequence[Watched], time: float, scale: float = 1.0) -> None:
        """Draws, in place: skeletons, forecasts as ghosts, labels with their probabilities, and the timeline.

        Args:
            picture: RGB.
            people: Who is in it.
            time: In seconds.
            scale: Of the picture to the pixels that the people are in.
        """
        for each in people:
            self._draw_person(picture, each, scale)
        canvas = Image.fromarray(picture)
        draw, size = ImageDraw.Draw(canvas, "RGBA"), max(picture.shape[0] // 32, 12)
        for each in people:
            self._draw_label(draw, each, scale, size)
            changes = self._held.setdefault(each.person, [])
            if not changes or changes[-1][1] != each.prediction.held:
                changes.append((time, each.prediction.held))
        self._draw_timeline(draw, canvas.size, time, size)
        picture[:] = np.asarray(canvas)

    def _draw_person(self, picture: Picture, each: Watched, scale: float) -> None:
        forecast = each.prediction.forecast
        if len(forecast):
            ghost = _as_keypoints(forecast[-1] * scale)
            draw_skeleton(picture, ghost, self.forecast_skeleton, _GHOST)
        draw_skeleton(picture, each.keypoints * np.array([scale, scale, 1], np.float32), self.skeleton)

    def _draw_label(self, draw: Any, each: Watched, scale: float, size: int) -> None:
        prediction = each.prediction
        held = prediction.held
        colour = GREY if held is None else self.colour(held)
        text = "no action" if held is None else spaced(held)
        if held is not None and held == prediction.label:
            text += f"  {100 * prediction.probabilities.max():.0f} %"
        left, top = (float(value) * scale for value in each.box[:2])
        width, height = draw.textlength(text, _font(size)) + size, 1.5 * size
        left = min(max(left, 0.0), max(draw.im.size[0] - width, 0.0))
        top = min(max(top - height, 0.0), draw.im.size[1] - height)
        draw.rounded_rectangle((left, top, left + width, top + height), size / 4, (*colour, 225))
        draw.text((left + size / 2, top + height / 2), text, _BRIGHT, _font(size), anchor="lm")

    def _draw_timeline(self, draw: Any, picture: tuple[int, int], time: float, size: int) -> None:
        people = list(self._held)[:_ROWS] if self.length is not None else list(self._held)[-_ROWS:]
        if not people:
            return
        width, bottom = picture
        row, first = round(1.3 * size), 0.0 if self.length is not None else max(time - _LIVE, 0.0)
        last = max(self.length or _LIVE, time) if self.length is not None else max(time, _LIVE)
        top = bottom - row * len(people)
        draw.rectangle((0, top, width, bottom), (*_DARK, 170))

        def x(moment: float) -> float:
            return width * (moment - first) / max(last - first, 1e-6)

        for number, person in enumerate(people):
            changes = [*self._held[person], (time, None)]
            y = top + row * number
            for (start, label), (end, _) in pairwise(changes):
                if label is None or end <= first:
                    continue
                box = (x(max(start, first)), y + 2, max(x(end), x(max(start, first)) + 1), y + row - 2)
                draw.rectangle(box, (*self.colour(label), 235))
                small = _font(round(0.8 * size))
                if draw.textlength(spaced(label), small) + size / 2 < box[2] - box[0]:
                    draw.text((box[0] + size / 4, y + row / 2), spaced(label), _BRIGHT, small, anchor="lm")
        draw.line((x(time), top, x(time), bottom), _BRIGHT, 2)


def _as_keypoints(pose: Float[ndarray, "joint 2"]) -> Float[ndarray, "joint 3"]:
    """A pose with NaN for what is not known, as keypoints."""
    known = np.isfinite(pose).all(-1)
    return np.where(known[:, None], np.column_stack([pose, np.ones(len(pose))]), 0).astype(np.float32)
