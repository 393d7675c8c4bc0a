"""Defines engines, which run the network in online recognition: from frames to logits and forecasts of many people.

There are two, `StepEngine` and `WindowEngine`. The outputs of both equal the batch forward over the frames since the
anchor.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Bool, Float
from numpy import ndarray

Frames = Float[ndarray, "person joint value"]


class EngineOutput(NamedTuple):
    """The outputs of a network for one frame of each of several people.

    Attributes:
        logits: Class scores.
        forecasts: Poses 1 to N frames ahead, in the unit of the keypoints; NaN for a joint that has not been seen since
            the anchor.
        phase: Sine and cosine of the phase within a repetition; None for a network without this output.
        embedding: What the classifier's linear layer computes the logits from; None for a network without this output.
    """

    logits: Float[ndarray, "person class"]
    forecasts: Float[ndarray, "person horizon joint coordinate"]
    phase: Float[ndarray, "person 2"] | None = None
    embedding: Float[ndarray, "person embedding"] | None = None


class StepArrays(NamedTuple):
    """`actrec.network.step.StepOutput`, with arrays for tensors."""

    logits: Float[ndarray, "answer class"]
    poses: Float[ndarray, "horizon answer joint coordinate"]
    keys: Float[ndarray, "layer row lane head_dim"]
    values: Float[ndarray, "layer row lane head_dim"]
    phase: Float[ndarray, "answer 2"] | None = None
    embedding: Float[ndarray, "answer embedding"] | None = None


class WindowArrays(NamedTuple):
    """The outputs of a network for the frames of one window; see `actrec.types.NetworkOutput`."""

    logits: Float[ndarray, "time class"]
    poses: Float[ndarray, "horizon time joint coordinate"]
    phase: Float[ndarray, "time 2"] | None = None
    embedding: Float[ndarray, "time embedding"] | None = None


@runtime_checkable
class StepModel(Protocol):
    """`actrec.network.step.Step`, with arrays for tensors."""

    def cache_shape(self, rows: int) -> tuple[int, ...]:
        """Returns the shape of the cached keys (and of the cached values) of that many rows."""

    def __call__(
        self, features: ndarray, position: ndarray, answer: ndarray, keys: ndarray, values: ndarray
    ) -> StepArrays:
        """Processes one frame of each row."""


@runtime_checkable
class WindowModel(Protocol):
    """A network's forward over one window without padding, with arrays for tensors."""

    def __call__(self, features: Float[ndarray, "time joint channel"]) -> WindowArrays:
        """Processes all frames of the window."""


@runtime_checkable
class Engine(Protocol):
    """Runs a network over the frames of several people, and keeps the state of each."""

    def push(self, people: Sequence[str], frames: Frames) -> EngineOutput:
        """Processes the next frame of each of these people, at the model's rate; a new person starts with it."""

    def forget(self, person: str) -> None:
        """Drops all state of a person."""

    def fresh(self) -> Engine:
        """Returns an engine without people that shares the network."""

    def state(self, person: str) -> dict[str, ndarray]:
        """Returns the state of a person, in arrays of fixed size."""

    def restore(self, person: str, state: Mapping[str, ndarray]) -> None:
        """Restores a person from what `state` returned.

        Raises:
            ValueError: The state is not valid; nothing has changed then.
        """


def denormalize(
    poses: Float[ndarray, "*person horizon joint _"],
    origin: Float[ndarray, "*person coordinate"],
    scale: Float[ndarray, "*person"],
    known: Bool[ndarray, "*person joint"],
    turn: Float[ndarray, "*person 3 3"] | None = None,
) -> Float[ndarray, "*person horizon joint coordinate"]:
    """Converts poses from torso lengths to the unit of the keypoints; joints that are not known become NaN.

    Args:
        turn: The rotation matrices of `preprocess.view`, which are undone.
    """
    places = poses[..., : origin.shape[-1]]
    if not places.shape[-3]:  # a network without forecasts may give them any number of coordinates
        return np.zeros((*places.shape[:-1], origin.shape[-1]), dtype=np.float32)
    if turn is not None:
        places = places @ turn[..., None, :, :]
    places = places * scale[..., None, None, None] + origin[..., None, None, :]
    return np.where(known[..., None, :, None], places, np.nan).astype(np.float32)
