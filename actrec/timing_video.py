"""Times the way from video to skeletons: the whole extraction against the pose model alone, on the same frames."""

from __future__ import annotations

import os
import resource
import time
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np

from actrec.data.extract import Extractor
from actrec.data.video import open_video
from actrec.data.video_sources import videos_in
from actrec.types import ActrecError

_HELD = 1000  # frames that are decoded beforehand, for the pose model alone


class VideoRates(NamedTuple):
    """Frames a second of one video, and how many frames it has."""

    n_frames: int
    pose_alone: float
    whole: float


def video_rates(path: Path, extractor: Extractor) -> VideoRates:
    """Times the pose model alone and the whole extraction, one after the other.

    Raises:
        ActrecError: The video cannot be read, or nobody is in it.
    """
    video, pose = open_video(path), extractor.pose
    pictures = [picture for _, picture in islice(video.frames(pose.longest), _HELD)]
    start = time.perf_counter()
    for first in range(0, len(pictures), pose.batch):
        pose(pictures[first : first + pose.batch])
    alone = len(pictures) / (time.perf_counter() - start)
    start = time.perf_counter()
    extractor(path)
    return VideoRates(len(video.times), alone, len(video.times) / (time.perf_counter() - start))


def time_videos(path: Path, extractor: Extractor) -> None:
    """Prints the rates of each video, and of all of them."""
    files = videos_in(path) if path.is_dir() else [path]
    if not files:
        raise ActrecError(f"There are no videos in {path}.")
    extractor.pose([np.zeros((360, 640, 3), dtype=np.uint8)] * extractor.pose.batch)  # load and warm up
    print(f"{'video':<28}{'frames':>8}{'pose alone':>14}{'whole':>14}{'share':>8}")
    rates: list[VideoRates] = []
    for file in files:
        try:
            rates.append(rate := video_rates(file, extractor))
        except ActrecError as error:
            raise ActrecError(f"{file}: {error}") from None
        _print_rates(file.name, rate)
    total = sum(rate.n_frames for rate in rates)
    alone, whole = (sum(rate.n_frames / rate[which] for rate in rates) for which in (1, 2))
    _print_rates("all", VideoRates(total, total / alone, total / whole))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{' '.join(extractor.pose.description)}, {os.cpu_count()} cores; peak memory {peak:.0f} MiB")


def _print_rates(name: str, rates: VideoRates) -> None:
    share = rates.whole / rates.pose_alone
    print(f"{name:<28}{rates.n_frames:>8}{rates.pose_alone:>11.1f} /s{rates.whole:>11.1f} /s{share:>8.2f}")
