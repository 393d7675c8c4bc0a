"""Writes the report of a check of data: `index.html`, one file with everything in it, and `check.json`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import NamedTuple

from jinja2 import Environment, PackageLoader, StrictUndefined

from actrec.data.check.findings import NOTE, CheckResult, Finding, Suspect, Text
from actrec.data.check.text import again, suspects_shown, tell
from actrec.drawing.lettering import spaced
from actrec.files import printable, replace_file
from actrec.report.svg import pose_row
from actrec.types import SkeletonSequence

_DRAWN, _OF_NOTE = 4, 3  # clips of a finding
_SUSPECTS = 20  # clips whose label may be wrong
_LISTED = 60  # ids of a finding


class Drawing(NamedTuple):
    """A clip's poses as SVG, and what is said of them."""

    clip_id: str
    label: str
    poses: str
    remark: str = ""


class Shown(NamedTuple):
    """A finding as the page shows it."""

    finding: Finding
    told: Text
    drawings: list[Drawing]
    listed: str


def write_check(folder: Path, result: CheckResult, clips: Sequence[SkeletonSequence], name: str, command: str) -> Path:
    """Writes the report of a check, and returns the path of the page.

    Args:
        clips: The clips that were checked.
        name: The store or data set.
        command: The command that makes the store again.
    """
    by_id = {clip.clip_id: clip for clip in clips}
    found = [
        Shown(each, tell(each, name), list(_drawings(each, result, by_id)), _listed(each)) for each in result.findings
    ]
    document = {
        "checked": name,
        "n_clips": result.n_clips,
        "labels": dict(result.labels),
        "exit_status": result.exit_status,
        "findings": [asdict(each.finding) | each.told._asdict() for each in found],
        "baseline": asdict(result.baseline) if result.baseline else None,
        "suspects": [asdict(each) for each in result.suspects],
    }
    replace_file(folder / "check.json", printable(json.dumps(document, indent=1, ensure_ascii=False)) + "\n")
    options = {"autoescape": True, "undefined": StrictUndefined, "trim_blocks": True, "lstrip_blocks": True}
    environment = Environment(loader=PackageLoader("actrec.report"), **options)  # type: ignore[arg-type]
    environment.filters["spaced"] = spaced
    page = environment.get_template("check.html").render(name=name, result=result, found=found, again=again(command))
    replace_file(folder / "index.html", page.encode(errors="replace"))
    return folder / "index.html"


def _drawings(finding: Finding, result: CheckResult, clips: dict[str, SkeletonSequence]) -> Iterator[Drawing]:
    """Draws the worst clips of a finding; beside a clip that is to be compared with another, that one."""
    suspects = {each.clip_id: each for each in suspects_shown(result.suspects, _SUSPECTS)}
    most = _SUSPECTS if finding.kind == "label_errors" else _OF_NOTE if finding.severity == NOTE else _DRAWN
    drawn = set[str]()
    for name in (finding.clips or finding.examples)[:most]:
        if name not in clips or name in drawn:
            continue
        drawn.add(name)
        yield _drawing(clips[name], finding, _doubt(suspects.get(name)) if finding.kind == "label_errors" else "")
        other = finding.pairs.get(name)
        if other in clips:
            drawn.add(other)
            yield _drawing(clips[other], finding, "to compare")


def _drawing(clip: SkeletonSequence, finding: Finding, remark: str) -> Drawing:
    return Drawing(clip.clip_id, clip.label, pose_row(clip, finding.frames.get(clip.clip_id)), remark)


def _doubt(suspect: Suspect | None) -> str:
    return f"more like {spaced(suspect.other)} (by {suspect.margin:.2f})" if suspect else ""


def _listed(finding: Finding) -> str:
    more = len(finding.clips) - _LISTED
    return ", ".join(finding.clips[:_LISTED]) + (f" and {more} more, in check.json" if more > 0 else "")
