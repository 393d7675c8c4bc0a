"""Lists the clips of data sets whose files say in their names which action, person and camera they are of."""

from __future__ import annotations

import logging
import re
from pathlib import Path

from actrec.types import ActrecError

log = logging.getLogger(__name__)


def named_files(raw: Path, ending: str, name: re.Pattern[str], expected: str) -> list[tuple[Path, re.Match[str]]]:
    """Lists the files in a folder, and in folders of it, whose names fit, each with its match; warns of other ones.

    Args:
        ending: With its dot.
        name: Fits the names of clips, without their ending.
        expected: What the files are called, for messages.

    Raises:
        ActrecError: There are none.
    """
    files = sorted(raw.rglob(f"*{ending}"))
    matches = [(file, name.fullmatch(file.stem)) for file in files]
    clips = [(file, match) for file, match in matches if match]
    others = [file.name for file, match in matches if not match]
    if not clips:
        found = f" It has {len(others)} of other names, such as {others[0]}." if others else ""
        raise ActrecError(f"There are no files {expected} in {raw}.{found} Give their folder: raw=…")
    if others:
        more = ", …" if len(others) > 3 else ""
        log.warning(
            "%d files in %s are not read, as their names are not %s: %s%s.",
            len(others),
            raw,
            expected,
            ", ".join(others[:3]),
            more,
        )
    return clips
