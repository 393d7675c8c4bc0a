from dataclasses import replace

import numpy as np
import pytest

from actrec.data.clips import found_labels, whole_sessions, without_labels
from actrec.data.store.actions import trimmed
from actrec.data.training_windows import TrainingWindows
from actrec.pipeline.augmentation import Augmentation
from actrec.pipeline.batching import collate
from actrec.pipeline.features import Features
from actrec.pipeline.pipeline import Pipeline
from actrec.pipeline.preprocess import Preprocess
from actrec.pipeline.window_transforms import Mirror
from actrec.pipeline.windows import AnchoredWindows, SlidingWindows
from actrec.skeleton import COCO17
from actrec.types import NO_LABEL, Segment, SkeletonSequence

NAMES = ("squat", "lunges", "none")
PIPELINE = Pipeline(COCO17, Preprocess("causal", fps=15), AnchoredWindows(16), Features())


def session(n_frames: int = 300, fps: float = 30.0) -> SkeletonSequence:
    """A session whose first coordinate tells the number of the frame."""
    rng = np.random.default_rng(0)
    keypoints = np.concatenate([rng.uniform(50, 100, (17, 2)), np.ones((17, 1))], 1)[None].repeat(n_frames, 0)
    keypoints[:, 0, 0] += np.arange(n_frames)
    segments = (Segment("squat", 60, 120, 4), Segment("", 120, 150), Segment("lunges", 200, 260))
    repetition = np.full(n_frames, np.nan, dtype=np.float32)
    repetition[60:120] = np.linspace(0, 4, 60)
    return SkeletonSequence(keypoints, fps, "coco17", "squat", "one", segments=segments, repetition=repetition)


def true_label(frame: int) -> int:
    return 0 if 60 <= frame < 120 else NO_LABEL if 120 <= frame < 150 else 1 if 200 <= frame < 260 else 2


@pytest.mark.parametrize("mirror", [None, Mirror(1.0)])
def test_windows_of_a_session_begin_anywhere_and_each_frame_has_its_label(mirror: Mirror | None) -> None:
    clip = session()
    windows = TrainingWindows([clip], [0], PIPELINE, Augmentation(mirror=mirror), 0, names=NAMES)
    assert len(windows) == round(150 / 16)
    starts = set()
    for epoch in range(6):
        for index in range(len(windows)):
            targets = windows[epoch, index].targets
            assert targets is not None
            moved = windows._stored(0, np.random.default_rng((0, epoch, index))).keypoints[:, 0, 0]
            first = round(float(moved[0] - clip.keypoints[0, 0, 0]))
            starts.add(first)
            assert targets.label.tolist() == [true_label(first + 2 * step) for step in range(16)]
            assert clip.repetition is not None
            np.testing.assert_array_equal(targets.repetition, clip.repetition[first : first + 32 : 2])
    assert len(starts) > 20
    assert min(starts) < 40
    assert max(starts) > 230


def test_a_short_session_is_padded_and_its_padding_is_not_valid() -> None:
    clip = session().cut(60, 80)
    item = TrainingWindows([clip], [0], PIPELINE, Augmentation(), 0, names=NAMES)[0, 0]
    assert item.valid.sum() == 10
    assert item.targets is not None
    assert item.targets.label[item.valid].tolist() == [0] * 10


def test_sliding_windows_have_the_labels_of_their_frames() -> None:
    pipeline = replace(PIPELINE, preprocess=Preprocess("offline"), windows=SlidingWindows(50, 50))
    windows = TrainingWindows([session()], [0], pipeline, Augmentation(), 0, names=NAMES)
    labels = [label for index in range(len(windows)) for label in windows[0, index].targets.label.tolist()]  # type: ignore[union-attr]
    assert labels == [true_label(frame) for frame in range(300)]


def test_a_batch_has_labels_of_frames_only_where_a_clip_needs_them() -> None:
    plain = replace(session(), segments=(), repetition=None)
    both = TrainingWindows([session(), plain], [0, 1], PIPELINE, Augmentation(), 0, names=NAMES)
    last = len(both) - 1
    batch = collate([both[0, last], both[0, 0]])
    assert batch.frame_label is not None
    assert batch.frame_label[0].tolist() == [1] * 16
    assert batch.repetition is not None
    assert batch.repetition[0].isnan().all()
    assert collate([both[0, last]]).frame_label is None


def test_a_session_is_divided_into_its_actions_and_what_is_between() -> None:
    parts = trimmed([session()])
    assert [(part.label, len(part)) for part in parts] == [
        *(("none", 60), ("squat", 60), ("none", 50), ("lunges", 60), ("none", 40))
    ]
    np.testing.assert_array_equal(parts[1].keypoints, session().keypoints[60:120])
    assert not any(part.segments for part in parts)


def test_clips_without_action_are_sessions_beside_sessions() -> None:
    idle = SkeletonSequence(session().keypoints, 30.0, "coco17", "none", "idle")
    assert [clip.clip_id for clip in whole_sessions([session(), idle])] == ["one", "idle"]
    assert whole_sessions([idle]) == []


def test_none_is_the_last_of_the_labels_that_are_found() -> None:
    whole = replace(session(), segments=(Segment("zumba", 0, 300),))
    assert found_labels([session()]) == ["lunges", "squat", "none"]
    assert found_labels([whole]) == ["zumba"]
    assert found_labels([replace(whole, segments=(), label="none"), whole]) == ["zumba", "none"]


def test_excluded_labels_are_frames_that_nobody_labelled() -> None:
    clip = without_labels(session(), {"squat"})
    assert clip is not None
    targets = PIPELINE.targets(clip, NAMES)
    assert set(targets.label.tolist()) == {NO_LABEL, 1, 2}
    assert clip.label == "lunges"
    assert without_labels(session(), {"squat", "lunges", "none"}) is None
    idle = without_labels(session(), {"squat", "lunges"})
    assert idle is not None
    assert idle.label == "none"
