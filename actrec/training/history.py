"""Reads `history.csv`, which a training run writes: the figures of each epoch."""

from __future__ import annotations

import csv
from pathlib import Path

from actrec.types import ActrecError


def read_history(path: Path) -> list[dict[str, float]]:
    """Reads the figures of each epoch from a CSV file whose rows have an `epoch` and may leave columns empty.

    Raises:
        ActrecError: There is no `epoch` column, or a figure is not a number.
    """
    rows: list[dict[str, float]] = []
    with path.open(newline="", encoding="utf-8") as file:
        for number, row in enumerate(csv.DictReader(file), start=2):
            try:
                figures = {name: float(value) for name, value in row.items() if value}
                rows.append({"epoch": figures.pop("epoch"), **figures})
            except (KeyError, TypeError, ValueError) as error:
                raise ActrecError(
                    f"Row {number} of '{path}' is not of a training history ({type(error).__name__}: {error}); "
                    "expected numbers, and one in the column 'epoch'. Give the history.csv that a run has written."
                ) from None
    return rows
