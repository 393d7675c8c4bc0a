from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest

from actrec.data.sources.keypoint_files.importer import KeypointFiles
from actrec.skeleton import get_skeleton
from actrec.types import SkeletonSequence
from tests.data.sources.keypoint_files import tools
from tests.data.sources.keypoint_files.tools import HEIGHT, WIDTH, Writer, motion

# The writer, the layout and format to be found, and the greatest difference by the digits that the tool writes.
WRITTEN = {
    "mmpose_frames": (tools.mmpose_frames, "coco17", "MMPose", 1e-4),
    "mmpose_wholebody": (tools.mmpose_frames, "wholebody133", "MMPose", 1e-4),
    "mmpose_inferencer": (tools.mmpose_inferencer, "mpii16", "MMPose", 1e-4),
    "mmpose_demo": (tools.mmpose_demo, "h36m17", "MMPose", 1e-4),
    "openpose_body25": (tools.openpose, "body25", "OpenPose", 1e-4),
    "openpose_coco": (tools.openpose, "openpose18", "OpenPose", 1e-4),
    "alphapose": (tools.alphapose, "coco17", "AlphaPose", 1e-4),
    "alphapose_halpe": (tools.alphapose, "halpe26", "AlphaPose", 1e-4),
    "alphapose_pictures": (tools.alphapose_pictures, "coco17", "AlphaPose", 1e-4),
    "coco_results": (tools.coco_results, "coco17", "COCO results", 1e-4),
    "coco_annotations": (tools.coco_annotations, "coco17", "COCO", 1e-4),
    "ultralytics_labels": (tools.ultralytics_labels, "coco17", "Ultralytics", 2e-3),
    "ultralytics_plain_labels": (tools.ultralytics_plain_labels, "coco17", "Ultralytics", 2e-3),
    "ultralytics_frames": (tools.ultralytics_frames, "coco17", "Ultralytics", 1e-4),
    "ultralytics_json": (tools.ultralytics_json, "coco17", "Ultralytics", 1e-4),
    "movenet": (tools.movenet, "coco17", "MoveNet", 1e-4),
    "tensorflow_js": (tools.tensorflow_js, "coco17", "MoveNet", 1e-4),
    "mediapipe_json": (tools.mediapipe_json, "blazepose33", "MediaPipe", 1e-4),
    "mediapipe_tasks": (tools.mediapipe_tasks, "blazepose33", "MediaPipe", 1e-4),
    "mediapipe_csv": (tools.mediapipe_csv, "blazepose33", "MediaPipe", 1e-4),
    "deeplabcut": (tools.deeplabcut, "coco17", "DeepLabCut", 1e-4),
    "sleap": (tools.sleap, "coco17", "SLEAP", 1e-4),
    "ntu": (tools.ntu, "ntu25", "NTU RGB+D", 1e-4),
    "wide_table": (tools.wide_table, "coco17", "table", 1e-4),
    "long_table": (tools.long_table, "coco17", "table", 1e-4),
}


def read(folder: Path, listed: str, **options: object) -> SkeletonSequence:
    """Reads the one clip that `labels.csv` lists, in pixels."""
    (folder / "labels.csv").write_text(f"file,label,width,height\n{listed},squat,{WIDTH},{HEIGHT}\n")
    (source,) = KeypointFiles(**options)(folder)  # type: ignore[arg-type]
    loaded = source.load()
    assert isinstance(loaded, SkeletonSequence)
    return loaded


@pytest.mark.parametrize("name", list(WRITTEN))
def test_each_format_is_found_and_read(name: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    writer, layout, title, tolerance = WRITTEN[name]
    truth = motion(get_skeleton(layout).n_joints)
    if name == "ntu":  # which has three states instead of confidences
        truth[..., 2] = np.where(truth[..., 2] > 0.6, 1, 0.5) * (truth[..., 2] > 0)
    listed = writer(tmp_path, "squat_1", truth)
    with caplog.at_level(logging.INFO, "actrec"):
        clip = read(tmp_path, listed)
    assert any(record.message.startswith(f"{title}: ") for record in caplog.records)
    assert clip.skeleton == layout
    assert clip.label == "squat"
    np.testing.assert_allclose(clip.keypoints, truth, atol=tolerance)
    assert (clip.keypoints[1, 3] == 0).all()


@pytest.mark.parametrize("name", list(WRITTEN))
def test_a_given_format_reads_the_same_and_another_reads_nothing(name: str, tmp_path: Path) -> None:
    writer, layout, title, tolerance = WRITTEN[name]
    truth = motion(get_skeleton(layout).n_joints)
    listed = writer(tmp_path, "squat_1", truth)
    form = {"COCO results": "coco", "NTU RGB+D": "ntu"}.get(title, title.lower())
    clip = read(tmp_path, listed, format=form)
    np.testing.assert_allclose(clip.keypoints[..., :2], truth[..., :2], atol=tolerance)
    with pytest.raises(ValueError, match=r"no known format|no such file|no keypoint files"):
        read(tmp_path, listed, format="openpose" if form != "openpose" else "mmpose")


def test_what_files_tell_of_rate_and_picture(tmp_path: Path) -> None:
    def rate_and_size(writer: Writer, layout: str) -> tuple[float, int, int]:
        folder = tmp_path / writer.__name__
        writer(folder, "squat_1", motion(get_skeleton(layout).n_joints))
        (source,) = KeypointFiles(fps=50)(folder)
        clip = source.load()
        assert isinstance(clip, SkeletonSequence)
        return clip.fps, clip.width, clip.height

    assert rate_and_size(tools.tensorflow_js, "coco17") == (25, WIDTH, HEIGHT)
    assert rate_and_size(tools.coco_annotations, "coco17") == (50, WIDTH, HEIGHT)
    assert rate_and_size(tools.ntu, "ntu25") == (30, 1920, 1080)
    assert rate_and_size(tools.movenet, "coco17") == (50, 0, 0)


def test_halpe_s_whole_body_is_cut_to_its_26_joints(tmp_path: Path) -> None:
    truth = motion(136)
    clip = read(tmp_path, tools.alphapose(tmp_path, "squat_1", truth))
    assert clip.skeleton == "halpe26"
    np.testing.assert_allclose(clip.keypoints, truth[:, :26], atol=1e-4)


def test_visibility_flags_of_annotations_become_confidences(tmp_path: Path) -> None:
    truth = motion(17)
    flags = np.where(truth[..., 2] > 0.6, 2, 1) * (truth[..., 2] > 0)
    listed = tools.coco_annotations(tmp_path, "squat_1", np.concatenate([truth[..., :2], flags[..., None]], -1))
    np.testing.assert_array_equal(read(tmp_path, listed).keypoints[..., 2], flags / 2)


def test_confidences_of_mmpose_and_alphapose_above_one_are_cut_off(tmp_path: Path) -> None:
    truth = motion(17)
    truth[..., 2] *= 3
    for writer in (tools.mmpose_frames, tools.alphapose):
        folder = tmp_path / writer.__name__
        confidence = read(folder, writer(folder, "squat_1", truth)).keypoints[..., 2]
        np.testing.assert_allclose(confidence, np.minimum(truth[..., 2], 1), atol=1e-6)
