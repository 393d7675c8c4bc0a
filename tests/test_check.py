"""The command `actrec.check`: what it prints and writes, and its exit status."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from actrec.check import run
from actrec.data.store.clip_source import ClipSource
from actrec.data.store.writing import write_store
from actrec.types import SkeletonSequence

Run = Callable[..., tuple[int, str, str]]
Make = Callable[..., list[SkeletonSequence]]
WriteStore = Callable[[list[SkeletonSequence]], Path]


@pytest.fixture
def check(run_command: Run, tmp_path: Path) -> Callable[..., tuple[int, str, dict]]:
    """Runs the command; returns its exit status, its text and check.json."""

    def checked(*overrides: str) -> tuple[int, str, dict]:
        code, out, err = run_command(run, *overrides, f"output={tmp_path / 'report'}")
        assert err == ""
        assert f"Look at {tmp_path / 'report' / 'index.html'}" in out
        return code, out, json.loads((tmp_path / "report/check.json").read_text())

    return checked


@pytest.fixture
def make_store(tmp_path: Path) -> WriteStore:
    def make(clips: list[SkeletonSequence]) -> Path:
        sources = [ClipSource(clip.clip_id, clip.source, clip.clip_id, lambda clip=clip: clip) for clip in clips]
        write_store(tmp_path / "store", sources, {"dataset": "mine", "raw": "/somewhere"})
        return tmp_path / "store"

    return make


def test_a_sound_store(check: Callable, make_store: WriteStore, make_sequences: Make) -> None:
    clips = make_sequences(n_labels=2, clips_per_label=12)
    code, out, found = check(f"store={make_store(clips)}")
    assert code == 0, out
    assert (found["n_clips"], found["labels"], found["exit_status"]) == (24, {"label_0": 12, "label_1": 12}, 0)
    assert "24 clips of 2 labels: no errors, no warnings" in out


def test_a_page_is_one_file_with_drawings(
    check: Callable, make_store: WriteStore, make_sequences: Make, tmp_path: Path
) -> None:
    clips = make_sequences(n_labels=2, clips_per_label=12)
    clips[3] = replace(clips[3], keypoints=np.zeros_like(clips[3].keypoints))
    clips = [replace(clip, label=f"<b>{clip.label}") for clip in clips]
    still = [replace(clip, keypoints=np.repeat(clip.keypoints[:1], 30, axis=0)) for clip in clips[16:20]]
    code, _, found = check(f"store={make_store([*clips[:16], *still, *clips[20:]])}")
    assert code == 2
    (finding,) = [each for each in found["findings"] if each["kind"] == "constant_clips"]
    assert finding["clips"] == [clip.clip_id for clip in still]
    page = (tmp_path / "report/index.html").read_text()
    assert page.count('<svg class="poses"') >= 4
    assert "<b>label" not in page
    assert "No joint is observed." in page
    assert not re.search(r'(src|href)="(?!data:|#)', page)
    assert sorted(file.name for file in (tmp_path / "report").iterdir()) == ["check.json", "index.html"]


def test_damaged_clips_are_findings(check: Callable, make_store: WriteStore, make_sequences: Make) -> None:
    store = make_store(make_sequences(n_labels=2, clips_per_label=12))
    file = sorted((store / "clips").glob("*.npz"))
    keypoints = np.load(file[0])["keypoints"]
    keypoints[..., 2] *= 100
    np.savez(file[0], keypoints=keypoints)
    file[1].write_bytes(b"PK")
    code, out, found = check(f"store={store}")
    assert code == 3
    assert "2 of 24 clips (label_0_clip_00, label_0_clip_01) cannot be read." in out
    assert "Are they per cent? Divide them by 100." in out
    assert found["n_clips"] == 22


def test_a_raw_folder(check: Callable, make_sequences: Make, tmp_path: Path) -> None:
    raw = tmp_path / "raw"
    raw.mkdir()
    clips = make_sequences(n_labels=2, clips_per_label=12)
    rows = ["file,label,group,fps"]
    for clip in clips:
        keypoints = clip.keypoints * [1 / 640, 1 / 480, 1]
        np.save(raw / f"{clip.clip_id}.npy", keypoints[: 1 if clip is clips[0] else None])
        rows.append(f"{clip.clip_id}.npy,{clip.label},{clip.clip_id},30")
    (raw / f"{clips[1].clip_id}.npy").write_bytes(b"not an array")
    (raw / "labels.csv").write_text("\n".join(rows) + "\n")
    code, out, found = check("dataset=csv", f"raw={raw}")
    assert code == 3
    kinds = {each["kind"]: each for each in found["findings"]}
    assert len(kinds["small"]["clips"]) == 23
    assert "shares of the picture" in kinds["small"]["what"]
    assert clips[1].clip_id in kinds["unreadable"]["clips"][0]
    assert f"python -m actrec.prepare dataset=csv raw={raw}" in out


def test_a_raw_folder_of_which_no_clip_can_be_read(check: Callable, tmp_path: Path) -> None:
    raw = tmp_path / "raw"
    raw.mkdir()
    (raw / "squat_1.json").write_text('{"people": [')
    (raw / "squat_2.json").write_text("")
    code, out, found = check("dataset=keypoints", f"raw={raw}", "format=openpose", "fps=25")
    assert (code, found["n_clips"]) == (3, 0)
    assert "2 of 2 clips" in out
    assert "squat_1.json: it is cut short, or no JSON" in out
    assert f"python -m actrec.prepare dataset=keypoints raw={raw} format=openpose fps=25" in out


def test_generated_clips(check: Callable) -> None:
    code, _, found = check("dataset=synthetic", "dataset.importer.n_clips=56")
    assert code in (0, 2)
    assert found["n_clips"] == 56


def test_sessions_count_as_their_actions(check: Callable, tmp_path: Path) -> None:
    _, _, found = check("dataset=synthetic_sessions", "dataset.importer.n_clips=6")
    assert "none" in found["labels"]
    assert found["n_clips"] > 8


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["store=nowhere"], "The skeleton store nowhere is not there"),
        ([], "store has no value"),
        (["store=a", "raw=b"], "store and raw are both given"),
        (["raw=b"], "dataset, raw have no value"),
        (["dataset=csv"], "raw has no value"),
        (["dataset=csv", "raw=nowhere"], "does not exist"),
        (["store=a", "window=0"], "window is 0; expected a whole number of at least 2"),
    ],
)
def test_mistakes_are_one_sentence(run_command: Run, overrides: list[str], message: str) -> None:
    code, out, err = run_command(run, *overrides)
    assert (code, out) == (1, "")
    assert message in err
