"""Checks a sample of clips, and logs what is probably wrong: for commands that have other work to do."""

from __future__ import annotations

import logging
import shlex
from collections.abc import Iterable
from pathlib import Path

from actrec.data.check.checks import check_sample
from actrec.data.check.findings import NOTE
from actrec.data.check.text import warning
from actrec.types import SkeletonSequence

log = logging.getLogger(__name__)


def log_warnings(clips: Iterable[SkeletonSequence], n_clips: int, store: Path) -> None:
    """Logs the warnings and errors of a check of some clips' keypoints and all clips' labels."""
    result = check_sample(clips, n_clips)
    found = [finding for finding in result.findings if finding.severity != NOTE]
    for finding in found:
        log.warning("%s", warning(finding))
    if found:
        total = sum(result.labels.values())
        looked = f" (this was a look at {result.n_clips} of {total} clips)" if result.n_clips < total else ""
        log.info(
            "More about the data, with pictures%s: python -m actrec.check store=%s", looked, shlex.quote(str(store))
        )
