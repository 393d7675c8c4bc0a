from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest
from numpy import ndarray

from actrec.data.sources.keypoint_files.importer import KeypointFiles
from actrec.types import ActrecError, SkeletonSequence
from tests.data.sources.keypoint_files import tools
from tests.data.sources.keypoint_files.tools import Keypoints, motion, write_json


def whole(n_frames: int, seed: int = 0, size: float = 1.0) -> Keypoints:
    keypoints = motion(17, n_frames, seed)
    keypoints[..., :2] = keypoints[..., :2] * size
    keypoints[1, 3, 2] = 0.5
    keypoints[1, 3, :2] = keypoints[0, 3, :2]
    return keypoints


def write_people(file: Path, people: list[dict[int, ndarray]], ids: bool = False) -> None:
    """Writes people by frame number as MMPose's inferencer does; in every other frame, the last person is the first."""
    frames = []
    for number in sorted(set().union(*people)):
        present = [
            tools._instance(person[number]) | ({"track_id": 10 + index} if ids else {})
            for index, person in enumerate(people)
            if number in person
        ]
        frames.append({"frame_id": number, "instances": present[::-1] if number % 2 else present})
    write_json(file, frames)


def load(raw: Path, **options: object) -> SkeletonSequence | list[SkeletonSequence]:
    (source,) = KeypointFiles(**options)(raw)  # type: ignore[arg-type]
    return source.load()


@pytest.mark.parametrize("ids", [True, False])
def test_the_main_person_and_all(tmp_path: Path, ids: bool) -> None:
    """A larger person beside a smaller one, who comes later; the file names them, or they are tracked."""
    large, small = whole(30, 1, 2.0), whole(30, 2)
    small[..., 0] += 900
    people = [dict(enumerate(large)), {number: small[number] for number in range(5, 30)}]
    write_people(tmp_path / "squat_1.json", people, ids)
    main = load(tmp_path)
    assert isinstance(main, SkeletonSequence)
    np.testing.assert_allclose(main.keypoints, large, atol=1e-3)
    everybody = load(tmp_path, person="all")
    assert isinstance(everybody, list)
    first, second = sorted(everybody, key=len, reverse=True)
    np.testing.assert_allclose(first.keypoints, large, atol=1e-3)
    assert len(small[5:]) - len(second) in (0, 1)  # a tracker needs two frames for a person who comes later
    np.testing.assert_allclose(second.keypoints, small[30 - len(second) :], atol=1e-3)
    with pytest.raises(ActrecError, match="do not have one person each"):
        load(tmp_path, person="single")


def test_shares_are_tracked_alike(tmp_path: Path) -> None:
    large, small = whole(30, 1, 2.0), whole(30, 2)
    small[..., 0] += 900
    share = np.array([1 / 2000, 1 / 1000, 1])
    write_people(tmp_path / "squat_1.json", [dict(enumerate(large * share)), dict(enumerate(small * share))])
    main = load(tmp_path, width=2000, height=1000)
    assert isinstance(main, SkeletonSequence)
    np.testing.assert_allclose(main.keypoints, large, atol=1e-2)


def test_frames_that_are_left_out_are_gaps(tmp_path: Path) -> None:
    truth = whole(30)
    numbers = [*range(100, 110), *range(115, 130)]
    write_people(tmp_path / "squat_1.json", [{number: truth[number - 100] for number in numbers}])
    clip = load(tmp_path)
    assert isinstance(clip, SkeletonSequence)
    assert len(clip) == 30
    np.testing.assert_allclose(clip.keypoints[:10], truth[:10], atol=1e-3)
    np.testing.assert_array_equal(clip.keypoints[10:15], 0)
    np.testing.assert_allclose(clip.keypoints[15:], truth[15:], atol=1e-3)


@pytest.mark.parametrize("person", ["main", "all"])
def test_every_second_frame_of_two_people(tmp_path: Path, person: str) -> None:
    """The frames between do not count as frames without the person, neither for the share nor for the tracker."""
    large, small = whole(60, 1, 2.0), whole(60, 2)
    small[..., 0] += 900
    people = [{2 * n: large[2 * n] for n in range(30)}, {2 * n: small[2 * n] for n in range(5, 30)}]
    write_people(tmp_path / "squat_1.json", people)
    loaded = load(tmp_path, person=person, min_presence=0.8)
    clips = loaded if isinstance(loaded, list) else [loaded]
    assert len(clips) == (2 if person == "all" else 1)
    main = max(clips, key=len)
    assert len(main) == 59
    np.testing.assert_allclose(main.keypoints[::2], large[:59:2], atol=1e-3)
    np.testing.assert_array_equal(main.keypoints[1::2], 0)


def test_a_person_who_is_seen_too_little(tmp_path: Path) -> None:
    truth = whole(40)
    people = {n: truth[n] for n in (0, 1, 2, 3, 38, 39)}
    write_people(tmp_path / "squat_1.json", [people])
    with pytest.raises(ActrecError, match=r"found in 6 of its 40 frames at most; expected 50%"):
        load(tmp_path)
    clip = load(tmp_path, min_presence=0.1)
    assert isinstance(clip, SkeletonSequence)
    assert len(clip) == 40


def test_shares_become_pixels_where_the_size_is_known(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    truth = motion(33)
    tools.mediapipe_json(tmp_path, "squat_1", truth)
    clip = load(tmp_path)
    assert isinstance(clip, SkeletonSequence)
    assert "1 clips have x and y as shares of a picture whose size is not known" in caplog.text
    np.testing.assert_allclose(clip.keypoints, truth / (tools.WIDTH, tools.HEIGHT, 1), atol=1e-6)
    caplog.clear()
    clip = load(tmp_path, width=tools.WIDTH, height=tools.HEIGHT)
    assert isinstance(clip, SkeletonSequence)
    assert not caplog.records
    assert (clip.width, clip.height) == (tools.WIDTH, tools.HEIGHT)
    np.testing.assert_allclose(clip.keypoints, truth, atol=1e-3)


def test_the_rate(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    tools.movenet(tmp_path, "squat_1", motion(17))

    def rate(**options: object) -> float:
        clip = load(tmp_path, **options)
        assert isinstance(clip, SkeletonSequence)
        return clip.fps

    with caplog.at_level(logging.INFO, "actrec"):
        assert rate() == 30
    assert "1 clips have no frame rate: they are read as 30 frames a second." in caplog.text
    assert rate(fps=25) == 25
    (tmp_path / "labels.csv").write_text("file,label,fps\nsquat_1.json,squat,12.5\n")
    assert rate(fps=25) == 12.5
    (tmp_path / "labels.csv").write_text("file,label,fps\nsquat_1.json,squat,fast\n")
    with pytest.raises(ActrecError, match="fps 'fast'"):
        rate()


def test_segments_of_a_long_clip(tmp_path: Path) -> None:
    tools.movenet(tmp_path, "day_1", motion(17, 40))
    (tmp_path / "segments.csv").write_text("file,label,start,end\nday_1.json,squat,0,10\nday_1.json,lunge,15,40\n")
    (source,) = KeypointFiles()(tmp_path)
    assert source.row["label"] == "lunge"
    assert '"squat", 0.0, 10.0' in source.row["segments"]
    with pytest.raises(ActrecError, match="segments are of one person"):
        load(tmp_path, person="all")
