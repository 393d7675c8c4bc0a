"""Draws a clip's poses as SVG, for pages that are one file; the colours are CSS variables of the page."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray

from actrec.drawing.projection import project
from actrec.skeleton import Skeleton, get_skeleton
from actrec.types import SkeletonSequence

_POSES = 8
_WIDTH, _HEIGHT, _EDGE = 92, 104, 8  # of a pose
_FURTHEST = 3  # extents of the body, beyond which joints are cut off


def pose_row(clip: SkeletonSequence, around: int | None = None) -> str:
    """Draws poses from a clip's first to its last frame, or the frames about one of them, in one scale.

    Args:
        around: The frame to look at; then the poses keep their places in the picture relative to one another.
    """
    frames = _chosen(clip, around)
    if not len(frames):
        return '<p class="empty">No joint is observed.</p>'
    poses = clip.keypoints[frames]
    points = np.where(poses[..., -1:] > 0, project(poses[..., :-1]), np.nan).astype(float)
    low, high = np.nanmin(points, axis=1), np.nanmax(points, axis=1)
    middle = (low + high) / 2
    centre = np.median(middle, axis=0)
    if around is None:
        middle[:, 1] = centre[1]  # the same height for all, so that a jump is visible
    else:
        middle[:] = centre
    extent = _extent(low, high, middle, clip)
    scale = min(_WIDTH - 2 * _EDGE, _HEIGHT - 2 * _EDGE) / extent
    drawn = (points - middle[:, None]) * scale + [_WIDTH / 2, _HEIGHT / 2]
    skeleton, parts = get_skeleton(clip.skeleton), []
    for column, (frame, pose) in enumerate(zip(frames, drawn, strict=True)):
        marked = ' class="marked"' if frame == around else ""
        time = f'<text x="{_WIDTH / 2:.0f}" y="{_HEIGHT + 12}"{marked}>{frame / clip.fps:.2f} s</text>'
        parts.append(f'<g transform="translate({column * _WIDTH} 0)">{_pose(pose, skeleton)}{time}</g>')
    size = f'viewBox="0 0 {_WIDTH * _POSES} {_HEIGHT + 18}"'
    return f'<svg class="poses" {size} role="img" aria-label="poses of the clip">{"".join(parts)}</svg>'


def _chosen(clip: SkeletonSequence, around: int | None) -> Int[ndarray, " pose"]:
    seen = np.flatnonzero((clip.keypoints[..., -1] > 0).any(1))
    if around is None:
        return seen[np.unique(np.linspace(0, len(seen) - 1, min(_POSES, len(seen))).round().astype(int))]
    first = int(np.clip(np.searchsorted(seen, around) - _POSES // 2, 0, max(len(seen) - _POSES, 0)))
    return seen[first : first + _POSES]


def _extent(
    low: Float[ndarray, "pose 2"],
    high: Float[ndarray, "pose 2"],
    middle: Float[ndarray, "pose 2"],
    clip: SkeletonSequence,
) -> float:
    """Computes the size of the square about `middle` in which all poses lie, if it is not far larger than a body."""
    reach = 2 * float(np.maximum(middle - low, high - middle).max())
    body = float(np.median((high - low).max(1)))
    return max(min(reach, _FURTHEST * body) if body > 0 else reach, 1e-6)


def _pose(pose: Float[ndarray, "joint 2"], skeleton: Skeleton) -> str:
    seen = np.isfinite(pose[:, 0])
    lines: dict[str, list[str]] = {"torso": [], "left": [], "right": []}
    for bone, (a, b) in zip(skeleton.bones, skeleton.bone_index, strict=True):
        if seen[a] and seen[b]:
            sides = {joint.partition("_")[0] for joint in bone}
            (side,) = sides if len(sides) == 1 else ("torso",)
            lines[side if side in lines else "torso"].append("M{:.1f} {:.1f}L{:.1f} {:.1f}".format(*pose[a], *pose[b]))
    paths = "".join(f'<path class="{side}" d="{"".join(each)}"/>' for side, each in lines.items() if each)
    dots = "".join(f"M{x:.1f} {y:.1f}h0" for x, y in pose[seen])
    return f'{paths}<path class="joints" d="{dots}"/>'
