from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from actrec.data.build_store import prepare
from actrec.data.clips import DataSet, conform, load_clips, load_dataset
from actrec.data.datamodule import ActionData
from actrec.data.sources.labels import LabelMap
from actrec.data.sources.penn_action import PennAction
from actrec.data.split import Split
from actrec.data.store.clip_source import ClipSource
from actrec.pipeline.augmentation import Augmentation
from actrec.pipeline.features import Features
from actrec.pipeline.pipeline import Pipeline
from actrec.pipeline.preprocess import Preprocess
from actrec.pipeline.windows import ResizeWindows
from actrec.skeleton import get_skeleton
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


def generated_beside(clips: tuple[SkeletonSequence, ...], folder: Path) -> Callable[..., DataSet]:
    prepare("own", None, folder, Generated(clips), LabelMap(), "coco17")
    map_all = {"_target_": "actrec.data.sources.labels.LabelMap"}
    return partial(load_dataset, "own", folder, TABLE, map_all, "coco17", None)


TABLE = {"_target_": "actrec.data.sources.skeleton_table.SkeletonTable", "skeleton": "coco17", "fps": 30.0}


def test_generated_clips_of_known_labels_are_mixed_into_train_alone(
    make_sequences: Callable[..., list[SkeletonSequence]], tmp_path: Path
) -> None:
    names = {"label_0": "squat", "label_1": "wave", "label_2": "push_ups"}
    clips = [replace(clip, label=names[clip.label]) for clip in make_sequences(3, 12)]
    load = generated_beside(tuple(clips), tmp_path / "own")
    assert load().mixed == load(mix={"store": None, "generated": 0}).mixed == []
    found = load(mix={"store": None, "times": 1, "generated": 4})
    assert Counter(clip.label for clip in found.mixed) == {"squat": 4, "push_ups": 4}
    assert len({clip.keypoints.tobytes() for clip in found.mixed}) == 8
    assert {clip.clip_id for clip in found.clips} == {clip.clip_id for clip in clips}
    assert "generated" in found.pose_model
    again = load(mix={"generated": 4}).mixed
    assert all(np.array_equal(a.keypoints, b.keypoints) for a, b in zip(found.mixed, again, strict=True))

    pipeline = Pipeline(get_skeleton("penn13"), Preprocess(), ResizeWindows(12), Features())
    data = ActionData(found, Split(val_share=0.2), pipeline, Augmentation(), exclude_labels=["squat"])
    made = {part: [clip for clip in data.splits[part] if clip.source == "synthetic"] for part in data.splits}
    assert [clip.label for clip in made["train"]] == ["push_ups"] * 4
    assert {clip.skeleton for clip in made["train"]} == {"penn13"}
    assert made["val"] == made["test"] == []
    assert data.splits["val"]


@pytest.mark.parametrize("count", [-1, 2.5, "auto", None, True])
def test_a_number_of_generated_clips_that_is_none_is_an_error(
    count: object, make_sequences: Callable[..., list[SkeletonSequence]], tmp_path: Path
) -> None:
    load = generated_beside(tuple(make_sequences(2, 2)), tmp_path / "own")
    with pytest.raises(ActrecError, match=r"mix\.generated is .*; expected a whole number of at least 0"):
        load(mix={"store": None, "generated": count})


def test_generated_clips_that_are_in_test_are_not_mixed_in(tmp_path: Path) -> None:
    """The seed of `mix.generated` may be that of the data set itself."""
    source = {"_target_": "actrec.data.synthetic.clips.Synthetic", "n_clips": 56, "faults": None, "seed": 7}
    map_all = {"_target_": "actrec.data.sources.labels.LabelMap"}
    found = load_dataset("synthetic", None, source, map_all, "coco17", None, {"generated": 1})
    pipeline = Pipeline(get_skeleton("coco17"), Preprocess(), ResizeWindows(12), Features())
    with pytest.raises(ActrecError, match=r"of groups that are in val or test, .* or set mix\.generated=0"):
        ActionData(found, Split(val_share=0.0), pipeline, Augmentation())


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
