"""Recognises the person in clips of keypoints, which are drawn on an empty background.

Clips come from arrays or skeleton stores, and have two or three dimensions; a body of three dimensions is drawn from a
fixed oblique view. It comes in the place of `actrec.live.stream` where there are no pictures.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from threading import Event

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from actrec.data.sources.arrays import ARRAYS, load_array, with_confidence
from actrec.data.sources.folders import distinct_names, files_below
from actrec.data.store.reading import MANIFEST, iterate_store
from actrec.drawing.projection import fit, project
from actrec.live.stream import RecognizedFrame, Stream
from actrec.live.tracking import TrackedPerson
from actrec.online.recognizer import OnlineRecognizer
from actrec.skeleton import get_skeleton
from actrec.types import ActrecError, SkeletonSequence
from actrec.video.video import is_video

_SIDE = 480  # pixels of the pictures of clips without a picture's size
_BACKGROUND = 38  # grey value
_PERSON = "1"

Project = Callable[[ndarray], ndarray]  # from places to pixels of the picture
ReadClip = Callable[[], SkeletonSequence]


def clips_in(source: Path, skeleton: str, fps: float) -> dict[str, ReadClip]:
    """Lists the clips of keypoints of a source by the name of the folder for their results; none if it has videos.

    Args:
        source: An array of shape (frame, joint, value), a folder of them, or a skeleton store.
        skeleton: Joint layout of arrays.
        fps: Frames per second of arrays.
    """
    if (source / MANIFEST).is_file():
        clips = list(iterate_store(source))
        names = distinct_names([Path(clip.clip_id) for clip in clips])
        return {name: partial(replace, clip) for name, clip in zip(names, clips, strict=True)}
    files = sorted(files_below(source).files) if source.is_dir() else [source]
    if any(map(is_video, files)):
        return {}
    arrays = [file for file in files if file.suffix.lower() in ARRAYS]
    names = distinct_names([file.relative_to(source) if source.is_dir() else Path(file.name) for file in arrays])
    return {name: partial(read_clip, file, skeleton, fps) for name, file in zip(names, arrays, strict=True)}


def read_clip(file: Path, skeleton: str, fps: float) -> SkeletonSequence:
    """Reads a clip from an array of shape (frame, joint, value); see `with_confidence`."""
    try:
        keypoints = with_confidence(load_array(file), get_skeleton(skeleton))
        return SkeletonSequence(keypoints, fps, skeleton, clip_id=file.stem)
    except ActrecError as error:
        raise ActrecError(f"{file}: {str(error).replace('dataset.skeleton=', 'skeleton=')}") from None


def stream_of(clip: SkeletonSequence) -> Stream:
    """Describes a clip as a stream; it has no pictures of its own."""
    width, _ = _picture_size(clip)
    return Stream(iter(()), clip.fps, width, len(clip), len(clip) / clip.fps)


def recognize_clip(
    clip: SkeletonSequence, recognizer: OnlineRecognizer, stopped: Event | None = None
) -> Iterator[RecognizedFrame]:
    """Recognises the person in each frame of a clip in the recogniser's skeleton, until `stopped` is set.

    Raises:
        ActrecError: The clip has other dimensions than the model.
    """
    recognizer.spec.pipeline.check_coordinates(clip)
    width, height = _picture_size(clip)
    place = _placing(clip)
    for number, keypoints in enumerate(clip.keypoints):
        if stopped is not None and stopped.is_set():
            return
        time = number / clip.fps
        picture = np.full((height, width, 3), _BACKGROUND, dtype=np.uint8)
        prediction = recognizer.push(keypoints, time, _PERSON)
        people = [] if prediction is None else [TrackedPerson(_PERSON, _box(keypoints), keypoints, prediction)]
        yield RecognizedFrame(time, picture, people, [_placed(each, place) for each in people])


def _has_picture(clip: SkeletonSequence) -> bool:
    return clip.n_coordinates == 2 and bool(clip.width and clip.height)


def _picture_size(clip: SkeletonSequence) -> tuple[int, int]:
    """Returns width and height of the pictures in which a clip is drawn."""
    return (clip.width, clip.height) if _has_picture(clip) else (_SIDE, _SIDE)


def _placing(clip: SkeletonSequence) -> Project:
    """Returns the function that gives the pixels of places: a clip with a picture's size has pixels already."""
    if _has_picture(clip):
        return lambda places: places
    scale, shift = fit(project(clip.keypoints[..., :-1]), clip.keypoints[..., -1] > 0, _SIDE)
    return lambda places: project(places) * scale + shift


def _placed(person: TrackedPerson, place: Project) -> TrackedPerson:
    """Converts a person to pixels of the picture."""
    keypoints = np.concatenate([place(person.keypoints[:, :-1]), person.keypoints[:, -1:]], -1).astype(np.float32)
    prediction = replace(person.prediction, forecast=place(person.prediction.forecast).astype(np.float32))
    return TrackedPerson(person.person, _box(keypoints), keypoints, prediction)


def _box(keypoints: Float[ndarray, "joint value"]) -> Float[ndarray, " 4"]:
    """Computes left, top, right and bottom of the observed joints; zero without any."""
    seen = keypoints[keypoints[:, -1] > 0, :2]
    return np.concatenate([seen.min(0), seen.max(0)]).astype(np.float32) if len(seen) else np.zeros(4, np.float32)
