"""Computes the network's input features of a window: the last step of the pipeline, in training and in serving."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float
from numpy import ndarray

from actrec.skeleton import Skeleton
from actrec.types import ActrecError, Window


@dataclass(frozen=True)
class Features:
    """Computes the input features of each joint from its frame and the frame before.

    Attributes:
        stream: "joint" gives positions; "bone" gives the vector from the parent joint with the lesser confidence of
            both ends, and zero for a joint without parent or where either end is not known; "velocity" gives the change
            of the position since the frame before.
        use_velocity: Whether to add the change of x and y since the frame before; it is zero in the first frame, in
            padding, and where the joint is not known in both frames.
        velocity_scale: Factor of these changes, which are about a thirtieth of a position in size.
    """

    stream: str = "joint"
    use_velocity: bool = False
    velocity_scale: float | int = 1.0

    def __post_init__(self) -> None:
        if self.stream not in ("joint", "bone", "velocity"):
            raise ActrecError(f"The feature stream is '{self.stream}'. Choose one of: joint, bone, velocity.")
        if self.stream == "velocity" and self.use_velocity:
            raise ActrecError("The velocity stream has velocities already: set use_velocity=false.")
        if not 0 < self.velocity_scale <= 1000:
            raise ActrecError(f"features.velocity_scale is {self.velocity_scale}; expected more than 0, up to 1000.")

    @property
    def n_channels(self) -> int:
        return 5 if self.use_velocity else 3

    def __call__(self, window: Window, skeleton: Skeleton) -> Float[ndarray, "time joint channel"]:
        """Computes the features of a window (see `of`); velocities are zero in padding."""
        return self.of(window.keypoints, window.known, skeleton, window.valid[:, None])

    def observed(self, window: Window, skeleton: Skeleton) -> Bool[ndarray, "time joint"]:
        """Returns where the values of the stream are observed, for the loss of forecasts.

        A position is observed where its joint is; a bone where both of its ends are, and never for a joint without a
        parent; a velocity where its joint is in that frame and in the frame before.
        """
        seen = window.observed & window.valid[:, None]
        if self.stream == "bone":
            parents = skeleton.parents
            return seen & seen[:, parents] & (parents != np.arange(len(parents)))
        if self.stream == "velocity":
            return seen & np.concatenate([np.zeros_like(seen[:1]), seen[:-1]])
        return seen

    def of(
        self,
        keypoints: Float[ndarray, "*lead time joint 3"],
        known: Bool[ndarray, "*lead time joint"],
        skeleton: Skeleton,
        real: Bool[ndarray, "*lead time _"] | bool = True,
    ) -> Float[ndarray, "*lead time joint channel"]:
        """Computes x, y (or their change), confidence and, if asked for, velocity of each joint or bone, in float32."""
        features = keypoints.astype(np.float32)
        if self.stream == "bone":
            parents = skeleton.parents
            known = known & known[..., parents]
            features[..., 2] = np.minimum(features[..., 2], features[..., parents, 2])
            features[..., :2] -= features[..., parents, :2]
            features[..., :2][~known] = 0
        if self.stream != "velocity" and not self.use_velocity:
            return features
        velocity = np.zeros_like(features[..., :2])
        moving = (known & real)[..., 1:, :] & known[..., :-1, :]
        change = features[..., 1:, :, :2] - features[..., :-1, :, :2]
        velocity[..., 1:, :, :] = np.where(moving[..., None], change, 0)
        if self.velocity_scale != 1:
            velocity *= self.velocity_scale
        if self.stream == "velocity":
            return np.concatenate([velocity, features[..., 2:]], axis=-1)
        return np.concatenate([features, velocity], axis=-1)
