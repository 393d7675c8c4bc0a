"""The motions of sessions that are none of the 14 actions."""

from __future__ import annotations

from collections.abc import Callable

from actrec.data.synthetic.body import Pose
from actrec.data.synthetic.everyday import EVERYDAY
from actrec.data.synthetic.exercises_arms import ARMS
from actrec.data.synthetic.exercises_bench import BENCH
from actrec.data.synthetic.exercises_floor import FLOOR, russian_twist
from actrec.data.synthetic.exercises_hinge import HINGE
from actrec.data.synthetic.exercises_standing import STANDING, high_knees
from actrec.data.synthetic.motion import Actor
from actrec.data.synthetic.other_jumps import JUMPS
from actrec.data.synthetic.other_lifts import LIFTS
from actrec.data.synthetic.other_sports import SPORTS

OTHERS: tuple[Callable[[Actor], Pose], ...] = (
    *(*HINGE, *ARMS, *STANDING, *FLOOR, *BENCH),
    *(*LIFTS, *SPORTS, *JUMPS),
    *(*HINGE, *LIFTS, high_knees, russian_twist),  # near misses are drawn twice as often
)
DAILY: tuple[Callable[[Actor], Pose], ...] = EVERYDAY
