"""Plants one kind of fault into clips, for the tests of the checks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from actrec.skeleton import get_skeleton
from actrec.types import SkeletonSequence

Clips = list[SkeletonSequence]
Change = Callable[[SkeletonSequence, np.random.Generator], SkeletonSequence]


def with_xy(clip: SkeletonSequence, xy: np.ndarray) -> SkeletonSequence:
    return replace(clip, keypoints=np.concatenate([xy, clip.keypoints[..., 2:]], axis=-1).astype(np.float32))


def picture(clip: SkeletonSequence) -> np.ndarray:
    return np.array([clip.width or 640, clip.height or 480])


def shares(clip: SkeletonSequence, rng: np.random.Generator) -> SkeletonSequence:
    return with_xy(clip, clip.keypoints[..., :2] / picture(clip))


def y_upwards(clip: SkeletonSequence, rng: np.random.Generator) -> SkeletonSequence:
    return with_xy(clip, clip.keypoints[..., :2] * [1, -1] + [0, picture(clip)[1]])


def x_and_y_swapped(clip: SkeletonSequence, rng: np.random.Generator) -> SkeletonSequence:
    return with_xy(clip, clip.keypoints[..., 1::-1])


def sides_swapped(clip: SkeletonSequence, rng: np.random.Generator) -> SkeletonSequence:
    return replace(clip, keypoints=clip.keypoints[:, get_skeleton(clip.skeleton).mirror_index])


def joints_first(clip: SkeletonSequence, rng: np.random.Generator) -> SkeletonSequence:
    """An array (joint, frame, 3) that was taken for (frame, joint, 3)."""
    return replace(clip, keypoints=clip.keypoints.transpose(1, 0, 2).reshape(clip.keypoints.shape).copy())


# The joints in the order of another layout of as many joints: LSP's without the neck, and Human3.6M's.
_LSP = "right_ankle right_knee right_hip left_hip left_knee left_ankle right_wrist right_elbow right_shoulder "
_LSP += "left_shoulder left_elbow left_wrist head"
_H36M = "left_eye right_hip right_knee right_ankle left_hip left_knee left_ankle right_eye left_ear nose right_ear "
_H36M += "left_shoulder left_elbow left_wrist right_shoulder right_elbow right_wrist"


def another_layout(clip: SkeletonSequence, rng: np.random.Generator) -> SkeletonSequence:
    layout = get_skeleton(clip.skeleton)
    names = (_LSP if layout.n_joints == 13 else _H36M).split()
    return replace(clip, keypoints=clip.keypoints[:, layout.index(names)])


def constant(clip: SkeletonSequence, rng: np.random.Generator) -> SkeletonSequence:
    middle = clip.keypoints[len(clip) // 2]
    return replace(clip, keypoints=np.repeat(middle[None], len(clip), axis=0))


def without_order(clip: SkeletonSequence, rng: np.random.Generator) -> SkeletonSequence:
    return replace(clip, keypoints=clip.keypoints[rng.permutation(len(clip))])


def two_people(clip: SkeletonSequence, rng: np.random.Generator) -> SkeletonSequence:
    """A third of the clip shows a person who stands further to the right."""
    keypoints, start = clip.keypoints.copy(), len(clip) // 3
    seen = keypoints[keypoints[..., 2] > 0.2]
    extent = np.ptp(seen[:, :2], axis=0).max() if len(seen) else 100
    keypoints[start : 2 * start + 1, :, 0] += max(1.2 * extent, 60)
    return replace(clip, keypoints=keypoints, width=0, height=0)


def sure_of_all(clip: SkeletonSequence, rng: np.random.Generator) -> SkeletonSequence:
    keypoints = clip.keypoints.copy()
    keypoints[..., 2] = 1
    return replace(clip, keypoints=keypoints)


def gap(clip: SkeletonSequence, rng: np.random.Generator) -> SkeletonSequence:
    length = min(max(len(clip) // 3, round(0.6 * clip.fps) + 1), len(clip) - 1)
    start = rng.integers(0, len(clip) - length)
    keypoints = clip.keypoints.copy()
    keypoints[start : start + length] = 0
    return replace(clip, keypoints=keypoints)


def without_legs(clip: SkeletonSequence, rng: np.random.Generator) -> SkeletonSequence:
    layout, keypoints = get_skeleton(clip.skeleton), clip.keypoints.copy()
    keypoints[:, [k for k, name in enumerate(layout.joints) if "knee" in name or "ankle" in name]] = 0
    return replace(clip, keypoints=keypoints)


def five_frames(clip: SkeletonSequence, rng: np.random.Generator) -> SkeletonSequence:
    return clip.cut(len(clip) // 2, len(clip) // 2 + 5)


def doubled(clip: SkeletonSequence, rng: np.random.Generator) -> SkeletonSequence:
    return replace(clip, keypoints=np.repeat(clip.keypoints, 2, axis=0), repetition=None)


def nearly_still(clip: SkeletonSequence, rng: np.random.Generator) -> SkeletonSequence:
    first = clip.keypoints[:1]
    moved = first[..., :2] + 0.02 * (clip.keypoints[..., :2] - first[..., :2])
    return replace(clip, keypoints=np.concatenate([moved, np.repeat(first[..., 2:], len(clip), 0)], -1))


def in_some(clips: Clips, share: float, change: Change, rng: np.random.Generator) -> tuple[Clips, set[str]]:
    """Changes a share of the clips, drawn at random; returns their ids too."""
    chosen = set(rng.permutation(len(clips))[: round(share * len(clips))].tolist())
    made = [change(clip, rng) if k in chosen else clip for k, clip in enumerate(clips)]
    return made, {clips[k].clip_id for k in chosen}


def in_a_class(clips: Clips, change: Change, rng: np.random.Generator) -> tuple[Clips, set[str]]:
    label = str(rng.choice(sorted({clip.label for clip in clips})))
    made = [change(clip, rng) if clip.label == label else clip for clip in clips]
    return made, {clip.clip_id for clip in clips if clip.label == label}


def without_arms(clip: SkeletonSequence, rng: np.random.Generator) -> SkeletonSequence:
    layout, keypoints = get_skeleton(clip.skeleton), clip.keypoints.copy()
    keypoints[:, layout.index(["left_wrist", "right_wrist", "left_elbow", "right_elbow"])] = 0
    return replace(clip, keypoints=keypoints)


def at_another_rate(clip: SkeletonSequence, rng: np.random.Generator) -> SkeletonSequence:
    return replace(clip, fps=50.0)


def with_wrong_labels(clips: Clips, share: float, rng: np.random.Generator) -> tuple[Clips, set[str]]:
    labels = sorted({clip.label for clip in clips})

    def wrong(clip: SkeletonSequence, rng: np.random.Generator) -> SkeletonSequence:
        return replace(clip, label=str(rng.choice([label for label in labels if label != clip.label])))

    return in_some(clips, share, wrong, rng)


def with_shuffled_labels(clips: Clips, rng: np.random.Generator) -> Clips:
    order = rng.permutation(len(clips))
    return [replace(clip, label=clips[k].label) for clip, k in zip(clips, order, strict=True)]


def with_two_spellings(clips: Clips, rng: np.random.Generator) -> tuple[Clips, set[str]]:
    label = str(rng.choice(sorted({clip.label for clip in clips})))
    plural = label[:-1] if label.endswith("s") else f"{label}s "
    spelling = str(rng.choice([label.upper(), plural, label.replace("_", " ").title() + "."]))
    return in_some(clips, 0.3, lambda clip, _: replace(clip, label=spelling) if clip.label == label else clip, rng)


def with_copies(
    clips: Clips, rng: np.random.Generator, **values: Callable[[SkeletonSequence], str]
) -> tuple[Clips, set[str]]:
    """Adds parts of 2 % of the clips, and of ten at least, moved and scaled, with other `values`."""
    made, ids = list(clips), set()
    long = [clip for clip in clips if len(clip) > 30 and (clip.keypoints[..., 2] > 0.2).mean() > 0.6]
    for k in rng.permutation(len(long))[: max(10, round(0.02 * len(clips)))].tolist():
        clip = long[k]
        part = clip.cut(0, 3 * len(clip) // 4)
        xy = part.keypoints[..., :2] * rng.uniform(0.5, 2) + rng.uniform(0, 100, 2)
        new = {name: value(clip) for name, value in values.items()}
        made.append(replace(with_xy(part, xy), clip_id=f"{clip.clip_id}_again", width=0, height=0, **new))
        ids |= {clip.clip_id, f"{clip.clip_id}_again"}
    return made, ids


def with_shared_groups(clips: Clips, rng: np.random.Generator) -> tuple[Clips, set[str]]:
    train = [clip.clip_id for clip in clips if clip.split == "train"]
    test = [clip.clip_id for clip in clips if clip.split == "test"]
    pairs = dict(zip(rng.permutation(test)[:10].tolist(), rng.permutation(train)[:10].tolist(), strict=True))
    groups = {clip.clip_id: clip.group or clip.clip_id for clip in clips}
    made = [replace(clip, group=groups[pairs.get(clip.clip_id, clip.clip_id)]) for clip in clips]
    return made, {*pairs, *pairs.values()}


def with_length_by_class(clips: Clips, rng: np.random.Generator) -> Clips:
    labels = sorted({clip.label for clip in clips})

    def cut(clip: SkeletonSequence) -> SkeletonSequence:
        frames = 20 + 2 * labels.index(clip.label)
        keypoints = np.resize(clip.keypoints, (frames, *clip.keypoints.shape[1:]))
        return replace(clip, keypoints=keypoints, repetition=None)

    return [cut(clip) for clip in clips]


def with_rare_class(clips: Clips, rng: np.random.Generator) -> Clips:
    """Keeps two clips of a class."""
    label = str(rng.choice(sorted({clip.label for clip in clips})))
    kept = [clip for clip in clips if clip.label == label][:2]
    return [clip for clip in clips if clip.label != label] + kept


Plant = Callable[[Clips, np.random.Generator], tuple[Clips, set[str]]]


def _all(change: Change) -> Plant:
    return lambda clips, rng: ([change(clip, rng) for clip in clips], set())


def _some(share: float, change: Change) -> Plant:
    return lambda clips, rng: in_some(clips, share, change, rng)


def _other_label(clips: Sequence[SkeletonSequence]) -> Callable[[SkeletonSequence], str]:
    labels = sorted({clip.label for clip in clips})
    return lambda clip: labels[(labels.index(clip.label) + 1) % len(labels)]


def _other_part(clip: SkeletonSequence) -> str:
    return {"train": "test", "test": "train"}[clip.split]


# Each kind of finding, and what plants it: it returns the clips, and the ids of those that are to be named.
PLANTS: dict[str, Plant] = {
    "small": _all(shares),
    "upside_down": _all(y_upwards),
    "odd_y": _some(0.1, y_upwards),
    "swapped_axes": _all(x_and_y_swapped),
    "odd_xy": _some(0.1, x_and_y_swapped),
    "odd_sides": _some(0.15, sides_swapped),
    "reordered": _all(joints_first),
    "layout": _all(another_layout),
    "constant_clips": _some(0.1, constant),
    "still": _some(0.2, nearly_still),
    "jumping": _some(0.15, without_order),
    "jumps": _some(0.15, two_people),
    "constant": _all(sure_of_all),
    "gaps": _some(0.15, gap),
    "missing_joints": lambda clips, rng: (in_a_class(clips, without_arms, rng)[0], set()),
    "upper_body": _some(0.4, without_legs),
    "rates_by_class": lambda clips, rng: in_a_class(clips, at_another_rate, rng),
    "short": _some(0.1, five_frames),
    "repeated": _some(0.2, doubled),
    "alike": lambda clips, rng: (with_two_spellings(clips, rng)[0], set()),
    "few_groups": lambda clips, rng: (with_rare_class(clips, rng), set()),
    "groups_in_two_parts": with_shared_groups,
    "copies_with_two_labels": lambda clips, rng: with_copies(clips, rng, label=_other_label(clips)),
    "copies_in_two_parts": lambda clips, rng: with_copies(clips, rng, split=_other_part),
    "label_errors": lambda clips, rng: with_wrong_labels(clips, 0.05, rng),
    "shortcut": lambda clips, rng: (with_length_by_class(clips, rng), set()),
    "no_signal": lambda clips, rng: (with_shuffled_labels(clips, rng), set()),
}
