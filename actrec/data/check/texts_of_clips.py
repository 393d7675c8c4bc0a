"""The words for findings about confidence, gaps, motion and time."""

from __future__ import annotations

from actrec.data.check.texts import Text

CLIPS = {
    "constant": Text(
        "Confidence is always the same",
        "Source '{source}': every joint of every frame has the confidence {confidence:g}, so none is ever missing.",
        "A pose model that is unsure says so; the network then trusts every joint, also the wrong ones.",
        "If the pose model gives confidences, keep them; mark missing joints as (0, 0, 0) or NaN. If the sensor has "
        "none, as Kinect, train with joint dropout (augmentation.joint_dropout) for cameras that miss joints.",
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
        "Extract these clips with a better pose model, or leave them out.",
    ),
    "unseen": Text(
        "No joint is observed",
        "{which} {have} no observed joint in any frame.",
        "The network gets no input, but learns or is judged by the label.",
        "Leave them out.",
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
        "Leave them out.",
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
        "Sort the frames by number and not by name (10 after 9, not after 1).",
    ),
    "jumps": Text(
        "People jump or are swapped",
        "{which} {have} frames in which the whole body jumps by nearly a torso's length.",
        "Tracking has swapped two people, a video has a cut, or frames are missing: a part of the clip may show "
        "another person or moment.",
        "Look at the frames. Extract with another tracker setting or person=main, or cut the clip there.",
    ),
    "repeated": Text(
        "Frames are repeated",
        "{which} {have} many frames that equal the one before, though the person moves.",
        "Velocities are zero, then double; the frame rate is not the true one.",
        "Leave out repeated frames and give the rate that remains (fps).",
    ),
    "rate": Text(
        "Unlikely frame rates",
        "{which} {have} fewer than {slow:g} or more than {fast:g} frames a second.",
        "Motion is resampled by the rate: it would be too fast or too slow.",
        "Give the rate at which the frames were filmed (fps).",
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
        "Leave such clips out.",
    ),
    "short": Text(
        "Clips are shorter than a window",
        "{which} {have} fewer frames than a window ({window:g}); {very:g} have {very_short:g} or fewer.",
        "The rest of the window is padding; very short clips hold too little motion.",
        "Choose shorter windows (windows.length=…), and leave out very short clips.",
    ),
}
