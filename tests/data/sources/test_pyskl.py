from __future__ import annotations

import logging
import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from actrec.data.sources.pyskl import Pyskl, main_person
from actrec.types import ActrecError, SkeletonSequence


def annotation(name: str, label: int = 0, people: int = 2, seed: int = 0, **changes: Any) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    return {
        "frame_dir": name,
        "label": label,
        "img_shape": (240, 320),
        "original_shape": (240, 320),
        "total_frames": 7,
        "keypoint": rng.uniform(0, 240, (people, 7, 17, 2)).astype(np.float16),
        "keypoint_score": rng.uniform(0, 1, (people, 7, 17)).astype(np.float16),
    } | changes


def write(file: Path, annotations: list[dict[str, Any]], protocol: int = 4, **splits: list[str]) -> Path:
    file.write_bytes(pickle.dumps({"split": splits, "annotations": annotations}, protocol))
    return file


def load(file: Path, **options: Any) -> list[SkeletonSequence]:
    return [source.load() for source in Pyskl(**options)(file)]


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_clip_of_ucf101(tmp_path: Path, protocol: int) -> None:
    name = "v_PushUps_g03_c02"
    made = annotation(name, label=np.int64(71))
    file = write(tmp_path / "ucf.pkl", [made], protocol, train1=[], test1=[name])
    (clip,) = load(file, source="ucf101", fps=25.0)
    best = made["keypoint_score"].astype(float).mean((1, 2)).argmax()
    np.testing.assert_array_equal(clip.keypoints[..., :2], made["keypoint"][best])
    np.testing.assert_array_equal(clip.keypoints[..., 2], made["keypoint_score"][best])
    assert (clip.label, clip.group, clip.split) == ("PushUps", "PushUps_g03", "test")
    assert (clip.width, clip.height, clip.fps) == (320, 240, 25.0)


def test_the_person_with_the_best_score() -> None:
    made = annotation("a", people=3)
    made["keypoint_score"][:] = 0.2
    made["keypoint_score"][1] = 0.9
    np.testing.assert_array_equal(main_person(made)[..., :2], made["keypoint"][1])


@pytest.mark.parametrize(
    ("lists", "option", "expected"),
    [
        ({"train1": ["a"], "test1": ["b"], "train2": ["b"], "test2": ["a"]}, None, ["train", "test"]),
        ({"train1": ["a"], "test1": ["b"], "train2": ["b"], "test2": ["a"]}, "train2", ["test", "train"]),
        ({"train": ["a"], "val": ["b"]}, None, ["train", "test"]),
        (
            {"xsub_train": ["a"], "xsub_val": ["b"], "xview_train": ["b"], "xview_val": ["a"]},
            "xview",
            ["test", "train"],
        ),
        ({"all": ["a", "b"]}, None, ["", ""]),
        ({"train": ["a"], "validation": ["b"]}, None, ["train", "test"]),
        ({"train": ["a"], "val": ["b"], "test": ["none"]}, None, ["train", "test"]),
        ({"train": ["a"], "test": []}, None, ["train", ""]),
    ],
)
def test_official_splits(tmp_path: Path, lists: dict[str, list[str]], option: str | None, expected: list[str]) -> None:
    file = write(tmp_path / "a.pkl", [annotation("a"), annotation("b")], **lists)
    assert [clip.split for clip in load(file, split_name=option)] == expected


def test_train_val_and_test_are_kept_as_given(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    made = [annotation(name) for name in "abcdef"]
    file = write(tmp_path / "a.pkl", made, train=["a", "b"], val=["c"], test=["d", "e", "gone"])
    with caplog.at_level(logging.INFO):
        clips = load(file)
    assert [clip.split for clip in clips] == ["train", "train", "val", "test", "test", ""]
    assert "The official split of a.pkl is test, train, val." in caplog.text
    assert "1 of 6 clips are in none of test, train, val and have no split (the first: f)" in caplog.text
    assert "1 clips in its lists that have no annotation" in caplog.text


@pytest.mark.parametrize("other", ["val", "test"])
def test_a_clip_in_two_lists_is_refused(tmp_path: Path, other: str) -> None:
    file = write(tmp_path / "a.pkl", [annotation("a"), annotation("b")], **{"train": ["a", "b"], other: ["b"]})
    with pytest.raises(ActrecError, match=rf"Clip 'b' is both in ({other}|train) and in ({other}|train) of"):
        Pyskl()(file)


def test_a_split_that_is_not_there(tmp_path: Path) -> None:
    file = write(tmp_path / "a.pkl", [annotation("a")], train=["a"], val=[])
    with pytest.raises(ActrecError, match=r"split_name=xsub; it has: train, val"):
        load(file, split_name="xsub")


def test_class_names(tmp_path: Path) -> None:
    (tmp_path / "names.txt").write_text("wave\njump\n")
    file = write(tmp_path / "a.pkl", [annotation("a", 1), annotation("b", 2)])
    first, second = Pyskl(class_names=str(tmp_path / "names.txt"))(file)
    assert first.load().label == "jump"
    with pytest.raises(ActrecError, match="label is 2, but class_names has 2 lines"):
        second.load()
    assert [clip.label for clip in load(file)] == ["1", "2"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"keypoint": np.zeros((1, 7, 25, 4))}, "4 coordinates; expected"),
        ({"keypoint": np.zeros((7, 17, 2))}, "shape"),
        ({"keypoint": np.zeros((0, 7, 17, 2))}, "shape"),
        ({"keypoint_score": np.zeros((2, 7, 16))}, "keypoint_score has shape"),
        ({"label": None}, "no label"),
        ({"label": float("nan")}, "its label is nan; expected a whole number, or a name"),
        ({"keypoint": np.zeros((0, 7, 17, 2))}, r"\(0, 7, 17, 2\) of float64; expected \(person, frame, joint, 2\)"),
        ({"keypoint": np.zeros((7, 1, 17, 2)), "keypoint_score": None}, "with the frames first"),
        ({"keypoint": np.full((1, 7, 17, 2), 1e6), "keypoint_score": None}, "Sequence 'a' has a coordinate of 1e"),
        ({"keypoint": np.full((1, 7, 17, 2), np.inf), "keypoint_score": None}, "Sequence 'a' .*NaN or infinite"),
        ({"keypoint": np.zeros((1, 7, 17, 2)) * 1j}, "complex128; expected"),
        ({"keypoint": np.array([[[[None, "a"]]]])}, "of object; expected"),
        ({"keypoint_score": np.full((2, 7, 17), 98.0)}, "Sequence 'a' has confidences from 98 to 98; .*per cent"),
        ({"keypoint_score": np.full((2, 7, 17), 1.3)}, "Sequence 'a' has confidences from 1.3 to 1.3"),
        ({"original_shape": (240, -320)}, r"its original_shape is \(240, -320\); expected height and width"),
        ({"original_shape": (240, np.nan)}, "its original_shape is"),
        ({"original_shape": None, "img_shape": (240, 320, 3)}, "its img_shape is"),
        ({"original_shape": "240x320"}, "its original_shape is"),
    ],
)
def test_a_bad_annotation(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    file = write(tmp_path / "a.pkl", [annotation("a", **changes)])
    with pytest.raises(ActrecError, match=message):
        load(file)


@pytest.mark.parametrize("shape", [np.array([240, 320]), [240, 320], (240.0, 320.0)])
def test_the_size_of_the_picture(tmp_path: Path, shape: Any) -> None:
    (clip,) = load(write(tmp_path / "a.pkl", [annotation("a", original_shape=shape)]))
    assert (clip.width, clip.height) == (320, 240)


def test_without_scores_zero_and_nan_are_missing(tmp_path: Path) -> None:
    made = annotation("a", keypoint_score=None)
    made["keypoint"] = np.full((2, 7, 17, 2), 50.0)
    made["keypoint"][0, :, 3:] = 0
    made["keypoint"][1, 2, 3] = np.nan
    made["keypoint"][1, 2, 4] = 0
    made["keypoint"][1, 2, 5] = (0, 50)
    (clip,) = load(write(tmp_path / "a.pkl", [made]))  # of the person who is seen more
    assert clip.keypoints[2, 3:6].tolist() == [[0, 0, 0], [0, 0, 0], [0, 50, 1]]
    assert (clip.keypoints[..., 2] == 1).sum() == 7 * 17 - 2


def test_three_dimensions(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    still, moving = rng.normal(0, 1, (1, 25, 3)).repeat(7, 0), rng.normal(0, 1, (7, 25, 3))
    moving[2], moving[3, 4], moving[4, 5, 1] = 0, 0, np.nan
    made = annotation("a", keypoint=np.stack([still, moving]).astype(np.float16), keypoint_score=None, total_frames=7)
    (clip,) = load(write(tmp_path / "a.pkl", [made]), skeleton="ntu25")
    unseen = {(2, joint) for joint in range(25)} | {(3, 4), (4, 5)}
    for frame, joint in np.ndindex(7, 25):
        expected = [0] * 4 if (frame, joint) in unseen else [*moving[frame, joint].astype(np.float16).tolist(), 1]
        assert clip.keypoints[frame, joint].tolist() == expected
    assert (clip.width, clip.height, clip.n_coordinates) == (0, 0, 3)


def test_scores_slightly_out_of_range_are_clipped_and_nan_is_missing(tmp_path: Path) -> None:
    made = annotation("a", people=1)
    made["keypoint_score"][:] = 0.5
    made["keypoint_score"][0, 0, :3] = (1.05, np.nan, -0.05)
    (clip,) = load(write(tmp_path / "a.pkl", [made]))
    assert clip.keypoints[0, :4, 2].tolist() == [1, 0, 0, 0.5]
    assert clip.keypoints[0, 1].tolist() == [0, 0, 0]


def test_a_table_of_contents_is_said_to_be_one(tmp_path: Path) -> None:
    made = annotation("a")
    del made["keypoint"], made["keypoint_score"]
    with pytest.raises(ActrecError, match="kpfiles"):
        load(write(tmp_path / "k400.pkl", [made]))


class Payload:
    """What a hostile pickle has in it: unpickled by the usual means, it makes a folder."""

    def __init__(self, folder: Path, nested: bool) -> None:
        self.folder, self.nested = folder, nested

    def __reduce__(self) -> tuple[Any, ...]:
        if self.nested:
            return (eval, (f"__import__('os').mkdir({str(self.folder)!r})",))
        return (os.mkdir, (str(self.folder),))


@pytest.mark.parametrize("protocol", [0, 2, 4])
@pytest.mark.parametrize("nested", [False, True])
def test_a_pickle_that_would_run_code_does_not(tmp_path: Path, protocol: int, nested: bool) -> None:
    ran, file = tmp_path / "ran", tmp_path / "evil.pkl"
    made = annotation("a", extra=Payload(ran, nested))
    write(file, [made], protocol)
    with pytest.raises(ActrecError, match="is not data"):
        Pyskl()(file)
    assert not ran.exists()
    pickle.loads(file.read_bytes())
    assert ran.exists()  # so the payload would have worked


@pytest.mark.parametrize("content", [[1, 2], {"split": {}}, {"annotations": [3]}, {"annotations": []}])
def test_another_kind_of_pickle(tmp_path: Path, content: Any) -> None:
    (tmp_path / "a.pkl").write_bytes(pickle.dumps(content))
    with pytest.raises(ActrecError, match=r"not in pyskl's format|no annotations"):
        Pyskl()(tmp_path / "a.pkl")


def test_a_folder_is_no_pickle(tmp_path: Path) -> None:
    with pytest.raises(ActrecError, match="expected a pyskl annotation pickle"):
        Pyskl()(tmp_path)
