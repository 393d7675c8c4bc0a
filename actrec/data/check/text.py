"""Puts findings into words: what it is, why it matters, and what to do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from actrec.data.check.findings import Baseline, CheckResult, Finding, Suspect, Value
from actrec.data.check.motion import RATES
from actrec.data.store.ranges import SMALL, THRESHOLD

_SHOWN = 3


class Text(NamedTuple):
    """The words for a kind of finding; {which} are the clips concerned, {source} is the source's name."""

    title: str
    what: str
    why: str
    do: str


_AGAIN = "Then make the store again: {command}"
_AXES = "The network would learn two pictures of one action, and the camera shows it only one."
TEXTS = {
    "unreadable": Text(
        "Clips that cannot be read",
        "{which} cannot be read. The first: {reason}",
        "They are missing from training and evaluation.",
        "Correct the files or their rows, or leave them out. " + _AGAIN,
    ),
    "empty": Text(
        "There are no clips",
        "No clip was found.",
        "There is nothing to train on.",
        "Look whether the folder, the table and the label map are the right ones. " + _AGAIN,
    ),
    "small": Text(
        "Coordinates are not in pixels",
        "{which} {have} a body of less than {small:g} pixels: are x and y {unit}?",
        "Lengths such as width and height become distorted, and a camera's keypoints are in pixels.",
        "Give x and y in pixels of the picture (shares times its width and height). " + _AGAIN,
    ),
    "outside": Text(
        "Joints outside the picture",
        "{which} {have} most joints outside the picture.",
        "Sizes of pictures that do not belong to the coordinates are often swapped, or of another resolution.",
        "Give width and height of the picture that x and y are measured in. " + _AGAIN,
    ),
    "reordered": Text(
        "Frames and joints are in another order",
        "{which} {have} joints that jump all over the body from frame to frame, and move smoothly if the array is read "
        "as (joint, frame).",
        "Every joint is a mixture of all joints: nothing can be learnt from it.",
        "Transpose the arrays to (frame, joint, channel) before they are stored. " + _AGAIN,
    ),
    "upside_down": Text(
        "y grows upwards",
        "Source '{source}': in {share:.0%} of frames the hips are above the shoulders. Does y grow upwards?",
        "A camera's y grows downwards: the network would see everybody upside down.",
        "Give y downwards, as in pictures (height minus y). " + _AGAIN,
    ),
    "swapped_axes": Text(
        "x and y are swapped",
        "Source '{source}': in {share:.0%} of frames the body lies with its head to the left. Are x and y swapped?",
        "A camera's x grows to the right: the network would see everybody lying.",
        "Give x first, then y. " + _AGAIN,
    ),
    "odd_y": Text(
        "Some clips are upside down",
        "{which} {have} poses like the other clips' only when y is turned round.",
        _AXES,
        "Turn y round in these clips (height minus y), or leave them out. " + _AGAIN,
    ),
    "odd_xy": Text(
        "Some clips have x and y swapped",
        "{which} {have} poses like the other clips' only when x and y are swapped.",
        _AXES,
        "Swap x and y in these clips, or leave them out. " + _AGAIN,
    ),
    "odd_sides": Text(
        "Left and right are swapped in some clips",
        "{which} {have} poses like the other clips' only when left and right are swapped.",
        "Sides may be named from the viewer's side in some clips and from the person's in others. Then the network "
        "cannot use the sides, nor tell a front from a back.",
        "Look at the clips. If sides are named in two ways, swap the joints of one kind. " + _AGAIN,
    ),
    "layout": Text(
        "The joint layout does not fit",
        "Source '{source}': the bones of the layout '{layout}' are {ratio:.1f} times as long as the shortest ones that "
        "connect the joints, which no body has.{hint}",
        "Every joint is taken for another: bones, mirror images and the torso's length are wrong.",
        "Name the layout of the file (dataset.importer.skeleton=…), or describe it in a YAML file (docs/extend.md). "
        + _AGAIN,
    ),
    "marked": Text(
        "Missing joints are written as values",
        "Source '{source}': {share:.0%} of the observed joints are at exactly (0, 0) or (-1, -1).",
        "If this means that a joint is missing, the network sees limbs that reach to the corner of the picture.",
        "Give missing joints as (0, 0, 0) or NaN. " + _AGAIN,
    ),
    "upper_body": Text(
        "People are seen from the waist up",
        "{which} {have} hardly a knee or an ankle.",
        "Actions of the legs cannot be learnt from them, and a model of such clips is lost when legs appear.",
        "Move the camera back, or train on a layout without legs if all uses are like this.",
    ),
    "constant": Text(
        "Confidence is always the same",
        "Source '{source}': every joint of every frame has the confidence {confidence:g}, so none is ever missing.",
        "A pose model that is unsure says so; the network then trusts every joint, also the wrong ones.",
        "If the pose model gives confidences, keep them; mark missing joints as (0, 0, 0) or NaN. " + _AGAIN,
    ),
    "faint": Text(
        "Most confidences are low",
        "Source '{source}': {share:.0%} of the confidences above 0 are below {threshold:g}, at which joints count as "
        "missing.",
        "The network gets little input. A third value of z instead of a confidence does this too.",
        "Give the confidence as third value; or lower preprocess.confidence_threshold in training.",
    ),
    "hardly": Text(
        "Hardly a joint is observed",
        "{which} {have} hardly a joint with a confidence of {threshold:g} or more.",
        "The network gets no input.",
        "Extract these clips with a better pose model, or leave them out. " + _AGAIN,
    ),
    "unseen": Text(
        "No joint is observed",
        "{which} {have} no observed joint in any frame.",
        "The network gets no input, but learns or is judged by the label.",
        "Leave them out. " + _AGAIN,
    ),
    "gaps": Text(
        "Long gaps",
        "{which} {have} a stretch of more than half a second, and a fifth of the clip, with hardly a joint observed "
        "(up to {seconds:.1f} s).",
        "What happens there is unseen; interpolation makes up a motion.",
        "Cut the clips to the part in which the person is seen, or find out why detection failed there.",
    ),
    "missing_joints": Text(
        "A class is told by its missing joints",
        "In the clips of '{label}' these joints are hardly observed, but mostly in the other classes: {joints}.",
        "A network learns the class from what is missing, not from the motion: a shortcut that fails elsewhere.",
        "Film or annotate all classes alike; train with joint dropout (augmentation.joint_dropout); and evaluate with "
        "unseen_joints=4 to see how much depends on it.",
    ),
    "constant_clips": Text(
        "Clips do not move",
        "{which} {have} the same pose in every frame.",
        "They show no action. Often a still picture was repeated, or tracking stopped.",
        "Leave them out. " + _AGAIN,
    ),
    "still": Text(
        "Clips are mostly still",
        "{which} hardly {move}: no joint by more than an eighth of a torso.",
        "Their label can only come from the pose.",
        "If their action is a motion, look at what was cut out of the video.",
    ),
    "jumping": Text(
        "Frames are in no order",
        "{which} {have} frames that differ as much from the next as from any other: they may be in the wrong order.",
        "There is no motion to learn.",
        "Sort the frames by number and not by name (10 after 9, not after 1). " + _AGAIN,
    ),
    "jumps": Text(
        "People jump or are swapped",
        "{which} {have} frames in which the whole body jumps by nearly a torso's length.",
        "Tracking has swapped two people, or a video has a cut: half of the clip may show another person.",
        "Look at the frames. Extract with another tracker setting or person=main, or cut the clip there.",
    ),
    "repeated": Text(
        "Frames are repeated",
        "{which} {have} many frames that equal the one before, though the person moves.",
        "Velocities are zero, then double; the frame rate is not the true one.",
        "Leave out repeated frames and give the rate that remains (fps). " + _AGAIN,
    ),
    "rate": Text(
        "Unlikely frame rates",
        "{which} {have} fewer than {slow:g} or more than {fast:g} frames a second.",
        "Motion is resampled by the rate: it would be too fast or too slow.",
        "Give the rate at which the frames were filmed (fps). " + _AGAIN,
    ),
    "rates_by_class": Text(
        "A class is told by its frame rate",
        "{which} {have} {rate:g} frames a second: nearly all of '{label}', and hardly a clip of another class.",
        "A network learns the class from its tempo: a shortcut that fails with any other camera.",
        "Resample all clips to one rate (preprocess.fps=15), and film all classes with the same cameras.",
    ),
    "single": Text(
        "Clips of one frame",
        "{which} {have} one frame, which shows no motion.",
        "There is nothing to learn over time.",
        "Leave such clips out. " + _AGAIN,
    ),
    "short": Text(
        "Clips are shorter than a window",
        "{which} {have} fewer frames than a window ({window:g}); {very:g} have {very_short:g} or fewer.",
        "The rest of the window is padding; very short clips hold too little motion.",
        "Choose shorter windows (windows.length=…), and leave out very short clips.",
    ),
    "one_class": Text(
        "There is one class",
        "All clips have the label '{label}'.",
        "Training needs at least two classes.",
        "Add clips of another action, or of no action (the label none).",
    ),
    "alike": Text(
        "Two labels that may mean the same",
        "'{rare}' ({n_rare:g} clips) and '{frequent}' ({n_frequent:g} clips) are spelt nearly alike.",
        "They are trained as two classes, which cannot be told apart.",
        "Give them one name in the label map, folder or table. " + _AGAIN,
    ),
    "few_groups": Text(
        "Classes with few groups",
        "{n:g} classes have few groups (videos or people): {listed}.",
        "Train, val and test need one each; with a handful, results say little.",
        "Add clips from other videos or people, or leave the class out (dataset.exclude_labels=[…]).",
    ),
    "imbalance": Text(
        "Classes are of unequal size",
        "'{most}' has {n_most:g} clips, '{least}' {n_least:g}: {ratio:.0f} times as many.",
        "The network prefers frequent classes; accuracy hides the rare ones.",
        "Add clips of rare classes, and judge by macro F1.",
    ),
    "groups_in_two_parts": Text(
        "Groups are in two parts of the split",
        "{n_groups:g} groups have clips in two of train, val and test, such as '{group}'; {which}.",
        "The test is of videos or people that training has seen: its results are too high.",
        "Correct the column split or group, or draw a split by group (split.protocol=grouped).",
    ),
    "copies_in_two_parts": Text(
        "The same motion is in train and test",
        "{which} share motion with a clip in another part of the split ({n_pairs:g} pairs).",
        "The test is of clips that training has seen: its results are too high.",
        "Give copies and parts of one video the same group and split. " + _AGAIN,
    ),
    "copies_with_two_labels": Text(
        "The same motion has two labels",
        "{which} share motion with a clip of another label ({n_pairs:g} pairs).",
        "At least one of the two labels is wrong.",
        "Look at the pairs, and leave the wrong ones out. " + _AGAIN,
    ),
    "copies_in_two_groups": Text(
        "The same motion is in two groups",
        "{which} share motion with a clip of another group ({n_pairs:g} pairs).",
        "A split may put one in train and one in test.",
        "Give copies and parts of one video one group, or leave them out. " + _AGAIN,
    ),
    "label_errors": Text(
        "Labels that may be wrong",
        "{which} look like clips of another label; the first is labelled '{label}' and looks like '{other}'.",
        "Wrong labels cost accuracy in training, and more in the test.",
        "Look at them, worst first (suspects in check.json lists all clips). Correct the labels. " + _AGAIN,
    ),
    "shortcut": Text(
        "The label can be guessed without the pose",
        "From {cue} alone, {accuracy:.0%} of the labels are guessed (the most frequent class: {majority:.0%}; simple "
        "rules on poses: {poses:.0%}).",
        "A network can learn this shortcut instead of the motion, and fails where it does not hold.",
        "Make clips of all classes alike in {cue}: cut, resample or film them in the same way.",
    ),
    "cue": Text(
        "The label depends on more than the pose",
        "From {cue} alone, {accuracy:.0%} of the labels are guessed (the most frequent class: {majority:.0%}).",
        "A network may learn some of this.",
        "Keep it in mind when you film more clips.",
    ),
    "no_signal": Text(
        "Poses do not tell the labels",
        "From poses, {poses:.0%} of the labels are guessed; the most frequent class has {majority:.0%}.",
        "Labels may be shifted against the clips, or the actions do not differ in the poses seen.",
        "Compare some clips with their labels: python -m actrec.view source={store}",
    ),
}


class Told(NamedTuple):
    """A finding in words."""

    title: str
    what: str
    why: str
    do: str


def tell(finding: Finding, command: str = "python -m actrec.prepare …", store: str = "…") -> Told:
    """Puts a finding into words.

    Args:
        command: The command that makes the store again.
        store: The store's folder.
    """
    n, text = len(finding.clips), TEXTS[finding.kind]
    more = ", …" if n > _SHOWN else ""
    values: dict[str, Value] = {
        "which": f"{n} of {finding.of} clips ({', '.join(finding.clips[:_SHOWN])}{more})",
        "have": "has" if n == 1 else "have",
        "move": "moves" if n == 1 else "move",
        "small": SMALL,
        "threshold": THRESHOLD,
        "slow": RATES[0],
        "fast": RATES[1],
        "command": command,
        "store": store,
        **finding.values,
    }
    return Told(text.title, *(part.format(**values) for part in text[1:]))


def warning(finding: Finding) -> str:
    """Puts a finding into a line of a log."""
    told = tell(finding)
    return f"{told.what} {told.do.partition(' Then make the store again')[0]}"


def report_text(result: CheckResult, command: str, store: str) -> str:
    """Formats the result of a check for the terminal."""
    lines = []
    for finding in result.findings:
        told = tell(finding, command, store)
        lines += [
            f"{finding.severity.upper()}: {told.title}",
            f"  {told.what}",
            f"  Why: {told.why}",
            f"  Do:  {told.do}",
        ]
    lines += [baseline_line(result.baseline)] if result.baseline else []
    counts = [_count(result.count(severity), severity) for severity in ("error", "warning", "note")]
    lines.append(f"{result.n_clips} clips of {len(result.labels)} labels: {', '.join(counts)}.")
    return "\n".join(lines)


def _count(number: int, what: str) -> str:
    return f"{number or 'no'} {what}{'s' * (number != 1)}"


def baseline_line(baseline: Baseline) -> str:
    """Describes what simple rules reach."""
    rules = ", ".join(f"{name} {accuracy:.3f}" for name, accuracy in baseline.poses.items())
    return (
        f"Simple rules on poses reach ({baseline.protocol}, {baseline.n_clips} clips): {rules}; always the most "
        f"frequent class {baseline.majority:.3f}. A network should do better than the best of them."
    )


def suspects_shown(suspects: Sequence[Suspect], most: int) -> list[Suspect]:
    """Selects the clips whose label is more like wrong than right, the worst first."""
    return [each for each in suspects if each.margin > 0][:most]
