from __future__ import annotations

from collections.abc import Callable
from typing import Any

from actrec.evaluation.results import Results
from actrec.evaluation.samples import pick_samples, typical_clips


def test_samples_are_the_worst_mistakes_and_one_clip_of_other_labels(results: Results) -> None:
    predictions = results.predictions
    assert pick_samples(predictions, 4)[-2:] == [2, 1]
    chosen = pick_samples(predictions, 8)
    assert len(chosen) == len(set(chosen)) == 6  # three mistakes and one clip of each label
    right = [predictions[number] for number in chosen if predictions[number].correct]
    assert [clip.label for clip in right] == ["label_0", "label_1", "label_2"]
    assert pick_samples([], 8) == []


def test_typical_clips_are_the_most_observed_of_the_first_few(make_sequences: Callable[..., Any]) -> None:
    clips = make_sequences(2, 12)
    for number, clip in enumerate(clips):  # of label_0 the fifth is seen best, of label_1 the 12th, which is too late
        clip.keypoints[:, : 1 if number in (4, 23) else 3, 2] = 0
    chosen = typical_clips(clips, ["label_1", "never_seen", "label_0"])
    assert [clip.clip_id for clip in chosen] == ["label_1_clip_00", "label_0_clip_04"]
