"""What a stream may not do to a recogniser: timestamps in another unit, work without end, people without number."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from actrec.model.spec import ModelSpec
from actrec.online.engine import EngineOutput, StepArrays
from actrec.online.inputs import FAR_FRAMES, NEAR_FRAMES
from actrec.online.recognizer import OnlineRecognizer
from actrec.online.resampler import StreamResampler
from actrec.online.step_engine import StepEngine
from actrec.pipeline.features import Features
from actrec.pipeline.pipeline import Pipeline
from actrec.pipeline.preprocess import Preprocess
from actrec.pipeline.windows import AnchoredWindows
from actrec.skeleton import PENN13
from actrec.types import ActrecError

GOOD = np.concatenate([np.random.default_rng(0).uniform(50, 300, (13, 2)), np.full((13, 1), 0.9)], 1).astype(np.float32)


class Still:
    """A step that always gives the same: what is tested here is before and after the network."""

    def cache_shape(self, rows: int) -> tuple[int, ...]:
        return (1, rows, 2, 8, 2)

    def __call__(
        self, features: np.ndarray, position: np.ndarray, answer: np.ndarray, keys: np.ndarray, values: np.ndarray
    ) -> StepArrays:
        new = np.zeros((1, len(features), 2, 2), dtype=np.float32)
        logits = np.zeros((len(answer), 2), dtype=np.float32)
        return StepArrays(logits, np.zeros((1, len(answer), 13, 2), dtype=np.float32), new, new)


class Counting(StepEngine):
    """Counts the frames that it is given."""

    steps = 0

    def push(self, people: list[str], frames: np.ndarray) -> EngineOutput:  # type: ignore[override]
        self.steps += 1
        return super().push(people, frames)


def make_recognizer(fps: float | None = 30.0, max_gap: float = 1.0, max_people: int = 64) -> OnlineRecognizer:
    pipeline = Pipeline(PENN13, Preprocess("causal", fps=fps), AnchoredWindows(8), Features())
    spec = ModelSpec("InfoGCN", {}, pipeline, ("a", "b"))
    return OnlineRecognizer(spec, Counting(pipeline, Still()), max_gap=max_gap, max_people=max_people)


def steps(recognizer: OnlineRecognizer) -> int:
    return recognizer._engine.steps  # type: ignore[attr-defined]


def same_state(one: OnlineRecognizer, two: OnlineRecognizer) -> bool:
    return one.people == two.people and all(
        np.array_equal(one.state(person)[name], value, equal_nan=value.dtype.kind == "f")
        for person in two.people
        for name, value in two.state(person).items()
    )


@pytest.mark.parametrize("fps", [None, 30.0])
@pytest.mark.parametrize("together", [True, False])
def test_timestamps_in_milliseconds_are_named(fps: float | None, together: bool) -> None:
    recognizer, untouched = make_recognizer(fps), make_recognizer(fps)
    errors = list[str]()
    for frame in range(30):
        time = 1000 * frame / 30
        for each in (recognizer, untouched) if frame <= FAR_FRAMES - 1 else (recognizer,):
            try:
                each.push_all({"anna": GOOD}, time) if together else each.push(GOOD, time, "anna")
            except ActrecError as error:
                errors.append(str(error))
    assert len(errors) == 30 - FAR_FRAMES
    assert all("milliseconds" in error and "max_gap=1 s" in error for error in errors)
    assert same_state(recognizer, untouched)  # nothing of a refused frame has changed


@pytest.mark.parametrize(("unit", "per_second"), [("nanoseconds", 1e9), ("microseconds", 1e6), ("milliseconds", 1e3)])
def test_the_likely_unit_is_named(unit: str, per_second: float) -> None:
    recognizer = make_recognizer()
    for frame in range(FAR_FRAMES):
        recognizer.push(GOOD, per_second * frame / 30)
    with pytest.raises(ActrecError, match=f"in {unit}"):
        recognizer.push(GOOD, per_second * FAR_FRAMES / 30)


def test_a_slow_stream_sets_a_greater_max_gap_and_real_gaps_are_none() -> None:
    slow, gappy = make_recognizer(fps=3.0, max_gap=5.0), make_recognizer()
    for frame in range(3 * FAR_FRAMES):
        assert slow.push(GOOD, 2.0 * frame) is not None
    time = 0.0
    for _ in range(4):
        for _ in range(FAR_FRAMES - 1):  # seen for a moment, away for a while, nine times on end
            time += 3.0
            gappy.push(GOOD, time)
        gappy.push(GOOD, time + 1 / 30)
        time += 1 / 30


def test_a_slow_stream_that_becomes_faster_is_followed_again() -> None:
    recognizer, errors = make_recognizer(), list[str]()
    times = [3.0 * frame for frame in range(FAR_FRAMES + 3)]
    for time in times:
        try:
            recognizer.push(GOOD, time)
        except ActrecError as error:
            errors.append(str(error))
    assert len(errors) == 3
    for frame in range(1, 4):
        assert recognizer.push(GOOD, times[-1] + frame / 30) is not None


def test_a_new_stream_begins_at_any_time() -> None:
    recognizer = make_recognizer()
    for start in range(3 * FAR_FRAMES):
        for time in (1e6 * start, 1e6 * start + 1 / 30):
            recognizer.push(GOOD, time)
    recognizer.forget("")
    for start in (5.0, 0.0):
        assert recognizer.push(GOOD, start) is not None
        recognizer.forget("")


def test_timestamps_that_hardly_advance_are_named() -> None:
    recognizer, errors = make_recognizer(), list[str]()
    for frame in range(NEAR_FRAMES + 50):
        try:
            recognizer.push(GOOD, frame / 30 / 3600)  # hours
        except ActrecError as error:
            errors.append(str(error))
    assert len(errors) == 50
    assert all("minutes or hours" in error for error in errors)


def test_the_work_of_one_push_is_bounded_by_the_gap() -> None:
    recognizer = make_recognizer(fps=30.0, max_gap=2.0)
    recognizer.push(GOOD, 1.8e9)
    before = steps(recognizer)
    recognizer.push(GOOD, 1.8e9 + 2.0)
    assert steps(recognizer) - before == 60
    recognizer.push(GOOD, 1.8e9 + 1e7)  # not bridged
    assert steps(recognizer) - before == 61
    for timestamp in (1e17, -1e17, 1e300):
        with pytest.raises(ActrecError, match="expected seconds"):
            recognizer.push(GOOD, timestamp)
    assert steps(recognizer) - before == 61


@pytest.mark.parametrize("count", [5_000, pytest.param(100_000, marks=pytest.mark.slow)])
def test_the_clock_neither_loses_nor_doubles_a_frame_at_epochs(count: int) -> None:
    clock, start = StreamResampler(30.0, 0.2, 13), 1.8e9
    times = [time for frame in range(count) for time, _ in clock.push(GOOD, start + frame / 30)]
    assert len(times) == count
    assert np.array_equal(np.array(times), start + np.arange(count) / 30)
    clock, times = StreamResampler(15.0, 0.2, 13), []
    for frame in range(count):  # a camera that is not of the model's rate
        times += [time for time, _ in clock.push(GOOD, start + frame / 29.97)]
    assert np.array_equal(np.array(times), start + np.arange(len(times)) / 15)
    assert abs(len(times) - (count * 15 / 29.97)) <= 1


@pytest.mark.parametrize("together", [True, False])
def test_people_without_number_are_refused(together: bool) -> None:
    recognizer = make_recognizer(max_people=5)
    for number in range(50):  # as names are made up anew for every frame, and hardly any time passes
        person, time = f"p{number}", 1e-3 * number
        if number < 5:
            recognizer.push(GOOD, time, person)
            continue
        with pytest.raises(ActrecError, match=r"There are 6 people; .* max_people=5"):
            recognizer.push_all({person: GOOD}, time) if together else recognizer.push(GOOD, time, person)
        assert len(recognizer.people) == 5
    with pytest.raises(ActrecError, match="max_people=5"):
        recognizer.restore("another", recognizer.state("p0"))
    recognizer.restore("p1", recognizer.state("p0"))
    recognizer.push(GOOD, 2.0, "new")  # the others have not been seen for longer than max_gap
    assert recognizer.people == ["new"]
    assert recognizer.push_all({"new": GOOD, "hidden": GOOD * 0}, 2.1).keys() == {"new"}


@pytest.mark.parametrize("together", [True, False])
def test_memory_is_flat_under_ever_new_names(together: bool) -> None:
    recognizer, seen = make_recognizer(max_gap=0.1), list[int]()
    tracemalloc.start()
    try:
        for number in range(120):
            time, person = number / 30, f"p{number}"
            recognizer.push_all({person: GOOD}, time) if together else recognizer.push(GOOD, time, person)
            if number in (39, 119):
                seen.append(tracemalloc.get_traced_memory()[0])
    finally:
        tracemalloc.stop()
    assert len(recognizer.people) <= 4
    assert seen[1] < 1.05 * seen[0] + 20_000


def test_whoever_is_new_has_the_settings_of_the_old() -> None:
    assert make_recognizer(max_people=3).fresh().max_people == 3
