"""Stamps: short texts that tell whether what a clip is made from is still the same, for the ledger of a store.

A glance costs one look at the file's entry and tells that a file is surely the same. Where it differs, the content's
stamp decides, so that a copy, or `touch`, has nothing done again.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from numpy import ndarray

_WHOLE = 16 << 20  # bytes; larger files are sampled
_BLOCK = 64 << 10
_BLOCKS = 64  # of a larger file, spread evenly; the first and the last are among them


def glance(path: Path) -> str:
    """Size and times of a file, or of all that is in a folder; empty where there is none.

    The time of change is among them, which no program can set: a file that was replaced by one of the same size and
    modification time differs.
    """
    try:
        status = os.stat(path)
        if not stat.S_ISDIR(status.st_mode):
            return _times(status)
        return _short(os.fsencode(f"{name} {_times(each)}\n") for name, each in sorted(_entries(path)))
    except (OSError, ValueError):  # no path at all: a null byte in it
        return ""


def _times(status: os.stat_result) -> str:
    return f"{status.st_size}-{status.st_mtime_ns}-{status.st_ctime_ns}"


def modified(path: Path) -> int:
    """When a file, or the latest of a folder's, was modified, in ns since 1970; 0 where there is none."""
    try:
        return max((status.st_mtime_ns for _, status in _entries(path)), default=0)
    except (OSError, ValueError):
        return 0


def content(path: Path) -> str:
    """A hash of what a file holds, or all the files of a folder; empty where it cannot be read.

    Files of up to 16 MiB are read whole, larger ones in 64 blocks of 64 KiB spread evenly from the first to the last.
    """
    try:
        names = sorted(name for name, _ in _entries(path))
        return _short(part for name in names for part in (os.fsencode(name), *_parts(path, name)))
    except (OSError, ValueError):
        return ""


def arrays(keypoints: Iterable[ndarray]) -> str:
    """A hash of arrays: their shapes and values."""
    return _short(part for array in keypoints for part in (repr(array.shape).encode(), array.tobytes()))


def values(mapping: Mapping[str, Any], without: tuple[str, ...] = ()) -> str:
    """A hash of plain values and arrays by name, whatever their order; those `without` do not count."""
    digest = hashlib.blake2b(digest_size=12)
    for name in sorted(map(str, mapping)):
        if name not in without:
            value = mapping[name]
            array = isinstance(value, ndarray) and value.dtype.kind != "O"
            digest.update(f"{name} {value.dtype} {value.shape}".encode() if array else f"{name} {value!r}".encode())
            digest.update(value.tobytes() if array else b"\n")
    return digest.hexdigest()


def _entries(path: Path) -> list[tuple[str, os.stat_result]]:
    """The name (empty for the path itself, where it is a file) and status of each file there."""
    if not path.is_dir():
        return [("", path.stat())]
    with os.scandir(path) as found:
        return [(entry.name, entry.stat()) for entry in found if entry.is_file()]


def _parts(path: Path, name: str) -> Iterable[bytes]:
    with (path / name if name else path).open("rb") as stream:
        size = os.fstat(stream.fileno()).st_size
        yield b"%d" % size
        if size <= _WHOLE:
            yield stream.read()
            return
        for number in range(_BLOCKS):
            stream.seek((size - _BLOCK) * number // (_BLOCKS - 1))
            yield stream.read(_BLOCK)


def _short(parts: Iterable[bytes]) -> str:
    digest = hashlib.blake2b(digest_size=12)
    for part in parts:
        digest.update(part)
    return digest.hexdigest()
