"""Loads the clips of a data set for training and evaluation: from its skeleton store, or generated in memory."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from hydra.utils import instantiate

from actrec.data.sources.importer import ClipGenerator, Importer
from actrec.data.sources.labels import LabelMap
from actrec.data.store.reading import read_info, read_store
from actrec.data.store.segments import main_label
from actrec.data.synthetic.clips import ACTIONS, Synthetic
from actrec.skeleton import map_keypoints
from actrec.types import NONE, ActrecError, Segment, SkeletonSequence

log = logging.getLogger(__name__)

_MIX_SEED = 7  # of generated clips that are mixed into train


@dataclass(frozen=True)
class DataSet:
    """The clips of a data set.

    Attributes:
        name: Name of the data set.
        clips: All of its clips.
        labels: The classes in the order of their numbers; empty for those of the clips and segments, sorted, with
            "none" as the last one.
        pose_model: Name of the pose model that made the skeletons.
        generated: Config of the generator of the clips; None for clips of a store.
        mixed: Clips of another store that are added to train; val and test do not have them.
    """

    name: str
    clips: Sequence[SkeletonSequence]
    labels: Sequence[str] = ()
    pose_model: str = ""
    generated: Mapping[str, Any] | None = None
    mixed: Sequence[SkeletonSequence] = ()


def load_dataset(
    name: str,
    store: str | Path | None,
    importer: Mapping[str, Any],
    label_map: Mapping[str, Any],
    skeleton: str,
    pose_model: str | None,
    mix: Mapping[str, Any] | None = None,
) -> DataSet:
    """Loads a data set as a config's `dataset` node describes it.

    Args:
        name: Name of the data set.
        store: Folder of the skeleton store; None where the clips are to be generated.
        importer: Config of the importer that the store is made with.
        label_map: Config of the map from the importer's labels to the data set's.
        skeleton: Joint layout of the data set.
        pose_model: Pose model of generated skeletons; a store names its own.
        mix: Another skeleton store, whose clips of the split train (or without a split) are added to train: its folder
            as `store`, and the number of `times` that each of its clips comes in an epoch. `generated` is the number
            of clips to generate for each class that `Synthetic` knows, which are added likewise.

    Raises:
        ActrecError: A store is damaged, or there is none and the clips cannot be generated.
    """
    mix, mixed, poses = mix or {}, list[SkeletonSequence](), list[str]()
    if mix.get("store"):
        mixed, poses = _mixed(mix["store"], mix["times"]), [_pose_model(mix["store"])]
    labels: LabelMap = instantiate(label_map, _convert_="all")
    clips = load_clips(store, name, instantiate(importer, _convert_="all"), labels, skeleton)
    if generated := _generated(found_labels(clips), mix.get("generated", 0)):
        mixed, poses = [*mixed, *generated], [*poses, "generated"]
    if store is None:
        return DataSet(name, clips, labels.names, _joined(pose_model, *poses), importer, mixed)
    info = read_info(Path(store)) or {}
    if info.get("dataset", name) != name and labels.names:
        log.warning(
            "The store %s was made with dataset=%s; labels and split are now those of dataset=%s.",
            store,
            info["dataset"],
            name,
        )
    return DataSet(name, clips, labels.names, _joined(info.get("pose_model"), *poses), mixed=mixed)


def _joined(*pose_models: str | None) -> str:
    """Lists pose models, each once."""
    return ", ".join(dict.fromkeys(filter(None, pose_models)))


def _mixed(store: str | Path, times: Any) -> list[SkeletonSequence]:
    """Returns the clips of a store that are in the split train, or in none, each `times` times."""
    if type(times) is not int or times < 1:
        raise ActrecError(
            f"mix.times is {times!r}; expected a whole number of at least 1. To mix nothing: mix.store=null."
        )
    clips = [clip for clip in read_store(store, Path(store).name) if clip.split in ("", "train")]
    if not clips:
        raise ActrecError(f"The store {store} has no clips in train to mix in (mix).")
    return clips * times


def _pose_model(store: str | Path) -> str:
    return (read_info(Path(store)) or {}).get("pose_model") or "unknown"


def check_generated(count: Any) -> None:
    """Raises an ActrecError for a value of `mix.generated` that is no number of clips."""
    if type(count) is not int or count < 0:
        raise ActrecError(f"mix.generated is {count!r}; expected a whole number of at least 0.")


def _generated(labels: Sequence[str], count: Any) -> list[SkeletonSequence]:
    """Generates `count` clips of each label that `Synthetic` knows."""
    check_generated(count)
    known = [number for number, label in enumerate(ACTIONS) if label in labels]
    synthetic = Synthetic(max(count, 1) * len(ACTIONS), seed=_MIX_SEED, test_share=0.0)
    return [synthetic.clip(number + turn * len(ACTIONS)) for turn in range(count) for number in known]


def conform(sequence: SkeletonSequence, label_map: LabelMap, skeleton: str) -> SkeletonSequence | None:
    """Returns a clip with the data set's label and joint layout; None if the label map leaves it out.

    Segments that the label map leaves out become frames that nobody has labelled.

    Raises:
        ActrecError: A label is not in the label map.
    """
    segments = tuple(_mapped(each, sequence, label_map) for each in sequence.segments)
    label = main_label(segments) if segments else label_map(sequence.source, sequence.label)
    if label is None:
        return None
    keypoints = map_keypoints(sequence.keypoints, sequence.skeleton, skeleton)
    return replace(sequence, keypoints=keypoints, skeleton=skeleton, label=label, segments=segments)


def _mapped(segment: Segment, sequence: SkeletonSequence, label_map: LabelMap) -> Segment:
    if not segment.label:
        return segment
    try:
        return replace(segment, label=label_map(sequence.source, segment.label) or "")
    except ActrecError as error:
        where = f"The segment from frame {segment.start} to {segment.end} of clip '{sequence.clip_id}'"
        raise ActrecError(f"{where} has an unknown label. {error}") from None


def load_clips(
    store: str | Path | None, dataset: str, importer: Importer | ClipGenerator, label_map: LabelMap, skeleton: str
) -> list[SkeletonSequence]:
    """Loads every clip of a data set; generated clips are the same as in a store of them.

    Args:
        store: Folder of the skeleton store; None where the clips are to be generated.

    Raises:
        ActrecError: The store is damaged, or there is none and the clips cannot be generated.
    """
    generated = isinstance(importer, ClipGenerator)
    if store is not None:
        return read_store(store, dataset, needs_raw=not generated)
    if not isinstance(importer, ClipGenerator):
        raise ActrecError(
            f"store is null, and the clips of dataset={dataset} cannot be generated. Give a skeleton store: "
            f"store=data/{dataset}"
        )
    clips = (conform(clip, label_map, skeleton) for clip in importer.clips())
    return [clip for clip in clips if clip is not None]


def found_labels(clips: Sequence[SkeletonSequence]) -> list[str]:
    """Lists the labels of clips and segments: sorted, and "none" last, where there are frames without any action."""
    labels = {clip.label for clip in clips if not clip.segments}
    labels |= {each.label for clip in clips for each in clip.segments if each.label}
    gaps = any(clip.segments and sum(each.end - each.start for each in clip.segments) < len(clip) for clip in clips)
    return sorted(labels - {NONE}) + ([NONE] if gaps or NONE in labels else [])


def whole_sessions(clips: Sequence[SkeletonSequence]) -> list[SkeletonSequence]:
    """Selects the clips with segments, and beside them those without any action; none if no clip has segments."""
    some = any(clip.segments for clip in clips)
    return [clip for clip in clips if clip.segments or (some and clip.label == NONE)]


def without_labels(clip: SkeletonSequence, labels: Collection[str]) -> SkeletonSequence | None:
    """Returns a clip whose segments of these labels count as not labelled; None if no labelled frame is left."""
    if not clip.segments:
        return None if clip.label in labels else clip
    segments = tuple(replace(each, label="") if each.label in labels else each for each in clip.segments)
    kept = replace(clip, segments=segments, label=main_label(segments))
    return kept if set(found_labels([kept])) - set(labels) else None
