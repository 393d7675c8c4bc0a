"""Writes a report's pictures as PNG files, each in a light and a dark theme."""

from __future__ import annotations

import gc
import io
import logging
from collections.abc import Callable, Mapping
from pathlib import Path

from matplotlib.figure import Figure

from actrec.drawing.colors import DARK, LIGHT, Theme
from actrec.files import replace_file

log = logging.getLogger(__name__)


def write_pictures(folder: Path, draw: Mapping[str, Callable[[Theme], Figure]]) -> dict[str, str]:
    """Draws pictures in both themes into PNG files.

    Args:
        folder: The folder of the files.
        draw: The function that draws each picture, by file name without ending.

    Returns:
        The reason for each picture that could not be drawn; it is logged too, and no file of that picture is left.
    """
    missing = {}
    for name, figure in draw.items():
        files = {theme: folder / f"{name}{theme.suffix}.png" for theme in (LIGHT, DARK)}
        try:
            for theme, file in files.items():
                _write_picture(file, figure(theme))
        except Exception as error:  # of any kind: a failed picture must not lose the figures
            for file in files.values():
                file.unlink(missing_ok=True)
            missing[name] = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
            log.warning("The picture '%s' could not be drawn and is omitted (%s).", name, missing[name])
            log.debug("The picture '%s'", name, exc_info=True)
        gc.collect()  # a figure refers to itself: without this several would be in memory at once
    return missing


def _write_picture(path: Path, figure: Figure) -> None:
    data = io.BytesIO()
    figure.savefig(data, format="png", dpi=144)
    replace_file(path, data.getvalue())
