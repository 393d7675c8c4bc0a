import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actrec.data.synthetic.body import Body
from actrec.data.synthetic.motion import MAX_FRAMES, Actor, cycles, ease, keyed, performance, repetitions, sway


def actor(seed: int = 0, fps: float = 30.0) -> Actor:
    rng = np.random.default_rng(seed)
    return Actor(Body.sample(rng), rng, fps)


def test_ease_is_minimum_jerk():
    """The course that minimises jerk has a sixth derivative of zero, and rests at both ends."""
    s = np.linspace(0, 1, 101)
    course = np.polynomial.Polynomial.fit(s, ease(s), 6, domain=[0, 1], window=[0, 1])
    np.testing.assert_allclose(ease(s), course(s), atol=1e-9)
    assert course.deriv(6)(0.3) == pytest.approx(0, abs=1e-5)
    for at in (0.0, 1.0):
        assert course(at) == pytest.approx(at, abs=1e-9)
        assert course.deriv(1)(at) == pytest.approx(0, abs=1e-7)
        assert course.deriv(2)(at) == pytest.approx(0, abs=1e-6)


@given(st.lists(st.tuples(st.floats(0.01, 2), st.floats(-3, 3)), min_size=2, max_size=6))
def test_keys_are_met_and_never_passed(steps):
    times = np.cumsum([step for step, _ in steps])
    values = np.array([value for _, value in steps])
    keys = list(zip(times.tolist(), values.tolist(), strict=True))
    np.testing.assert_allclose(keyed(times, keys), values, atol=1e-9)
    t = np.linspace(times[0] - 1, times[-1] + 1, 200)
    course = keyed(t, keys)
    assert (course >= values.min() - 1e-9).all()
    assert (course <= values.max() + 1e-9).all()
    np.testing.assert_allclose(course[t <= times[0]], values[0], atol=1e-9)
    np.testing.assert_allclose(course[t >= times[-1]], values[-1], atol=1e-9)


@pytest.mark.parametrize("seed", range(30))
def test_repetitions_go_out_and_come_back(seed):
    rep = repetitions(actor(seed), 2.0)
    assert 18 <= len(rep.t) <= MAX_FRAMES
    assert len(rep.u) == len(rep.number) == len(rep.returning) == len(rep.t)
    np.testing.assert_allclose(np.diff(rep.t), 1 / 30)
    assert rep.u.min() >= 0
    assert rep.u.max() <= 1
    moving = np.abs(np.diff(rep.u)) > 1e-6
    within = (np.diff(rep.number) == 0) & moving
    rising = np.diff(rep.u) > 0
    assert (rep.returning[1:][within & ~rising & (rep.u[1:] < 0.3)]).all()
    assert (~rep.returning[:-1][within & rising]).all()


def test_most_single_repetitions_start_and_end_at_rest():
    ends = [(rep.u[0], rep.u[-1]) for rep in (repetitions(actor(seed), 2.0) for seed in range(300))]
    assert 0.4 < np.mean([max(pair) < 0.05 for pair in ends]) < 0.8


def test_tempo_and_frame_rate_set_the_number_of_frames():
    def median(seconds: float, fps: float) -> float:
        return float(np.median([len(repetitions(actor(seed, fps), seconds).t) for seed in range(200)]))

    assert median(3.0, 30.0) == pytest.approx(2 * median(1.5, 30.0), rel=0.25)
    assert median(1.5, 60.0) == pytest.approx(2 * median(1.5, 30.0), rel=0.25)


def test_cycles_have_the_frequency_asked_for():
    turns = [cycles(actor(seed), 1.5, 2.0, 8.0) for seed in range(100)]
    rates = [(phase[-1] - phase[0]) / (t[-1] - t[0]) / (2 * np.pi) for t, phase in turns]
    assert np.median(rates) == pytest.approx(1.5, rel=0.03)
    starts = np.array([np.mod(phase[0], 2 * np.pi) for _, phase in turns])
    assert starts.std() > 1


def test_a_performance_is_shown_in_most_part():
    shares = [len(performance(actor(seed), 5.0)) / 150 for seed in range(100)]
    assert min(shares) >= 0.35
    assert np.mean([share > 0.98 for share in shares]) > 0.7


def test_sway_has_its_scale_and_is_smooth():
    t = np.arange(300) / 30
    courses = np.stack([sway(actor(seed), t, [1.0, 0.1]) for seed in range(200)])
    assert courses[:, 0].std() == pytest.approx(10 * courses[:, 1].std(), rel=0.15)
    assert 0.6 < courses[:, 0].std() < 1.4
    assert np.abs(np.diff(courses[:, 0], axis=1)).mean() < 0.15
