"""Measures by occlusion which joints a network's decisions depend on, and checks the result on other clips."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy import ndarray
from torch import nn

from actrec.evaluation.metrics import paired_interval
from actrec.evaluation.probabilities import clip_probabilities
from actrec.model.spec import ModelSpec
from actrec.types import ActrecError, SkeletonSequence


def joint_importance(
    network: nn.Module, spec: ModelSpec, clips: Sequence[SkeletonSequence], batch_size: int = 64
) -> tuple[Float[ndarray, "clip joint"], Int[ndarray, " clip"]]:
    """Measures how much hiding each joint lowers each decision's probability (Zeiler and Fergus 2014, section 4.2).

    Args:
        network: In eval mode, on the device to use.
        clips: In the model's skeleton.

    Returns:
        The fall in log probability of the predicted class where the joint is hidden, in nats, negative where the
        probability rises; and the number of the predicted class.
    """
    n_joints, n_classes = spec.pipeline.skeleton.n_joints, len(spec.labels)

    def probabilities(hidden: Bool[ndarray, " joint"]) -> Float[ndarray, "clip class"]:
        mask = np.tile(hidden, (len(clips), 1))
        return clip_probabilities(network, spec.pipeline, clips, n_classes, 1.0, spec.decision, batch_size, mask)

    whole = probabilities(np.zeros(n_joints, dtype=bool))
    decided, rows = whole.argmax(1), np.arange(len(clips))
    without = [probabilities(np.arange(n_joints) == joint)[rows, decided] for joint in range(n_joints)]
    least = np.finfo(np.float32).tiny
    return np.log(whole[rows, decided])[:, None] - np.log(np.maximum(without, least)).T, decided


class OcclusionCheck(NamedTuple):
    """A test of occlusion: accuracies of whole clips while some joints are hidden.

    Attributes:
        hidden: Number of joints hidden at once.
        none: Accuracy with no joint hidden.
        named: With the joints hidden that matter most to the predicted class, as measured on clips of other groups.
        random: With as many joints hidden at random, averaged over the draws.
        least: With the joints hidden that matter least.
        ahead: `random` minus `named`: how much more hiding the most important joints hurts.
        low: Lower end of the 95 % interval of `ahead`, by paired bootstrap over groups.
        high: Upper end of that interval.
    """

    hidden: int
    none: float
    named: float
    random: float
    least: float
    ahead: float
    low: float
    high: float

    def __str__(self) -> str:
        return (
            f"Accuracy {self.none:.3f}; {self.named:.3f} with the {self.hidden} joints hidden that matter most to the "
            f"decision, {self.random:.3f} with {self.hidden} at random: {self.ahead:.3f} more ({self.low:.3f} to "
            f"{self.high:.3f}); {self.least:.3f} with those that matter least."
        )


def check_occlusion(
    network: nn.Module,
    spec: ModelSpec,
    clips: Sequence[SkeletonSequence],
    importance: Float[ndarray, "clip joint"],
    decided: Int[ndarray, " clip"],
    hidden: int = 3,
    draws: int = 5,
    batch_size: int = 64,
) -> OcclusionCheck:
    """Compares the accuracy with the most important joints hidden to the accuracy with random joints hidden.

    The groups are split into two halves. The joints that matter most to a class are those of largest mean importance
    over one half's clips with that prediction; they are hidden in the other half, and vice versa. True labels are not
    used to choose them.

    Args:
        network: In eval mode, on the device to use.
        clips: In the model's skeleton.
        importance: See `joint_importance`.
        decided: See `joint_importance`.
        draws: Number of random draws, each different for each clip.

    Raises:
        ActrecError: There is only one group, or the skeleton does not have more joints than are to be hidden.
    """
    groups = [clip.group or clip.clip_id for clip in clips]
    names, n_joints, n_classes = sorted(set(groups)), importance.shape[1], len(spec.labels)
    if len(names) < 2 or not 0 < hidden < n_joints:
        raise ActrecError(
            f"Occlusion is checked with 2 groups or more and fewer joints than the skeleton has; there are "
            f"{len(names)} groups, and {hidden} of {n_joints} joints are to be hidden."
        )
    rng = np.random.default_rng(0)
    half = set(rng.permutation(names)[: len(names) // 2].tolist())
    inside = np.array([group in half for group in groups])
    order = np.empty(importance.shape, dtype=int)  # joints of each clip, the most important first
    for of, other in ((inside, ~inside), (~inside, inside)):
        means = class_importance(importance[other], decided[other], n_classes)
        means = np.where(np.isfinite(means), means, importance[other].mean(0))
        order[of] = (-means).argsort(1)[decided[of]]
    labels = np.array([spec.labels.index(clip.label) for clip in clips])

    def right(joints: Int[ndarray, "clip hidden"]) -> Float[ndarray, " clip"]:
        mask = np.zeros(importance.shape, dtype=bool)
        np.put_along_axis(mask, joints, values=True, axis=1)
        found = clip_probabilities(network, spec.pipeline, clips, n_classes, 1.0, spec.decision, batch_size, mask)
        return (found.argmax(1) == labels).astype(float)

    named, least = right(order[:, :hidden]), right(order[:, n_joints - hidden :])
    drawn = [right(rng.random(importance.shape).argsort(1)[:, :hidden]) for _ in range(draws)]
    random = np.mean(drawn, axis=0)
    ahead, low, high = paired_interval(random, named, groups)
    return OcclusionCheck(
        hidden,
        none=float((decided == labels).mean()),
        named=float(named.mean()),
        random=float(random.mean()),
        least=float(least.mean()),
        ahead=ahead,
        low=low,
        high=high,
    )


def class_importance(
    importance: Float[ndarray, "clip joint"], decided: Int[ndarray, " clip"], n_classes: int
) -> Float[ndarray, "class joint"]:
    """Averages the importance over the clips predicted as each class; NaN for a class that was never predicted."""
    taken = np.eye(n_classes)[decided]
    with np.errstate(invalid="ignore"):
        return taken.T @ importance / taken.sum(0)[:, None]
