"""/v1/enrolled: adds classes to the served model from recorded clips, removes them, and saves them."""

from __future__ import annotations

import asyncio
import json
import logging
from typing import Any

import numpy as np
from fastapi import HTTPException, Request
from starlette.requests import ClientDisconnect

from actrec.model.copies import writable_copy
from actrec.online.enrolment import MOST_CLIPS, Enrolment, check_label
from actrec.online.inputs import checked_person, checked_seconds
from actrec.online.recognizer import OnlineRecognizer
from actrec.online.resampler import StreamResampler
from actrec.serve.frames import checked_object
from actrec.serve.schema import AddedClass, EnrolledClasses, SavedClasses
from actrec.serve.server import Server
from actrec.serve.upload import body_parts
from actrec.types import ActrecError, SkeletonSequence

log = logging.getLogger(__name__)

MOST_SECONDS = 60  # of a clip
_MOST_CLASSES = 50  # each costs time in every frame of every stream
_LONGEST_NAME = 200  # characters
_FORM = '{"label": "wave", "clips": [[{"timestamp": 0.0, "keypoints": [[x, y, c], …]}, …], …]}'


def enrolled_classes(server: Server) -> EnrolledClasses:
    """Makes the answer of GET /v1/enrolled."""
    recognizer = server.recognition.recognizer
    return EnrolledClasses(enrolled=list(recognizer.enrolled), labels=list(recognizer.labels))


async def add_class(server: Server, request: Request) -> AddedClass:
    """Enrols a class from the clips in a request's body."""
    if refusal := server.enrolment_refusal(request) or server.refusal(request):
        raise refusal
    async with server.session():
        try:
            body = b"".join([part async for part in body_parts(server, request, server.recognition.limits.message_mb)])
        except ClientDisconnect:
            raise HTTPException(400, "The client has gone.") from None
        try:
            label, clips = await asyncio.to_thread(parse_class, body, server.recognition.recognizer)
            found = await server.recognition.enroll(label, clips)
        except ActrecError as error:
            raise HTTPException(400, str(error)) from None
        except Exception:
            log.exception("A class could not be added.")
            server.counters.failures.labels("enrolment").inc()
            raise HTTPException(500, "The server failed on these clips. See its log.") from None
    return _added(server, found)


def _added(server: Server, found: Enrolment) -> AddedClass:
    return AddedClass(
        label=found.label,
        clips=found.n_clips,
        seconds=round(found.seconds, 2),
        similarity=None if np.isnan(found.likeness) else round(found.likeness, 3),
        others=round(found.others, 3),
        warning=found.warning() or None,
        labels=list(server.recognition.recognizer.labels),
    )


async def remove_class(server: Server, request: Request, label: str) -> EnrolledClasses:
    """Removes an enrolled class."""
    if refusal := server.enrolment_refusal(request):
        raise refusal
    try:
        await server.recognition.unenroll(label)
    except ActrecError as error:
        raise HTTPException(404, str(error)) from None
    return enrolled_classes(server)


async def save_classes(server: Server, request: Request) -> SavedClasses:
    """Writes the enrolled classes beside the model; one that comes with actrec is copied to ./<name> first."""
    if refusal := server.enrolment_refusal(request):
        raise refusal

    def save() -> str:
        server.model = writable_copy(server.model)
        return str(server.recognition.recognizer.save_enrolled(server.model).parent.resolve())

    try:
        return SavedClasses(folder=await server.recognition.run_enrolment(save))
    except (ActrecError, OSError) as error:
        raise HTTPException(409, f"The classes cannot be saved: {error}") from None


def parse_class(body: bytes, recognizer: OnlineRecognizer) -> tuple[str, list[SkeletonSequence]]:
    """Parses a label and clips, each a list of the frames that a stream's text messages have.

    Raises:
        ActrecError: The body is not of this form, or exceeds the limits.
    """
    try:
        content: Any = json.loads(body, object_pairs_hook=checked_object)
    except ActrecError:
        raise
    except (ValueError, RecursionError):
        raise ActrecError(f"The body is not JSON. Expected {_FORM}.") from None
    if not isinstance(content, dict) or not isinstance(content.get("clips"), list):
        raise ActrecError(f"The body is not an object with label and clips. Expected {_FORM}.")
    label, clips = check_label(content.get("label"), recognizer.labels), content["clips"]
    if len(label) > _LONGEST_NAME:
        raise ActrecError(f"The label has {len(label)} characters; expected at most {_LONGEST_NAME}.")
    if len(recognizer.enrolled) >= _MOST_CLASSES:
        raise ActrecError(f"{_MOST_CLASSES} classes are enrolled, which is the most. Remove one first.")
    if len(clips) > MOST_CLIPS:
        raise ActrecError(f"There are {len(clips)} clips; expected 1 to {MOST_CLIPS}.")
    return label, [_clip(frames, str(number), recognizer) for number, frames in enumerate(clips, start=1)]


def _clip(frames: Any, name: str, recognizer: OnlineRecognizer) -> SkeletonSequence:
    """Converts a clip's frames to even times at the model's rate, as a stream's are."""
    if not isinstance(frames, list) or len(frames) < 2 or not all(isinstance(frame, dict) for frame in frames):
        raise ActrecError(f"Clip {name} is not a list of two or more frames. Expected {_FORM}.")
    skeleton, preprocess = recognizer.input_skeleton, recognizer.spec.pipeline.preprocess
    times = [checked_seconds(frame.get("timestamp")) for frame in frames]
    gaps = np.diff(times)
    if not (gaps > 0).all() or gaps.max() > recognizer.max_gap or times[-1] - times[0] > MOST_SECONDS:
        raise ActrecError(
            f"Clip {name} has frames from {times[0]:g} to {times[-1]:g} s; expected timestamps in seconds that ascend, "
            f"at most {recognizer.max_gap:g} s apart, of at most {MOST_SECONDS} s in all."
        )
    resampler, made = StreamResampler(preprocess.fps, preprocess.confidence_threshold, skeleton.n_joints), []
    for time, frame in zip(times, frames, strict=True):
        given, nobody = frame.get("keypoints"), np.zeros((skeleton.n_joints, 3), dtype=np.float32)
        keypoints = nobody if given is None else checked_person(given, skeleton, f"clip {name}")
        made += [keypoints for _, keypoints in resampler.push(keypoints, time)]
    fps = float(preprocess.fps or (len(times) - 1) / (times[-1] - times[0]))
    return SkeletonSequence(np.stack(made), fps, skeleton.name, clip_id=name)
