"""Finds the joint layout of a keypoint file: by the names of its joints, or by their number."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from actrec.data.sources.keypoint_files.detections import Detections
from actrec.skeleton import BUILT_IN, SKELETONS, Skeleton, get_skeleton
from actrec.types import ActrecError

COMMON = {
    17: ("coco17", "h36m17"),
    13: ("penn13",),
    16: ("mpii16",),
    18: ("openpose18",),
    25: ("body25",),
    26: ("halpe26",),
    33: ("blazepose33",),
    133: ("wholebody133",),
    136: ("halpe26",),  # Halpe's whole body: the 26 joints come first
}
_WORDS = re.compile(r"[^\W_]+")
_CAMEL = re.compile(r"(?<=[a-z\d])(?=[A-Z])|(?<=[LR])(?=[A-Z][a-z])")
_SIDES = {"left": "left", "l": "left", "right": "right", "r": "right"}
_SAME = {
    **dict.fromkeys(("hip", "hips", "midhip", "hipcenter", "hipcentre", "root", "pelvis"), "pelvis"),
    **dict.fromkeys(("upperneck", "neckbase"), "neck"),
    **dict.fromkeys(("headtop", "tophead", "topofhead"), "headtop"),
    **dict.fromkeys(("spine", "spinemid", "spinemiddle"), "spinemid"),
    "toe": "bigtoe",
}


def arranged(found: Detections, layout: str | None, store: str) -> tuple[str, Float[ndarray, "row joint 3"]]:
    """Returns the joint layout of detections, and their keypoints in its order.

    Args:
        layout: The layout of the file's joints, if the user gives one.
        store: The layout of the store: the likelier one, where several have that number of joints.

    Raises:
        ActrecError: No known layout has these joints.
    """
    if found.told.joints:
        return _by_name(found, layout, store)
    name = layout or found.told.layout or _by_number(found.n_joints, store)
    n_joints = get_skeleton(name).n_joints
    if name == "halpe26" and found.n_joints == 136:
        return name, found.keypoints[:, :n_joints]
    if found.n_joints != n_joints:
        raise ActrecError(f"it has {found.n_joints} joints; the layout '{name}' has {n_joints}. Correct layout.")
    return name, found.keypoints


def _by_number(count: int, store: str) -> str:
    likely = COMMON.get(count, ())
    if get_skeleton(store).n_joints == count and (store in likely or store not in BUILT_IN):
        return store
    if not likely:
        known = ", ".join(f"{number} ({names[0]})" for number, names in sorted(COMMON.items()))
        raise ActrecError(
            f"it has {count} joints; layouts are known for {known}. Name the layout that it has with "
            "dataset.importer.layout=…; docs/extend.md tells how to add one."
        )
    return likely[0]


def _by_name(found: Detections, layout: str | None, store: str) -> tuple[str, Float[ndarray, "row joint 3"]]:
    given = [plain(name) for name in found.told.joints]
    skeleton = get_skeleton(layout) if layout else _holding(given, store)
    keypoints = np.zeros((len(found.keypoints), skeleton.n_joints, 3), np.float32)
    for number, joint in enumerate(skeleton.joints):
        if plain(joint) in given:
            keypoints[:, number] = found.keypoints[:, given.index(plain(joint))]
    return skeleton.name, keypoints


def _holding(given: Sequence[str], store: str) -> Skeleton:
    """Returns the smallest layout that has all joints; else the one with the most of them, the store's first."""
    candidates = [get_skeleton(store), *SKELETONS.values()]

    def fit(skeleton: Skeleton) -> tuple[int, int]:
        return len(set(given) & {plain(joint) for joint in skeleton.joints}), -skeleton.n_joints

    best = max(candidates, key=fit)
    missing = [pair for pair in (best.hips, best.shoulders) if not {plain(joint) for joint in pair} & set(given)]
    if missing:
        raise ActrecError(
            f"it names the joints {', '.join(given[:6])}, …; clips are centred and scaled by hips and shoulders, and "
            f"it has no {' and no '.join(joint for pair in missing for joint in pair)}. Name the layout with "
            "dataset.importer.layout=…"
        )
    return best


def plain(name: str) -> str:
    """Reduces a joint's name to its side and part: "LShoulder", "shoulder.left" and "Left Shoulder" are the same."""
    words = [word.casefold() for word in _WORDS.findall(_CAMEL.sub(" ", unicodedata.normalize("NFKC", name)))]
    side = next((_SIDES[word] for word in words if word in _SIDES), "")
    part = "".join(word for word in words if word not in _SIDES)
    if not side:
        side, part = _joined(part)
    return f"{side} {part if side and part == 'hip' else _SAME.get(part, part)}".strip()


def _joined(part: str) -> tuple[str, str]:
    """Takes the side off a name in one word: "leftshoulder", "lshoulder"."""
    for prefix, side in (("left", "left"), ("right", "right"), ("l", "left"), ("r", "right")):
        if part.startswith(prefix) and part[len(prefix) :] in _PARTS:
            return side, part[len(prefix) :]
    return "", part


_PARTS = {
    "".join(_WORDS.findall(joint.partition("_")[2]))
    for skeleton in map(get_skeleton, BUILT_IN)
    for joint in skeleton.joints
    if joint.startswith("left_")
}
