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
_AFTER = 3.0  # seconds for which the counter of a set that has ended stays
_COUNTER = 2.2  # size of the counter, relative to the label's


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
        self.timeline.update(time, [(each.person, each.prediction.set) for each in people])
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
        labels = [_Label(draw, self._text(each), counter(each), size, area[0]) for each in people]
        places = place_labels(
            [Rectangle(*each.box.tolist()) for each in people],
            [label.size for label in labels],
            [face for face in faces if face is not None],
            area,
            [self._places.get(each.person) for each in people],
        )
        self._places = {each.person: place.choice for each, place in zip(people, places, strict=True)}
        for each, label, (place, _) in zip(people, labels, places, strict=True):
            held = each.prediction.held
            label.draw(draw, place, GREY if held is None else self.colour(held))

    def _text(self, each: TrackedPerson) -> str:
        """Formats the held label and its probability, after the person's number if there are several people."""
        prediction = each.prediction
        text = "no action" if prediction.held is None else lettered(prediction.held, self._names)
        if prediction.held is not None and prediction.held == prediction.label:
            text += f"  {100 * prediction.probabilities.max():.0f} %"
        return f"{each.person} · {text}" if self._several else text

    def _draw_timeline(self, draw: Any, picture: tuple[int, int], time: float, size: int) -> float:
        """Draws the sets over time with their repetitions, a row for each person, and returns the upper edge."""
        rows, (first, last), (width, bottom) = self.timeline.sets, self.timeline.span, picture
        row = round(1.3 * size)
        top = float(max(bottom - row * len(rows), 0))
        if not rows:
            return top
        draw.rectangle((0, top, width, bottom), (*_DARK, 170))
        small, gutter = round(0.8 * size), 1.6 * size if self._several else 0.0

        def x(moment: float) -> float:
            return gutter + (width - gutter) * (moment - first) / max(last - first, 1e-6)

        for number, (person, sets) in enumerate(rows.items()):
            y = top + row * number
            if self._several:
                font, name = for_pillow(person, small)
                draw.text((gutter / 2, y + row / 2), name, _BRIGHT, font, anchor="mm")
            for each in sets:
                box = (x(each.start), y + 2, max(x(each.end), x(each.start) + 1), y + row - 2)
                draw.rectangle(box, (*rgb(self.colour(each.label)), 235))
                count = "" if each.repetitions is None else f" · {each.repetitions}"
                font, name = for_pillow(lettered(each.label, self._names) + count, small)
                if draw.textlength(name, font) + size / 2 < box[2] - box[0]:
                    draw.text((box[0] + size / 4, y + row / 2), name, _BRIGHT, font, anchor="lm")
        draw.line((x(time), top, x(time), bottom), _BRIGHT, 2)
        return top


def counter(each: TrackedPerson) -> str:
    """Formats the repetitions of the set that goes on or has just ended; empty if there are none to show."""
    prediction = each.prediction
    if prediction.set is None or prediction.repetitions is None or prediction.timestamp - prediction.set.end > _AFTER:
        return ""
    return str(prediction.repetitions)


class _Label:
    """A person's label, of one line, with the large counter at its right.

    Args:
        size: Of the label's font.
        width: Greatest width, in pixels; the text is shortened to it.
    """

    def __init__(self, draw: Any, text: str, count: str, size: int, width: float) -> None:
        self._margin = size / 2
        self._count_font, self._count = for_pillow(count, round(_COUNTER * size))
        counted = draw.textlength(count, self._count_font) + self._margin if count else 0.0
        self._font, self._text = _fitted(draw, text, size, width - counted - size)
        self._room = draw.textlength(self._text, self._font) + size
        self.size = self._room + counted, (_COUNTER + 0.4 if count else 1.5) * size

    def draw(self, draw: Any, place: Rectangle, colour: str) -> None:
        """Draws the label in a rectangle of its size."""
        middle = (place.top + place.bottom) / 2
        draw.rounded_rectangle(place, self._margin / 2, (*rgb(colour), 225))
        draw.text((place.left + self._margin, middle), self._text, _BRIGHT, self._font, anchor="lm")
        draw.text((place.left + self._room, middle), self._count, _BRIGHT, self._count_font, anchor="lm")


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
