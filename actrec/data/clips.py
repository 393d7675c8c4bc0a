"""The clips of a data set for training and evaluation: from its skeleton store, or generated in memory."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from actrec.data.sources.importer import ClipGenerator, Importer
from actrec.data.sources.labels import LabelMap
from actrec.data.store.reading import read_store
from actrec.skeleton import map_keypoints
from actrec.types import ActrecError, SkeletonSequence


def conform(sequence: SkeletonSequence, label_map: LabelMap, skeleton: str) -> SkeletonSequence | None:
    """An imported clip with the data set's label and joint layout; None where it is to be left out.

    Raises:
        ActrecError: The label is unknown, and the label map leaves none out.
    """
    label = label_map(sequence.source, sequence.label)
    if label is None:
        return None
    keypoints = map_keypoints(sequence.keypoints, sequence.skeleton, skeleton)
    return replace(sequence, keypoints=keypoints, skeleton=skeleton, label=label)


def load_clips(
    store: str | Path | None, dataset: str, importer: Importer | ClipGenerator, label_map: LabelMap, skeleton: str
) -> list[SkeletonSequence]:
    """Every clip of a data set; generated ones are those that a store of them would have.

    Args:
        store: Folder of the skeleton store; None where the clips are to be generated.
        dataset: What the data set is called.
        importer: What the store is made with.
        label_map: From the importer's labels to the data set's.
        skeleton: Joint layout of the data set.

    Raises:
        ActrecError: The store is not whole, or there is none and the clips cannot be generated.
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
