"""What clients send as frames: pictures and keypoints, checked before anything is done with them."""

from __future__ import annotations

import io
import json
import math
import struct
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float
from numpy import ndarray
from PIL.JpegImagePlugin import JpegImageFile

from actrec.data.video import Picture
from actrec.serve.settings import Limits
from actrec.skeleton import Skeleton
from actrec.types import ActrecError

_HEADER = struct.Struct(">d")
_LONGEST_PERSON = 10_000  # characters of JSON


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
        message: Any = json.loads(text)
    except (ValueError, RecursionError):
        raise ActrecError("The message is not JSON.") from None
    if not isinstance(message, dict):
        raise ActrecError('The message is not an object, such as {"timestamp": 1.5, "keypoints": [[x, y, c], …]}.')
    given = message.get("people", {"1": message["keypoints"]} if "keypoints" in message else None)
    if not isinstance(given, dict):
        raise ActrecError("The message has neither keypoints nor people.")
    if len(given) > limits.people:
        raise ActrecError(f"There are {len(given)} people; at most {limits.people} are taken.")
    people = {name: _keypoints(value, name, skeleton) for name, value in given.items()}
    return Keypoints(_timestamp(message.get("timestamp")), people)


def _timestamp(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ActrecError(f"The timestamp is {str(value)[:40]}; expected seconds.")
    return float(value)


def _keypoints(value: Any, name: str, skeleton: Skeleton) -> Float[ndarray, "joint 3"] | None:
    if value is None:
        return None
    try:
        array = np.array(value, dtype=np.float64)
    except (ValueError, TypeError, OverflowError):
        array = np.zeros(0)
    if array.shape != (skeleton.n_joints, 3):
        raise ActrecError(
            f"The keypoints of '{name[:40]}' are not {skeleton.n_joints} joints of '{skeleton.name}', each with x, y "
            "and confidence."
        )
    if not (np.isfinite(array).all() and np.abs(array).max() <= 1e6):
        raise ActrecError(f"The keypoints of '{name[:40]}' are not finite, or farther than a million pixels.")
    return array.astype(np.float32)


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
    try:
        with JpegImageFile(io.BytesIO(content)) as image:  # Image.open is not what it was once Ultralytics is there
            if max(image.size) > limits.side:
                raise ActrecError(
                    f"The picture is {image.size[0]} × {image.size[1]} pixels; at most {limits.side} a side are taken."
                )
            return np.array(image.convert("RGB"))
    except (OSError, SyntaxError):
        raise ActrecError("The picture is no whole JPEG.") from None
