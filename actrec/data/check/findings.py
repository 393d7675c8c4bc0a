"""The result of a check of data: findings as plain data, which `text.py` puts into words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

ERROR, WARNING, NOTE = "error", "warning", "note"
SEVERITIES = (ERROR, WARNING, NOTE)
Value = float | int | str


class Text(NamedTuple):
    """The words for a finding, or for a kind of findings with places for values, as {which} for the clips concerned."""

    title: str
    what: str
    why: str
    do: str


@dataclass(frozen=True)
class Finding:
    """Something in the data that is probably wrong, or good to know.

    Attributes:
        kind: What it is; the keys of `actrec.data.check.text.TEXTS`.
        severity: "error", where a model that is trained on this data, or its test, is worthless; "warning", where it is
            probably worse than it could be; "note" otherwise.
        clips: Ids of the clips concerned, the worst first; empty if it concerns a whole source or class.
        of: Number of clips that were checked.
        values: Numbers and names for the text.
        examples: Ids of clips that show it, where it concerns no single clips.
        frames: Of some clips, the frame at which to look.
        pairs: Of some clips, the id of the clip to compare it with.
    """

    kind: str
    severity: str
    clips: tuple[str, ...]
    of: int
    values: Mapping[str, Value] = field(default_factory=dict)
    examples: tuple[str, ...] = ()
    frames: Mapping[str, int] = field(default_factory=dict)
    pairs: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Suspect:
    """A clip, and how probable it is that its label is wrong.

    Attributes:
        label: Its label.
        other: The label that clips like it have.
        margin: How much more its neighbours are of the other label: -1 for a clip that is surely right, 0 for one that
            may be either, 1 for one that is surely wrong, about.
    """

    clip_id: str
    label: str
    other: str
    margin: float


@dataclass(frozen=True)
class Baseline:
    """What simple rules reach on the clips' poses, and what can be guessed without poses.

    Attributes:
        protocol: "official split", or "each group left out in turn".
        n_clips: Number of clips that were judged.
        majority: Accuracy of always naming the most frequent class.
        poses: Accuracy of each rule on the pose descriptor: "nearest class mean", "nearest neighbour", "kernel ridge".
        without: Accuracy without poses: by clip length, frame rate, picture size, or which joints are missing.
    """

    protocol: str
    n_clips: int
    majority: float
    poses: Mapping[str, float]
    without: Mapping[str, float]


@dataclass(frozen=True)
class CheckResult:
    """The result of a check.

    Attributes:
        n_clips: Number of clips that were checked, where clips with segments count as their actions.
        labels: Number of clips of each label.
        findings: Errors first, then warnings and notes.
        suspects: All clips, those with the most doubtful labels first; empty if it was not computed.
        baseline: None if it was not computed.
    """

    n_clips: int
    labels: Mapping[str, int]
    findings: Sequence[Finding]
    suspects: Sequence[Suspect] = ()
    baseline: Baseline | None = None

    def count(self, severity: str) -> int:
        return sum(finding.severity == severity for finding in self.findings)

    @property
    def exit_status(self) -> int:
        """3 with an error, 2 with a warning, 0 otherwise; 1 is the status of a command that failed."""
        return 3 if self.count(ERROR) else 2 if self.count(WARNING) else 0


def few(number: int, of: int, share: float) -> bool:
    """Whether a number of clips is so small that a note is enough: one clip, or at most this share of all."""
    return number <= max(1, share * of)
