"""`actrec view` of a store; tests/test_prepare_videos.py has that of a video."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from actrec import view
from actrec.data.store.clip_source import ClipSource
from actrec.data.store.writing import write_store
from actrec.types import SkeletonSequence
from actrec.video.video import open_video

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def store(make_sequences: Callable[..., list[SkeletonSequence]], tmp_path: Path) -> Path:
    clips = [ClipSource(c.clip_id, c.source, c.clip_id, partial(lambda clip: clip, c)) for c in make_sequences(14, 1)]
    write_store(tmp_path / "store", clips, {"dataset": "generated", "raw": "none"})
    return tmp_path / "store"


def test_a_store_is_filmed(run_command: Run, store: Path, tmp_path: Path) -> None:
    code, out, err = run_command(view.run, f"source={store}", f"output={tmp_path / 'clips.mp4'}")
    assert code == 0, err
    assert "12 clips, one of a class" in out
    video = open_video(tmp_path / "clips.mp4")
    assert (video.width, video.height, len(video.times)) == (960, 798, 150)


def test_another_ending_is_a_mistake(run_command: Run, store: Path, tmp_path: Path) -> None:
    code, _, err = run_command(view.run, f"source={store}", f"output={tmp_path / 'clips.gif'}")
    assert code == 1
    assert "should end in .png or .mp4" in err
