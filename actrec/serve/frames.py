"""Parses and checks the frames that clients send: pictures and keypoints."""

from __future__ import annotations

import io
import json
import logging
import struct
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float
from numpy import ndarray
from PIL.JpegImagePlugin import JpegImageFile

from actrec.serve.settings import Limits
from actrec.skeleton import Skeleton
from actrec.types import ActrecError, Picture, checked_keypoints, checked_timestamp

log = logging.getLogger(__name__)

_HEADER = struct.Struct(">d")
_LONGEST_PERSON = 10_000  # characters of JSON
_LONGEST_NAME = 200  # characters
_SCAN, _MOST_SCANS = b"\xff\xda", 100  # a progressive JPEG has about ten; thousands would take minutes
_LONGEST_SHAPE = 100  # no picture of people is as narrow; nothing would be left of it where it is scaled down


class Keypoints(NamedTuple):
    """A frame whose people the client has found itself."""

    timestamp: float
    people: dict[str, Float[ndarray, "joint 3"] | None]


class Jpeg(NamedTuple):
    """A picture in which the people are still to be found."""

    timestamp: float
    picture: Picture


def parse_text(text: str, skeleton: Skeleton, limits: Limits) -> Keypoints:
    """A text message: `{"timestamp": 1.5, "people": {"anna": [[x, y, confidence], …], "ben": null}}`, or `keypoints`
    for `people` where there is one person.

    Raises:
        ActrecError: It is none.
    """
    if len(text) > _LONGEST_PERSON * limits.people:
        raise ActrecError(f"The message is too long for the keypoints of {limits.people} people.")
    try:
        message: Any = json.loads(text, object_pairs_hook=_object)
    except ActrecError:
        raise
    except (ValueError, RecursionError):
        raise ActrecError("The message is not JSON.") from None
    if not isinstance(message, dict):
        raise ActrecError('The message is not an object, such as {"timestamp": 1.5, "keypoints": [[x, y, c], …]}.')
    given = message.get("people", {"1": message["keypoints"]} if "keypoints" in message else None)
    if not isinstance(given, dict):
        raise ActrecError("The message has neither keypoints nor people.")
    if len(given) > limits.people:
        raise ActrecError(f"There are {len(given)} people; at most {limits.people} are taken.")
    longest = max(map(len, given), default=0)
    if longest > _LONGEST_NAME:
        raise ActrecError(f"A person's name has {longest} characters; at most {_LONGEST_NAME} are taken.")
    people = {name: _keypoints(value, name, skeleton) for name, value in given.items()}
    return Keypoints(_timestamp(message.get("timestamp")), people)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Makes a dict of a JSON object, whose keys must be distinct."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ActrecError("The message names something twice, of which one would be lost.")
    return found


def _timestamp(value: Any) -> float:
    if not _is_number(value):
        raise ActrecError(f"The timestamp is {_shown(value)}; expected seconds.")
    try:
        return checked_timestamp(float(value))
    except OverflowError:  # of an integer of hundreds of digits
        raise ActrecError("The timestamp is a number of hundreds of digits; expected seconds.") from None


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _shown(value: Any) -> str:
    """Returns the beginning of a value, in ASCII, for a message."""
    return ascii(value)[:40]


def _keypoints(value: Any, name: str, skeleton: Skeleton) -> Float[ndarray, "joint 3"] | None:
    if value is None:
        return None
    whole = isinstance(value, list) and len(value) == skeleton.n_joints
    if not whole or not all(isinstance(row, list) and len(row) == 3 and all(map(_is_number, row)) for row in value):
        raise ActrecError(
            f"The keypoints of {_shown(name)} are not {skeleton.n_joints} joints of '{skeleton.name}', each with the "
            "numbers x, y and confidence."
        )
    try:
        array = np.array(value, dtype=np.float64)
    except OverflowError:
        array = np.full((skeleton.n_joints, 3), np.inf)
    return checked_keypoints(array, f"Person {_shown(name)}")


def parse_bytes(content: bytes, limits: Limits) -> Jpeg:
    """A binary message: the timestamp in seconds as a big-endian double, then a JPEG.

    Raises:
        ActrecError: It is none, or larger than is allowed.
    """
    if len(content) <= _HEADER.size:
        raise ActrecError("The message is too short: expected 8 bytes of timestamp, and a JPEG.")
    (timestamp,) = _HEADER.unpack_from(content)
    return Jpeg(_timestamp(timestamp), decode_jpeg(content[_HEADER.size :], limits))


def decode_jpeg(content: bytes, limits: Limits) -> Picture:
    """An RGB picture; its size is looked at before it is decoded.

    Raises:
        ActrecError: It is no whole JPEG, or larger than is allowed.
    """
    if content.count(_SCAN) > _MOST_SCANS:
        raise ActrecError(f"The picture has more than {_MOST_SCANS} scans, which take too long to decode.")
    try:
        with JpegImageFile(io.BytesIO(content)) as image:  # Ultralytics replaces Image.open
            size = image.size
            if max(size) <= limits.side and max(size) <= _LONGEST_SHAPE * min(size):
                return np.array(image.convert("RGB"))
    except Exception as error:  # Pillow has a dozen kinds for a damaged file
        log.debug("a picture cannot be decoded: %r", error)
        raise ActrecError("The picture is no whole JPEG.") from None
    if max(size) > limits.side:
        raise ActrecError(f"The picture is {size[0]} × {size[1]} pixels; at most {limits.side} a side are taken.")
    raise ActrecError(
        f"The picture is {size[0]} × {size[1]} pixels; one side may be {_LONGEST_SHAPE} times the other at most."
    )
