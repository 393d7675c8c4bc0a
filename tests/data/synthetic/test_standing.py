import numpy as np
import pytest

from actrec.data.synthetic import standing
from tests.data.synthetic.performing import SEEDS, joint, perform


@pytest.mark.parametrize("seed", SEEDS)
def test_squat_goes_down_between_feet_that_stay(seed):
    somebody, body = perform(standing.squat, seed)
    hip = 0.5 * (joint(body, "left_hip") + joint(body, "right_hip"))
    for side in ("left", "right"):
        assert np.ptp(joint(body, f"{side}_ankle"), axis=0).max() < 0.005
        deepest = hip[:, 2].argmin()
        assert joint(body, f"{side}_knee")[deepest, 0] > hip[deepest, 0]  # knees bend forwards
    assert np.ptp(hip[:, 2]) > 0.08 * somebody.standing
    assert hip[:, 2].min() > somebody.ankle


@pytest.mark.parametrize("seed", SEEDS)
def test_lunges_bring_one_foot_far_ahead_of_the_other(seed):
    somebody, body = perform(standing.lunges, seed)
    apart = np.abs(joint(body, "left_ankle") - joint(body, "right_ankle"))[:, 0]
    assert apart.max() > 0.7 * somebody.thigh
    assert min(joint(body, f"{side}_ankle")[:, 2].min() for side in ("left", "right")) > 0.9 * somebody.ankle


@pytest.mark.parametrize("seed", SEEDS)
def test_jumping_jacks_open_and_close_arms_and_legs_together(seed):
    _, body = perform(standing.jumping_jacks, seed)
    hands = joint(body, "left_wrist")[:, 2] + joint(body, "right_wrist")[:, 2]
    feet = joint(body, "left_ankle")[:, 1] - joint(body, "right_ankle")[:, 1]
    assert np.corrcoef(hands, feet)[0, 1] > 0.8
    assert np.ptp(feet) > 0.15


@pytest.mark.parametrize("seed", SEEDS)
def test_jump_rope_hops_with_hands_low(seed):
    somebody, body = perform(standing.jump_rope, seed)
    wrists = 0.5 * (joint(body, "left_wrist") + joint(body, "right_wrist"))
    shoulder = 0.5 * (joint(body, "left_shoulder") + joint(body, "right_shoulder"))
    assert (shoulder[:, 2] - wrists[:, 2]).min() > 0.2 * somebody.torso
    assert 0.03 < np.ptp(joint(body, "nose")[:, 2]) < 0.35


@pytest.mark.parametrize("seed", SEEDS)
def test_running_swings_arms_against_legs_on_the_spot(seed):
    _, body = perform(standing.running_on_treadmill, seed)
    stride = joint(body, "left_ankle")[:, 0] - joint(body, "right_ankle")[:, 0]
    arms = joint(body, "left_wrist")[:, 0] - joint(body, "right_wrist")[:, 0]
    assert np.corrcoef(stride, arms)[0, 1] < -0.7
    assert np.ptp(joint(body, "left_hip")[:, 0]) < 0.5
