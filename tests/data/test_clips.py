from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from actrec.data.build_store import prepare
from actrec.data.clips import conform, load_clips, load_dataset
from actrec.data.sources.labels import LabelMap
from actrec.data.sources.penn_action import PennAction
from actrec.data.store.clip_source import ClipSource
from actrec.types import ActrecError, Segment, SkeletonSequence

LABELS = LabelMap({"wave": {"generated": "label_0"}, "jump": {"generated": "Label 1"}}, unmapped="skip")


@dataclass(frozen=True)
class Generated:
    """A data set that needs no files."""

    made: tuple[SkeletonSequence, ...]

    def clips(self) -> list[SkeletonSequence]:
        return list(self.made)

    def __call__(self, raw: Path | None = None) -> list[ClipSource]:
        return [ClipSource(clip.clip_id, clip.source, clip.clip_id, partial(replace, clip)) for clip in self.made]


@pytest.fixture
def generated(make_sequences: Callable[..., list[SkeletonSequence]]) -> Generated:
    return Generated(tuple(make_sequences(3, 4)))


@pytest.mark.parametrize("skeleton", ["coco17", "penn13"])
def test_generated_clips_are_those_that_their_store_has(generated: Generated, skeleton: str, tmp_path: Path) -> None:
    prepare("made", None, tmp_path / "store", generated, LABELS, skeleton)
    stored = load_clips(tmp_path / "store", "made", generated, LABELS, skeleton)
    clips = load_clips(None, "made", generated, LABELS, skeleton)
    assert {clip.label for clip in clips} == {"wave", "jump"}
    for read, clip in zip(stored, clips, strict=True):
        np.testing.assert_array_equal(read.keypoints, clip.keypoints)
        names = [name for name in vars(clip) if name != "keypoints"]
        assert [getattr(read, name) for name in names] == [getattr(clip, name) for name in names]


def test_mixed_are_the_clips_of_train_in_another_store(
    make_sequences: Callable[..., list[SkeletonSequence]], tmp_path: Path
) -> None:
    clips = make_sequences(2, 4)
    split = [replace(clip, split="test" if clip.clip_id == clips[0].clip_id else "train") for clip in clips]
    prepare("other", None, tmp_path / "other", Generated(tuple(split)), LABELS, "coco17")
    source = {"_target_": "actrec.data.synthetic.clips.Synthetic", "n_clips": 14, "faults": None}
    load = partial(
        load_dataset, "made", None, source, {"_target_": "actrec.data.sources.labels.LabelMap"}, "coco17", None
    )
    assert not load().mixed
    mixed = load(mix={"store": tmp_path / "other", "times": 3}).mixed
    assert sorted(clip.clip_id for clip in mixed) == sorted(
        [clip.clip_id for clip in split if clip.split == "train"] * 3
    )
    for times in (0, 2.5):
        with pytest.raises(ActrecError, match=r"mix.times is .*; expected a whole number"):
            load(mix={"store": tmp_path / "other", "times": times})
    with pytest.raises(ActrecError, match="is not there"):
        load(mix={"store": tmp_path / "nothing", "times": 1})


def test_a_missing_store_says_how_to_build_it(generated: Generated, tmp_path: Path) -> None:
    with pytest.raises(ActrecError, match=r"actrec\.prepare dataset=penn_action raw=<folder>"):
        load_clips(tmp_path / "none", "penn_action", PennAction(), LabelMap(), "penn13")
    with pytest.raises(ActrecError, match=r"actrec\.prepare dataset=made store="):
        load_clips(tmp_path / "none", "made", generated, LABELS, "coco17")


def test_what_cannot_be_generated_needs_a_store() -> None:
    with pytest.raises(ActrecError, match=r"store is null.*dataset=penn_action cannot.*store=data/penn_action"):
        load_clips(None, "penn_action", PennAction(), LabelMap(), "penn13")


def test_segments_get_the_labels_of_the_data_set(make_sequences: Callable[..., list[SkeletonSequence]]) -> None:
    given = (Segment("deadlift", 0, 9), Segment("label 0", 9, 12, 2), Segment("", 12, 15), Segment("Label_1", 15, 20))
    clip = replace(make_sequences(1, 1)[0], segments=given, label="deadlift")
    mapped = conform(clip, LABELS, "coco17")
    assert mapped is not None
    assert [(each.label, each.repetitions) for each in mapped.segments] == [
        *(("", None), ("wave", 2), ("", None), ("jump", None))
    ]
    assert mapped.label == "jump"
    idle = conform(replace(clip, segments=given[:1]), LABELS, "coco17")
    assert idle is not None
    assert idle.label == "none"
    strict = replace(LABELS, unmapped="error")
    with pytest.raises(ActrecError, match=r"frame 0 to 9 of clip 'label_0_clip_00'.*'deadlift'.*is not in the label"):
        conform(clip, strict, "coco17")
