"""Summary of a run that makes a skeleton store: what it did, and what the store now has."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from actrec.data.store.plausibility import ClipMeasure
from actrec.data.store.reading import Row

# Why a clip was written.
NEW = "new"
CHANGED = "whose source changed"
MENDED = "whose file was damaged or missing"


@dataclass
class StoreSummary:
    """What a run of `write_store` did, and what the store now has.

    Attributes:
        rows: The manifest's rows.
        written: How many clips this run wrote; the others were there.
        because: Why those were written: NEW, CHANGED or MENDED.
        restated: Clips that were there, and got another label, group or split.
        removed: Clips that were in the store and no longer are.
        tried: How many clips this run read.
        adopted: Clips of a version that wrote no `sources.csv`, taken to be made from the present source.
        frames: How many frames the written clips have.
        missing: Clips that other workers have yet to make; the store is not finished.
        observed: Of all joints in all frames, the share that preprocessing takes for observed; see
            `plausibility.observed_share`.
        measures: What is in each clip's keypoints.
        unseen: Clips in which no joint is observed in any frame; they are kept.
        rejected: Bad clips: their origin and what is wrong with them.
        unforeseen: How many of those this run rejected for an unexpected error.
        skipped: Clips left out by the label map, by source and that source's label.
    """

    rows: list[Row] = field(default_factory=list)
    written: int = 0
    because: Counter[str] = field(default_factory=Counter)
    restated: int = 0
    removed: int = 0
    tried: int = 0
    adopted: int = 0
    frames: int = 0
    missing: int = 0
    observed: float = 0.0
    measures: list[ClipMeasure] = field(default_factory=list)
    unseen: list[str] = field(default_factory=list)
    rejected: dict[str, str] = field(default_factory=dict)
    unforeseen: int = 0
    skipped: Counter[tuple[str, str]] = field(default_factory=Counter)

    def outcome(self, store: Path) -> str:
        """Returns what this run changed, in a sentence."""
        counts = [f"{self.because[why]} {why}" for why in (NEW, CHANGED, MENDED) if self.because[why]]
        others = [
            f"{number} {what}"
            for number, what in ((self.restated, "with another label, group or split"), (self.removed, "removed"))
            if number
        ]
        if self.written:
            return f"{self.written} clips written to {store}: {'; '.join([', '.join(counts), *others])}."
        if others:
            return f"{store} was brought up to date: {'; '.join(others)}."
        if self.tried:
            return f"{store} stays as it was: {self.tried} clips were tried, and all of them left out."
        return f"{store} was already complete."
