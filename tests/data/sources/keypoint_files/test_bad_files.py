from __future__ import annotations

import json
import logging
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from actrec.data.sources.keypoint_files.importer import KeypointFiles
from actrec.skeleton import get_skeleton
from actrec.types import ActrecError, SkeletonSequence
from tests.data.sources.keypoint_files import tools
from tests.data.sources.keypoint_files.test_formats import WRITTEN, read
from tests.data.sources.keypoint_files.tools import Writer, motion, write_json


def files(folder: Path) -> list[Path]:
    return sorted(file for file in folder.rglob("*") if file.is_file() and file.name != "labels.csv")


def reasons(folder: Path) -> dict[str, str]:
    """Returns the reason for which each clip is rejected; empty for one that is read."""
    found = {}
    for source in KeypointFiles()(folder):
        try:
            source.load()
            found[source.clip_id] = ""
        except ActrecError as error:
            found[source.clip_id] = str(error)
    return found


@pytest.mark.parametrize("name", list(WRITTEN))
def test_a_file_cut_short(name: str, tmp_path: Path) -> None:
    """The middle of the last line, or the last third of JSON, is missing; a good clip beside it is read."""
    writer, layout, _, _ = WRITTEN[name]
    listed = writer(tmp_path, "squat_1", motion(get_skeleton(layout).n_joints))
    bad = files(tmp_path)[-1]
    text = bad.read_text()
    bad.write_text(text[: -len(text.splitlines()[-1]) // 2] if bad.suffix != ".json" else text[: len(text) * 2 // 3])
    good = tools.movenet(tmp_path, "lunge_1", motion(17))
    (tmp_path / "labels.csv").write_text(f"file,label\n{listed},squat\n{good},lunge\n")
    sources = KeypointFiles()(tmp_path)
    with pytest.raises(ActrecError, match=r"cut short|not as|no known format|expected 5, and 2 or 3|no such file"):
        sources[0].load()
    assert isinstance(sources[1].load(), SkeletonSequence)


@pytest.mark.parametrize(
    "writer",
    [
        *(tools.mmpose_frames, tools.mmpose_inferencer, tools.openpose, tools.alphapose, tools.coco_results),
        *(tools.ultralytics_labels, tools.ultralytics_frames, tools.ultralytics_json, tools.movenet),
    ],
)
def test_a_number_of_joints_that_no_layout_has(writer: Writer, tmp_path: Path) -> None:
    listed = writer(tmp_path, "squat_1", motion(19))
    if writer is tools.ultralytics_labels:  # whose lines are then of no known length
        listed += "_1.txt"
    with pytest.raises(ActrecError, match=r"it has 19 joints; layouts are known for 13 \(penn13\)|no known format"):
        read(tmp_path, listed)
    if writer is not tools.ultralytics_labels:
        with pytest.raises(ActrecError, match=r"it has 19 joints; the layout 'body25' has 25"):
            read(tmp_path, listed, layout="body25")


def test_joint_counts_that_vary(tmp_path: Path) -> None:
    tools.openpose(tmp_path, "squat_1", motion(25))
    frame = tmp_path / "squat_1_000000000004_keypoints.json"
    content = json.loads(frame.read_text())
    content["people"][0]["pose_keypoints_2d"] = content["people"][0]["pose_keypoints_2d"][:54]
    frame.write_text(json.dumps(content))
    assert reasons(tmp_path)["squat_1"].startswith("it has 25 joints in frame 0 and 18 in frame 4")
    content["people"][0]["pose_keypoints_2d"].pop()
    frame.write_text(json.dumps(content))
    assert "000000000004_keypoints.json cannot be read: a person has 53 numbers" in reasons(tmp_path)["squat_1"]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("openpose_000.json", {"version": 1.3, "people": []}),
        ("mmpose_000.json", {"instance_info": []}),
        ("inferencer_1.json", [{"frame_id": 0, "instances": []}]),
        ("alphapose-results.json", []),
        ("coco.json", {"images": [{"id": 1, "file_name": "1.jpg"}], "annotations": []}),
        ("results.json", [[], []]),
        ("movenet.json", [{"keypoints": []}, {"keypoints": []}]),
        ("mediapipe.json", {"fps": 30, "frames": [{"landmarks": []}, {"landmarks": None}]}),
        ("mediapipe_zero.json", [{"keypoints": [{"x": 0, "y": 0, "visibility": 0}] * 33}]),
    ],
)
def test_json_without_people(name: str, content: object, tmp_path: Path) -> None:
    write_json(tmp_path / "squat" / name, content)
    write_json(tmp_path / "squat/good.json", [{"keypoints": [{"x": 9, "y": 8, "score": 1}] * 17}] * 4)
    found = reasons(tmp_path)
    assert found.pop("squat_good") == ""
    (reason,) = found.values()
    assert "no person was found in any of its" in reason or "nobody was found" in reason


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.skeleton", "2\n0\n0\n"),
        ("a.csv", "scorer,DLC,DLC,DLC\nbodyparts,nose,nose,nose\ncoords,x,y,likelihood\n0,,,\n1,,,\n"),
        ("a.csv", "frame," + ",".join(f"x{n},y{n}" for n in range(17)) + "\n0" + "," * 34 + "\n1" + "," * 34 + "\n"),
        ("a.csv", "frame,joint,x,y\n0,nose,,\n1,nose,,\n"),
    ],
)
def test_text_without_people(name: str, text: str, tmp_path: Path) -> None:
    (tmp_path / "squat").mkdir()
    (tmp_path / "squat" / name).write_text(text)
    assert "no person was found in any of its 2 frames" in reasons(tmp_path)["squat_a"]


def test_a_table_without_rows(tmp_path: Path) -> None:
    (tmp_path / "wave.csv").write_text("frame," + ",".join(f"x{n},y{n}" for n in range(17)) + "\n")
    assert reasons(tmp_path) == {"wave": "it has no rows."}


def test_frames_out_of_order_are_put_in_order(tmp_path: Path) -> None:
    truth = motion(17)
    people = tools._alphapose(truth, "{}.jpg")
    write_json(tmp_path / "squat/a.json", [people[number] for number in (3, 0, 2, 1, 7, 6, 5, 4)])
    frames = [
        {"frame_id": number, "instances": [tools._instance(truth[number])]} for number in (3, 0, 2, 1, 7, 6, 5, 4)
    ]
    write_json(tmp_path / "squat/b.json", frames)
    tools.long_table(tmp_path / "squat", "c", truth)
    header, *rows = (tmp_path / "squat/all.csv").read_text().splitlines()
    (tmp_path / "squat/all.csv").write_text("\n".join([header, *rows[::-1]]))
    sources = KeypointFiles()(tmp_path)
    assert [source.clip_id for source in sources] == ["squat_a", "squat_b", "squat_c"]
    for source in sources:
        clip = source.load()
        assert isinstance(clip, SkeletonSequence)
        np.testing.assert_allclose(clip.keypoints, truth, atol=1e-4)


def test_a_frame_that_is_there_twice(tmp_path: Path) -> None:
    truth = motion(17)
    frames = [{"frame_id": number, "instances": [tools._instance(truth[0])]} for number in (0, 1, 1)]
    write_json(tmp_path / "mmpose_1.json", frames)
    tools.wide_table(tmp_path, "table_1", truth)
    with (tmp_path / "all.csv").open("a") as stream:
        stream.write((tmp_path / "all.csv").read_text().splitlines()[-1])
    tools.mmpose_frames(tmp_path, "frames_1", truth)
    write_json(tmp_path / "frames_1/frame_1.json", {"instance_info": []})
    found = reasons(tmp_path)
    assert "has frame 1 twice" in found["mmpose_1"]
    assert "row 10 is of frame 7, which it has before" in found["all"]
    assert "two files of frame 1" in found["frames_1"]


def test_numbers_that_do_not_count_frames(tmp_path: Path) -> None:
    people = tools._alphapose(motion(17, 3), "{}.jpg")
    people[2]["image_id"] = "1700000000.jpg"
    write_json(tmp_path / "squat.json", people)
    assert "its 3 frames have numbers from 0 to 1700000000" in reasons(tmp_path)["squat"]


def test_mixed_formats_in_a_folder(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    truth = motion(17)
    tools.movenet(tmp_path, "squat_1", truth)
    tools.mmpose_frames(tmp_path, "squat_2", truth)
    tools.openpose(tmp_path, "squat_3", motion(25))
    tools.deeplabcut(tmp_path, "squat_4", truth)
    write_json(tmp_path / "config.json", {"model": "thunder"})
    (tmp_path / "notes.txt").write_text("filmed on Monday")
    with caplog.at_level(logging.INFO, "actrec"):
        found = reasons(tmp_path)
    assert set(found.values()) == {""}
    assert len(found) == 4
    assert "MoveNet: 1 files." in caplog.text
    assert "MMPose: 8 files, 1 clips." in caplog.text
    assert "There are files of 4 formats; each is read by its own." in caplog.text
    assert "2 files have no known format of keypoints" in caplog.text


def test_files_of_two_tools_in_one_clip(tmp_path: Path) -> None:
    tools.mmpose_frames(tmp_path, "squat_1", motion(17))
    write_json(tmp_path / "squat_1/frame_003.json", {"version": 1.3, "people": []})
    assert reasons(tmp_path)["squat_1"] == "its file frame_003.json cannot be read: it is not as MMPose writes it."


def test_files_that_are_damaged_in_other_ways(tmp_path: Path) -> None:
    (tmp_path / "empty_1.json").write_text("")
    (tmp_path / "binary_1.json").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "deep_1.json").write_text("[" * 100_000)
    write_json(tmp_path / "text_1.json", [{"frame_id": "first", "instances": [tools._instance(motion(17)[0])]}])
    write_json(
        tmp_path / "lengths_1.json", [{"frame_id": 0, "instances": [{"keypoints": [[1, 2]], "keypoint_scores": []}]}]
    )
    write_json(tmp_path / "words_1.json", [{"keypoints": [{"x": "left", "y": "up", "score": 1}] * 17}])
    found = reasons(tmp_path)
    assert found["empty_1"] == "it is empty."
    assert found["binary_1"] == "it is not text in UTF-8."
    assert "nested too deeply" in found["deep_1"]
    assert "not as MMPose writes it" in found["text_1"]
    assert found["lengths_1"] == "a person has 1 keypoints and 0 keypoint_scores."
    assert "frame 0 has keypoints that are not x and y" in found["words_1"]


@pytest.mark.parametrize(
    "content", [[["a", "b"], ["c"]], {"frames": ["abc"]}, [[1, 2]], [[["a"]]], {"poses": [{"keypoints": "x"}]}]
)
def test_json_that_is_no_keypoints_is_left_out(content: object, tmp_path: Path) -> None:
    write_json(tmp_path / "notes.json", content)
    tools.movenet(tmp_path, "squat_1", motion(17))
    assert reasons(tmp_path) == {"squat_1": ""}


def test_times_without_end(tmp_path: Path) -> None:
    header = "frame,time," + ",".join(f"x{n},y{n}" for n in range(17))
    rows = [f"{frame},{time}" + ",5" * 34 for frame, time in enumerate(("0", "inf", "inf"))]
    (tmp_path / "wave.csv").write_text("\n".join([header, *rows]) + "\n")
    assert set(reasons(tmp_path)) == {"wave"}  # and it ends


def test_nothing_to_read(tmp_path: Path) -> None:
    with pytest.raises(ActrecError, match=r"no keypoint files in .*mmpose.*dataset=csv"):
        KeypointFiles()(tmp_path)


@pytest.mark.parametrize("name", list(WRITTEN))
def test_damage_anywhere_is_a_reason_or_harmless(name: str, tmp_path: Path) -> None:
    """Whatever is damaged, no other exception is raised than an ActrecError."""
    writer, layout, _, _ = WRITTEN[name]
    rng = np.random.default_rng(list(WRITTEN).index(name))
    for number in range(4):
        folder = tmp_path / str(number)
        writer(folder, "squat_1", motion(get_skeleton(layout).n_joints, 4))
        file = files(folder)[-1]
        text = file.read_text()
        if file.suffix == ".json" and number % 2:
            file.write_text(json.dumps(damaged(json.loads(text), rng)))
        else:
            place = int(rng.integers(len(text)))
            file.write_text(text[:place] + "9" * 20 + text[place + 1 :])
        with suppress(ActrecError):
            for source in KeypointFiles(person="all")(folder):
                source.load()


def damaged(content: Any, rng: np.random.Generator) -> Any:
    """Replaces one value somewhere in JSON, a list and a dict as well as a number."""
    places: list[tuple[Any, Any]] = []

    def walk(node: Any) -> None:
        inside = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
        for key, value in inside:
            places.append((node, key))
            walk(value)

    walk(content)
    node, key = places[int(rng.integers(len(places)))]
    node[key] = [None, "x", -1, 1e300, [], {}, [[1]]][int(rng.integers(7))]
    return content
