"""Parses the frames that stream clients send: keypoints as JSON, and pictures as JPEG."""

from __future__ import annotations

import io
import json
import logging
import struct
from typing import Any

import numpy as np
from PIL.JpegImagePlugin import JpegImageFile

from actrec.online.inputs import checked_seconds
from actrec.serve.settings import Limits
from actrec.types import ActrecError, Picture

log = logging.getLogger(__name__)

_HEADER = struct.Struct(">d")
_LONGEST_PERSON = 10_000  # characters of JSON
_LONGEST_NAME = 200  # characters
_SCAN, _MOST_SCANS = b"\xff\xda", 100  # a progressive JPEG has about ten; thousands would take minutes
_LONGEST_SHAPE = 100  # ratio of the sides; scaled down, a narrower picture would have no pixels left


def parse_text(text: str, limits: Limits) -> tuple[float, dict[str, Any]]:
    """Parses a text message: `{"timestamp": 1.5, "people": {"anna": [[x, y, confidence], …], "ben": null}}`, or
    `keypoints` instead of `people` where there is one person.

    Returns:
        The timestamp in seconds, and each person's keypoints as they were sent; the recogniser checks those.

    Raises:
        ActrecError: It is not such a message, or exceeds the limits.
    """
    if len(text) > _LONGEST_PERSON * limits.people:
        raise ActrecError(f"The message is too long for the keypoints of {limits.people} people.")
    try:
        message: Any = json.loads(text, object_pairs_hook=checked_object)
    except ActrecError:
        raise
    except (ValueError, RecursionError):
        raise ActrecError("The message is not JSON.") from None
    if not isinstance(message, dict):
        raise ActrecError('The message is not an object, such as {"timestamp": 1.5, "keypoints": [[x, y, c], …]}.')
    people = message.get("people", {"1": message["keypoints"]} if "keypoints" in message else None)
    if not isinstance(people, dict):
        raise ActrecError("The message has neither keypoints nor people.")
    if len(people) > limits.people:
        raise ActrecError(f"There are {len(people)} people; expected at most {limits.people}.")
    longest = max(map(len, people), default=0)
    if longest > _LONGEST_NAME:
        raise ActrecError(f"A person's name has {longest} characters; expected at most {_LONGEST_NAME}.")
    return checked_seconds(message.get("timestamp")), people


def checked_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Converts a JSON object to a dict; refuses a key that occurs twice."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ActrecError("The message has an object in which a key occurs twice.")
    return found


def parse_bytes(content: bytes, limits: Limits) -> tuple[float, Picture]:
    """Parses a binary message: the timestamp in seconds as a big-endian double, then a JPEG.

    Raises:
        ActrecError: It is not such a message, or exceeds the limits.
    """
    if len(content) <= _HEADER.size:
        raise ActrecError("The message is too short: expected 8 bytes of timestamp, and a JPEG.")
    (timestamp,) = _HEADER.unpack_from(content)
    return checked_seconds(timestamp), decode_jpeg(content[_HEADER.size :], limits)


def decode_jpeg(content: bytes, limits: Limits) -> Picture:
    """Decodes a JPEG to an RGB picture; its size is checked before it is decoded."""
    if content.count(_SCAN) > _MOST_SCANS:
        raise ActrecError(f"The picture has more than {_MOST_SCANS} scans, which take too long to decode.")
    try:
        with JpegImageFile(io.BytesIO(content)) as image:  # Ultralytics replaces Image.open
            size = image.size
            if max(size) <= limits.side and max(size) <= _LONGEST_SHAPE * min(size):
                return np.array(image.convert("RGB"))
    except Exception as error:  # Pillow raises many types for damaged files
        log.debug("a picture cannot be decoded: %r", error)
        raise ActrecError("The picture is not a complete JPEG.") from None
    if max(size) > limits.side:
        raise ActrecError(f"The picture is {size[0]} × {size[1]} pixels; expected at most {limits.side} on each side.")
    raise ActrecError(
        f"The picture is {size[0]} × {size[1]} pixels; expected an aspect ratio of at most {_LONGEST_SHAPE}."
    )
