"""Opens folders of numbered pictures as videos."""

from __future__ import annotations

import logging
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from numpy import ndarray

from actrec.types import ActrecError
from actrec.video.container import Header
from actrec.video.decoding import Footage
from actrec.video.limits import MOST_FPS, VideoLimits

log = logging.getLogger(__name__)

PICTURES = (".bmp", ".jpeg", ".jpg", ".png", ".ppm", ".tif", ".tiff", ".webp")
_NUMBER = re.compile(r"(\d+)")


def natural(name: str) -> tuple[list[str | int], str]:
    """Returns a sort key by which numbers in names are ordered by value: 2 comes before 10."""
    parts = _NUMBER.split(name.lower())
    return [int(part) if number % 2 else part for number, part in enumerate(parts)], name


def open_pictures(folder: Path, fps: object, limits: VideoLimits) -> Footage:
    """Opens a folder of pictures as the frames of a video, in the order of the numbers in their names.

    Raises:
        ActrecError: There are no pictures, two have the same name, or `fps` is no frame rate.
        TooMuchVideo: They are beyond the limits.
    """
    files = _files(folder)
    if isinstance(fps, bool) or not isinstance(fps, float | int) or not 0 < fps <= MOST_FPS:
        raise ActrecError(
            f"its frame rate is given as {fps!r}; expected frames a second, above 0 and at most {MOST_FPS:g}."
        )
    rate = float(fps)
    limits.check(frames=len(files), seconds=(len(files) - 1) / rate, fps=rate)
    height, width, _ = _read(files[0]).shape
    limits.check(side=max(width, height))

    def decode(size_x: int, size_y: int) -> Iterator[tuple[float, UInt8[ndarray, "height width 3"]]]:
        for number, file in enumerate(files):
            picture = _read(file)
            if picture.shape != (height, width, 3):
                raise ActrecError(
                    f"its picture {file.name} is {picture.shape[1]} × {picture.shape[0]} pixels, and the first, "
                    f"{files[0].name}, {width} × {height}; expected one size. Put each size into a folder of its own."
                )
            yield number / rate, resized(picture, size_x, size_y)

    return Footage(width, height, Header(rate, len(files)), decode)


def _files(folder: Path) -> list[Path]:
    """Lists the pictures of a folder, in order, and logs the files that are skipped."""
    try:
        every = sorted((file for file in folder.iterdir() if file.is_file()), key=lambda file: natural(file.name))
    except OSError as error:
        raise ActrecError(f"the folder cannot be read: {error.strerror}.") from None
    files = [file for file in every if file.suffix.lower() in PICTURES and not file.name.startswith(".")]
    if not files:
        raise ActrecError(f"the folder has no pictures ({', '.join(PICTURES)}).")
    stem, count = Counter(file.stem for file in files).most_common(1)[0]
    if count > 1:
        twice = " and ".join(file.name for file in files if file.stem == stem)
        raise ActrecError(f"it has {twice}, and it is unclear which of them is the frame. Keep one kind.")
    if len(files) < len(every):
        others = [file.name for file in every if file not in set(files)]
        more = ", …" if len(others) > 3 else ""
        log.warning("%s: skipped %d files: %s%s", folder, len(others), ", ".join(others[:3]), more)
    return files


def _read(file: Path) -> UInt8[ndarray, "height width 3"]:
    import cv2

    picture = cv2.imdecode(np.fromfile(file, dtype=np.uint8), cv2.IMREAD_COLOR) if file.stat().st_size else None
    if picture is None:
        raise ActrecError(f"its picture {file.name} cannot be read. Get it again.")
    colours: ndarray = cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)
    return colours


def resized(picture: UInt8[ndarray, "_ _ 3"], width: int, height: int) -> UInt8[ndarray, "_ _ 3"]:
    """Scales a picture down."""
    import cv2

    if picture.shape[:2] == (height, width):
        return picture
    smaller: ndarray = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
    return smaller
