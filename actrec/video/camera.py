"""Reads the newest frame of cameras and network streams; frames in between are skipped."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import numpy as np

from actrec.types import ActrecError, Picture

_PATIENCE = 10.0  # seconds without a frame, after which a stream has ended


def is_stream(source: str) -> bool:
    """Returns whether a source is a camera ("camera:0") or a network stream ("rtsp://…") rather than a file."""
    return source.startswith("camera:") or "://" in source


class Camera:
    """An open camera or network stream, which a thread reads continuously so that its newest frame is available.

    Args:
        source: "camera:" and a number, or an address that OpenCV (FFmpeg) opens.

    Attributes:
        fps: Frames per second that the camera reports.
        width: In pixels.
        height: In pixels.

    Raises:
        ActrecError: It cannot be opened.
    """

    def __init__(self, source: str) -> None:
        import cv2

        number = source.removeprefix("camera:")
        if source.startswith("camera:") and not number.isdigit():
            raise ActrecError(f"source={source}; expected camera: and a number, such as camera:0.")
        self._capture: Any = cv2.VideoCapture(int(number) if number.isdigit() else source)
        if not self._capture.isOpened():
            raise ActrecError(
                f"source={source} cannot be opened. Check that it is connected, and not used by another program."
            )
        self.source = source
        fps = float(self._capture.get(cv2.CAP_PROP_FPS))
        self.fps = fps if 1 <= fps <= 240 else 30.0
        self.width = int(self._capture.get(cv2.CAP_PROP_FRAME_WIDTH))
        self.height = int(self._capture.get(cv2.CAP_PROP_FRAME_HEIGHT))
        self._newest: tuple[float, Any] | None = None
        self._arrived, self._ended = threading.Condition(), False
        self._thread = threading.Thread(target=self._take, daemon=True)

    def _take(self) -> None:
        start = time.monotonic()
        while not self._ended:
            there, picture = self._capture.read()
            with self._arrived:
                self._ended = self._ended or not there
                self._newest = (time.monotonic() - start, picture) if there else self._newest
                self._arrived.notify_all()

    def frames(self) -> Iterator[tuple[float, Picture]]:
        """Yields the newest frame until the stream ends: seconds since opening, and the RGB picture."""
        self._thread.start()
        try:
            while (newest := self._next()) is not None:
                yield newest[0], np.ascontiguousarray(newest[1][..., ::-1])
        finally:
            self._ended = True
            self._thread.join(timeout=2)
            self._capture.release()

    def _next(self) -> tuple[float, Any] | None:
        with self._arrived:
            self._arrived.wait_for(lambda: self._newest is not None or self._ended, _PATIENCE)
            newest, self._newest = self._newest, None
        return newest
