"""The words for findings about coordinates and poses."""

from __future__ import annotations

from actrec.data.check.texts import Text

_AXES = "The network would learn two pictures of one action, and the camera shows it only one."
COORDINATES = {
    "unreadable": Text(
        "Clips that cannot be read",
        "{which} cannot be read. The first: {reason}",
        "They are missing from training and evaluation.",
        "Correct the files or their rows, or leave them out.",
    ),
    "empty": Text(
        "There are no clips",
        "No clip was found.",
        "There is nothing to train on.",
        "Look whether the folder, the table and the label map are the right ones.",
    ),
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
    "odd_y": Text(
        "Some clips are upside down",
        "{which} {have} poses like the other clips' only when y is turned round.",
        _AXES,
        "Turn y round in these clips (height minus y), or leave them out.",
    ),
    "odd_xy": Text(
        "Some clips have x and y swapped",
        "{which} {have} poses like the other clips' only when x and y are swapped.",
        _AXES,
        "Swap x and y in these clips, or leave them out.",
    ),
    "odd_sides": Text(
        "Left and right are swapped in some clips",
        "{which} {have} poses like the other clips' only when left and right are swapped.",
        "Sides may be named from the viewer's side in some clips and from the person's in others. Then the network "
        "cannot use the sides, nor tell a front from a back.",
        "Look at the clips. If sides are named in two ways, swap the joints of one kind.",
    ),
    "layout": Text(
        "The joint layout does not fit",
        "Source '{source}': the bones of the layout '{layout}' are {ratio:.1f} times as long as the shortest ones that "
        "connect the joints, which no body has.{hint}",
        "Every joint is taken for another: bones, mirror images and the torso's length are wrong.",
        "Name the layout of the file (dataset.importer.skeleton=…, or dataset.importer.layout=… of keypoint files), or "
        "describe it in a YAML file (docs/extend.md). If bodies are too flat or too thin, x and y may be of a padded "
        "picture (docs/skeletons.md). ",
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
