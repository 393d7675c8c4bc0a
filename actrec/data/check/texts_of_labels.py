"""The words for findings about labels, groups, copies and shortcuts."""

from __future__ import annotations

from actrec.data.check.texts import Text

LABELS = {
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
        "Give them one name in the label map, folder or table.",
    ),
    "few_groups": Text(
        "Classes with few groups",
        "{classes} few groups (videos or people): {listed}.",
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
        "Correct the columns split and group (for a split by camera, a group is a person seen by one camera), or draw "
        "a split by group (split.protocol=grouped).",
    ),
    "copies_in_two_parts": Text(
        "The same motion is in train and test",
        "{which} share motion with a clip in another part of the split ({n_pairs:g} pairs).",
        "The test is of clips that training has seen: its results are too high.",
        "Give copies and parts of one video the same group and split.",
    ),
    "copies_with_two_labels": Text(
        "The same motion has two labels",
        "{which} share motion with a clip of another label ({n_pairs:g} pairs).",
        "At least one of the two labels is wrong, or the clips are cut so that they overlap.",
        "Look at the pairs; leave the wrong ones out, or cut them apart.",
    ),
    "copies_in_two_groups": Text(
        "The same motion is in two groups",
        "{which} share motion with a clip of another group ({n_pairs:g} pairs).",
        "A split may put one in train and one in test.",
        "Give copies and parts of one video one group, or leave them out.",
    ),
    "label_errors": Text(
        "Labels that may be wrong",
        "{which} look like clips of another label; the first is labelled '{label}' and looks like '{other}'.",
        "Wrong labels cost accuracy in training, and more in the test.",
        "Look at them, worst first (suspects in check.json lists all clips). Correct the labels.",
    ),
    "shortcut": Text(
        "The label can be guessed without the pose",
        "From {cue} alone, {accuracy:.0%} of the labels are guessed (the most frequent class: {majority:.0%}; simple "
        "rules on poses: {poses:.0%}).",
        "A network can learn this shortcut instead of the motion, and fails where it does not hold. Some is due to the "
        "actions: a throw is shorter than ten squats.",
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
