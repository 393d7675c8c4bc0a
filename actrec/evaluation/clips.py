"""Chooses the clips that a model is evaluated on: by the split that its training had, as far as that is known."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from actrec.data.saved_split import SavedSplit
from actrec.data.split import Split, first_names
from actrec.model.spec import ModelSpec
from actrec.types import ActrecError, SkeletonSequence

log = logging.getLogger(__name__)

PARTS = ("train", "val", "test", "new", "all")
Clips = list[SkeletonSequence]


@dataclass(frozen=True)
class DataSet:
    """Every clip of the data set that a model is evaluated on.

    Attributes:
        clips: All of them.
        name: Of the data set.
        split: The protocol by which it is split where a model says nothing.
        generated: What the clips were generated with; None for those of a store.
    """

    clips: Clips
    name: str
    split: str | None
    generated: Mapping[str, Any] | None = None

    def is_of(self, saved: SavedSplit) -> bool:
        """Whether a training has split this data set, or an earlier state of it."""
        return saved.covers(self.clips, self.name, self.generated)


def choose(data: DataSet, models: Sequence[Path], spec: ModelSpec, part: str, protocol: str | None) -> Clips:
    """The clips of a part; says what is new, what is gone, and how many clips the models were trained on.

    Args:
        data: What there is.
        models: Model folders; the split of the first holds.
        spec: What the first is.
        part: One of `PARTS`.
        protocol: The split asked for; None is the model's own, so that it is not judged on clips it was trained on.

    Raises:
        ActrecError: There is no such part, or which clips are new is not known.
    """
    if part not in PARTS:
        raise ActrecError(f"There is no part '{part}'. Choose one of: {', '.join(PARTS)}.")
    saved = SavedSplit.read(models[0])
    is_own = saved is not None and data.is_of(saved) and protocol in (None, spec.split.get("protocol"))
    if part == "all":
        chosen = data.clips
    elif saved is not None and is_own:
        chosen = _by_saved_split(saved, data, part)
    elif part == "new":
        chosen = _all_new(saved, data, models[0])
    else:
        chosen = _drawn(data, spec, part, protocol, saved, models[0])
    for number, model in enumerate(models):
        if number or part == "all" or not is_own:
            _warn_seen(model, data, chosen)
    return chosen


def _by_saved_split(saved: SavedSplit, data: DataSet, part: str) -> Clips:
    parts = saved.divide(data.clips)
    new, added = parts["new"], [clip for clip in parts["test"] if saved.part_of(clip) is None]
    if new:
        groups = list(dict.fromkeys(clip.group or clip.clip_id for clip in new))
        rest = "" if part == "new" else f" They are not in part={part}; part=new evaluates them alone."
        log.warning(
            "%d clips of %d groups (%s) are new since the model's training.%s",
            len(new),
            len(groups),
            first_names(groups),
            rest,
        )
    if added:
        log.warning(
            "%d clips of the store's official test are new since the model's training; test has them.", len(added)
        )
    gone = saved.missing_groups(data.clips)
    if gone:
        counts = ", ".join(f"{count} of {name}" for name, count in gone.items())
        log.warning("Groups that the model's training had are not among the clips any more: %s.", counts)
    if not parts[part]:
        counts = ", ".join(f"{len(clips)} {name}" for name, clips in parts.items())
        raise ActrecError(f"There are no clips in part={part}. By the model's split there are: {counts}.")
    return parts[part]


def _all_new(saved: SavedSplit | None, data: DataSet, model: Path) -> Clips:
    if saved is None:
        raise ActrecError(f"Which clips are new to '{model}' is not known: it has no split.json. Choose another part.")
    if data.is_of(saved):
        raise ActrecError("part=new is by the model's own split. Leave out split=…")
    return data.clips


def _drawn(
    data: DataSet, spec: ModelSpec, part: str, protocol: str | None, saved: SavedSplit | None, model: Path
) -> Clips:
    own = Split(**spec.split) if spec.split else Split(data.split)
    split = own if protocol is None else Split(protocol)
    if saved is not None and not data.is_of(saved):
        log.info("None of the %d clips was there in the training of '%s'.", len(data.clips), model)
    elif protocol not in (None, spec.split.get("protocol")) and spec.split:
        log.warning(
            "The model was trained with the split '%s': with '%s' it may be judged on clips that it was trained on.",
            spec.split["protocol"],
            protocol,
        )
    elif saved is None and spec.split and (split.protocol != "official" or part != "test"):
        log.warning(
            "'%s' has no split.json, which trainings leave since they keep their split: it is drawn again, and is what "
            "the training had only if the clips are the same as then.",
            model,
        )
    if part == "test" and split.protocol == "official":
        split = replace(split, val_share=0.0)  # test is what it is, be there clips enough for val or not
    return split(data.clips)[part]


def _warn_seen(model: Path, data: DataSet, chosen: Clips) -> None:
    saved = SavedSplit.read(model)
    seen = saved.trained_on(chosen) if saved is not None and data.is_of(saved) else []
    if seen:
        log.warning(
            "%d of the %d clips are of groups that '%s' was trained or validated on.", len(seen), len(chosen), model
        )
