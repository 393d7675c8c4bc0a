"""Times the preparation of training data on one core."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import torch
from hydra.utils import instantiate

from actrec.benchmark.setup import Setup
from actrec.benchmark.timing import alternate
from actrec.data.datamodule import TrainingWindows
from actrec.data.synthetic.clips import Synthetic
from actrec.pipeline.pipeline import Pipeline
from actrec.types import SkeletonSequence


def time_data(setup: Setup) -> dict[str, Any]:
    """Times the preprocessing of whole clips, and augmented training windows."""
    clips = list(Synthetic(n_clips=100).clips())
    augmentation = instantiate(setup.cfg.augmentation, _convert_="all")
    windows = TrainingWindows(clips, [0] * len(clips), setup.pipeline, augmentation, seed=0)
    rates = alternate({"windows": lambda: [windows[0, i] for i in range(len(windows))]}, 3, torch.device("cpu"))
    return {
        "preprocessing": {"frames_per_s": preprocessing_rate(setup.pipeline, clips)},
        "training windows": {"windows_per_s": len(windows) / rates["windows"].seconds},
    }


def preprocessing_rate(pipeline: Pipeline, clips: Sequence[SkeletonSequence]) -> float:
    """Measures frames per second of the preprocessing of whole clips."""
    start = time.perf_counter()
    n_frames = sum(len(pipeline.normalize(clip)) for clip in clips)
    return n_frames / (time.perf_counter() - start)
