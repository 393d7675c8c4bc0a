"""Draws clips side by side as one moving picture, in which the camera goes about bodies of three dimensions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from jaxtyping import Float
from numpy import ndarray
from PIL import Image, ImageDraw

from actrec.drawing.colors import LIGHT
from actrec.drawing.fonts import for_pillow
from actrec.drawing.frames import draw_skeleton
from actrec.drawing.lettering import lettered
from actrec.drawing.projection import TURN, centre, fit, turning
from actrec.skeleton import get_skeleton
from actrec.types import Picture, SkeletonSequence

RATE = 25.0  # pictures a second
_COLUMNS, _SIDE, _LINE = 4, 240, 26  # clips in a row; pixels of a clip's picture, and of the label under it
_TITLE = 26  # most letters of a label


def moving_clips(clips: Sequence[SkeletonSequence]) -> Iterator[tuple[float, Picture]]:
    """Draws the frames of a video of six seconds: each clip, repeated, in a field of its own with its label.

    Yields:
        Time in seconds and RGB picture.
    """
    columns = min(_COLUMNS, len(clips))
    board = _board(clips, columns)
    times = np.arange(round(TURN * RATE)) / RATE
    fields = [(get_skeleton(clip.skeleton), _placed(clip, times)) for clip in clips]
    for number, time in enumerate(times):
        picture = board.copy()
        for place, (skeleton, poses) in enumerate(fields):
            row, column = divmod(place, columns)
            field = np.zeros((_SIDE, _SIDE, 3), dtype=np.uint8)
            top, left = row * (_SIDE + _LINE), column * _SIDE
            field[:] = picture[top : top + _SIDE, left : left + _SIDE]
            draw_skeleton(field, poses[number], skeleton)
            picture[top : top + _SIDE, left : left + _SIDE] = field
        yield float(time), picture


def _placed(clip: SkeletonSequence, times: Float[ndarray, " picture"]) -> Float[ndarray, "picture joint 3"]:
    """Returns x, y in pixels of a field and confidence of a clip's joints at times, the clip repeated."""
    keypoints = clip.keypoints[(times * clip.fps).astype(int) % len(clip)]
    poses, confidence = turning(keypoints[..., :-1], centre(clip.keypoints), RATE), keypoints[..., -1:]
    scale, shift = fit(poses, confidence[..., 0] > 0, _SIDE)
    return np.concatenate([poses * scale + shift, confidence], axis=-1)


def _board(clips: Sequence[SkeletonSequence], columns: int) -> Picture:
    """Draws the labels."""
    rows = -(-len(clips) // columns)
    image = Image.new("RGB", (columns * _SIDE, rows * (_SIDE + _LINE)), LIGHT.surface)
    draw = ImageDraw.Draw(image)
    for place, clip in enumerate(clips):
        row, column = divmod(place, columns)
        font, text = for_pillow(lettered(clip.label, longest=_TITLE), 13)
        middle = ((column + 0.5) * _SIDE, (row + 1) * (_SIDE + _LINE) - _LINE / 2)
        draw.text(middle, text, fill=LIGHT.ink, font=font, anchor="mm")
    return np.array(image)
