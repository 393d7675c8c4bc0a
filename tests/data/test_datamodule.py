from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from actrec.data.clips import DataSet
from actrec.data.datamodule import ActionData, EpochSampler
from actrec.data.split import Split
from actrec.data.training_windows import TrainingWindows
from actrec.pipeline.augmentation import Augmentation
from actrec.pipeline.clip_transforms import JointDropout, TemporalCrop
from actrec.pipeline.features import Features
from actrec.pipeline.pipeline import Pipeline
from actrec.pipeline.preprocess import Preprocess
from actrec.pipeline.window_transforms import Jitter, Mirror, Rotation
from actrec.pipeline.windows import ResizeWindows, SlidingWindows
from actrec.skeleton import COCO17
from actrec.types import ActrecError, Segment, SkeletonSequence

Make = Callable[..., list[SkeletonSequence]]
PIPELINE = Pipeline(COCO17, Preprocess(), ResizeWindows(12), Features())
AUGMENTATION = Augmentation(
    temporal_crop=TemporalCrop(0.5),
    joint_dropout=JointDropout(0.5),
    mirror=Mirror(0.5),
    rotation=Rotation(1),
    jitter=Jitter(0.5),
)


def test_every_epoch_is_a_new_order_that_the_seed_decides() -> None:
    sampler = EpochSampler(10, seed=3)
    first = list(sampler)
    assert sorted(index for _, index in first) == list(range(10))
    assert list(sampler) == first
    sampler.set_epoch(1)
    second = list(sampler)
    assert {epoch for epoch, _ in second} == {1}
    assert [index for _, index in second] != [index for _, index in first]


def test_processes_share_out_an_epoch() -> None:
    shares = [list(EpochSampler(10, 0, rank, 3)) for rank in range(3)]
    assert {len(share) for share in shares} == {4}
    assert {index for share in shares for _, index in share} == set(range(10))


def balanced(world: int = 1, rank: int = 0, seed: int = 3) -> EpochSampler:
    return EpochSampler(len(CLASSES), seed, rank, world, CLASSES)


CLASSES = [0] * 13 + [2] * 3 + [5] * 6  # of items; 22 is no multiple of 3


def test_a_balanced_epoch_has_each_class_equally_often() -> None:
    sampler, seen = balanced(), set[int]()
    for epoch in range(30):
        sampler.set_epoch(epoch)
        items = [index for _, index in sampler]
        assert len(items) == len(sampler) == 22
        counts = [sum(CLASSES[index] == each for index in items) for each in (0, 2, 5)]
        assert sorted(counts) == [7, 7, 8]
        for each in (0, 2, 5):  # and within a class each item, give or take one
            times = [items.count(index) for index in range(22) if CLASSES[index] == each]
            assert max(times) - min(times) <= 1
        seen.update(items)
    assert seen == set(range(22))  # what one epoch leaves out comes in another


def test_a_balanced_epoch_follows_from_seed_and_number_alone() -> None:
    sampler = balanced()
    first = list(sampler)
    sampler.set_epoch(1)
    second = list(sampler)
    assert {epoch for epoch, _ in second} == {1}
    assert [index for _, index in first] != [index for _, index in second]
    assert list(balanced(seed=4)) != first
    sampler.set_epoch(0)
    assert list(sampler) == list(balanced()) == first


def test_processes_share_out_a_balanced_epoch() -> None:
    shares = [list(balanced(4, rank)) for rank in range(4)]
    assert {len(share) for share in shares} == {6} == {len(balanced(4))}
    counts = [sum(CLASSES[index] == each for share in shares for _, index in share) for each in (0, 2, 5)]
    assert counts == [8, 8, 8]
    assert len({tuple(share) for share in shares}) == 4


@pytest.mark.parametrize("options", [(True, True), (True, False), (False, False)])
def test_items_depend_on_seed_epoch_and_index_alone(options: tuple[bool, bool], make_sequences: Make) -> None:
    clips = make_sequences()
    reference = TrainingWindows(clips, [0] * len(clips), PIPELINE, AUGMENTATION, 5)
    other = TrainingWindows(clips, [0] * len(clips), PIPELINE, AUGMENTATION, 5, *options)
    for key in [(1, 4), (0, 2), (0, 3)]:
        for a, b in zip(reference[key], other[key], strict=True):
            np.testing.assert_array_equal(a, b)
    assert not np.array_equal(reference[0, 2].features, reference[1, 2].features)
    third = TrainingWindows(clips, [0] * len(clips), PIPELINE, AUGMENTATION, 6)
    assert not np.array_equal(reference[0, 2].features, third[0, 2].features)


def test_sliding_windows_are_items_of_their_own(make_sequences: Make) -> None:
    clips = make_sequences(1, 2, (40, 40))
    pipeline = Pipeline(COCO17, Preprocess(), SlidingWindows(16, 8, "drop"), Features())
    windows = TrainingWindows(clips, [0, 0], pipeline, Augmentation(), 0)
    assert len(windows) == 8
    whole = pipeline.normalize(clips[1]).keypoints
    np.testing.assert_array_equal(windows[0, 5].features, whole[8:24])
    assert windows[0, 5].clip == 1


@pytest.fixture
def data(make_sequences: Make) -> Callable[..., ActionData]:
    def make(labels: Sequence[str] = (), **options: Any) -> ActionData:
        dataset = DataSet("made", make_sequences(), labels)
        return ActionData(dataset, Split(val_share=0.2), PIPELINE, AUGMENTATION, batch_size=4, **options)

    return make


def test_workers_make_the_same_batches(data: Callable[..., ActionData]) -> None:
    batches = []
    for workers in (0, 1):
        module = data(workers=workers)
        module.setup("fit")
        batches.append(list(module.train_dataloader()))
    for one, two in zip(*batches, strict=True):
        for a, b in zip(one, two, strict=True):
            assert (a is None and b is None) or torch.equal(a, b)


def test_the_training_windows_are_sampled_by_class(make_sequences: Make) -> None:
    clips = [clip for clip in make_sequences(3, 12) if clip.label == "label_0" or clip.split == "test"]
    clips += [replace(clip, label="label_1") for clip in make_sequences(1, 1, seed=1, split="train")]
    clips = [replace(clip, clip_id=f"{number}", group=f"{number}") for number, clip in enumerate(clips)]
    data = ActionData(
        DataSet("made", clips), Split(val_share=0.0), PIPELINE, AUGMENTATION, batch_size=4, sampler="balanced"
    )
    data.setup("fit")
    own = data.class_numbers("train")
    drawn = [own[clip] for batch in data.train_dataloader() for clip in batch.clip.tolist()]
    assert min(own.count(label) for label in set(own)) == 1 < max(own.count(label) for label in set(own))
    assert len(drawn) == len(own) // 4 * 4
    assert abs(drawn.count(0) - drawn.count(1)) <= 1 + len(own) % 4
    with pytest.raises(ActrecError, match="sampler is 'even'; expected natural or balanced"):
        ActionData(DataSet("made", clips), Split(), PIPELINE, AUGMENTATION, sampler="even")


def test_val_is_whole_clips_of_other_groups(data: Callable[..., ActionData]) -> None:
    module = data()
    module.setup("fit")
    batches = list(module.val_dataloader())
    clips = {int(clip) for batch in batches for clip in batch.clip}
    assert clips == set(range(len(module.splits["val"])))
    groups = [{clip.group for clip in module.splits[part]} for part in ("train", "val", "test")]
    assert not groups[0] & groups[1]
    assert not groups[0] & groups[2]
    assert all(groups)


def test_labels_have_the_order_given_and_absent_ones_are_told(
    data: Callable[..., ActionData], caplog: pytest.LogCaptureFixture
) -> None:
    module = data(labels=["label_2", "extra", "label_0", "label_1"])
    assert module.labels == ["label_2", "extra", "label_0", "label_1"]
    assert set(module.class_numbers("train")) == {0, 2, 3}
    assert "No clips for: extra" in caplog.text


def test_a_label_that_is_not_a_class_is_an_error(data: Callable[..., ActionData]) -> None:
    with pytest.raises(
        ActrecError, match=r"label_1, label_2\. Leave them out with .*exclude_labels=\[label_1,label_2\]"
    ):
        data(labels=["label_0"])
    assert data(labels=["label_0", "label_1"], exclude_labels=["label_2"]).labels == ["label_0", "label_1"]
    with pytest.raises(ActrecError, match="are of one class, label_0"):
        data(labels=["label_0"], exclude_labels=["label_1", "label_2"])


def test_an_excluded_label_that_matches_nothing_is_an_error(data: Callable[..., ActionData]) -> None:
    with pytest.raises(ActrecError, match=r"has 'label_11', and no clip has that label\. Did you mean 'label_1'"):
        data(exclude_labels=["label_11"])
    assert data(labels=["label_0", "label_1", "label_2", "absent"], exclude_labels=["absent"]).absent == []
    assert data(exclude_labels=None).labels == ["label_0", "label_1", "label_2"]


def test_clips_of_other_dimensions_are_not_mixed_in(
    make_sequences: Make, lift: Callable[[SkeletonSequence], SkeletonSequence]
) -> None:
    own, others = make_sequences(2, 5), [lift(clip) for clip in make_sequences(2, 1)]
    with pytest.raises(ActrecError, match=r"do not have the 2 coordinates of the data set's joints"):
        ActionData(DataSet("made", own, mixed=others), Split(val_share=0.2), PIPELINE, AUGMENTATION)
    deep = ActionData(DataSet("made", [lift(clip) for clip in own]), Split(val_share=0.2), PIPELINE, AUGMENTATION)
    assert deep.pipeline.n_channels == PIPELINE.n_channels + 1


def test_clips_of_another_store_are_mixed_into_train_alone(make_sequences: Make) -> None:
    own, others = make_sequences(), [replace(clip, source="other") for clip in make_sequences(2)]
    apart = _data(own)
    mixed = ActionData(DataSet("made", own, mixed=others * 3), Split(val_share=0.2), PIPELINE, AUGMENTATION)
    assert len(mixed.splits["train"]) == len(apart.splits["train"]) + 3 * len(others)
    for part in ("val", "test"):
        assert [clip.clip_id for clip in mixed.splits[part]] == [clip.clip_id for clip in apart.splits[part]]
    with pytest.raises(ActrecError, match="groups that are in val or test"):
        ActionData(DataSet("made", own, mixed=own), Split(val_share=0.2), PIPELINE, AUGMENTATION)
    strange = DataSet("made", own, mixed=[replace(clip, label="zumba") for clip in others])
    with pytest.raises(ActrecError, match="labels that are not among the"):
        ActionData(strange, Split(), PIPELINE, AUGMENTATION)


def test_labels_that_are_alike_are_told(make_sequences: Make, caplog: pytest.LogCaptureFixture) -> None:
    names = {"label_0": "Push Up", "label_1": "push_up"}
    clips = [replace(clip, label=names.get(clip.label, clip.label)) for clip in make_sequences()]
    assert ActionData(DataSet("made", clips), Split(), PIPELINE, AUGMENTATION).labels == [
        "Push Up",
        "label_2",
        "push_up",
    ]
    assert "differ only in case or punctuation are classes of their own: ('Push Up', 'push_up')" in caplog.text


@pytest.mark.parametrize(("all_in", "lacks"), [("test", "train"), ("train", "test")])
def test_a_split_without_train_or_test_is_an_error(all_in: str, lacks: str, make_sequences: Make) -> None:
    with pytest.raises(ActrecError, match=f"no clips in {lacks}"):
        ActionData(DataSet("made", make_sequences(split=all_in)), Split(), PIPELINE, AUGMENTATION)


def test_the_train_split_is_kept_as_it_was_given(make_sequences: Make) -> None:
    clips = make_sequences(skeleton="penn13")
    module = ActionData(DataSet("made", clips), Split(), PIPELINE, AUGMENTATION)
    given = {clip.clip_id: clip for clip in clips}
    assert [clip.clip_id for clip in module.stored_train] == [clip.clip_id for clip in module.splits["train"]]
    assert all(clip is given[clip.clip_id] for clip in module.stored_train)
    assert {clip.skeleton for clip in module.splits["train"]} == {"coco17"}


def test_processes_share_out_val_and_none_goes_without(
    data: Callable[..., ActionData], monkeypatch: pytest.MonkeyPatch
) -> None:
    module = data()
    module.setup("fit")
    clips = []
    for rank in (0, 1):
        monkeypatch.setattr(module, "_rank", lambda rank=rank: (rank, 2))
        clips.append([int(clip) for batch in module.val_dataloader() for clip in batch.clip])
    assert sorted(clips[0] + clips[1]) == list(range(len(module.splits["val"])))
    monkeypatch.setattr(module, "_rank", lambda: (0, 99))
    with pytest.raises(ActrecError, match="windows for 99 processes"):
        module.val_dataloader()


def test_processes_share_out_the_clips_of_test(
    data: Callable[..., ActionData], monkeypatch: pytest.MonkeyPatch
) -> None:
    module = data()
    module.setup("test")
    found: list[tuple[int, int]] = []
    for rank in (0, 1):
        monkeypatch.setattr(module, "_rank", lambda rank=rank: (rank, 2))
        for batch, readings in module.test_dataloader():
            found += zip(batch.clip[readings.row].tolist(), readings.ratio.tolist(), strict=True)
    assert sorted(found) == [(clip, ratio) for clip in range(len(module.splits["test"])) for ratio in range(10)]


def _as_sessions(clips: list[SkeletonSequence], label: str = "") -> list[SkeletonSequence]:
    """Makes of each clip a session: its label, or `label`, from frame 5 to 15, and no action before and after."""
    return [replace(clip, segments=(Segment(label or clip.label, 5, 15),)) for clip in clips]


def _data(clips: list[SkeletonSequence], labels: Sequence[str] = (), **options: Any) -> ActionData:
    return ActionData(DataSet("made", clips, labels), Split(val_share=0.2), PIPELINE, AUGMENTATION, **options)


def test_labels_are_those_of_segments_and_none_comes_last(make_sequences: Make) -> None:
    clips = _as_sessions(make_sequences(), "zumba")
    assert _data(clips).labels == ["zumba", "none"]
    whole = [replace(clip, segments=(Segment("zumba", 0, len(clip)),)) for clip in clips[:6]]
    assert _data([*whole, *make_sequences()[8:]]).labels == ["label_1", "label_2", "zumba"]
    idle = [replace(clip, label="none") for clip in make_sequences(1)]
    assert _data([*idle, *make_sequences()[8:]]).labels == ["label_1", "label_2", "none"]


def test_sessions_of_a_data_set_without_none_have_frames_that_do_not_count(
    make_sequences: Make, caplog: pytest.LogCaptureFixture
) -> None:
    data = _data(_as_sessions(make_sequences()), ["label_0", "label_1", "label_2"])
    assert data.labels == ["label_0", "label_1", "label_2"]
    assert "Frames in no segment count as not labelled" in caplog.text


def test_a_segment_with_an_unknown_label_is_an_error_that_names_its_clip(make_sequences: Make) -> None:
    first, *others = make_sequences()
    clips = [replace(first, segments=(Segment("zumba", 0, 9),)), *others]
    with pytest.raises(
        ActrecError,
        match=r"3 classes: zumba\. Leave them .*are: label_0, label_1, label_2\. The clips: label_0_clip_00",
    ):
        _data(clips, ["label_0", "label_1", "label_2"])


def test_a_session_whose_main_action_is_excluded_stays(make_sequences: Make) -> None:
    clips = _as_sessions(make_sequences())
    data = _data(clips, exclude_labels=["label_0"])
    assert data.labels == ["label_1", "label_2", "none"]
    assert sum(len(part) for part in data.sessions.values()) == len(clips)
    assert len(_data(clips, exclude_labels=["label_0", "none"]).sessions["train"]) < len(data.sessions["train"])


def test_a_label_that_train_has_not_is_told(make_sequences: Make, caplog: pytest.LogCaptureFixture) -> None:
    clips = make_sequences()
    number = next(number for number, clip in enumerate(clips) if clip.split == "test")
    clips[number] = replace(clips[number], segments=(Segment("zumba", 0, 9),))
    _data(clips)
    assert "No clips in train for: zumba" in caplog.text


def test_trimmed_clips_have_no_labels_of_frames(make_sequences: Make) -> None:
    data = _data(make_sequences())
    data.setup("fit")
    for batch in [*data.train_dataloader(), *data.val_dataloader()]:
        assert batch.frame_label is None
        assert batch.repetition is None
