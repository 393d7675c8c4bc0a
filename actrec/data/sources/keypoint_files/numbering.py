"""Reads frame numbers and clips from the names of files and pictures: squat_1_000000000012_keypoints is frame 12."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

_ENDINGS = re.compile(r"[ _.-](keypoints|pose|poses|landmarks|results?|predictions?)$", re.IGNORECASE)
_NUMBERED = re.compile(r"(?P<before>.*?)(?P<number>\d+)(?P<after>\D*)", re.ASCII | re.DOTALL)
_PLAIN = (
    "",
    "f",
    "fr",
    "frame",
    "frames",
    "img",
    "image",
    "images",
    "im",
    "pic",
    "picture",
    "out",
    "output",
    "kp",
    "video",
)


def frame_number(name: str) -> tuple[str, int | None]:
    """Splits the name of a frame's file or picture, without its ending, into the clip's part and the last number in it.

    The number is None if there is none.
    """
    name = _ENDINGS.sub("", name)
    match = _NUMBERED.fullmatch(name)
    if match is None:
        return name, None
    return match["before"] + match["after"], int(match["number"])


def clip_name(prefix: str) -> str:
    """Returns the name of the clip of frames with this prefix; empty if the prefix names no clip, as "frame_"."""
    name = prefix.rstrip(" _.-")
    return "" if name.casefold() in _PLAIN else name


def by_picture(pictures: list[str]) -> list[tuple[str, int]]:
    """Returns the clip and the frame number of each picture that a file names; one clip has an empty name."""
    split = [frame_number(PurePosixPath(name.replace("\\", "/")).stem) for name in pictures]
    if len({prefix for prefix, _ in split}) == 1:
        return [("", number or 0) for _, number in split]
    return [(clip_name(prefix), number or 0) for prefix, number in split]
