"""Lets a command that is interrupted while it imports end with one word; `actrec` imports this before the rest."""

from __future__ import annotations

import sys
from types import TracebackType


def _say_interrupted(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        print("interrupted", file=sys.stderr)
    else:
        sys.__excepthook__(kind, error, traceback)


if sys.argv[:1] == ["-m"]:  # python -m actrec.…, whose own module is not found yet
    sys.excepthook = _say_interrupted
