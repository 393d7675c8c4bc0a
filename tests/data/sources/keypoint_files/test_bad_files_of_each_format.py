"""What is wrong with data, in every format: nobody in it, other joints than a layout has, frames in another order."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from actrec.data.sources.keypoint_files.importer import KeypointFiles
from actrec.skeleton import get_skeleton
from actrec.types import ActrecError, SkeletonSequence
from tests.data.sources.keypoint_files import tools
from tests.data.sources.keypoint_files.test_bad_files import reasons
from tests.data.sources.keypoint_files.test_formats import WRITTEN, read
from tests.data.sources.keypoint_files.tools import Writer, motion

Change = Callable[[Any], Any]


@pytest.mark.parametrize("name", [name for name in WRITTEN if name != "long_table"])  # it has no rows of nobody
def test_nobody_in_it(name: str, tmp_path: Path) -> None:
    """People without an observed joint, as the tools write them; a good clip beside them is read."""
    writer, layout, _, _ = WRITTEN[name]
    listed = writer(tmp_path, "squat_1", 0 * motion(get_skeleton(layout).n_joints))
    good = tools.movenet(tmp_path, "lunge_1", motion(17))
    (tmp_path / "labels.csv").write_text(f"file,label\n{listed},squat\n{good},lunge\n")
    sources = KeypointFiles()(tmp_path)
    with pytest.raises(ActrecError, match=r"no person was found in any of its 8 frames"):
        sources[0].load()
    assert isinstance(sources[1].load(), SkeletonSequence)


NAMED = ("tensorflow_js", "deeplabcut", "sleap", "wide_table", "long_table")  # joints that they lack are unobserved


@pytest.mark.parametrize("name", [name for name in WRITTEN if name not in NAMED])
def test_other_joints_than_its_layout_has(name: str, tmp_path: Path) -> None:
    """The layout is given, and the files have a joint less than it."""
    writer, layout, _, _ = WRITTEN[name]
    short = motion(get_skeleton(layout).n_joints)[:, :-1]
    listed = writer(tmp_path, "squat_1", short)
    if name.startswith("ultralytics") and name.endswith("labels"):
        listed += "_1.txt"
    count = short.shape[1]
    with pytest.raises(ActrecError, match=rf"has {count} joints|people have {count}|no known format"):
        read(tmp_path, listed, layout=layout)


@pytest.mark.parametrize("writer", [tools.mmpose_demo, tools.coco_annotations])
@pytest.mark.parametrize("count", [13, 19])
def test_another_number_of_keypoints_than_of_names(writer: Writer, count: int, tmp_path: Path) -> None:
    listed = writer(tmp_path, "squat_1", motion(count))
    with pytest.raises(ActrecError, match=rf"it names 17 joints, and its people have {count}"):
        read(tmp_path, listed)


def _lists_turned(content: Any) -> Any:
    """Turns the longest list of frames or people round."""
    if isinstance(content, list):
        return content[::-1]
    return {key: _lists_turned(value) if isinstance(value, list) else value for key, value in content.items()}


def _rows_turned(n_header: int) -> Change:
    return lambda lines: [*lines[:n_header], *lines[n_header:][::-1]]


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("mmpose_inferencer", _lists_turned),
        ("mmpose_demo", _lists_turned),
        ("alphapose", _lists_turned),
        ("alphapose_pictures", _lists_turned),
        ("coco_results", _lists_turned),
        ("coco_annotations", _lists_turned),
        ("deeplabcut", _rows_turned(3)),
        ("sleap", _rows_turned(1)),
        ("wide_table", _rows_turned(1)),
        ("long_table", _rows_turned(1)),
    ],
)
def test_frames_in_another_order(name: str, change: Change, tmp_path: Path) -> None:
    """Frames with numbers in a file are put in order; those of the other formats are numbered by place or file name."""
    writer, layout, _, tolerance = WRITTEN[name]
    truth = motion(get_skeleton(layout).n_joints)
    listed = writer(tmp_path, "squat_1", truth)
    (file,) = (each for each in tmp_path.rglob("*") if each.suffix in (".json", ".csv"))
    if file.suffix == ".json":
        file.write_text(json.dumps(change(json.loads(file.read_text()))))
    else:
        file.write_text("\n".join(change(file.read_text().splitlines())))
    np.testing.assert_allclose(read(tmp_path, listed).keypoints, truth, atol=tolerance)


def test_frames_with_numbers_of_landmarks_and_of_mediapipe_tables(tmp_path: Path) -> None:
    truth = motion(33) / [tools.WIDTH, tools.HEIGHT, 1]
    frames = [{"frame": number, "landmarks": tools._landmarks(truth[number])} for number in (3, 0, 2, 1)]
    tools.write_json(tmp_path / "squat/a.json", frames)
    header = ["frame", *(f"{value}{joint}" for joint in range(1, 34) for value in "xyv")]
    rows = [",".join(map(str, [number, *truth[number].ravel()])) for number in (3, 0, 2, 1)]
    (tmp_path / "squat/b.csv").write_text("\n".join([",".join(header), *rows]))
    assert reasons(tmp_path) == {"squat_a": "", "squat_b": ""}
    clips = [source.load() for source in KeypointFiles()(tmp_path)]
    scaled = truth / [tools.WIDTH, tools.HEIGHT, 1]
    for clip, expected in zip(clips, (scaled, truth), strict=True):
        assert isinstance(clip, SkeletonSequence)
        np.testing.assert_allclose(clip.keypoints, expected[:4], atol=1e-6)


@pytest.mark.parametrize("name", list(WRITTEN))
def test_beside_files_of_another_format(name: str, tmp_path: Path) -> None:
    """One folder with files of two tools: each clip is read by its own format."""
    writer, layout, _, tolerance = WRITTEN[name]
    truth = motion(get_skeleton(layout).n_joints)
    listed = writer(tmp_path, "squat_1", truth)
    other = tools.deeplabcut if name == "mmpose_inferencer" else tools.mmpose_inferencer
    beside = other(tmp_path, "lunge_1", motion(17, seed=3))
    rows = f"{listed},squat,{tools.WIDTH},{tools.HEIGHT}\n{beside},lunge,,\n"
    (tmp_path / "labels.csv").write_text(f"file,label,width,height\n{rows}")
    first, second = (source.load() for source in KeypointFiles()(tmp_path))
    assert isinstance(first, SkeletonSequence)
    assert isinstance(second, SkeletonSequence)
    np.testing.assert_allclose(first.keypoints[..., :2], truth[..., :2], atol=tolerance)
    np.testing.assert_allclose(second.keypoints, motion(17, seed=3), atol=1e-4)
