"""Generates time series of values: repetitions with their tempo, cycles, key values, and smooth noise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy import ndarray

from actrec.data.synthetic.body import Body

Times = Float[ndarray, " frame"]
MAX_FRAMES = 400
_COMPLETE = 0.75  # share of the usual depth


class Actor(NamedTuple):
    """A body that performs.

    Attributes:
        rng: Generator of all its randomness.
        fps: Frames per second of the clip.
        n_repetitions: Number of repetitions of its set, which is then shown from beginning to end; 0 for a clip of
            usually one repetition or a part of it, as in Penn Action.
        evenness: 0 draws the variants of a motion as often as in Penn Action, 1 draws all equally often.
    """

    body: Body
    rng: np.random.Generator
    fps: float
    n_repetitions: int = 0
    evenness: float = 0.0

    def u(self, low: float | int, high: float | int) -> float:
        """Draws a number between the two."""
        return low + (high - low) * self.rng.random()

    def varied(self, usual: float, low: float | int, high: float | int) -> float:
        """Returns the usual value, or draws one between the two if the actor's motions are to vary more than that."""
        return self.u(low, high) if self.evenness else usual

    def chance(self, probability: float) -> bool:
        """Returns True with that probability."""
        return self.rng.random() < probability

    def pick(self, weights: Mapping[str, float | int]) -> str:
        """Draws one of the names by weight."""
        if self.evenness:
            weights = {name: weight ** (1 - self.evenness) for name, weight in weights.items()}
        at = self.rng.random() * sum(weights.values())
        for name, weight in weights.items():
            at -= weight
            if at < 0:
                return name
        return name

    def around(self, mean: float, spread: float) -> float:
        """Draws a positive number from a log-normal distribution: `mean` times e to a normal number of that spread."""
        return mean * float(np.exp(spread * np.clip(self.rng.standard_normal(), -2.5, 2.5)))


def ease(s: Times) -> Times:
    """Computes the minimum-jerk course from 0 to 1 for s from 0 to 1 (Flash and Hogan 1985, equation 3)."""
    s = np.clip(s, 0, 1)
    return s * s * s * (10 - s * (15 - 6 * s))


def keyed(t: Times, keys: Sequence[tuple[float, float]]) -> Times:
    """Interpolates between keys (time, value) with minimum jerk; before the first and after the last it is constant."""
    times, values = np.array(keys).T
    i = np.clip(np.searchsorted(times, t, "right") - 1, 0, len(times) - 2)
    s = (t - times[i]) / np.maximum(times[i + 1] - times[i], 1e-6)
    return values[i] + ease(s) * (values[i + 1] - values[i])


def sway(actor: Actor, t: Times, scales: Sequence[float | int], rate: float = 0.5) -> Float[ndarray, "noise frame"]:
    """Draws smooth noise in time, one course for each scale (its standard deviation); `rate` is in hertz."""
    n = 4
    frequency = rate * np.array([0.25, 0.6, 1.3, 2.6])[:, None] * np.exp(0.3 * actor.rng.standard_normal((n, 1)))
    size, start = actor.rng.standard_normal((2, len(scales), n, 1))
    size = size * np.array([1.0, 0.8, 0.5, 0.2])[:, None]
    waves = size * np.sin(2 * np.pi * (frequency * t + start))
    courses: ndarray = waves.sum(1) * np.array(scales)[:, None]
    return courses


class Repetitions(NamedTuple):
    """A performance of one or more repetitions.

    Attributes:
        t: Seconds.
        u: 0 at the start of a repetition, 1 at its turn (less if it is incomplete), 0 at its end.
        number: Number of the repetition, from 0.
        returning: Whether that repetition has turned.
        done: Number of complete repetitions done, with fractions; an incomplete one leaves it as it was.
    """

    t: Times
    u: Times
    number: Int[ndarray, " frame"]
    returning: Bool[ndarray, " frame"]
    done: Times


def repetitions(
    actor: Actor, seconds: float, *, out: float = 0.5, hold: float = 0.06, rest: float = 0.06, spread: float = 0.28
) -> Repetitions:
    """Draws a performance of one or more repetitions, and the part of it that the clip shows.

    Most clips show one repetition from rest to rest, as in Penn Action; others show several, or a part.

    Args:
        seconds: Usual duration of a repetition.
        out: Share of the moving time before the turn.
        hold: Pause at the turn, as a share of the repetition.
        rest: Pause between repetitions, as a share of the repetition.
        spread: Standard deviation of the logarithm of the tempo between performances.
    """
    rng = actor.rng
    n = actor.n_repetitions or (1 if actor.chance(0.72) else int(rng.integers(2, 5)))
    duration = actor.around(seconds, spread)
    if actor.n_repetitions:
        duration *= _any_tempo(actor)
    lasts = duration * np.exp(0.08 * rng.standard_normal(n) + np.linspace(0, 0.15 * rng.standard_normal(), n))
    holds, rests = rng.exponential(hold, n), rng.exponential(rest, n + 1)
    depth = 1 - 0.08 * np.abs(rng.standard_normal(n))
    depth = np.where(rng.random(n) < 0.05, depth * (0.4 + 0.4 * rng.random(n)), depth)
    if actor.n_repetitions:
        rests[1:n] += _pauses(actor, n - 1, duration)
    out = float(np.clip(out + 0.07 * rng.standard_normal(), 0.25, 0.75))
    spans = np.stack([rests[:n] * duration, lasts * out, holds * lasts, lasts * (1 - out)], 1)
    ends = np.cumsum(spans.ravel())
    values = np.stack([0 * depth, depth, depth * (1 - 0.03 * rng.random(n)), 0 * depth], 1).ravel()
    t = _shown(actor, ends[-1] + rests[n] * duration, duration, 0.82 if n == 1 else 0.4)
    u = np.clip(keyed(t, [(0.0, 0.0), *zip(ends, values, strict=True)]), 0, 1)  # against rounding
    number = np.minimum(np.searchsorted(ends[3::4], t), n - 1)
    returning = t > ends[2::4][number]
    return Repetitions(t, u, number, returning, _done(u, depth, number, returning, t > ends[3::4][number]))


def _any_tempo(actor: Actor) -> float:
    """Draws a factor of the duration: people in gyms are quicker than in Penn Action, and differ more."""
    return float(np.clip(actor.around(0.85, 0.3), 0.45, 1.8))


def _pauses(actor: Actor, n: int, duration: float) -> Times:
    """Draws additional pauses between the repetitions of a set, in repetitions; most have none."""
    usual = 0.0 if actor.chance(0.6) else actor.u(0.0, 1.0)  # seconds
    rare = (actor.rng.random(n) < 0.06) * actor.rng.uniform(0.5, 2.5, n)
    return (usual * actor.rng.random(n) + rare) / duration


def _done(
    u: Times,
    depth: Float[ndarray, " repetition"],
    number: Int[ndarray, " frame"],
    returning: Bool[ndarray, " frame"],
    ended: Bool[ndarray, " frame"],
) -> Times:
    """Computes the number of complete repetitions with fractions, from the position: a half at the turn.

    A repetition of less than `_COMPLETE` of the usual depth is not complete.
    """
    complete = depth >= _COMPLETE
    reached = np.where(complete, depth, 1.0)[number]
    half = np.arccos(np.clip(1 - 2 * u / reached, -1, 1)) / (2 * np.pi)
    fraction = np.where(returning & complete[number], 1 - half, half)
    before = np.concatenate([[0], np.cumsum(complete)])
    done: Times = np.where(ended, before[number + 1], before[number] + fraction)
    return done


def _shown(actor: Actor, total: float, least: float, whole: float) -> Times:
    """Draws the times of the frames: the whole performance with probability `whole`, else a part of it."""
    start, end = 0.0, total
    if actor.n_repetitions:
        return np.arange(max(int(total * actor.fps), 2)) / actor.fps
    if not actor.chance(whole):
        length = min(total, least * actor.u(0.6, 1.0) + actor.rng.random() * (total - least))
        start = actor.rng.random() * max(total - length, 0)
        end = start + length
    n = int(np.clip((end - start) * actor.fps, 18, MAX_FRAMES))
    return start + np.arange(n) / actor.fps


def performance(actor: Actor, total: float) -> Times:
    """Draws the times of the frames of an action that is done once; the clip shows most or all of it."""
    return _shown(actor, total, 0.6 * total, 0.8)


def cycles(actor: Actor, frequency: float, low: float, high: float, at_rest: float = 0.0) -> tuple[Times, Times]:
    """Draws the times, in seconds, and the phase, in radians, of a periodic action whose tempo drifts.

    Args:
        frequency: Cycles per second.
        low: Least number of cycles that are shown; half of the clips show hardly more.
        at_rest: Probability that the clip starts at phase 0, and not at any phase.
    """
    shown = low * actor.u(1.0, 1.3) if actor.chance(0.5) else low + (high - low) * actor.rng.random() ** 2
    n = int(np.clip(shown / frequency * actor.fps, 18, MAX_FRAMES))
    if actor.n_repetitions:
        frequency /= _any_tempo(actor)
        n, at_rest = max(int(actor.n_repetitions / frequency * actor.fps), 18), 1.0
    t = np.arange(n) / actor.fps
    (drift,) = sway(actor, t, [0.25], 0.4)
    return t, 2 * np.pi * frequency * t + drift + (0 if actor.chance(at_rest) else 2 * np.pi * actor.rng.random())
