"""Draws skeletons on frames, and writes frames as a video that browsers play."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterable
from fractions import Fraction
from itertools import chain
from pathlib import Path

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from actrec.drawing.colors import GREY, LIGHT, rgb
from actrec.skeleton import Skeleton
from actrec.types import ActrecError, Picture, SetupError

_TICKS = 90_000  # a second; the usual time base of MPEG


def draw_skeleton(
    picture: Picture, keypoints: Float[ndarray, "joint 3"], skeleton: Skeleton, color: str | None = None
) -> None:
    """Draws the observed joints and bones on a picture, in place.

    Args:
        keypoints: x and y in the picture's pixels; joints with confidence 0 are left out.
        color: "#rrggbb" of the whole skeleton; by default left and right limbs have the colours of the reports.
    """
    import cv2

    height, width, _ = picture.shape
    weight = max(round(max(height, width) / 320), 1)
    places = keypoints[:, :2].round().astype(int)
    observed = keypoints[:, 2] > 0
    for bone, (a, b) in zip(skeleton.bones, skeleton.bone_index, strict=True):
        if observed[a] and observed[b]:
            line = (places[a].tolist(), places[b].tolist())
            if color is None and weight > 1:
                cv2.line(picture, *line, (255, 255, 255), weight + 2, cv2.LINE_AA)
            cv2.line(picture, *line, rgb(color or LIGHT.limb(bone, GREY)), weight, cv2.LINE_AA)
    for place in places[observed]:
        cv2.circle(picture, place.tolist(), weight + (color is None), rgb(color or "#141414"), -1, cv2.LINE_AA)


def write_video(path: Path, frames: Iterable[tuple[float, Picture]], fps: float) -> int:
    """Writes an mp4 (H.264) atomically and returns the number of frames.

    Args:
        frames: Time in seconds and RGB picture, in order; all pictures have one size.
        fps: Nominal frame rate, for players that need one.

    Raises:
        ActrecError: There are no frames.
        SetupError: PyAV is not installed.
    """
    try:
        import av
    except ImportError:
        raise SetupError("Writing a video needs PyAV, which is not installed: pip install 'actrec[video]'") from None
    pictures = iter(frames)
    first = next(pictures, None)
    if first is None:
        raise ActrecError(f"There are no frames to write to {path}.")
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.stem}.{uuid.uuid4().hex[:8]}.tmp{path.suffix}")
    number, last = 0, -1
    try:
        with av.open(str(temporary), "w", format="mp4", options={"movflags": "faststart"}) as container:
            stream = container.add_stream("libx264", rate=Fraction(fps).limit_denominator(1001), options={"crf": "23"})
            stream.pix_fmt, stream.codec_context.time_base = "yuv420p", Fraction(1, _TICKS)
            for number, (time, picture) in enumerate(chain([first], pictures), start=1):
                even = np.ascontiguousarray(picture[: len(picture) // 2 * 2, : picture.shape[1] // 2 * 2])
                if number == 1:
                    stream.height, stream.width = even.shape[:2]
                frame = av.VideoFrame.from_ndarray(even, format="rgb24")
                last = max(round(time * _TICKS), last + 1)  # times in a file must ascend
                frame.pts, frame.time_base = last, Fraction(1, _TICKS)
                container.mux(stream.encode(frame))
            container.mux(stream.encode())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    return number
