import numpy as np
import pytest

from actrec.online.hysteresis import NO_ACTION, Hysteresis, LabelHysteresis
from actrec.types import ActrecError


def run(rule: Hysteresis, *frames: tuple[float, float, float]) -> list[int]:
    held = LabelHysteresis(rule, 3)
    return [held.update(np.array(frame, dtype=np.float32)) for frame in frames]


A, B, UNSURE, NOTHING = (0.9, 0.05, 0.05), (0.1, 0.8, 0.1), (0.4, 0.35, 0.25), (0.2, 0.1, 0.1)


@pytest.mark.parametrize(
    ("frames", "expected"),
    [
        ((A, A, A, A), [-1, -1, 0, 0]),
        ((A, A, B, A, A, A), [-1, -1, -1, -1, -1, 0]),  # not on end
        ((A, A, A, UNSURE, B, UNSURE), [-1, -1, 0, 0, -1, -1]),  # 0.4 is enough to hold, 0.1 is not
        ((A, A, A, B, B, B), [-1, -1, 0, -1, -1, 1]),
        ((A, A, A, NOTHING, A, A, A), [-1, -1, 0, -1, -1, -1, 0]),
        ((UNSURE,) * 5, [-1] * 5),
    ],
)
def test_a_label_is_taken_up_and_given_up(frames: tuple[tuple[float, float, float], ...], expected: list[int]) -> None:
    assert NO_ACTION == -1
    assert run(Hysteresis(enter=0.5, frames=3, leave=0.3), *frames) == expected


def test_a_state_goes_on_where_it_was() -> None:
    one, two = (LabelHysteresis(Hysteresis(smoothing=2.0), 3) for _ in range(2))
    for frame in (A, A):
        one.update(np.array(frame, dtype=np.float32))
    two.restore(one.state())
    assert two.update(np.array(A, dtype=np.float32)) == one.update(np.array(A, dtype=np.float32)) == 0


def test_smoothing_is_the_exponential_mean() -> None:
    rng, kept = np.random.default_rng(0), np.exp(-1 / 5)
    frames = rng.dirichlet(np.ones(3), size=40).astype(np.float32)
    held, expected = LabelHysteresis(Hysteresis(smoothing=5.0, enter=0.35, frames=1, leave=0.3), 3), NO_ACTION
    labels = set()
    for t, frame in enumerate(frames):
        weights = kept ** np.arange(t, -1, -1)
        mean = weights @ frames[: t + 1] / weights.sum()
        if mean.max() >= 0.35:
            expected = int(mean.argmax())
        elif expected != NO_ACTION and mean[expected] < 0.3:
            expected = NO_ACTION
        assert held.update(frame) == expected
        labels.add(expected)
    assert len(labels) > 1


SQUAT, LUNGE, MIXED = (0.6, 0.2, 0.2), (0.15, 0.75, 0.1), (0.4, 0.35, 0.25)  # the last class is none
DOUBT, NONE = (0.3, 0.2, 0.5), (0.2, 0.1, 0.7)


@pytest.mark.parametrize(
    ("frames", "expected"),
    [
        ((SQUAT, SQUAT, SQUAT), [-1, 0, 0]),
        ((MIXED, MIXED), [-1, 0]),  # no action has 0.5, but together they have 0.75
        ((DOUBT, DOUBT, DOUBT), [-1, -1, -1]),  # not enough to begin
        ((SQUAT, SQUAT, DOUBT, DOUBT), [-1, 0, 0, 0]),  # enough to go on
        ((SQUAT, SQUAT, NONE, SQUAT, NONE, NONE), [-1, 0, 0, 0, 0, -1]),  # not for one frame
        ((SQUAT, SQUAT, LUNGE, LUNGE, LUNGE), [-1, 0, 0, 0, 1]),  # another action takes longer than the first
        ((SQUAT, SQUAT, LUNGE, LUNGE, NONE, LUNGE, LUNGE, LUNGE), [-1, 0, 0, 0, 0, 0, 0, 1]),
        ((SQUAT, SQUAT, NONE, NONE, LUNGE, LUNGE), [-1, 0, 0, -1, -1, 1]),  # unless there is a pause
    ],
)
def test_with_none_an_action_is_held_while_any_is_probable(
    frames: tuple[tuple[float, float, float], ...], expected: list[int]
) -> None:
    held = LabelHysteresis(Hysteresis(frames=2, switch=3, action=0.7, no_action=0.4), 3, none=2)
    assert [held.update(np.array(frame, dtype=np.float32)) for frame in frames] == expected


def test_thresholds_of_the_action_are_checked() -> None:
    with pytest.raises(ActrecError, match=r"action=0.3 and no_action=0.6"):
        Hysteresis(action=0.3)


@pytest.mark.parametrize("wrong", [{"switch": 0}, {"frames": 0}, {"shortest": -1.0}, {"pause": np.inf}])
def test_counts_and_times_are_checked(wrong: dict[str, float]) -> None:
    (name,) = wrong
    with pytest.raises(ActrecError, match=f"{name}="):
        Hysteresis(**wrong)
