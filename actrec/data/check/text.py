"""Puts findings into words: what it is, why it matters, and what to do."""

from __future__ import annotations

from collections.abc import Sequence

from actrec.data.check import (
    baseline,
    checks,
    confidence,
    coordinates,
    copies,
    label_errors,
    labels,
    motion,
    odd_poses,
    plane,
)
from actrec.data.check.findings import Baseline, CheckResult, Finding, Suspect, Text, Value
from actrec.data.store.ranges import SMALL, THRESHOLD

_SHOWN = 3
_MODULES = (checks, coordinates, plane, odd_poses, confidence, motion, labels, copies, label_errors, baseline)
TEXTS: dict[str, Text] = {kind: text for module in _MODULES for kind, text in module.TEXTS.items()}


def tell(finding: Finding, store: str = "…") -> Text:
    """Puts a finding into words; `store` is the store's folder."""
    n, text = len(finding.clips), TEXTS[finding.kind]
    more = ", …" if n > _SHOWN else ""
    values: dict[str, Value] = {
        "which": f"{n} of {finding.of} clips ({', '.join(finding.clips[:_SHOWN])}{more})",
        "have": "has" if n == 1 else "have",
        "move": "moves" if n == 1 else "move",
        "small": SMALL,
        "threshold": THRESHOLD,
        "slow": motion.RATES[0],
        "fast": motion.RATES[1],
        "store": store,
        **finding.values,
    }
    return Text(text.title, *(part.format(**values) for part in text[1:]))


def warning(finding: Finding) -> str:
    """Puts a finding into a line of a log."""
    told = tell(finding)
    return f"{told.what} {told.do}"


def report_text(result: CheckResult, command: str, store: str) -> str:
    """Formats the result of a check for the terminal.

    Args:
        command: The command that makes the store again.
        store: The store's folder.
    """
    lines = []
    for finding in result.findings:
        told = tell(finding, store)
        lines += [
            f"{finding.severity.upper()}: {told.title}",
            f"  {told.what}",
            f"  Why: {told.why}",
            f"  Do:  {told.do}",
        ]
    lines += [baseline_line(result.baseline)] if result.baseline else []
    counts = [_count(result.count(severity), severity) for severity in ("error", "warning", "note")]
    n_clips, n_labels = _count(result.n_clips, "clip"), _count(len(result.labels), "label")
    lines.append(f"{n_clips} of {n_labels}: {', '.join(counts)}.")
    lines += [again(command)] if result.exit_status else []
    return "\n".join(lines)


def again(command: str) -> str:
    """Says what to do when the files are corrected."""
    return f"Once the files are corrected, make the store again: {command}"


def _count(number: int, what: str) -> str:
    return f"{number or 'no'} {what}{'s' * (number != 1)}"


def baseline_line(base: Baseline) -> str:
    """Describes what simple rules reach."""
    rules = ", ".join(f"{name} {accuracy:.3f}" for name, accuracy in base.poses.items())
    return (
        f"Simple rules on poses reach ({base.protocol}, {base.n_clips} clips): {rules}; always the most "
        f"frequent class {base.majority:.3f}. A network should do better than the best of them."
    )


def suspects_shown(suspects: Sequence[Suspect], most: int) -> list[Suspect]:
    """Selects the clips whose label is more like wrong than right, the worst first."""
    return [each for each in suspects if each.margin > 0][:most]
