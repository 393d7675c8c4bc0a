from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from actrec.data.saved_split import FILE, SavedSplit
from actrec.data.split import Parts, Split
from actrec.types import ActrecError, SkeletonSequence

Make = Callable[..., list[SkeletonSequence]]
GROUPED = Split("grouped", val_share=0.2, test_share=0.25)


def ids(parts: Parts) -> dict[str, list[str]]:
    return {part: [clip.clip_id for clip in clips] for part, clips in parts.items()}


def renamed(clips: list[SkeletonSequence], more: str) -> list[SkeletonSequence]:
    """Other clips of other groups."""
    return [replace(clip, clip_id=f"{clip.clip_id}{more}", group=f"{clip.group}{more}") for clip in clips]


@pytest.mark.parametrize("few", [None, 2])
@pytest.mark.parametrize("protocol", ["grouped", "official", "random_windows", None])
def test_it_is_the_split_that_it_was_made_from(
    protocol: str | None, few: int | None, make_sequences: Make, tmp_path: Path
) -> None:
    clips = make_sequences(3, 24)
    clips += [replace(clip, clip_id=f"{clip.clip_id}_flipped", variant="flip") for clip in clips[::2]]
    split = Split(protocol, val_share=0.2, clips_per_class=few, length=16, stride=8)
    saved = SavedSplit.of(split, clips)
    (tmp_path / FILE).write_text(saved.to_json(), encoding="utf-8")
    read = SavedSplit.read(tmp_path)
    assert read == saved
    assert ids(read.restore(clips[::-1])) == ids(split(clips))
    assert ids(read.divide(clips)) == ids(split(clips)) | {"new": []}
    assert not any(read.is_new(clip) for clip in clips)
    assert read.missing_groups(clips) == {}


def test_a_store_that_grew_moves_no_group(make_sequences: Make) -> None:
    clips = make_sequences(3, 24)
    before, saved = GROUPED(clips), SavedSplit.of(GROUPED, clips)
    grown = clips + renamed(clips, "_later") + [replace(before["test"][0], clip_id="another_take")]
    drawn_again = GROUPED(grown)
    moved = {clip.group for clip in drawn_again["test"]} & {clip.group for clip in before["train"]}
    assert moved  # what the file is there for
    dealt = saved.divide(grown)
    for part in ("train", "val"):
        assert ids(dealt)[part] == ids(before)[part]
    assert set(ids(dealt)["test"]) == {*ids(before)["test"], "another_take"}
    assert {clip.clip_id for clip in dealt["new"]} == {clip.clip_id for clip in renamed(clips, "_later")}
    assert ids(saved.restore(grown)) == ids(before)
    assert sum(saved.is_new(clip) for clip in grown) == len(clips) + 1
    assert saved.missing_groups(clips[4:]) == {
        "train": sum(g in ("label_0_g00", "label_0_g01") for g in saved.groups["train"])
    }


def test_what_is_gone_ends_a_resumption(make_sequences: Make) -> None:
    clips = make_sequences(3, 24)
    saved = SavedSplit.of(GROUPED, clips)
    with pytest.raises(ActrecError, match=r"2 of the clips that this run began with .*label_0_clip"):
        saved.restore(clips[2:])


def test_new_clips_of_the_official_test_are_tested_on(make_sequences: Make) -> None:
    clips = make_sequences(3, 24)
    saved = SavedSplit.of(Split("official"), clips)
    later = renamed(clips, "_later")
    dealt = saved.divide(clips + later)
    assert {clip.clip_id for clip in dealt["new"]} == {clip.clip_id for clip in later if clip.split == "train"}
    assert {clip.clip_id for clip in dealt["test"]} == {c.clip_id for c in clips + later if c.split == "test"}


def test_other_data_may_have_the_same_names(make_sequences: Make) -> None:
    clips = make_sequences(3, 24)
    of_store = replace(SavedSplit.of(GROUPED, clips), dataset="mine")
    assert of_store.covers(clips, "mine", None)
    assert of_store.covers(clips, "yours", None)  # the same clips under another name
    same_groups = [replace(clip, clip_id=f"other_{clip.clip_id}") for clip in clips]
    assert of_store.covers(same_groups, "mine", None)  # more clips of the same people
    assert not of_store.covers(same_groups, "yours", None)
    assert not of_store.covers(renamed(clips, "_later"), "mine", None)
    generated = replace(of_store, generated={"seed": 0, "n_clips": 10})
    assert generated.covers(clips, "mine", {"seed": 0, "n_clips": 20})
    assert not generated.covers(clips, "mine", {"seed": 1, "n_clips": 10})


def test_without_a_file_it_is_not_known(tmp_path: Path) -> None:
    assert SavedSplit.read(tmp_path) is None


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"format": 2}', '{"format": 1, "windows": null, "groups": [1]}'])
def test_a_damaged_file_is_one_sentence(text: str, tmp_path: Path) -> None:
    (tmp_path / FILE).write_text(text)
    with pytest.raises(ActrecError, match=r"split\.json' is damaged"):
        SavedSplit.read(tmp_path)
