"""Loads the content of keypoint files: JSON, text, or the rows of a table."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from actrec.data.sources.csv_files import read_text, separator_of
from actrec.types import ActrecError

KINDS = {".json": "json", ".csv": "table", ".tsv": "table", ".txt": "text", ".skeleton": "text"}


@dataclass(frozen=True)
class Table:
    """The text of a CSV."""

    text: str
    separator: str

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """Yields the line number and cells of each row that is not empty."""
        reader = csv.reader(io.StringIO(self.text, newline=""), delimiter=self.separator, skipinitialspace=True)
        try:
            for cells in reader:
                if any(cells) and any(map(str.strip, cells)):
                    yield reader.line_num, cells
        except csv.Error as error:
            raise ActrecError(f"its row {reader.line_num} cannot be read ({error}).") from None


def load(file: Path) -> Any:
    """Loads a file according to its ending: plain JSON, a `Table` or a text.

    Raises:
        ActrecError: The file is empty, cut short, or not what its ending says.
    """
    kind = KINDS[file.suffix.lower()]
    try:
        if kind == "table":
            text = read_text(file)
            return Table(text, separator_of(text))
        text = file.read_text(encoding="utf-8-sig")
        if kind == "text":
            return text
        if not text.strip():
            raise ActrecError("it is empty.")
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise ActrecError(f"it is cut short, or no JSON (line {error.lineno}: {error.msg}). Get it again.") from None
    except UnicodeDecodeError:
        raise ActrecError("it is not text in UTF-8.") from None
    except RecursionError:
        raise ActrecError("its lists are nested too deeply.") from None
    except OSError as error:
        raise ActrecError(f"it cannot be read: {error.strerror}.") from None
