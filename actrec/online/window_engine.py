"""An engine that runs the whole window again for each frame; it works with any model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from actrec.online.engine import EngineOutput, Frames, WindowModel, denormalize
from actrec.online.state_checks import check_within, checked_array
from actrec.pipeline.pipeline import Pipeline
from actrec.types import FARTHEST, Window


class WindowEngine:
    """An `Engine` that keeps the frames since each person's anchor and runs the network over all of them."""

    def __init__(self, pipeline: Pipeline, model: WindowModel, fps: float) -> None:
        self.pipeline, self.model, self.fps = pipeline, model, fps
        self._frames: dict[str, Float[ndarray, "time joint value"]] = {}

    def push(self, people: Sequence[str], frames: Frames) -> EngineOutput:
        made = [self._one(person, frame) for person, frame in zip(people, frames, strict=True)]
        logits, forecasts, *rest = zip(*made, strict=True)
        phase, embedding = (None if parts[0] is None else np.stack(parts) for parts in rest)
        return EngineOutput(np.stack(logits), np.stack(forecasts), phase, embedding)

    def _one(
        self, person: str, frame: Float[ndarray, "joint value"]
    ) -> tuple[ndarray, ndarray, ndarray | None, ndarray | None]:
        length, preprocess, skeleton = self.pipeline.windows.length, self.pipeline.preprocess, self.pipeline.skeleton
        kept = self._frames.get(person, frame[:0].reshape(0, *frame.shape))
        if len(kept) == length:
            kept = kept[length - length // 2 :]
        kept = self._frames[person] = np.concatenate([kept, frame[None]])
        sequence = preprocess(kept, skeleton, self.fps)
        everywhere = np.ones(len(sequence), dtype=bool)
        window = Window(sequence.keypoints, sequence.observed, sequence.known, everywhere)
        logits, poses, *rest = self.model(self.pipeline.features(window, skeleton))
        if self.pipeline.features.stream != "joint":  # the forecasts are not poses
            poses = poses[:0]
        origin, scale, turn = preprocess.reference(kept, skeleton)
        places = denormalize(poses[:, -1], origin, np.array(scale), sequence.known[-1], turn)
        phase, embedding = (None if part is None else part[-1] for part in rest)
        return logits[-1], places, phase, embedding

    def forget(self, person: str) -> None:
        self._frames.pop(person, None)

    def fresh(self) -> WindowEngine:
        return WindowEngine(self.pipeline, self.model, self.fps)

    def state(self, person: str) -> dict[str, ndarray]:
        kept = self._frames[person]
        frames = np.zeros((self.pipeline.windows.length, *kept.shape[1:]), dtype=kept.dtype)
        frames[: len(kept)] = kept
        return {"frames": frames, "count": np.array(len(kept))}

    def restore(self, person: str, state: Mapping[str, ndarray]) -> None:
        length, n_joints = self.pipeline.windows.length, self.pipeline.skeleton.n_joints
        frames = checked_array(state, "frames", (length, n_joints, self.pipeline.n_coordinates + 1), np.float32)
        count = int(checked_array(state, "count", (), int))
        check_within(FARTHEST, frames)
        if not 1 <= count <= length:
            raise ValueError(f"{count} frames in a window of {length}")
        self._frames[person] = frames[:count].copy()
