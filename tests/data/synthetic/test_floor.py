import numpy as np
import pytest

from actrec.data.synthetic import floor
from tests.data.synthetic.performing import SEEDS, joint, perform


def moves(body: np.ndarray, name: str) -> float:
    return float(np.ptp(joint(body, name), axis=0).max())


@pytest.mark.parametrize("action", [floor.push_ups, floor.wall_pushups])
@pytest.mark.parametrize("seed", SEEDS)
def test_pushing_up_keeps_hands_and_feet_in_place(action, seed):
    somebody, body = perform(action, seed)
    for side in ("left", "right"):
        assert moves(body, f"{side}_wrist") < 0.05
    legs = "knee" if moves(body, "left_ankle") > 0.05 else "ankle"  # push-ups on the knees
    assert moves(body, f"left_{legs}") < 0.06
    assert moves(body, "left_shoulder") > 0.1 * somebody.torso


@pytest.mark.parametrize("seed", SEEDS)
def test_push_ups_are_level_and_wall_pushups_upright(seed):
    for action, upright in ((floor.push_ups, False), (floor.wall_pushups, True)):
        _, body = perform(action, seed)
        trunk = joint(body, "left_shoulder") - joint(body, "left_hip")
        steep = np.degrees(np.arctan2(trunk[:, 2], np.abs(trunk[:, 0]))).mean()
        assert (steep > 40) == upright


@pytest.mark.parametrize("seed", SEEDS)
def test_sit_ups_raise_the_chest_from_the_floor(seed):
    somebody, body = perform(floor.sit_ups, seed)
    height = joint(body, "nose")[:, 2] - joint(body, "left_hip")[:, 2]
    assert height.max() > 0.4 * somebody.torso
    assert np.ptp(height) > 0.2 * somebody.torso
    assert moves(body, "left_hip") < 0.2 * somebody.torso


@pytest.mark.parametrize("seed", SEEDS)
def test_bench_press_pushes_hands_up_from_the_chest(seed):
    somebody, body = perform(floor.bench_press, seed)
    above = joint(body, "left_wrist")[:, 2] - joint(body, "left_shoulder")[:, 2]
    assert above.min() > 0
    assert np.ptp(above) > 0.1 * somebody.arm
    assert moves(body, "left_hip") < 0.1
    assert (joint(body, "nose")[:, 0] < joint(body, "left_hip")[:, 0]).all()


@pytest.mark.parametrize("action", [floor.handstand_pushups, floor.handstand_walking])
@pytest.mark.parametrize("seed", SEEDS)
def test_handstands_are_upside_down(action, seed):
    _, body = perform(action, seed)
    heights = [joint(body, f"left_{name}")[:, 2].mean() for name in ("wrist", "shoulder", "hip")]
    assert heights == sorted(heights)
    assert joint(body, "left_wrist")[:, 2].min() > -0.02


@pytest.mark.parametrize("seed", SEEDS)
def test_hands_stay_in_a_handstand_pushup_and_step_in_a_walk(seed):
    _, pushup = perform(floor.handstand_pushups, seed)
    _, walk = perform(floor.handstand_walking, seed)
    assert moves(pushup, "left_wrist") < 0.03
    assert np.ptp(joint(walk, "left_wrist")[:, 0]) > 0.1
