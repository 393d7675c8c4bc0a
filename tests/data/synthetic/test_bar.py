from collections.abc import Callable

import numpy as np
import pytest

from actrec.data.synthetic import bar
from tests.data.synthetic.performing import SEEDS, joint, perform


@pytest.mark.parametrize("seed", SEEDS)
def test_pull_ups_hang_from_a_bar_that_stays(seed):
    somebody, body = perform(bar.pull_ups, seed)
    for side in ("left", "right"):
        assert np.ptp(joint(body, f"{side}_wrist"), axis=0).max() < 0.06
    below = joint(body, "left_wrist")[:, 2] - joint(body, "left_shoulder")[:, 2]
    assert below.min() > -0.05
    assert np.ptp(below) > 0.2 * somebody.arm
    assert joint(body, "left_ankle")[:, 2].min() > 0.5 * somebody.ankle  # the tallest hang with their toes just clear


@pytest.mark.parametrize("lift", [bar.clean_and_jerk, bar.snatch_weight_lifting])
def test_lifts_go_from_the_floor_to_overhead(lift):
    whole = []
    for seed in SEEDS:
        somebody, body = perform(lift, seed)
        hands = 0.5 * (joint(body, "left_wrist") + joint(body, "right_wrist"))[:, 2]
        shoulder = joint(body, "left_shoulder")[:, 2]
        assert min(joint(body, f"{side}_ankle")[:, 2].min() for side in ("left", "right")) > 0.8 * somebody.ankle
        whole.append(hands[:20].min() < 0.5 and hands[-1] > shoulder[-1] + 0.7 * somebody.arm)
    assert np.mean(whole) >= 0.5  # the others show a part, or a longer set-up


def test_a_clean_rests_at_the_shoulders_and_a_snatch_does_not():
    def racked(lift: Callable, seed: int) -> float:
        somebody, body = perform(lift, seed)
        upright = joint(body, "left_hip")[:, 2] > 0.9 * somebody.standing
        hands = np.abs(joint(body, "left_wrist")[:, 2] - joint(body, "left_shoulder")[:, 2]) < 0.25 * somebody.arm
        return float((upright & hands).mean())

    clean = np.median([racked(bar.clean_and_jerk, seed) for seed in SEEDS])
    snatch = np.median([racked(bar.snatch_weight_lifting, seed) for seed in SEEDS])
    assert clean > 0.15 > 3 * snatch


def test_a_snatch_is_gripped_wider():
    def width(lift: Callable) -> float:
        bodies = [perform(lift, seed)[1] for seed in SEEDS]
        return float(np.median([joint(b, "left_wrist")[-1, 1] - joint(b, "right_wrist")[-1, 1] for b in bodies]))

    assert width(bar.snatch_weight_lifting) > 1.3 * width(bar.clean_and_jerk)
