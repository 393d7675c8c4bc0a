from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hydra import compose, initialize_config_dir
from scipy.special import softmax

from actrec.config import config_dir
from actrec.evaluation.people import check_people, together
from actrec.types import ActrecError, SkeletonSequence


def test_logits_of_people_are_averaged(make_sequences: Callable[..., list[SkeletonSequence]]) -> None:
    names = [("ntu60", "a.p1"), ("ntu60", "a.p2"), ("ntu60", "b"), ("other", "a.p1"), ("ntu60", "b.p10x")]
    clips = make_sequences(1, 5)
    clips = [replace(clip, source=s, clip_id=name) for clip, (s, name) in zip(clips, names, strict=True)]
    logits = np.random.default_rng(0).normal(0, 3, (10, 5, 4))
    found, kept = together(softmax(logits, -1), clips)
    assert [(clip.source, clip.clip_id) for clip in kept] == [names[0], *names[2:]]
    np.testing.assert_allclose(found[:, 0], softmax(logits[:, :2].mean(1), -1))
    np.testing.assert_allclose(found[:, 1:], softmax(logits[:, 2:], -1))
    certain, _ = together(np.array([[[1.0, 0.0], [0.0, 1.0]]]), clips[:2])
    np.testing.assert_allclose(certain, 0.5)


def test_other_choices_are_refused() -> None:
    with pytest.raises(ActrecError, match=r"people is 'both'\. Choose one of: each, together"):
        check_people("both")


@pytest.mark.parametrize("command", ["train", "evaluate"])
def test_ntu_counts_people_together_and_other_data_sets_each(command: str) -> None:
    with initialize_config_dir(str(config_dir()), version_base="1.3"):
        for dataset, expected in (("ntu60", "together"), ("ntu120", "together"), ("nw_ucla", "each"), ("csv", "each")):
            assert compose(command, overrides=[f"dataset={dataset}"]).people == expected
