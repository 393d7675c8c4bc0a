"""The limits of what clients may send."""

from __future__ import annotations

from dataclasses import dataclass, fields

from actrec.types import ActrecError


@dataclass(frozen=True)
class Limits:
    """Limits of what clients may send; larger requests are refused with a status and a reason.

    Attributes:
        body_mb: Size of an uploaded video, in megabytes.
        message_mb: Size of a message of a stream, in megabytes.
        seconds: Duration of an uploaded video.
        side: Longer side of a picture or a video, in pixels.
        fps: Frame rate of a video or a stream.
        people: People in one frame of keypoints.
        sessions: Concurrent streams and uploads.
        idle: Seconds without a message, or a part of an upload, after which a client is disconnected.
        upload: Duration of an upload, in seconds.
        queue: Most frames of a stream that may wait; when there are more, the oldest is dropped.
    """

    body_mb: float | int = 200
    message_mb: float | int = 8
    seconds: float | int = 600
    side: int = 4096
    fps: float | int = 240
    people: int = 32
    sessions: int = 16
    idle: float | int = 30
    upload: float | int = 300
    queue: int = 8

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
                raise ActrecError(f"limits.{field.name} is {value!r}; expected a number above 0.")
