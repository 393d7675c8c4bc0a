"""The motions of sessions that are none of the 14 actions."""

from __future__ import annotations

from collections.abc import Callable

from actrec.data.synthetic.body import Pose
from actrec.data.synthetic.motion import Actor

OTHERS: tuple[Callable[[Actor], Pose], ...] = ()
DAILY: tuple[Callable[[Actor], Pose], ...] = ()
