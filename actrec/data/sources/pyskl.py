"""Imports the skeletons of pyskl's annotation pickles, of two or three dimensions."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from actrec.data.sources.arrays import seen
from actrec.data.sources.bodies import motion
from actrec.data.sources.official_splits import families_of, official_splits, warn_unlisted
from actrec.data.sources.pickles import load_pickle
from actrec.data.sources.tables import check_rate
from actrec.data.store import fingerprints
from actrec.data.store.clip_source import ClipSource
from actrec.types import FARTHEST, ActrecError, SkeletonSequence

log = logging.getLogger(__name__)

_UCF_NAME = re.compile(r"v_(?P<label>\w+)_(?P<group>g\d+)_c\d+")


@dataclass(frozen=True)
class Pyskl:
    """Imports a pickle of a dict with `split` (lists of clip names) and `annotations` (a dict for each clip).

    Of several people, the one with the highest mean score is used, in three dimensions the one who moves most. A clip
    named as in UCF101 (`v_Squat_g01_c02`) has its label and group from that name; each other clip is a group.

    Attributes:
        source: The name of the data set in the label map.
        skeleton: The joint layout of the annotations.
        fps: Frames per second, which the format does not store.
        class_names: A text file with one class name per line, for labels that are numbers.
        split_name: The official split to use, if there are several: "train1", "xsub"; by default the first. If there is
            no list of test, val is the test split.
    """

    source: str = "pyskl"
    skeleton: str = "coco17"
    fps: float = 30.0
    class_names: str | None = None
    split_name: str | None = None

    def __post_init__(self) -> None:
        check_rate(self.fps)

    def __call__(self, raw: Path) -> list[ClipSource]:
        if not raw.is_file():
            raise ActrecError(f"raw={raw} is not a file; expected a pyskl annotation pickle (….pkl).")
        content = load_pickle(raw)
        try:
            annotations, splits = content["annotations"], content.get("split") or {}
            names = [str(annotation["frame_dir"]) for annotation in annotations]
            official = self._official(raw, splits, names)
        except (AttributeError, KeyError, TypeError) as error:
            raise ActrecError(
                f"{raw} is not in pyskl's format ({error!r}); expected a dict with 'split' and 'annotations', and "
                "frame_dir, label, keypoint and keypoint_score in each annotation."
            ) from None
        if not names:
            raise ActrecError(f"{raw} has no annotations.")
        classes = self._classes()
        return [
            ClipSource(
                name,
                self.source,
                f"{raw}#{name}",
                partial(self._load, name, annotation, official, classes),
                file=str(raw),
                row=self._row_if_any(name, annotation, official, classes),
                inputs={"fps": self.fps, "layout": self.skeleton},
                content=partial(fingerprints.values, annotation, without=("frame_dir", "label")),
            )
            for name, annotation in zip(names, annotations, strict=True)
        ]

    def _classes(self) -> list[str]:
        if self.class_names is None:
            return []
        file = Path(self.class_names).expanduser()
        if not file.is_file():
            raise ActrecError(f"class_names={file} does not exist; expected a text file with one class name per line.")
        try:
            return [line.strip() for line in file.read_text(encoding="utf-8-sig").splitlines() if line.strip()]
        except UnicodeDecodeError as error:
            raise ActrecError(f"class_names={file} cannot be read ({error}). Save it as text in UTF-8.") from None

    def _official(self, raw: Path, splits: Mapping[str, Any], names: Sequence[str]) -> dict[str, str]:
        """Returns the official split of each clip, from the lists of train, val and test that belong together."""
        families = families_of(splits)
        chosen = [lists for lists in families if lists["train"].startswith(self.split_name or "")]
        if not chosen:
            if splits and self.split_name:
                raise ActrecError(
                    f"{raw} has no train and test lists for split_name={self.split_name}; it has: {', '.join(splits)}."
                )
            if splits:
                log.warning("%s has no lists of train and test, but: %s. No clip has a split.", raw, ", ".join(splits))
            return {}
        lists = chosen[0]
        others = [name for family in chosen[1:] for name in family.values()]
        if others:
            log.info("Other official splits, to be chosen by split_name: %s.", ", ".join(others))
        members = {part: {str(clip) for clip in splits[name]} & set(names) for part, name in lists.items()}
        found = official_splits(members, " and ".join(lists.values()))
        log.info("The official split of %s is %s.", raw.name, ", ".join(lists.values()))
        warn_unlisted([name for name in names if name not in found], len(names), ", ".join(lists.values()))
        absent = sum(len({str(clip) for clip in splits[name]} - set(names)) for name in lists.values())
        if absent:
            log.warning("%s has %d clips in its lists that have no annotation.", raw, absent)
        return found

    def _load(
        self, name: str, annotation: Mapping[str, Any], official: Mapping[str, str], classes: list[str]
    ) -> SkeletonSequence:
        keypoints = main_person(annotation)
        width, height = _size(annotation) if keypoints.shape[2] == 3 else (0, 0)
        return SkeletonSequence(
            keypoints,
            fps=self.fps,
            skeleton=self.skeleton,
            clip_id=name,
            width=width,
            height=height,
            **self._row(name, annotation, official, classes),
        )

    def _row_if_any(self, *given: Any) -> dict[str, Any]:
        try:
            return self._row(*given)
        except ActrecError:  # raised again when the clip is read
            return {}

    def _row(
        self, name: str, annotation: Mapping[str, Any], official: Mapping[str, str], classes: list[str]
    ) -> dict[str, Any]:
        ucf = _UCF_NAME.fullmatch(Path(name).name)
        label = _label(annotation.get("label"), ucf["label"] if ucf else None, classes)
        group = f"{ucf['label']}_{ucf['group']}" if ucf else name
        return {"label": label, "group": group, "split": official.get(name, "")}


def main_person(annotation: Mapping[str, Any]) -> Float[ndarray, "frame joint value"]:
    """Returns the keypoints of the person with the highest mean score, in three dimensions of the one who moves most.

    Raises:
        ActrecError: The keypoints are not of that shape.
    """
    if "keypoint" not in annotation:
        raise ActrecError(
            "it has no keypoint. pyskl's Kinetics file is a table of contents: the keypoints are in its kpfiles; "
            "merge them into the annotations first."
        )
    points = np.asarray(annotation["keypoint"])
    expected = "expected (person, frame, joint, 2), or (person, frame, joint, 3) for x, y and z"
    if points.ndim != 4 or 0 in points.shape or points.dtype.kind not in "fiu":
        raise ActrecError(f"its keypoint has shape {points.shape} of {points.dtype}; {expected}.")
    if points.shape[3] not in (2, 3):
        raise ActrecError(f"its keypoint has {points.shape[3]} coordinates; {expected}.")
    if points.shape[0] == annotation.get("total_frames") != points.shape[1]:
        raise ActrecError(f"its keypoint has shape {points.shape} with the frames first; {expected}.")
    scores = _scores(annotation, points)
    people = np.concatenate([points, scores[..., None]], axis=-1, dtype=np.float64)
    people[np.isnan(people).any(-1)] = 0
    if points.shape[3] == 3:
        return people[int(motion(people).argmax())]
    means = np.where(np.isnan(scores), 0, scores).mean(axis=(1, 2), dtype=np.float64)
    return people[int(means.argmax())]


def _scores(annotation: Mapping[str, Any], points: ndarray) -> ndarray:
    """Returns the confidence of each joint; without scores it is 1, or 0 for a joint at exactly zero."""
    if annotation.get("keypoint_score") is None:
        return seen(points).astype(np.float64)
    scores = np.asarray(annotation["keypoint_score"])
    if scores.shape != points.shape[:3] or scores.dtype.kind not in "fiu":
        raise ActrecError(
            f"its keypoint_score has shape {scores.shape} of {scores.dtype}; expected {points.shape[:3]} of floats."
        )
    return scores


def _size(annotation: Mapping[str, Any]) -> tuple[int, int]:
    """Returns the width and height of the picture; zeros where the annotation has none."""
    name = next((name for name in ("original_shape", "img_shape") if annotation.get(name) is not None), None)
    if name is None:
        return 0, 0
    shape = np.asarray(annotation[name])
    if shape.shape != (2,) or shape.dtype.kind not in "fiu" or not ((shape >= 0) & (shape <= FARTHEST)).all():
        raise ActrecError(f"its {name} is {annotation[name]!r}; expected height and width in pixels, up to 100,000.")
    height, width = (int(size) for size in shape)
    return width, height


def _label(number: Any, ucf_label: str | None, classes: list[str]) -> str:
    if number is None and ucf_label is None:
        raise ActrecError("it has no label.")
    if isinstance(number, ndarray) and number.size == 1:
        number = number.item()
    if isinstance(number, (float, np.floating)) and float(number).is_integer():
        number = int(number)
    whole = isinstance(number, (int, np.integer)) and not isinstance(number, bool)
    if number is not None and not whole and not isinstance(number, str):
        raise ActrecError(f"its label is {number!r}; expected a whole number, or a name.")
    if classes and whole:
        if not 0 <= number < len(classes):
            raise ActrecError(f"its label is {number}, but class_names has {len(classes)} lines.")
        return classes[number]
    return ucf_label if ucf_label is not None else str(number)
