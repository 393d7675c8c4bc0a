"""Random and absurd operations on a recogniser: nothing comes of them but an answer or an `ActrecError`, soon, and what
is refused leaves no trace."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actrec.model.folder import load_model
from actrec.model.spec import ModelSpec, load_spec
from actrec.online.recognizer import OnlineRecognizer
from actrec.online.torch_backend import make_engine
from actrec.pipeline.preprocess import Preprocess
from actrec.types import ActrecError

NAMES = ["", "anna", "ben", "深蹲", "x" * 500, "a.b", "engine.keys", "\x00"]
LONGEST = 0.1  # seconds of the processor that a call may take: what a quiet machine shows, and a busy one too


def slowness() -> float:
    """How much more of the processor the same work takes now than on a quiet machine, whose share is the whole."""
    times = []
    for _ in range(9):
        began = time.thread_time()
        sum(range(1_000_000))
        times.append(time.thread_time() - began)
    return max(float(np.median(times)) / 0.012, 1.0)


def good(rng: np.random.Generator) -> np.ndarray:
    confidence = np.where(rng.random((13, 1)) < 0.2, 0, rng.uniform(0.2, 1, (13, 1)))
    return np.concatenate([rng.uniform(50, 400, (13, 2)), confidence], 1).astype(np.float32)


def frame(rng: np.random.Generator) -> np.ndarray | None:
    """Keypoints: mostly such as a pose model gives."""
    body = good(rng)
    kind = int(rng.integers(24))
    if kind == 0:
        return None
    absurd: dict[int, Callable[[], np.ndarray]] = {
        1: lambda: body * np.float32([1, 1, 100]),
        2: lambda: body * np.float32([1, 1, -2]),
        3: lambda: np.where(rng.random(body.shape) < 0.1, rng.choice([np.nan, np.inf, -np.inf]), body),
        4: lambda: body[: int(rng.integers(13))],
        5: lambda: rng.normal(size=tuple(rng.integers(0, 5, int(rng.integers(4))))),
        6: lambda: body.astype(str),
        7: lambda: body.astype(complex),
        8: lambda: body.astype(object),
        9: lambda: np.full((13, 3), rng.choice(np.array([np.iinfo(np.int64).min, 2**62]))),
        10: lambda: body.astype(np.longdouble) * np.longdouble("1e4000"),
        11: lambda: np.zeros((13, 3)),
        12: lambda: np.full((13, 3), (99_999.0, -99_999.0, 1.1)),  # all in one place, as far as is allowed
        13: lambda: body * np.float32([1e-6, 1e-6, 1]),
        14: lambda: (body * np.float32([200, 200, 1])).clip(None, 99_000),
        15: lambda: body.astype(np.float16),
        16: lambda: body > 1,
    }
    return absurd.get(kind, lambda: body)()


def moment(rng: np.random.Generator, now: float) -> float:
    """A timestamp: mostly a camera's next."""
    kind = int(rng.integers(30))
    some = {0: np.nan, 1: np.inf, 2: -1e300, 3: 1e17, 4: now, 5: now - 1, 6: now + 0.9, 7: now + 3, 8: now + 1e-9}
    return float(some.get(kind, now + rng.uniform(0.01, 0.1)))


def spoilt(rng: np.random.Generator, state: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """A state of which some arrays are no longer what they were."""
    changed = dict(state)
    for name in rng.choice(sorted(state), int(rng.integers(1, 4)), replace=False):
        value = changed.get(name, np.zeros(1))
        kind = int(rng.integers(6))
        if kind == 0:
            changed.pop(name, None)
        elif kind == 1:
            changed[name] = rng.normal(size=tuple(rng.integers(0, 4, int(rng.integers(4)))))
        elif kind == 2:
            changed[name] = value.astype(str)
        elif kind == 3:
            changed[name] = np.full_like(value, rng.integers(0, 2) if value.dtype == bool else rng.integers(-3, 99))
        elif value.dtype.kind == "f":
            changed[name] = np.where(rng.random(value.shape) < 0.5, rng.choice([np.nan, np.inf, 1e30, -1e9]), value)
        else:
            changed[name] = (value + rng.integers(-2, 3)).astype(value.dtype)
    return {name: np.asarray(value) for name, value in changed.items()}


class Fuzz:
    """A recogniser that takes everything, and another that is spared what the first has refused."""

    def __init__(self, recognizer: OnlineRecognizer, seed: int) -> None:
        self.one, self.two, self.rng = recognizer, recognizer.fresh(), np.random.default_rng(seed)
        self.now, self.refused, self.times = 0.0, list[str](), list[float]()

    def operation(self) -> Callable[[OnlineRecognizer], Any]:
        rng, person = self.rng, str(self.rng.choice(NAMES))
        kind = int(rng.integers(40))
        if kind == 0:
            return lambda each: each.forget(person)
        if kind < 4 and self.one.people:
            state = self.one.state(str(rng.choice(self.one.people)))
            state = state if kind == 1 else spoilt(rng, state)
            return lambda each: each.restore(person, state)
        if kind == 4:
            return lambda each: each.state(person)
        when = moment(rng, self.now)
        if kind < 8:  # more and more names
            person = f"p{rng.integers(10**9)}"
        if kind < 25:
            keypoints = frame(rng)
            return lambda each: each.push(keypoints, when, person)
        people = {str(name): frame(rng) for name in rng.choice(NAMES, int(rng.integers(4)), replace=False)}
        return lambda each: each.push_all(people, when)

    def run(self, count: int) -> None:
        for _ in range(count):
            operation, began = self.operation(), time.thread_time()
            try:
                answer = operation(self.one)
            except ActrecError as error:
                self.refused.append(str(error))
                continue
            finally:
                self.times.append(time.thread_time() - began)
            check_same(answer, operation(self.two))
            assert self.one.people == self.two.people
            assert len(self.one.people) <= self.one.max_people
            newest = [known.resampler.time for known in self.one._people.values()]
            self.now = max(newest, default=self.now)


def check_same(one: Any, two: Any) -> None:
    if isinstance(one, dict):
        assert one.keys() == two.keys()
        for key in one:
            check_same(one[key], two[key])
    elif isinstance(one, np.ndarray):
        np.testing.assert_array_equal(one, two)
    elif one is None or two is None:
        assert one is two
    else:
        np.testing.assert_array_equal(one.probabilities, two.probabilities)
        np.testing.assert_array_equal(one.forecast, two.forecast)
        assert (one.label, one.held, one.n_frames, one.seen) == (two.label, two.held, two.n_frames, two.seen)


@pytest.fixture(scope="module")
def recognizers(noise_model: Path) -> dict[str, OnlineRecognizer]:
    spec, network = load_spec(noise_model), load_model(noise_model)
    whole = replace(spec, pipeline=replace(spec.pipeline, preprocess=Preprocess("offline")))
    specs: dict[str, ModelSpec] = {"steps": spec, "windows": whole}
    return {name: OnlineRecognizer(each, make_engine(network, each), max_people=6) for name, each in specs.items()}


@given(seed=st.integers(0, 10**9), name=st.sampled_from(["steps", "windows"]))
@settings(max_examples=10, deadline=None)
def test_any_operations_give_answers_or_errors(seed: int, name: str, recognizers: dict[str, OnlineRecognizer]) -> None:
    fuzz = Fuzz(recognizers[name].fresh(), seed)
    fuzz.run(40)
    assert float(np.median(fuzz.times)) < LONGEST / 5


@pytest.mark.slow
@pytest.mark.parametrize("name", ["steps", "windows"])
def test_ten_thousand_operations(name: str, recognizers: dict[str, OnlineRecognizer]) -> None:
    fuzz, sizes = Fuzz(recognizers[name].fresh(), 0), list[int]()
    slow = slowness()
    for _ in range(10):
        fuzz.run(1000)
        slow = max(slow, slowness())
        sizes.append(int(Path("/proc/self/statm").read_text().split()[1]) * 4096)
    assert len(fuzz.refused) > 1000
    assert len(fuzz.times) - len(fuzz.refused) > 4000
    assert not [error for error in fuzz.refused if "\n" in error]
    assert max(fuzz.times[100:]) < LONGEST * slow  # torch does much when it is first asked
    assert sizes[-1] - sizes[1] < 20e6, sizes


OTHER_TYPES = """
import sys, decimal, numpy as np
from actrec.online.recognizer import OnlineRecognizer
from actrec.types import ActrecError

taken = []
def refuse(call, *arguments):
    try:
        call(*arguments)
        taken.append((call.__name__, arguments))
    except ActrecError:
        pass

r = OnlineRecognizer.from_pretrained(sys.argv[1])
body = np.concatenate([np.arange(26).reshape(13, 2) * 7.0, np.ones((13, 1))], 1)
assert r.push(body.tolist(), np.float32(0.5)).n_frames == 1
lists = [[1, 2], [3]], [[1, 2, "x"]] * 13, [[None] * 3] * 13, [[10**400] * 3] * 13
for keypoints in ("x", b"x", 3, {}, object(), *lists):
    refuse(r.push, keypoints, 1.0)
numbers = 1j, 10**400, True, [1.0, 2.0], np.array(["x"]), decimal.Decimal("NaN")
for time in (None, "soon", "1.5", [], {}, object(), *numbers):
    refuse(r.push, body, time)
for person in (None, 3, [], {}, b"x", ("a",)):
    refuse(r.push, body, 1.0, person)
    refuse(r.forget, person)
    refuse(r.state, person)
    refuse(r.restore, person, r.state(""))
for people in (None, 3, [], "x", {3: body}, {None: None}, [("a", body)]):
    refuse(r.push_all, people, 1.0)
own = r.state("")
for state in (None, 3, [], "x", {}, {3: 4}, {"held": "x"}, own | {"held": object()}, own | {"n_frames": "1"}):
    refuse(r.restore, "b", state)
assert not taken, taken
assert r.people == [""] and r.push(body, 0.6).n_frames == 2
"""


def test_what_is_of_another_type_is_refused(noise_model: Path) -> None:
    """In a process of its own: in this one, annotations are checked before the recogniser can."""
    done = subprocess.run([sys.executable, "-c", OTHER_TYPES, str(noise_model)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
