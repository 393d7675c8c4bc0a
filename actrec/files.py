"""Writes files and folders atomically: complete or not at all."""

from __future__ import annotations

import csv
import io
import os
import shutil
import tempfile
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any


def replace_file(path: Path, content: str | bytes) -> None:
    """Replaces a file atomically; its folder is made if it does not exist."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.{uuid.uuid4().hex[:8]}.tmp")  # several processes may write it
    try:
        temporary.write_bytes(content.encode() if isinstance(content, str) else content)
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


@contextmanager
def replace_folder(folder: Path) -> Iterator[Path]:
    """Yields a temporary folder to write in, which replaces `folder` unless an exception is raised."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    old = folder.with_name(f".{folder.name}-old")
    made = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        yield made
        made.chmod(0o755)
        if folder.exists():  # a process killed between the renames leaves the old folder under its other name
            os.replace(folder, old)
        os.replace(made, folder)
    finally:
        shutil.rmtree(made, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)


def printable(text: str) -> str:
    """Makes a text writable as UTF-8: undecodable bytes of a file's name become \\udcff and so on."""
    return text.encode(errors="backslashreplace").decode()


def csv_text(columns: Sequence[str], rows: Iterable[Iterable[Any]]) -> str:
    """Formats rows as the text of a CSV file."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return text.getvalue()


class LineFile:
    """Writes a text file line by line under a temporary name, and renames it to `path` unless an exception occurs."""

    def __init__(self, path: Path) -> None:
        self.path, self._temporary = path, path.with_name(f"{path.name}.{uuid.uuid4().hex[:8]}.tmp")
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = self._temporary.open("w", encoding="utf-8")

    def write(self, line: str) -> None:
        self._file.write(line + "\n")

    def __enter__(self) -> LineFile:
        return self

    def __exit__(self, error: object, *_: object) -> None:
        self._file.close()
        if error is None:
            os.replace(self._temporary, self.path)
        else:
            self._temporary.unlink()
