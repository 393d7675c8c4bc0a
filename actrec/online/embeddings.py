"""Computes the embeddings of whole clips as online recognition computes them, frame by frame."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from actrec.model.spec import ModelSpec
from actrec.online.engine import Engine
from actrec.types import SkeletonSequence


def model_frames(clip: SkeletonSequence, spec: ModelSpec) -> Float[ndarray, "frame joint value"]:
    """Returns a clip's frames in the model's joint layout, at its rate."""
    frames = spec.pipeline.preprocess.at_rate(spec.pipeline.to_skeleton(clip).keypoints, clip.fps)[0]
    return frames.astype(np.float32)


def embed_clips(
    engine: Engine, clips: Sequence[Float[ndarray, "_ joint value"]]
) -> list[Float[ndarray, "_ embedding"]]:
    """Computes the embedding of every frame of each clip, by an engine that gives embeddings; it is not changed."""
    engine, made = engine.fresh(), [list[ndarray]() for _ in clips]
    for time in range(max(map(len, clips))):
        for number in (number for number, clip in enumerate(clips) if len(clip) == time):
            engine.forget(str(number))
        there = [number for number, clip in enumerate(clips) if time < len(clip)]
        output = engine.push([str(number) for number in there], np.stack([clips[number][time] for number in there]))
        assert output.embedding is not None
        for number, embedding in zip(there, output.embedding, strict=True):
            made[number].append(embedding)
    return [np.stack(each) for each in made]
