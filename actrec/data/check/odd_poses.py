"""Finds clips whose axes or sides are not as in the other clips.

For each change of the axes, such as swapped sides, a regression on the poses of all clips learns to tell a clip (1)
from the same clip changed (-1). What it predicts for a clip whose group is left out is near 1 for a clip like the
others, and negative for a clip that looks like the others only once it is changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from jaxtyping import Bool
from numpy import ndarray

from actrec.data.check.findings import ERROR, WARNING, Finding, Text
from actrec.data.check.similarity import Features, Posed, Poses, left_out_predictions
from actrec.types import NONE

_ODD, _SURELY_ODD = -0.3, -0.6  # the second for sides, which poses tell less clearly than axes
_LEAST, _OF_CLASS = 100, 10  # clips that are judged, and of their class; among fewer, any rare pose is odd
_SHARES = {"odd_y": 0.01, "odd_xy": 0.02, "odd_sides": 0.012}  # share of odd clips above which it is a finding
_RARE_VIEWS = 8  # clips more, as views are seen from few sides in a small set

_AXES = "The network would learn two pictures of one action, and the camera shows it only one."
TEXTS = {
    "odd_y": Text(
        "Some clips are upside down",
        "{which} {have} poses like the other clips' only when y is turned round.",
        _AXES,
        "Turn y round in these clips (height minus y), or leave them out.",
    ),
    "odd_xy": Text(
        "Some clips have x and y swapped",
        "{which} {have} poses like the other clips' only when x and y are swapped.",
        _AXES,
        "Swap x and y in these clips, or leave them out.",
    ),
    "odd_sides": Text(
        "Left and right are swapped in some clips",
        "{which} {have} poses like the other clips' only when left and right are swapped.",
        "Sides may be named from the viewer's side in some clips and from the person's in others. Then the network "
        "cannot use the sides, nor tell a front from a back.",
        "Look at the clips. If sides are named in two ways, swap the joints of one kind.",
    ),
}


def odd_poses(data: Posed, rng: np.random.Generator) -> Iterator[Finding]:
    """Finds clips of which more than a few are upside down, have x and y swapped, or left and right.

    Clips of the class none, whose poses may be any, and of small classes are not judged.
    """
    judged = _judged(data)
    if judged.sum() < _LEAST:
        return
    changes: dict[str, Callable[[Poses], Poses]] = {
        "odd_y": lambda poses: poses * np.array([1, -1], np.float32),
        "odd_xy": lambda poses: poses[..., ::-1],
        "odd_sides": lambda poses: poses[:, :, data.mirror_index],
    }
    features = Features(data, rng, by_class=True)
    plain = features(data.poses, data.labels)
    target = np.ones((len(plain), 1), np.float32)
    scores = np.stack(
        [
            left_out_predictions(
                (plain - features(np.ascontiguousarray(change(data.poses)), data.labels)) / np.sqrt(2),
                target,
                data.groups,
                ridge=0.3,
            )[:, 0]
            for change in changes.values()
        ]
    )
    axes = scores[:2].min(0)
    scores[2, axes < _ODD] = 0  # explained by its axes, whatever its sides
    scores[:2][scores[:2] > axes] = 0  # of the two changes of the axes, the one that explains it better
    for kind, own in zip(changes, scores, strict=True):
        of_sides = kind == "odd_sides"
        odd = np.flatnonzero(judged & (own < (_SURELY_ODD if of_sides else _ODD)))
        usual = _SHARES[kind] * judged.sum() + of_sides * _RARE_VIEWS  # of right clips; and its deviation by chance
        if len(odd) > max(2, usual + 2 * np.sqrt(usual)):
            worst = odd[np.argsort(own[odd])]
            severity = WARNING if of_sides else ERROR
            yield Finding(kind, severity, tuple(data.clips[k].clip_id for k in worst), int(judged.sum()))


def _judged(data: Posed) -> Bool[ndarray, " clip"]:
    sizes = np.bincount(data.labels)[data.labels]
    return (sizes >= _OF_CLASS) & np.array([clip.label != NONE for clip in data.clips])
