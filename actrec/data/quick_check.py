"""Checks clips shortly, and logs what is probably wrong with them: for commands that have other work to do."""

from __future__ import annotations

import logging
import shlex
from collections.abc import Iterable
from pathlib import Path

from actrec.data.check.checks import check_clips
from actrec.data.check.findings import NOTE
from actrec.data.check.text import warning
from actrec.data.clips import actions_of
from actrec.types import SkeletonSequence

log = logging.getLogger(__name__)


def log_warnings(clips: Iterable[SkeletonSequence], store: Path) -> None:
    """Logs the warnings and errors of a check that does not compare clips with one another."""
    result = check_clips(actions_of(clips), thorough=False)
    found = [finding for finding in result.findings if finding.severity != NOTE]
    for finding in found:
        log.warning("%s", warning(finding))
    if found:
        log.info("More about the data, with pictures: python -m actrec.check store=%s", shlex.quote(str(store)))
