"""Opens a video, a camera or a network stream, and recognises the people in each of its pictures."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from threading import Event
from typing import NamedTuple

from actrec.live.tracking import TrackedPerson, TrackingRecognizer
from actrec.types import ActrecError, Picture
from actrec.video.camera import Camera, is_stream
from actrec.video.extraction import one_ahead
from actrec.video.pose import PoseModel
from actrec.video.video import open_video


class Stream(NamedTuple):
    """The pictures of a file, a camera or a network stream.

    Attributes:
        frames: Time in seconds and picture.
        fps: Approximate frame rate.
        width: Width of the source in pixels; the pictures may be smaller.
        n_frames: Approximate number of frames; None if unknown.
        seconds: Approximate duration; None if unknown.
    """

    frames: Iterator[tuple[float, Picture]]
    fps: float
    width: int
    n_frames: int | None
    seconds: float | None


class RecognizedFrame(NamedTuple):
    """A picture with the predictions of its people.

    Attributes:
        people: In pixels of the source, which may be larger than the picture, or in the unit of a clip's keypoints.
        drawn: The people in pixels of the picture; None if the picture's size relative to the source tells them.
    """

    time: float
    picture: Picture
    people: list[TrackedPerson]
    drawn: list[TrackedPerson] | None = None


def open_stream(source: str, longest: int, picture_fps: float = 30.0) -> Stream:
    """Opens a video file, a folder of pictures, a camera or a network stream.

    Args:
        source: A path, `camera:0`, or an address such as `rtsp://…`.
        longest: Longer side of the pictures, in pixels, at most.
        picture_fps: Frame rate of a folder of pictures.

    Raises:
        ActrecError: It cannot be opened.
    """
    if is_stream(source):
        camera = Camera(source)
        return Stream(camera.frames(), camera.fps, camera.width, None, None)
    path = Path(source).expanduser()
    try:
        video = open_video(path, picture_fps)
        fps, n_frames = video.about_fps, video.about_frames
    except ActrecError as error:
        raise type(error)(f"{path}: {error}") from None
    return Stream(video.frames(longest), fps, video.width, n_frames, n_frames / fps)


def recognize(
    stream: Stream, pose: PoseModel, recognizer: TrackingRecognizer, stopped: Event | None = None
) -> Iterator[RecognizedFrame]:
    """Recognises the people in each frame until `stopped` is set; the pose model gets pictures of files in batches."""
    size = 1 if stream.n_frames is None else pose.batch
    frames = iter(lambda: list(islice(stream.frames, size)), [])
    for batch in frames if stream.n_frames is None else one_ahead(frames):
        found = pose([picture for _, picture in batch])
        for (time, picture), people in zip(batch, found, strict=True):
            if stopped is not None and stopped.is_set():
                return
            scale = stream.width / picture.shape[1]
            yield RecognizedFrame(time, picture, recognizer(people.scaled(scale, scale), time))
