"""Finds clips whose axes or sides are not as in the other clips.

For each change of the axes, such as swapped sides, a regression on the poses of all clips learns to tell a clip (1)
from the same clip changed (-1). What it predicts for a clip whose group is left out is near 1 for a clip like the
others, and negative for a clip that looks like the others only once it is changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from actrec.data.check.findings import ERROR, WARNING, Finding
from actrec.data.check.similarity import Features, Posed, Poses, left_out_predictions

_ODD = -0.3
_LEAST = 100  # clips; among fewer, any rare pose is odd
_SHARES = {"odd_sides": 0.045, "odd_y": 0.01, "odd_xy": 0.02}  # share of odd clips above which it is a finding


def odd_poses(data: Posed, rng: np.random.Generator) -> Iterator[Finding]:
    """Finds clips of which more than a few are upside down, have x and y swapped, or left and right."""
    if len(data.clips) < _LEAST:
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
        odd = np.flatnonzero(own < _ODD)
        usual = _SHARES[kind] * len(own)  # of clips that are right, and its deviation by chance
        if len(odd) > max(2, usual + 2 * np.sqrt(usual)):
            worst = odd[np.argsort(own[odd])]
            severity = WARNING if kind == "odd_sides" else ERROR
            yield Finding(kind, severity, tuple(data.clips[k].clip_id for k in worst), len(own))
