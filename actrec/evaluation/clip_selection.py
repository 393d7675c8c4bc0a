"""Selects the clips that a model is evaluated on, by the split of its training if that is known."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from actrec.data.clips import DataSet
from actrec.data.saved_split import SavedSplit
from actrec.data.split import PROTOCOLS, Split, first_names
from actrec.model.spec import ModelSpec
from actrec.types import ActrecError, SkeletonSequence

log = logging.getLogger(__name__)

SPLITS = ("train", "val", "test", "new", "all")
Clips = Sequence[SkeletonSequence]


def select_clips(
    data: DataSet, models: Sequence[Path], spec: ModelSpec, split: str, protocol: str | None, default: str | None = None
) -> Clips:
    """Selects the clips of a split; logs which are new or missing, and how many the models were trained on.

    Args:
        models: Model folders; the split of the first is used.
        split: One of `SPLITS`; "new" are the clips that were not in the first model's training.
        protocol: The split protocol; None is the model's own, so that test holds no clips that it was trained on.
        default: The split protocol if the model records none.

    Raises:
        ActrecError: There is no such split, it is empty, or it is not known which clips are new.
    """
    if split not in SPLITS:
        hint = f" A split protocol is given as protocol={split}." if split in PROTOCOLS else ""
        raise ActrecError(f"There is no split '{split}'. Choose one of: {', '.join(SPLITS)}.{hint}")
    saved = SavedSplit.read(models[0])
    is_own = saved is not None and _is_of(saved, data) and protocol in (None, spec.split.get("protocol"))
    if split == "all":
        chosen = data.clips
    elif saved is not None and is_own:
        chosen = _by_saved_split(saved, data, split)
    elif split == "new":
        chosen = _all_new(saved, data, models[0])
    else:
        chosen = _drawn(data, spec, split, protocol, default, saved, models[0])
    for number, model in enumerate(models):
        if number or split == "all" or not is_own:
            _warn_seen(model, data, chosen)
    return chosen


def _is_of(saved: SavedSplit, data: DataSet) -> bool:
    return saved.covers(data.clips, data.name, data.generated)


def _by_saved_split(saved: SavedSplit, data: DataSet, split: str) -> Clips:
    parts = saved.divide(data.clips)
    new, added = parts["new"], [clip for clip in parts["test"] if saved.part_of(clip) is None]
    if new:
        groups = list(dict.fromkeys(clip.group or clip.clip_id for clip in new))
        rest = "" if split == "new" else f" They are not in split={split}; split=new evaluates only them."
        log.warning(
            "%d clips of %d groups (%s) are new since the model's training.%s",
            len(new),
            len(groups),
            first_names(groups),
            rest,
        )
    if added:
        log.warning(
            "%d clips of the store's official test are new since the model's training; they are in test.", len(added)
        )
    gone = saved.missing_groups(data.clips)
    if gone:
        counts = ", ".join(f"{count} of {name}" for name, count in gone.items())
        log.warning("Groups of the model's training are missing from the clips: %s.", counts)
    if not parts[split]:
        counts = ", ".join(f"{len(clips)} {name}" for name, clips in parts.items())
        raise ActrecError(f"There are no clips in split={split}. By the model's split there are: {counts}.")
    return parts[split]


def _all_new(saved: SavedSplit | None, data: DataSet, model: Path) -> Clips:
    if saved is None:
        raise ActrecError(f"Which clips are new to '{model}' is not known: it has no split.json. Choose another split.")
    if _is_of(saved, data):
        raise ActrecError("split=new needs the model's own protocol. Leave out protocol=…")
    return data.clips


def _drawn(
    data: DataSet,
    spec: ModelSpec,
    split: str,
    protocol: str | None,
    default: str | None,
    saved: SavedSplit | None,
    model: Path,
) -> Clips:
    own = Split(**spec.split) if spec.split else Split(default)
    rule = own if protocol is None else Split(protocol)
    if saved is not None and not _is_of(saved, data):
        log.info("None of the %d clips was in the training of '%s'.", len(data.clips), model)
    elif protocol not in (None, spec.split.get("protocol")) and spec.split:
        log.warning(
            "The model was trained with the split '%s': with '%s' it may be evaluated on clips that it was trained on.",
            spec.split["protocol"],
            protocol,
        )
    elif saved is None and spec.split and (rule.protocol != "official" or split != "test"):
        log.warning(
            "'%s' has no split.json: its split is drawn again, and equals that of the training only if the clips are "
            "the same.",
            model,
        )
    if split == "test" and rule.protocol == "official":
        rule = replace(rule, val_share=0.0)  # the official test does not depend on whether val can be drawn
    return rule(data.clips)[split]


def _warn_seen(model: Path, data: DataSet, chosen: Clips) -> None:
    saved = SavedSplit.read(model)
    seen = saved.trained_on(chosen) if saved is not None and _is_of(saved, data) else []
    if seen:
        log.warning(
            "%d of the %d clips are of groups that '%s' was trained or validated on.", len(seen), len(chosen), model
        )
