from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hydra.utils import instantiate
from omegaconf import OmegaConf

from actrec.data.synthetic.clips import ACTIONS
from actrec.data.synthetic.others import DAILY, OTHERS
from actrec.data.synthetic.sessions import SyntheticSessions
from actrec.types import ActrecError

SESSIONS = SyntheticSessions(n_clips=8, seed=3, test_share=0.25)


def test_the_configuration_has_the_defaults_of_the_class() -> None:
    def plain(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: plain(each) for name, each in value.items()}
        return list(value) if isinstance(value, tuple) else value

    file = Path(__file__).parents[3] / "conf/dataset/synthetic_sessions.yaml"
    configured = instantiate(OmegaConf.load(file).importer, _convert_="all")
    assert plain(asdict(configured)) == plain(asdict(SyntheticSessions()))


def test_a_session_depends_on_seed_and_index_alone():
    one, two = SESSIONS.clip(2), replace(SESSIONS, n_clips=3).clip(2)
    np.testing.assert_array_equal(one.keypoints, two.keypoints)
    assert one.segments == two.segments
    assert not np.array_equal(one.keypoints[:40], SESSIONS.clip(3).keypoints[:40])


@pytest.mark.parametrize("index", range(6))
def test_labels_and_repetitions_follow_the_motions(index):
    session = SESSIONS.session(index)
    clip, n_frames = session.sequence, len(session.sequence)
    done_by_motion = ["" for _ in range(n_frames)]
    ends = 0
    for name, start, end in session.motions:
        assert start == ends < end
        done_by_motion[start:end] = [name] * (end - start)
        ends = end
    assert ends == n_frames
    labels = ["" for _ in range(n_frames)]
    for segment in clip.segments:
        labels[segment.start : segment.end] = [segment.label] * (segment.end - segment.start)
    for frame, (label, motion) in enumerate(zip(labels, done_by_motion, strict=True)):
        assert label in (motion, "") or motion == "transition"  # within a set of lifts
        if not label:
            assert np.isnan(clip.repetition[frame])
    for segment in clip.segments:
        done = clip.repetition[segment.start : segment.end]
        if segment.repetitions is None:
            assert np.isnan(done).all()
        else:
            assert done[0] == pytest.approx(0, abs=0.15)
            assert segment.repetitions <= done[-1] + 0.1 < segment.repetitions + 1.1


def test_a_set_has_the_repetitions_that_its_motion_has():
    """The hips of an undisturbed squatter go down as often as the set counts."""
    plain = replace(SESSIONS, faults=None, cuts=0, lost=0, actions=1, others=0, seconds=(60, 60), seed=11)
    checked = 0
    for index in range(12):
        clip = plain.clip(index)
        for segment in clip.segments:
            if segment.label != "squat" or not segment.repetitions:
                continue
            hips = clip.keypoints[segment.start : segment.end, 11:13, 1].mean(1)
            low, high = hips.min(), hips.max()
            below = hips > low + 0.5 * (high - low)
            times = int((np.diff(below.astype(int)) == 1).sum())
            assert abs(times - segment.repetitions) <= 1  # an incomplete one may go below the middle
            checked += 1
    assert checked >= 2


def test_other_motions_are_no_action():
    names = {motion.__name__ for motion in (*OTHERS, *DAILY)}
    assert len(names) >= 40
    assert not names & set(ACTIONS)


def test_people_are_lost_where_the_options_say_so():
    def missing(**options: float) -> float:
        made = replace(SESSIONS, seconds=(20, 20), faults=None, cuts=0, **options)
        return float(np.mean([(made.clip(index).keypoints[..., 2] == 0).all(1).mean() for index in range(6)]))

    assert missing(lost=0) == 0
    assert missing(lost=6) > 0.01


def test_the_first_sessions_are_test():
    assert [SESSIONS.clip(index).split for index in range(4)] == ["test", "test", "train", "train"]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"n_clips": 1}, "n_clips"),
        ({"seed": -1}, "seed"),
        ({"actions": 0.8, "others": 0.3}, "more than 1"),
        ({"others": 1.5}, "share from 0 to 1"),
        ({"seconds": (9, 3)}, "ascending"),
    ],
)
def test_wrong_options_are_told(options, told):
    with pytest.raises(ActrecError, match=told):
        SyntheticSessions(**options)
