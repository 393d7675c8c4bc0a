"""Writing files whole or not at all."""

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
    """Writes a file all at once: readers see the old one or the new one, never a half. Makes its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.{uuid.uuid4().hex[:8]}.tmp")  # its own: several may write one file at once
    try:
        temporary.write_bytes(content.encode() if isinstance(content, str) else content)
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


@contextmanager
def replace_folder(folder: Path) -> Iterator[Path]:
    """Gives a folder to write in, which becomes `folder` if nothing is raised; one that is there is replaced whole."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    old = folder.with_name(f".{folder.name}-old")
    made = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        yield made
        made.chmod(0o755)
        if folder.exists():  # a kill between the two renames leaves the old one under the other name
            os.replace(folder, old)
        os.replace(made, folder)
    finally:
        shutil.rmtree(made, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)


def printable(text: str) -> str:
    """A text that can be written as UTF-8: bytes of a file's name that are none stand as \\udcff and so on."""
    return text.encode(errors="backslashreplace").decode()


def csv_text(columns: Sequence[str], rows: Iterable[Iterable[Any]]) -> str:
    """A CSV file's text."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return text.getvalue()


class LineFile:
    """A text file that gets a line at a time, and its name in the end; after an error there is none.

    Args:
        path: The file; one that is there is replaced.
    """

    def __init__(self, path: Path) -> None:
        self.path, self._temporary = path, path.with_name(f"{path.name}.{uuid.uuid4().hex[:8]}.tmp")
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = self._temporary.open("w", encoding="utf-8")

    def write(self, line: str) -> None:
        """Adds a line."""
        self._file.write(line + "\n")

    def __enter__(self) -> LineFile:
        return self

    def __exit__(self, error: object, *_: object) -> None:
        self._file.close()
        if error is None:
            os.replace(self._temporary, self.path)
        else:
            self._temporary.unlink()
