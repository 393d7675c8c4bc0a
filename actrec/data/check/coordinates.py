"""Checks coordinates: units, direction and order of axes, joint layout, and which part of the body is seen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from jaxtyping import Float
from numpy import ndarray
from scipy.sparse.csgraph import minimum_spanning_tree

from actrec.data.check.findings import ERROR, NOTE, WARNING, Finding, Text, Value, few
from actrec.data.check.traits import Traits, by_source, names
from actrec.data.store.ranges import SMALL
from actrec.skeleton import SKELETONS, Skeleton, get_skeleton

_MOST = 0.5
_MARKED = 0.01  # share of the observed joints
_REORDERED = 0.3  # motion as (joint, frame), relative to that as (frame, joint)
_ROUGH = 0.3  # torso lengths a frame; nobody moves as fast all through a clip
_LONG_BONES = 1.6  # length of all bones, relative to the shortest that can connect the joints
_FEW, _LONG_BONES_OF_FEW = 10, 2.2  # clips, which may all be of one pose and view
_SHORTER = 0.8  # of another layout's bones, relative to those of the given one
_SAMPLE = 400  # clips of a source by which its layout is judged
_WITHOUT_LEGS = 0.25  # share of clips

TEXTS = {
    "small": Text(
        "Coordinates are not in pixels",
        "{which} {have} a body of less than {small:g} pixels: are x and y {unit}?",
        "Lengths such as width and height become distorted, and a camera's keypoints are in pixels.",
        "Give x and y in pixels of the picture (shares times its width and height).",
    ),
    "tiny": Text(
        "Bodies of a few pixels",
        "{which} {have} a body of less than {small:g} pixels.",
        "At this size a pose estimator's errors are as large as the motion.",
        "Look at the clips: another person may be meant. Otherwise leave them out.",
    ),
    "outside": Text(
        "Joints outside the picture",
        "{which} {have} most joints outside the picture.",
        "Sizes of pictures that do not belong to the coordinates are often swapped, or of another resolution.",
        "Give width and height of the picture that x and y are measured in.",
    ),
    "reordered": Text(
        "Frames and joints are in another order",
        "{which} {have} joints that jump all over the body from frame to frame, and move smoothly if the array is read "
        "as (joint, frame).",
        "Every joint is a mixture of all joints: nothing can be learnt from it.",
        "Transpose the arrays to (frame, joint, channel) before they are stored.",
    ),
    "upside_down": Text(
        "y grows upwards",
        "Source '{source}': in {share:.0%} of frames the hips are above the shoulders. Does y grow upwards?",
        "A camera's y grows downwards: the network would see everybody upside down.",
        "Give y downwards, as in pictures (height minus y).",
    ),
    "swapped_axes": Text(
        "x and y are swapped",
        "Source '{source}': in {share:.0%} of frames the body lies with its head to the left. Are x and y swapped?",
        "A camera's x grows to the right: the network would see everybody lying.",
        "Give x first, then y.",
    ),
    "layout": Text(
        "The joint layout does not fit",
        "Source '{source}': the bones of the layout '{layout}' are {ratio:.1f} times as long as the shortest ones that "
        "connect the joints, which no body has.{hint}",
        "Every joint is taken for another: bones, mirror images and the torso's length are wrong.",
        "Name the layout of the file (dataset.importer.skeleton=…, or dataset.importer.layout=… of keypoint files), or "
        "describe it in a YAML file (docs/extend.md). If bodies are too flat or too thin, x and y may be of a padded "
        "picture (docs/skeletons.md).",
    ),
    "marked": Text(
        "Missing joints are written as values",
        "Source '{source}': {share:.0%} of the observed joints are at exactly (0, 0) or (-1, -1).",
        "If this means that a joint is missing, the network sees limbs that reach to the corner of the picture.",
        "Give missing joints as (0, 0, 0) or NaN.",
    ),
    "upper_body": Text(
        "People are seen from the waist up",
        "{which} {have} hardly a knee or an ankle.",
        "Actions of the legs cannot be learnt from them, and a model of such clips is lost when legs appear.",
        "Move the camera back, or train on a layout without legs if all uses are like this.",
    ),
}


def coordinates(clips: Sequence[Traits]) -> Iterator[Finding]:
    """Finds clips and sources whose coordinates are not x and y in pixels, y down, of the joints of their layout."""
    yield from _units(clips)
    yield from _outside(clips)
    reordered = [clip for clip in clips if clip.reordered < _REORDERED and clip.step > _ROUGH]
    if not few(len(reordered), len(clips), 0.01):
        yield Finding("reordered", ERROR, names(reordered), len(clips))
    for source in by_source(clips):
        yield from _of_source(source)
    yield from _upper_bodies(clips)


def _units(clips: Sequence[Traits]) -> Iterator[Finding]:
    measured = [clip for clip in clips if clip.ranges.seen.sum() >= 3 * clip.n_frames]
    bodies = [clip for clip in measured if (clip.ranges.high - clip.ranges.low)[:2].max() < SMALL]
    tiny = [clip for clip in bodies if _greatest(clip) > 2 * SMALL]
    small = [clip for clip in bodies if _greatest(clip) <= 2 * SMALL]
    if tiny:
        severity = NOTE if few(len(tiny), len(clips), 0.02) else WARNING
        yield Finding("tiny", severity, names(tiny), len(clips))
    if small:
        greatest = max(map(_greatest, small))
        unit = "shares of the picture" if greatest <= 2 else "metres, or other units"
        single = len(small) < len(measured) / 2 and few(len(small), len(clips), 0.01)
        yield Finding("small", NOTE if single else ERROR, names(small), len(clips), {"unit": unit})


def _greatest(clip: Traits) -> float:
    return float(np.abs([clip.ranges.low[:2], clip.ranges.high[:2]]).max())


def _outside(clips: Sequence[Traits]) -> Iterator[Finding]:
    outside = sorted((clip for clip in clips if clip.outside > _MOST), key=lambda clip: -clip.outside)
    if outside:
        severity = NOTE if few(len(outside), len(clips), 0.01) else WARNING
        yield Finding("outside", severity, names(outside), len(clips))


def _of_source(clips: Sequence[Traits]) -> Iterator[Finding]:
    values: dict[str, Value] = {"source": clips[0].source}
    up, down, left, right = np.sum([clip.torsos for clip in clips], axis=0).tolist()
    torsos, shown = up + down + left + right, names(clips[:: max(len(clips) // 6, 1)][:6])
    several = len({clip.label for clip in clips}) > 1

    def found(kind: str, severity: str, **more: Value) -> Finding:
        return Finding(kind, severity, (), len(clips), {**values, **more}, shown)

    if down > _MOST * torsos and up < 0.3 * down:
        yield found("upside_down", ERROR, share=down / torsos)
    elif left > _MOST * torsos and right < 0.3 * left and up < 0.3 * left and several:
        yield found("swapped_axes", ERROR, share=left / torsos)
    marked, seen = sum(clip.marked for clip in clips), sum(int(clip.ranges.seen.sum()) for clip in clips)
    if marked > _MARKED * seen:
        yield found("marked", WARNING, share=marked / seen)
    yield from (found("layout", ERROR, **each) for each in _wrong_layout(clips))


def _wrong_layout(clips: Sequence[Traits]) -> Iterator[dict[str, Value]]:
    """Compares the bones of a layout with the shortest tree that connects its joints."""
    given = get_skeleton(clips[0].skeleton)
    distances = _distances([clip for clip in clips if np.isfinite(clip.scale)][:: max(len(clips) // _SAMPLE, 1)])
    ratio = _bone_ratio(distances, given)
    if not ratio > (_LONG_BONES if len(clips) >= _FEW else _LONG_BONES_OF_FEW):
        return
    fitting = {
        name: _bone_ratio(distances, layout)
        for name, layout in SKELETONS.items()
        if layout.n_joints == given.n_joints and name != given.name
    }
    better = min(fitting, key=lambda name: fitting[name], default="")
    hint = f" The layout '{better}' fits better." if better and fitting[better] < _SHORTER * ratio else ""
    yield {"layout": given.name, "ratio": ratio, "hint": hint}


def _distances(clips: Sequence[Traits]) -> Float[ndarray, "joint joint"]:
    """Computes the mean distance of any two joints, in torso lengths; NaN where they are never seen together."""
    if not clips:
        return np.zeros((0, 0))
    poses = np.concatenate([clip.poses / clip.scale for clip in clips]).astype(np.float32)
    n_joints = poses.shape[1]
    distances = np.full((n_joints, n_joints), np.nan)
    for joint in range(n_joints):
        apart = poses[:, joint : joint + 1] - poses
        lengths = np.hypot(apart[..., 0], apart[..., 1])
        known = np.isfinite(lengths)
        count = known.sum(0)
        total = np.where(known, np.minimum(lengths, 4), 0).sum(0)
        distances[joint] = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    return distances


def _bone_ratio(distances: Float[ndarray, "joint joint"], layout: Skeleton) -> float:
    """Computes how much longer a layout's bones are than the same number of the shortest connections; 0 if unknown."""
    if not len(distances):
        return 0.0
    bones = distances[layout.bone_index[:, 0], layout.bone_index[:, 1]]
    tree = minimum_spanning_tree(np.nan_to_num(np.maximum(distances, 1e-6), nan=0.0)).data
    known = bones[np.isfinite(bones)]
    return float(known.mean() / tree.mean()) if len(known) > 3 and len(tree) else 0.0


def _upper_bodies(clips: Sequence[Traits]) -> Iterator[Finding]:
    """Finds clips in which shoulders are observed, but hardly a knee or an ankle."""
    found = [clip for clip in clips if _shows_upper_body(clip)]
    if found:
        severity = WARNING if len(found) > _WITHOUT_LEGS * len(clips) and len(found) > 1 else NOTE
        yield Finding("upper_body", severity, names(found), len(clips))


def _shows_upper_body(clip: Traits) -> bool:
    layout, seen = get_skeleton(clip.skeleton), clip.seen
    legs = [k for k, name in enumerate(layout.joints) if name.endswith(("_knee", "_ankle"))]
    return bool(legs and seen[legs].mean() < 0.1 and seen[layout.index(layout.shoulders)].max() > 0.5)
