"""Computes fingerprints of a clip's source file, by which a change of the source is detected.

The file's status (size and times) is compared first, at the cost of one `stat`: if it is the same, so is the file. If
it differs, a hash of the content decides, so that a copied or touched file causes no work.
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


def file_status(path: Path) -> str:
    """Returns the size and times of a file, or a hash of those of all files in a folder; empty if there is none.

    The times include that of the last change of the inode, which no program can set, so that a file that was replaced
    by one of the same size and modification time differs.
    """
    try:
        status = os.stat(path)
        if not stat.S_ISDIR(status.st_mode):
            return _times(status)
        return _short(os.fsencode(f"{name} {_times(each)}\n") for name, each in sorted(_entries(path)))
    except (OSError, ValueError):  # ValueError: a null byte in the path
        return ""


def _times(status: os.stat_result) -> str:
    return f"{status.st_size}-{status.st_mtime_ns}-{status.st_ctime_ns}"


def modified(path: Path) -> int:
    """Returns the last modification of a file, or of any file in a folder, in ns since 1970; 0 if there is none."""
    try:
        return max((status.st_mtime_ns for _, status in _entries(path)), default=0)
    except (OSError, ValueError):
        return 0


def content(path: Path) -> str:
    """Hashes the content of a file, or of all files in a folder; returns an empty text if it cannot be read.

    Files of up to 16 MiB are read whole, larger ones in 64 blocks of 64 KiB spread evenly from the first to the last.
    """
    try:
        names = sorted(name for name, _ in _entries(path))
        return _short(part for name in names for part in (os.fsencode(name), *_parts(path, name)))
    except (OSError, ValueError):
        return ""


def arrays(keypoints: Iterable[ndarray]) -> str:
    """Hashes the shapes and values of arrays."""
    return _short(part for array in keypoints for part in (repr(array.shape).encode(), array.tobytes()))


def values(mapping: Mapping[str, Any], without: tuple[str, ...] = ()) -> str:
    """Hashes plain values and arrays by name, in any order; names in `without` are left out."""
    digest = hashlib.blake2b(digest_size=12)
    for name in sorted(map(str, mapping)):
        if name not in without:
            value = mapping[name]
            array = isinstance(value, ndarray) and value.dtype.kind != "O"
            digest.update(f"{name} {value.dtype} {value.shape}".encode() if array else f"{name} {value!r}".encode())
            digest.update(value.tobytes() if array else b"\n")
    return digest.hexdigest()


def _entries(path: Path) -> list[tuple[str, os.stat_result]]:
    """Lists the files of a folder by name and status; for a file, itself with an empty name."""
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
