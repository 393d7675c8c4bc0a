"""Files of keypoints, written for tests as the tools write them.

Each writer writes one clip of one person below a folder, and returns the path by which a CSV would list it. Names and
orders of fields are those of the tools' sources or documentation; Ultralytics writes its files itself.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from numpy import ndarray

from actrec.skeleton import get_skeleton

WIDTH, HEIGHT = 640, 360
Keypoints = Float[ndarray, "frame joint 3"]
Writer = Callable[[Path, str, Keypoints], str]


def motion(n_joints: int, n_frames: int = 8, seed: int = 0) -> Keypoints:
    """Returns keypoints of a moving body, in pixels, with some joints that are not found."""
    rng = np.random.default_rng(seed)
    body = rng.uniform((200, 100), (320, 280), (n_joints, 2))
    xy = body + np.cumsum(rng.uniform(-2, 2, (n_frames, n_joints, 2)), axis=0)
    confidence = rng.uniform(0.3, 1.0, (n_frames, n_joints, 1))
    keypoints = np.concatenate([xy, confidence], axis=-1).round(4)
    keypoints[1, 3] = 0
    return keypoints


def write_json(file: Path, content: Any, **options: Any) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(content, **options))


def _write_rows(file: Path, rows: Sequence[Sequence[Any]], delimiter: str = ",") -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w", newline="") as stream:
        csv.writer(stream, delimiter=delimiter).writerows(rows)


def _instance(person: Float[ndarray, "joint 3"]) -> dict[str, Any]:
    box = [*person[:, :2].min(0).tolist(), *person[:, :2].max(0).tolist()]
    scores = person[:, 2].tolist()
    return {"keypoints": person[:, :2].tolist(), "keypoint_scores": scores, "bbox": [box], "bbox_score": 0.9}


def mmpose_frames(folder: Path, name: str, keypoints: Keypoints) -> str:
    for number, person in enumerate(keypoints):
        write_json(folder / name / f"frame_{number:03d}.json", {"instance_info": [_instance(person)]}, indent="\t")
    return name


def mmpose_inferencer(folder: Path, name: str, keypoints: Keypoints) -> str:
    frames = [{"frame_id": number, "instances": [_instance(person)]} for number, person in enumerate(keypoints)]
    write_json(folder / f"{name}.json", frames)
    return f"{name}.json"


def mmpose_demo(folder: Path, name: str, keypoints: Keypoints) -> str:
    joints = [joint.replace("pelvis", "root") for joint in get_skeleton("h36m17").joints]
    meta = {"dataset_name": "h36m", "num_keypoints": 17, "keypoint_id2name": dict(enumerate(joints))}
    frames = [{"frame_id": number + 1, "instances": [_instance(person)]} for number, person in enumerate(keypoints)]
    write_json(folder / f"results_{name}.json", {"meta_info": meta, "instance_info": frames}, indent="\t")
    return f"results_{name}.json"


def openpose(folder: Path, name: str, keypoints: Keypoints) -> str:
    empty = ("face_keypoints_2d", "hand_left_keypoints_2d", "hand_right_keypoints_2d", "pose_keypoints_3d")
    for number, person in enumerate(keypoints):
        people = [{"person_id": [-1], "pose_keypoints_2d": person.ravel().tolist(), **{key: [] for key in empty}}]
        write_json(folder / f"{name}_{number:012d}_keypoints.json", {"version": 1.3, "people": people})
    return name


def _alphapose(keypoints: Keypoints, image: str) -> list[dict[str, Any]]:
    return [
        {
            "image_id": image.format(number),
            "category_id": 1,
            "keypoints": person.ravel().tolist(),
            "score": 2.9,
            "box": [200.0, 100.0, 120.0, 180.0],
            "idx": [0.0],
        }
        for number, person in enumerate(keypoints)
    ]


def alphapose(folder: Path, name: str, keypoints: Keypoints) -> str:
    write_json(folder / name / "alphapose-results.json", _alphapose(keypoints, "{}.jpg"))
    return f"{name}/alphapose-results.json"


def alphapose_pictures(folder: Path, name: str, keypoints: Keypoints) -> str:
    people = [*_alphapose(keypoints, f"{name}_{{:03d}}.png"), *_alphapose(keypoints[:3], "other_1_{:03d}.png")]
    write_json(folder / "alphapose-results.json", people)
    return name


def coco_results(folder: Path, name: str, keypoints: Keypoints) -> str:
    people = [
        {"image_id": number, "category_id": 1, "keypoints": person.ravel().tolist(), "score": 0.9}
        for number, person in enumerate(keypoints)
    ]
    write_json(folder / f"{name}.json", people)
    return f"{name}.json"


def coco_annotations(folder: Path, name: str, keypoints: Keypoints) -> str:
    images = [
        {"id": 100 + number, "file_name": f"{number:06d}.jpg", "width": WIDTH, "height": HEIGHT}
        for number in range(len(keypoints))
    ]
    people = [
        {
            "id": 7 + number,
            "image_id": 100 + number,
            "category_id": 1,
            "keypoints": person.ravel().tolist(),
            "iscrowd": 0,
        }
        for number, person in enumerate(keypoints)
    ]
    categories = [{"id": 1, "name": "person", "keypoints": list(get_skeleton("coco17").joints), "skeleton": []}]
    write_json(folder / f"{name}.json", {"images": images, "annotations": people, "categories": categories})
    return f"{name}.json"


def _ultralytics_results(keypoints: Keypoints, tracked: bool = False) -> list[Any]:
    from ultralytics.engine.results import Results

    picture = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    box = [200, 100, 320, 280, *([3] if tracked else []), 0.87, 0]
    return [
        Results(
            picture,
            path="clip.mp4",
            names={0: "person"},
            boxes=torch.tensor([box], dtype=torch.float32),
            keypoints=torch.tensor(person[None], dtype=torch.float32),
        )
        for person in keypoints
    ]


def ultralytics_labels(folder: Path, name: str, keypoints: Keypoints) -> str:
    for number, result in enumerate(_ultralytics_results(keypoints, tracked=True), start=1):
        result.save_txt(folder / "labels" / f"{name}_{number}.txt", save_conf=True)
    return f"labels/{name}"


def ultralytics_plain_labels(folder: Path, name: str, keypoints: Keypoints) -> str:
    for number, result in enumerate(_ultralytics_results(keypoints), start=1):
        result.save_txt(folder / "labels" / f"{name}_{number}.txt")
    return f"labels/{name}"


def ultralytics_frames(folder: Path, name: str, keypoints: Keypoints) -> str:
    for number, result in enumerate(_ultralytics_results(keypoints)):
        write_json(folder / name / f"{number}.json", json.loads(result.to_json()))
    return name


def ultralytics_json(folder: Path, name: str, keypoints: Keypoints) -> str:
    frames = [json.loads(result.to_json()) for result in _ultralytics_results(keypoints, tracked=True)]
    write_json(folder / f"{name}.json", frames)
    return f"{name}.json"


def movenet(folder: Path, name: str, keypoints: Keypoints) -> str:
    frames = [
        {"keypoints": [{"x": x, "y": y, "score": score} for x, y, score in person]} for person in keypoints.tolist()
    ]
    write_json(folder / f"{name}.json", frames, indent=2)
    return f"{name}.json"


def tensorflow_js(folder: Path, name: str, keypoints: Keypoints) -> str:
    """What `estimatePoses` returns in each frame: a list of poses, with the joints' names."""
    joints = get_skeleton("coco17").joints
    frames = [
        [
            {
                "score": 0.8,
                "keypoints": [
                    {"y": y, "x": x, "score": score, "name": joint}
                    for joint, (x, y, score) in zip(joints, person, strict=True)
                ],
            }
        ]
        for person in keypoints.tolist()
    ]
    write_json(folder / f"{name}.json", {"fps": 25, "width": WIDTH, "height": HEIGHT, "frames": frames})
    return f"{name}.json"


def _landmarks(person: Float[ndarray, "joint 3"]) -> list[dict[str, float]]:
    return [{"x": x / WIDTH, "y": y / HEIGHT, "z": -0.1, "visibility": seen} for x, y, seen in person.tolist()]


def mediapipe_json(folder: Path, name: str, keypoints: Keypoints) -> str:
    write_json(folder / f"{name}.json", [{"keypoints": _landmarks(person)} for person in keypoints], indent=2)
    return f"{name}.json"


def mediapipe_tasks(folder: Path, name: str, keypoints: Keypoints) -> str:
    """What `detectForVideo` of MediaPipe Tasks returns in each frame."""
    frames = [{"landmarks": [_landmarks(person)], "worldLandmarks": [_landmarks(person)]} for person in keypoints]
    write_json(folder / f"{name}.json", frames)
    return f"{name}.json"


def mediapipe_csv(folder: Path, name: str, keypoints: Keypoints) -> str:
    columns = [f"{value}{joint}" for joint in range(1, keypoints.shape[1] + 1) for value in "xyzv"]
    rows = [
        [value for x, y, seen in person.tolist() for value in (x / WIDTH, y / HEIGHT, 0.0, seen)]
        for person in keypoints
    ]
    _write_rows(folder / f"{name}.csv", [columns, *rows])
    return f"{name}.csv"


def deeplabcut(folder: Path, name: str, keypoints: Keypoints) -> str:
    parts = ["nose", *(f"{'LR'[number % 2]}_{part}" for number, part in enumerate(_PAIRS))]
    scorer = "DLC_resnet50_gymAug1shuffle1_100000"
    header = [
        ["scorer", *[scorer] * (3 * len(parts))],
        ["bodyparts", *(part for part in parts for _ in range(3))],
        ["coords", *["x", "y", "likelihood"] * len(parts)],
    ]
    rows = [[number, *person.ravel().tolist()] for number, person in enumerate(keypoints)]
    _write_rows(folder / f"{name}{scorer}.csv", [*header, *rows])
    return f"{name}{scorer}.csv"


_PAIRS = [joint.partition("_")[2].capitalize() for joint in get_skeleton("coco17").joints[1:]]


def sleap(folder: Path, name: str, keypoints: Keypoints) -> str:
    joints = get_skeleton("coco17").joints
    header = [
        "track",
        "frame_idx",
        "instance.score",
        *(f"{joint}.{v}" for joint in joints for v in ("x", "y", "score")),
    ]
    rows = [["", number, 0.9, *_cells(person)] for number, person in enumerate(keypoints)]
    _write_rows(folder / f"{name}.csv", [header, *rows])
    return f"{name}.csv"


def _cells(person: Float[ndarray, "joint 3"]) -> list[Any]:
    return ["" if not joint[2] else value for joint in person.tolist() for value in joint]


def ntu(folder: Path, name: str, keypoints: Keypoints) -> str:
    lines = [str(len(keypoints))]
    for person in keypoints:
        lines += ["1", "72057594037931101 0 1 1 1 1 0 0.02764709 0.05745083 2", str(len(person))]
        for x, y, confidence in person.tolist():
            state = 2 if confidence == 1 else 1 if confidence else 0
            lines.append(f"0.2181153 0.1725972 3.785547 277.419 191.8218 {x} {y} -0.2 0.03 0.9 -0.08 {state}")
    file = folder / f"{name}.skeleton"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("\n".join(lines) + "\n")
    return f"{name}.skeleton"


def wide_table(folder: Path, name: str, keypoints: Keypoints) -> str:
    joints = get_skeleton("coco17").joints
    header = ["clip", "frame", *(f"{joint}_{value}" for joint in joints for value in ("x", "y", "confidence"))]
    rows = [[name, number, *person.ravel().tolist()] for number, person in enumerate(keypoints)]
    _write_rows(folder / "all.csv", [header, *rows])
    return name


def long_table(folder: Path, name: str, keypoints: Keypoints) -> str:
    joints = get_skeleton("coco17").joints
    rows = [
        [name, number, joint, *values]
        for number, person in enumerate(keypoints)
        for joint, values in zip(joints, person.tolist(), strict=True)
        if values[2]
    ]
    header = ["clip", "frame", "joint", "x", "y", "confidence"]
    _write_rows(folder / "all.csv", [header, *rows], delimiter=";")
    return name
