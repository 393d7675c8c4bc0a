from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from actrec.data.clips import DataSet
from actrec.data.saved_split import FILE, SavedSplit
from actrec.data.split import Split
from actrec.evaluation.clip_selection import select_clips
from actrec.model.spec import ModelSpec
from actrec.pipeline.features import Features
from actrec.pipeline.pipeline import Pipeline
from actrec.pipeline.preprocess import Preprocess
from actrec.pipeline.windows import ResizeWindows
from actrec.skeleton import COCO17
from actrec.types import ActrecError, SkeletonSequence

Make = Callable[..., list[SkeletonSequence]]
GROUPED = Split("grouped", val_share=0.2, test_share=0.25)
PIPELINE = Pipeline(COCO17, Preprocess("causal"), ResizeWindows(8), Features())
SPEC = ModelSpec("InfoGCN", {}, PIPELINE, ("a", "b"), split=asdict(GROUPED))


def keep(folder: Path, clips: Sequence[SkeletonSequence], split: Split = GROUPED) -> Path:
    """A model folder as far as its split goes."""
    folder.mkdir()
    (folder / FILE).write_text(replace(SavedSplit.of(split, clips), dataset="mine").to_json(), encoding="utf-8")
    return folder


@pytest.fixture
def clips(make_sequences: Make) -> list[SkeletonSequence]:
    return make_sequences(3, 24)


@pytest.fixture
def grown(clips: list[SkeletonSequence]) -> DataSet:
    """The clips, and as many of other people."""
    more = [replace(clip, clip_id=f"{clip.clip_id}_b", group=f"{clip.group}_b") for clip in clips]
    return DataSet("mine", clips + more)


@pytest.fixture
def told(caplog: pytest.LogCaptureFixture) -> Callable[[], str]:
    """What has been said since it was asked last."""
    caplog.set_level(logging.INFO)

    def read() -> str:
        text = "\n".join(record.getMessage() for record in caplog.records if record.name.endswith("clip_selection"))
        caplog.clear()
        return text

    return read


def test_a_store_that_grew_is_evaluated_by_the_runs_split(
    clips: list[SkeletonSequence], grown: DataSet, told: Callable[[], str], tmp_path: Path
) -> None:
    model, parts = keep(tmp_path / "model", clips), GROUPED(clips)
    for part in ("train", "val", "test"):
        assert select_clips(grown, [model], SPEC, part, None) == parts[part]
        assert "72 clips of 36 groups (label_0_g00_b, label_0_g01_b, label_0_g02_b, …) are new" in told()
    new = select_clips(grown, [model], SPEC, "new", None)
    assert {clip.clip_id[-2:] for clip in new} == {"_b"}
    assert len(new) == 72
    assert "They are not in" not in told()
    assert select_clips(grown, [model], SPEC, "all", None) == grown.clips
    seen = len(parts["train"]) + len(parts["val"])
    assert told() == f"{seen} of the 144 clips are of groups that '{model}' was trained or validated on."


def test_an_unchanged_store_needs_no_word(
    clips: list[SkeletonSequence], told: Callable[[], str], tmp_path: Path
) -> None:
    model = keep(tmp_path / "model", clips)
    for protocol in (None, "grouped"):
        assert select_clips(DataSet("mine", clips), [model], SPEC, "test", protocol) == GROUPED(clips)["test"]
    assert told() == ""


def test_what_is_gone_is_said(clips: list[SkeletonSequence], told: Callable[[], str], tmp_path: Path) -> None:
    model, test = keep(tmp_path / "model", clips), GROUPED(clips)["test"]
    without = [clip for clip in clips if clip.group != test[0].group]
    assert select_clips(DataSet("mine", without), [model], SPEC, "test", None) == test[2:]
    assert told() == "Groups of the model's training are missing from the clips: 1 of test."
    only = GROUPED(clips)["train"]
    with pytest.raises(ActrecError, match=rf"no clips in split=test.*: {len(only)} train, 0 val, 0 test, 0 new"):
        select_clips(DataSet("mine", only), [model], SPEC, "test", None)
    with pytest.raises(ActrecError, match="no clips in split=new"):
        select_clips(DataSet("mine", clips), [model], SPEC, "new", None)


def test_another_protocol_says_how_many_clips_are_known(
    clips: list[SkeletonSequence], told: Callable[[], str], tmp_path: Path
) -> None:
    model, data = keep(tmp_path / "model", clips), DataSet("mine", clips)
    test = select_clips(data, [model], SPEC, "test", "official")
    trained = {clip.clip_id for part in ("train", "val") for clip in GROUPED(clips)[part]}
    n_known = sum(clip.clip_id in trained for clip in test)
    assert f"{n_known} of the {len(test)} clips are of groups that '{model}' was trained or validated on." in told()
    with pytest.raises(ActrecError, match="Leave out protocol"):
        select_clips(data, [model], SPEC, "new", "official")


def test_of_several_models_each_is_checked(
    clips: list[SkeletonSequence], told: Callable[[], str], tmp_path: Path
) -> None:
    models = [keep(tmp_path / "a", clips), keep(tmp_path / "b", clips, replace(GROUPED, seed=5))]
    assert select_clips(DataSet("mine", clips), models, SPEC, "test", None) == GROUPED(clips)["test"]
    assert f"clips are of groups that '{models[1]}' was trained or validated on." in told()


def test_other_data_is_all_new(
    clips: list[SkeletonSequence], grown: DataSet, told: Callable[[], str], tmp_path: Path
) -> None:
    model = keep(tmp_path / "model", clips)
    other = DataSet("mine", grown.clips[72:])
    assert select_clips(other, [model], SPEC, "new", None) == other.clips
    assert select_clips(other, [model], SPEC, "test", None) == GROUPED(other.clips)["test"]
    assert told() == f"None of the 72 clips was in the training of '{model}'."


@pytest.mark.parametrize(("protocol", "warns"), [("grouped", True), (None, True), ("official", False)])
def test_a_model_of_an_earlier_version_is_split_as_it_was(
    protocol: str, warns: bool, clips: list[SkeletonSequence], told: Callable[[], str], tmp_path: Path
) -> None:
    split = replace(GROUPED, protocol=protocol)
    data, spec = DataSet("mine", clips), replace(SPEC, split=asdict(split))
    assert select_clips(data, [tmp_path], spec, "test", None) == split(clips)["test"]
    assert ("has no split.json" in told()) == warns
    with pytest.raises(ActrecError, match=r"it has no split\.json"):
        select_clips(data, [tmp_path], spec, "new", None)
    with pytest.raises(ActrecError, match="no split 'tset'"):
        select_clips(data, [tmp_path], spec, "tset", None)
