"""Draws predictions on the pictures of a stream."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Float
from numpy import ndarray
from PIL import Image, ImageDraw

from actrec.drawing.colors import CLASS_COLORS, GREY, LIGHT, rgb
from actrec.drawing.fonts import for_pillow
from actrec.drawing.frames import draw_skeleton
from actrec.drawing.lettering import lettered, one_line, pictured
from actrec.live.label_layout import Rectangle, face_of, place_labels
from actrec.live.timeline import Timeline
from actrec.live.tracking import TrackedPerson
from actrec.skeleton import Skeleton
from actrec.types import Picture

_DARK, _BRIGHT = (20, 24, 32), (255, 255, 255)
_ROWS = 3  # people in the timeline


class Overlay:
    """Draws on the pictures of one stream, in bounded memory.

    Args:
        forecast_skeleton: Layout of the forecast poses: the model's.
        length: Duration of the stream in seconds; None if unknown.
        labels: The model's, in order; a label without an installed font is drawn as its number.
    """

    def __init__(
        self, skeleton: Skeleton, forecast_skeleton: Skeleton, length: float | None = None, labels: Sequence[str] = ()
    ) -> None:
        self.skeleton, self.forecast_skeleton = skeleton, forecast_skeleton
        self.timeline = Timeline(length, _ROWS)
        self._names = pictured(labels)
        self._colours: dict[str, str] = {}  # by label; bounded by the number of classes
        self._places: dict[str, int | None] = {}  # by person, in the previous picture
        self._several = False

    def colour(self, label: str) -> str:
        """Returns the colour of a class, which is the same throughout the stream."""
        return self._colours.setdefault(label, CLASS_COLORS[len(self._colours) % len(CLASS_COLORS)])

    def __call__(self, picture: Picture, people: Sequence[TrackedPerson], time: float) -> None:
        """Draws people in pixels of the RGB picture, in place: skeletons, forecasts, labels, and the timeline."""
        for each in people:
            self._draw_person(picture, each)
        self.timeline.update(time, [(each.person, each.prediction.held) for each in people])
        self._several |= len(people) > 1
        canvas = Image.fromarray(picture)
        draw, size = ImageDraw.Draw(canvas, "RGBA"), max(picture.shape[0] // 32, 12)
        top = self._draw_timeline(draw, canvas.size, time, size)
        self._draw_labels(draw, people, size, (float(canvas.size[0]), top))
        picture[:] = np.asarray(canvas)

    def _draw_person(self, picture: Picture, each: TrackedPerson) -> None:
        forecast = each.prediction.forecast
        if len(forecast):
            draw_skeleton(picture, _as_keypoints(forecast[-1]), self.forecast_skeleton, LIGHT.forecast)
        draw_skeleton(picture, each.keypoints, self.skeleton)

    def _draw_labels(self, draw: Any, people: Sequence[TrackedPerson], size: int, area: tuple[float, float]) -> None:
        """Draws the label of each person where it covers no face, no other label and not the timeline."""
        faces = [face_of(each.keypoints, each.box, self.skeleton) for each in people]
        texts = [_fitted(draw, self._text(each), size, area[0] - size) for each in people]
        places = place_labels(
            [Rectangle(*each.box.tolist()) for each in people],
            [(draw.textlength(text, font) + size, 1.5 * size) for font, text in texts],
            [face for face in faces if face is not None],
            area,
            [self._places.get(each.person) for each in people],
        )
        self._places = {each.person: place.choice for each, place in zip(people, places, strict=True)}
        for each, (font, text), (place, _) in zip(people, texts, places, strict=True):
            held = each.prediction.held
            draw.rounded_rectangle(place, size / 4, (*rgb(GREY if held is None else self.colour(held)), 225))
            middle = (place.top + place.bottom) / 2
            draw.text((place.left + size / 2, middle), text, _BRIGHT, font, anchor="lm")

    def _text(self, each: TrackedPerson) -> str:
        """Formats the held label and its probability, after the person's number if there are several people."""
        prediction = each.prediction
        text = "no action" if prediction.held is None else lettered(prediction.held, self._names)
        if prediction.held is not None and prediction.held == prediction.label:
            text += f"  {100 * prediction.probabilities.max():.0f} %"
        return f"{each.person} · {text}" if self._several else text

    def _draw_timeline(self, draw: Any, picture: tuple[int, int], time: float, size: int) -> float:
        """Draws the held labels over time, one row for each person, and returns the timeline's upper edge."""
        rows, (first, last), (width, bottom) = self.timeline.stretches, self.timeline.span, picture
        row = round(1.3 * size)
        top = float(max(bottom - row * len(rows), 0))
        if not rows:
            return top
        draw.rectangle((0, top, width, bottom), (*_DARK, 170))
        small, gutter = round(0.8 * size), 1.6 * size if self._several else 0.0

        def x(moment: float) -> float:
            return gutter + (width - gutter) * (moment - first) / max(last - first, 1e-6)

        for number, (person, stretches) in enumerate(rows.items()):
            y = top + row * number
            if self._several:
                font, name = for_pillow(person, small)
                draw.text((gutter / 2, y + row / 2), name, _BRIGHT, font, anchor="mm")
            for start, end, label in stretches:
                box = (x(start), y + 2, max(x(end), x(start) + 1), y + row - 2)
                draw.rectangle(box, (*rgb(self.colour(label)), 235))
                font, name = for_pillow(lettered(label, self._names), small)
                if draw.textlength(name, font) + size / 2 < box[2] - box[0]:
                    draw.text((box[0] + size / 4, y + row / 2), name, _BRIGHT, font, anchor="lm")
        draw.line((x(time), top, x(time), bottom), _BRIGHT, 2)
        return top


def _fitted(draw: Any, text: str, size: int, width: float) -> tuple[Any, str]:
    """Returns a font for the text, and the text on one line, shortened to this width in pixels."""
    font, text = for_pillow(one_line(text), size)
    if draw.textlength(text, font) <= width:
        return font, text
    while text and draw.textlength(text + "…", font) > width:
        text = text[:-1]
    return for_pillow(text + "…", size)


def _as_keypoints(pose: Float[ndarray, "joint 2"]) -> Float[ndarray, "joint 3"]:
    """Converts a pose with NaN for unknown joints to keypoints."""
    known = np.isfinite(pose).all(-1)
    return np.where(known[:, None], np.column_stack([pose, np.ones(len(pose))]), 0).astype(np.float32)
