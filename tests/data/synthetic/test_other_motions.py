import numpy as np
import pytest

from actrec.data.synthetic.body import Body, joints
from actrec.data.synthetic.clips import ACTIONS
from actrec.data.synthetic.motion import Actor
from actrec.data.synthetic.other_jumps import JUMPS
from actrec.data.synthetic.other_lifts import LIFTS
from actrec.data.synthetic.other_sports import SPORTS
from tests.data.synthetic.performing import joint, perform

MOTIONS = {motion.__name__: motion for motion in (*LIFTS, *SPORTS, *JUMPS)}  # add the tuples of further modules here
SEEDS = range(6)

each_motion = pytest.mark.parametrize("motion", MOTIONS.values(), ids=MOTIONS)


@each_motion
@pytest.mark.parametrize("seed", SEEDS)
def test_bones_keep_their_lengths(motion, seed):
    somebody, body = perform(motion, seed)
    assert np.isfinite(body).all()
    bones = {
        ("shoulder", "elbow"): somebody.upper_arm,
        ("elbow", "wrist"): somebody.forearm,
        ("hip", "knee"): somebody.thigh,
        ("knee", "ankle"): somebody.shank,
    }
    for side in ("left", "right"):
        for (start, end), length in bones.items():
            apart = np.linalg.norm(joint(body, f"{side}_{start}") - joint(body, f"{side}_{end}"), axis=-1)
            np.testing.assert_allclose(apart, length, rtol=1e-6)


@each_motion
@pytest.mark.parametrize("seed", SEEDS)
def test_nothing_is_below_the_floor_and_somebody_stands_on_it(motion, seed):
    somebody, body = perform(motion, seed)
    assert body[..., 2].min() > -0.03
    lowest = np.minimum(joint(body, "left_ankle"), joint(body, "right_ankle"))[:, 2]
    assert lowest.min() > 0.9 * somebody.ankle
    assert lowest.min() < somebody.ankle + 0.15  # at some time


@each_motion
@pytest.mark.parametrize("seed", SEEDS)
def test_no_joint_jumps(motion, seed):
    _, body = perform(motion, seed)
    moved = np.linalg.norm(np.diff(body, axis=0), axis=-1)
    assert moved.max() < 0.7  # metres in a thirtieth of a second; a thrown ball leaves the hand at 20 m/s and more


@each_motion
def test_a_motion_depends_on_its_seed_alone(motion):
    (_, first), (_, again), (_, other) = (perform(motion, seed) for seed in (3, 3, 4))
    np.testing.assert_array_equal(first, again)
    assert first.shape != other.shape or not np.allclose(first, other)


@each_motion
def test_the_actor_sets_the_number_of_repetitions(motion):
    """Several times as many repetitions last longer, on average; a position that is only held has none."""
    if motion.__name__ == "wall_sit":
        pytest.skip("is held")

    def seconds(n_repetitions: int) -> float:
        lasts = []
        for seed in range(8):
            rng = np.random.default_rng(seed)
            actor = Actor(Body.sample(rng), rng, 30.0, n_repetitions)
            lasts.append(len(joints(actor.body, motion(actor))))
        return float(np.mean(lasts))

    assert seconds(6) > 2.5 * seconds(2) > 0


def test_other_motions_are_none_of_the_actions():
    assert len(MOTIONS) == len((*LIFTS, *SPORTS, *JUMPS))
    assert not set(MOTIONS) & set(ACTIONS)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", ["barbell_deadlift", "sumo_deadlift"])
def test_deadlifts_hold_the_weight_below_the_shoulders(name, seed):
    """Arms hang straight throughout, which tells them from a clean, a snatch, and a squat with a bar."""
    somebody, body = perform(MOTIONS[name], seed)
    for side in ("left", "right"):
        hangs = joint(body, f"{side}_shoulder")[:, 2] - joint(body, f"{side}_wrist")[:, 2]
        assert hangs.min() > 0.75 * somebody.arm
