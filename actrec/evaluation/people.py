"""Combines the bodies of one clip to one decision, where a data set stores each as a clip of its own."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from actrec.types import ActrecError, SkeletonSequence

PEOPLE = ("each", "together")
_PERSON = re.compile(r"\.p\d+$")  # as `actrec.data.store.ledger.person_id` names several people of one clip


def check_people(people: str) -> None:
    """Raises an ActrecError for an unknown choice."""
    if people not in PEOPLE:
        raise ActrecError(f"people is '{people}'. Choose one of: {', '.join(PEOPLE)}.")


def together(
    probabilities: Float[ndarray, "ratio clip class"], clips: Sequence[SkeletonSequence]
) -> tuple[Float[ndarray, "ratio whole class"], list[SkeletonSequence]]:
    """Averages the logits of the people of each clip: `a.p1` and `a.p2` of one source become one decision.

    For one model, the normalised geometric mean of probabilities is the softmax of averaged logits. For an ensemble,
    whose probabilities are averages, it takes the place of that.

    Returns:
        The probabilities, and for each the clip of its first person.
    """
    members: dict[tuple[str, str], list[int]] = {}
    for number, clip in enumerate(clips):
        members.setdefault((clip.source, _PERSON.sub("", clip.clip_id)), []).append(number)
    logits = np.log(np.maximum(probabilities, 1e-300))
    means = np.exp(np.stack([logits[:, numbers].mean(1) for numbers in members.values()], 1))
    return means / means.sum(-1, keepdims=True), [clips[numbers[0]] for numbers in members.values()]
