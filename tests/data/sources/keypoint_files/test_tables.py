from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from actrec.data.sources.keypoint_files.columns import columns_of, rate
from actrec.data.sources.keypoint_files.importer import KeypointFiles
from actrec.skeleton import get_skeleton
from actrec.types import ActrecError, SkeletonSequence
from tests.data.sources.keypoint_files import tools
from tests.data.sources.keypoint_files.tools import motion

JOINTS = get_skeleton("coco17").joints


def load(folder: Path, **options: object) -> SkeletonSequence:
    (source,) = KeypointFiles(**options)(folder)  # type: ignore[arg-type]
    loaded = source.load()
    assert isinstance(loaded, SkeletonSequence)
    return loaded


@pytest.mark.parametrize(
    "form",
    ["{joint}_x {joint}_y {joint}_c", "{joint}.x {joint}.y {joint}.score", "x_{joint} y_{joint} v_{joint}",
     "x{number} y{number} v{number}", "{number}_x {number}_y {number}_visibility", "{joint}X {joint}Y {joint}Conf",
     "{joint} x;{joint} y;{joint} likelihood"],
)  # fmt: skip
def test_names_of_columns_of_a_wide_table(form: str, tmp_path: Path) -> None:
    truth = motion(17)
    separator = ";" if ";" in form else " "
    columns = [
        each for number, joint in enumerate(JOINTS) for each in form.format(joint=joint, number=number).split(separator)
    ]
    rows = [",".join(map(str, [number, *person.ravel()])) for number, person in enumerate(truth)]
    (tmp_path / "squat_1.csv").write_text("\n".join([",".join(["Frame", *columns]), *rows]))
    clip = load(tmp_path)
    assert clip.skeleton == "coco17"
    np.testing.assert_allclose(clip.keypoints, truth, atol=1e-4)


def test_columns_that_are_no_joints() -> None:
    header = ["frame", "bbox_x", "bbox_y", "index", "max", "nose_x", "nose_y", "nose_z", "left_hip_x", "left_hip_y"]
    assert columns_of(header).joints == {"nose": (5, 6), "left_hip": (8, 9)}
    assert columns_of(["x1", "y1", "x3", "y3"]).joints == {}  # numbers with a gap


def test_a_long_table_of_numbered_joints_and_decimal_commas(tmp_path: Path) -> None:
    truth = motion(17)
    lines = [
        f"{frame};{joint + 1};{x};{y};{c}".replace(".", ",")
        for frame, person in enumerate(truth.tolist())
        for joint, (x, y, c) in enumerate(person)
    ]
    (tmp_path / "squat_1.csv").write_text("\n".join(["frame;landmark;x;y;visibility", *lines]))
    clip = load(tmp_path)
    np.testing.assert_allclose(clip.keypoints, truth, atol=1e-4)


def test_joints_without_a_row_are_unobserved_and_people_have_names(tmp_path: Path) -> None:
    truth = motion(17, 10)
    lines = [
        f"{frame},{who},{JOINTS[joint]},{x / (1 + index)},{y / (1 + index)}"
        for index, who in enumerate(("anna", "ben"))
        for frame, person in enumerate(truth.tolist())
        for joint, (x, y, _) in enumerate(person)
        if joint != 5 and (who == "anna" or frame < 6)
    ]
    (tmp_path / "squat_1.csv").write_text("\n".join(["frame,person,joint,x,y", *lines]))
    clip = load(tmp_path)
    assert clip.keypoints[0, :, 2].tolist() == [float(joint != 5) for joint in range(17)]
    np.testing.assert_allclose(clip.keypoints[0, 6, :2], truth[0, 6, :2], atol=1e-4)
    (source,) = KeypointFiles(person="all", fps=6)(tmp_path)
    people = source.load()
    assert isinstance(people, list)
    assert [len(each) for each in people] == [10, 6]


@pytest.mark.parametrize(
    ("column", "times", "expected"),
    [
        ("time", [0.0, 0.04, 0.08, 0.12], 25.0),
        ("timestamp", [1000, 1020, 1040, 1060], 50.0),
        ("timestamp_ms", [0, 33.3333, 66.6667, 100], 30.0),
        ("fps", [12.5] * 4, 12.5),
    ],
)
def test_the_rate_of_a_table(column: str, times: list[float], expected: float, tmp_path: Path) -> None:
    truth = motion(17, 4)
    header = ["frame", column, *(f"{joint}_{value}" for joint in JOINTS for value in "xyc")]
    rows = [",".join(map(str, [2 * n, time, *person.ravel()])) for n, (time, person) in enumerate(zip(times, truth))]  # noqa: B905
    (tmp_path / "squat_1.csv").write_text("\n".join([",".join(header), *rows]))
    steps = 1 if column == "fps" else 2  # frames 0, 2, 4 and 6
    assert load(tmp_path).fps == pytest.approx(expected * steps, rel=1e-3)


def test_rates_of_times() -> None:
    assert rate({}) == rate({3: 1.0}) == rate({0: 5.0, 1: 5.0}) == 0
    assert rate({0: 0.0, 1: 33333.0, 2: 66666.0}) == pytest.approx(30, rel=1e-3)  # microseconds


def test_deeplabcut_of_several_animals(tmp_path: Path) -> None:
    truth = motion(17, 10)
    lines = [["scorer"], ["individuals"], ["bodyparts"], ["coords"], *([str(frame)] for frame in range(10))]
    for index, who in enumerate(("anna", "ben", "chris")):
        for joint, name in enumerate(JOINTS):
            for place, coord in enumerate(("x", "y", "likelihood")):
                head = ["DLC_dlcrnet", who, name, coord]
                column = [str(value) for value in truth[:, joint, place] + (300 * index if place == 0 else 0)]
                column = [""] * 10 if who == "chris" else column
                for line, cell in zip(lines, [*head, *column], strict=True):
                    line.append(cell)
    (tmp_path / "squat.csv").write_text("\n".join(",".join(line) for line in lines))
    (source,) = KeypointFiles(person="all")(tmp_path)
    people = source.load()
    assert isinstance(people, list)
    assert len(people) == 2
    np.testing.assert_allclose(people[0].keypoints, truth, atol=1e-4)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: text.replace("frame", "number", 1), "no column frame"),
        (lambda text: text.replace(";nose;", ";left_eye;", 1), "has the joint left_eye of frame 0 again"),
        (lambda text: text.replace("squat_1;0;", "squat_1;first;", 1), "row 2 cannot be read"),
        (lambda text: text.replace("squat_1;0;", "squat_1;0.5;", 1), "frame number 0.5"),
        (lambda text: text.replace("nose;", "nose;far", 1), "it has 'far"),
    ],
)
def test_a_wrong_long_table(change: object, message: str, tmp_path: Path) -> None:
    tools.long_table(tmp_path, "squat_1", motion(17))
    table = tmp_path / "all.csv"
    assert callable(change)
    table.write_text(change(table.read_text()))
    (source,) = KeypointFiles()(tmp_path)
    with pytest.raises(ActrecError, match=message):
        source.load()
