"""The motions of sessions that are none of the 14 actions."""

from __future__ import annotations

from collections.abc import Callable

from actrec.data.synthetic.body import Pose
from actrec.data.synthetic.motion import Actor
from actrec.data.synthetic.other_core import CORE, REST

OTHERS: tuple[Callable[[Actor], Pose], ...] = CORE
DAILY: tuple[Callable[[Actor], Pose], ...] = REST
