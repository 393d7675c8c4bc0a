"""Computes the network's input features of a window: the last step of the pipeline, in training and in serving."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float
from numpy import ndarray

from actrec.skeleton import Skeleton
from actrec.types import ActrecError, Window

STREAMS = ("joint", "bone", "velocity", "bone_velocity")


@dataclass(frozen=True)
class Features:
    """Computes the input features of each joint from its frame and the frame before.

    Attributes:
        stream: "joint" gives positions; "bone" gives the vector from the parent joint with the lesser confidence of
            both ends, and zero for a joint without parent or where either end is not known; "velocity" and
            "bone_velocity" give the change of these since the frame before, known where both are.
        use_velocity: Whether to add the change of the coordinates since the frame before; it is zero in the first
            frame, in padding, and where the joint is not known in both frames.
        velocity_scale: Factor of these changes, which are about a thirtieth of a position in size.
    """

    stream: str = "joint"
    use_velocity: bool = False
    velocity_scale: float | int = 1.0

    def __post_init__(self) -> None:
        if self.stream not in STREAMS:
            raise ActrecError(f"The feature stream is '{self.stream}'. Choose one of: {', '.join(STREAMS)}.")
        if self._is_velocity and self.use_velocity:
            raise ActrecError(f"The stream {self.stream} has velocities already: set use_velocity=false.")
        if not 0 < self.velocity_scale <= 1000:
            raise ActrecError(f"features.velocity_scale is {self.velocity_scale}; expected more than 0, up to 1000.")

    @property
    def _is_bone(self) -> bool:
        return self.stream.startswith("bone")

    @property
    def _is_velocity(self) -> bool:
        return self.stream.endswith("velocity")

    def n_channels(self, n_coordinates: int = 2) -> int:
        """Returns the number of channels for joints of two or three coordinates."""
        return n_coordinates * (1 + self.use_velocity) + 1

    def __call__(self, window: Window, skeleton: Skeleton) -> Float[ndarray, "time joint channel"]:
        """Computes the features of a window (see `of`); velocities are zero in padding."""
        return self.of(window.keypoints, window.known, skeleton, window.valid[:, None])

    def observed(self, window: Window, skeleton: Skeleton) -> Bool[ndarray, "time joint"]:
        """Returns where the values of the stream are observed, for the loss of forecasts.

        A position is observed where its joint is; a bone where both of its ends are, and never for a joint without a
        parent; a velocity where its joint or bone is in that frame and in the frame before.
        """
        seen = window.observed & window.valid[:, None]
        if self._is_bone:
            parents = skeleton.parents
            seen = seen & seen[:, parents] & (parents != np.arange(len(parents)))
        if self._is_velocity:
            return seen & np.concatenate([np.zeros_like(seen[:1]), seen[:-1]])
        return seen

    def of(
        self,
        keypoints: Float[ndarray, "*lead time joint value"],
        known: Bool[ndarray, "*lead time joint"],
        skeleton: Skeleton,
        real: Bool[ndarray, "*lead time _"] | bool = True,
    ) -> Float[ndarray, "*lead time joint channel"]:
        """Computes coordinates (or their change), confidence and, if asked for, velocity of each joint or bone."""
        features = keypoints.astype(np.float32)
        if self._is_bone:
            parents = skeleton.parents
            known = known & known[..., parents]
            features[..., -1] = np.minimum(features[..., -1], features[..., parents, -1])
            features[..., :-1] -= features[..., parents, :-1]
            features[..., :-1][~known] = 0
        if not self._is_velocity and not self.use_velocity:
            return features
        velocity = np.zeros_like(features[..., :-1])
        moving = (known & real)[..., 1:, :] & known[..., :-1, :]
        change = features[..., 1:, :, :-1] - features[..., :-1, :, :-1]
        velocity[..., 1:, :, :] = np.where(moving[..., None], change, 0)
        if self.velocity_scale != 1:
            velocity *= self.velocity_scale
        if self._is_velocity:
            return np.concatenate([velocity, features[..., -1:]], axis=-1)
        return np.concatenate([features, velocity], axis=-1)
