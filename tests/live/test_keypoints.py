"""Prediction from keypoints: arrays and stores of two and three dimensions."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import actrec.predict
from actrec.data.store.clip_source import ClipSource
from actrec.data.store.writing import write_store
from actrec.live.keypoints import recognize_clip
from actrec.online.recognizer import OnlineRecognizer
from actrec.types import ActrecError, SkeletonSequence
from actrec.video.video import open_video

Run = Callable[..., tuple[int, str, str]]


def make_clip(n_joints: int, n_coordinates: int, unit: float = 1.0) -> np.ndarray:
    rng = np.random.default_rng(1)
    places = unit * (rng.normal(0, 0.4, (n_joints, n_coordinates)) + 2.5)
    moving = places + unit * 0.1 * np.sin(np.arange(12)[:, None, None] / 3 + places)
    return np.concatenate([moving, np.ones((12, n_joints, 1))], -1).astype(np.float32)


def test_arrays_of_three_dimensions_are_recognised_and_drawn(
    run_command: Run, solid_model: Path, tmp_path: Path
) -> None:
    raw, out = tmp_path / "raw", tmp_path / "out"
    (raw / "b").mkdir(parents=True)
    clip = make_clip(20, 3)
    np.savez(raw / "a.npz", keypoints=clip)
    np.save(raw / "b" / "flat.npy", clip[..., [0, 1, 3]])
    code, _, err = run_command(
        actrec.predict.run, f"model={solid_model}", f"source={raw}", f"output_dir={out}", "fps=15"
    )
    assert code == 1
    assert "1 of 2 clips could not be read" in err
    assert "'flat' has 2 coordinates for each joint; this model or run takes 3" in err
    lines = [json.loads(line) for line in (out / "a" / "predictions.jsonl").read_text().splitlines()]
    recognizer = OnlineRecognizer.from_pretrained(solid_model)
    for number, (line, frame) in enumerate(zip(lines, clip, strict=True)):
        expected = recognizer.push(frame, number / 15)
        assert expected is not None
        np.testing.assert_allclose(list(line["probabilities"].values()), expected.probabilities, atol=1e-4)
        np.testing.assert_allclose(line["keypoints"], frame, rtol=1e-3)
    video = open_video(out / "a" / "annotated.mp4")
    pictures = [picture for _, picture in video.frames(480)]
    assert len(pictures) == len(clip)
    assert np.ptp(pictures[-1]) > 100  # a body is drawn


def test_an_array_of_two_dimensions_is_recognised_too(run_command: Run, noise_model: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "clip.npy", make_clip(17, 2, unit=100.0))
    given = [f"model={noise_model}", f"source={tmp_path / 'clip.npy'}", f"output_dir={tmp_path / 'out'}"]
    code, _, err = run_command(actrec.predict.run, *given, "skeleton=coco17", "video=false")
    assert code == 0, err
    assert len((tmp_path / "out/clip/predictions.jsonl").read_text().splitlines()) == 12
    np.save(tmp_path / "clip.npy", make_clip(17, 3))
    code, _, err = run_command(actrec.predict.run, *given, "skeleton=coco17", "video=false")
    assert code == 1
    assert "has 3 coordinates for each joint; this model or run takes 2" in err


def test_a_model_of_three_dimensions_refuses_videos_and_says_what_it_takes(
    run_command: Run, solid_model: Path, tmp_path: Path
) -> None:
    (tmp_path / "squat.mp4").touch()
    for source in (tmp_path / "squat.mp4", "camera:0"):
        code, _, err = run_command(actrec.predict.run, f"model={solid_model}", f"source={source}")
        assert code == 1
        assert "takes keypoints of three dimensions" in err
        assert "source=clip.npz" in err
    code, _, err = run_command(actrec.predict.run, f"model={solid_model}", f"source={tmp_path / 'sqat.npz'}")
    assert code == 1
    assert "sqat.npz: there is no such file" in err


def test_the_clips_of_a_store_are_recognised(
    run_command: Run, noise_model: Path, tmp_path: Path, make_sequences: Callable[..., Any]
) -> None:
    clips = make_sequences(2, 2, skeleton="penn13")
    made = [ClipSource(clip.clip_id, clip.source, clip.clip_id, lambda clip=clip: clip) for clip in clips]  # type: ignore[misc]
    write_store(tmp_path / "store", made, {"dataset": "made", "raw": None})
    given = [f"model={noise_model}", f"source={tmp_path / 'store'}", f"output_dir={tmp_path / 'out'}"]
    code, _, err = run_command(actrec.predict.run, *given, "video=false")
    assert code == 0, err
    assert len(list((tmp_path / "out").glob("**/predictions.jsonl"))) == len(clips)


def test_a_clip_of_other_dimensions_is_refused(solid_model: Path) -> None:
    recognizer = OnlineRecognizer.from_pretrained(solid_model)
    flat = SkeletonSequence(make_clip(20, 2), 15.0, "nwucla20", clip_id="flat")
    with pytest.raises(ActrecError, match="Clip 'flat' has 2 coordinates for each joint; this model or run takes 3"):
        next(recognize_clip(flat, recognizer))
