"""The summary of a run that makes or updates a skeleton store."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from actrec.data.store.ranges import ClipRanges
from actrec.data.store.reading import Row

# Reasons for writing a clip.
NEW = "new"
CHANGED = "whose source changed"
REPAIRED = "whose file was damaged or missing"


@dataclass
class StoreSummary:
    """The summary of a run of `write_store`: what it did, and what the store contains now.

    Attributes:
        written: Number of clips that this run wrote.
        reasons: How many were written for which reason: NEW, CHANGED or REPAIRED.
        updated: Number of clips whose label, group, split or segments changed.
        removed: Number of clips that were removed from the store.
        tried: Number of clips that this run read.
        adopted: Number of clips of a version that wrote no `sources.csv`, which are assumed to be from the present
            sources.
        frames: Number of frames of the written clips.
        missing: Number of clips that other workers have still to make; above 0, the store is not finished.
        observed: Share of observed joints among all joints in all frames; see `ranges.observed_share`.
        measures: Statistics of each clip's keypoints.
        unseen: Ids of clips in which no joint is observed in any frame; they are kept.
        wrong_segments: What is wrong with the segments of clips that could not be placed.
        rejected: The reason for which a clip was rejected, by its origin.
        unexpected: Number of clips that this run rejected for an unexpected error.
        nobody: The origins of clips that were skipped, since no frame has a body.
        skipped: Number of clips left out by the label map, by source and source's label.
    """

    rows: list[Row] = field(default_factory=list)
    written: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    updated: int = 0
    removed: int = 0
    tried: int = 0
    adopted: int = 0
    frames: int = 0
    missing: int = 0
    observed: float = 0.0
    measures: list[ClipRanges] = field(default_factory=list)
    unseen: list[str] = field(default_factory=list)
    wrong_segments: list[str] = field(default_factory=list)
    rejected: dict[str, str] = field(default_factory=dict)
    unexpected: int = 0
    nobody: list[str] = field(default_factory=list)
    skipped: Counter[tuple[str, str]] = field(default_factory=Counter)

    def outcome(self, store: Path) -> str:
        """Describes in a sentence what this run changed."""
        counts = [f"{self.reasons[why]} {why}" for why in (NEW, CHANGED, REPAIRED) if self.reasons[why]]
        others = [
            f"{number} {what}"
            for number, what in (
                (self.updated, "with another label, group, split or segments"),
                (self.removed, "removed"),
            )
            if number
        ]
        if self.written:
            return f"{self.written} clips written to {store}: {'; '.join([', '.join(counts), *others])}."
        if others:
            return f"{store} was brought up to date: {'; '.join(others)}."
        if self.tried:
            return f"{store} is unchanged: {self.tried} clips were tried, and all of them left out."
        return f"{store} was already complete."
