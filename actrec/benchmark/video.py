"""Times the extraction of skeletons from videos and online recognition, compared with only the pose model."""

from __future__ import annotations

import os
import resource
import time
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from actrec.data.sources.folders import videos_in
from actrec.online.recognizer import OnlineRecognizer
from actrec.types import ActrecError
from actrec.video.extraction import Extractor
from actrec.video.tracker import Tracker
from actrec.video.video import open_video

_BUFFERED = 1000  # frames that are decoded beforehand, to time only the pose model


class VideoRates(NamedTuple):
    """Frames per second of one video."""

    n_frames: int
    pose_alone: float  # of the pose model, on pictures that were decoded before
    whole: float  # from the file to its sequences, as in `actrec.prepare`
    decisions: float | None  # from the file to a decision for each person in each frame; None without a model


def video_rates(path: Path, extractor: Extractor, recognizer: OnlineRecognizer | None = None) -> VideoRates:
    """Times the pose model alone, the whole extraction, and online recognition, one after the other."""
    video, pose = open_video(path), extractor.pose
    pictures = [picture for _, picture in islice(video.frames(pose.longest), _BUFFERED)]
    times = video.times.tolist()  # of all frames, decoded before the measurement
    start = time.perf_counter()
    for first in range(0, len(pictures), pose.batch):
        pose(pictures[first : first + pose.batch])
    alone = len(pictures) / (time.perf_counter() - start)
    start = time.perf_counter()
    extractor(path)
    whole = len(times) / (time.perf_counter() - start)
    if recognizer is None:
        return VideoRates(len(times), alone, whole, None)
    start = time.perf_counter()
    tracker = Tracker(video.fps, extractor.gap)
    for moment, people in zip(times, extractor.people(video), strict=True):
        tracks = enumerate(tracker(people).tolist())
        recognizer.push_all({str(track): people.keypoints[i] for i, track in tracks if track}, moment)
    for person in recognizer.people:
        recognizer.forget(person)
    return VideoRates(len(times), alone, whole, len(times) / (time.perf_counter() - start))


def time_videos(path: Path, extractor: Extractor, recognizer: OnlineRecognizer | None = None) -> dict[str, Any]:
    """Prints the rates of each video and of all together, and returns them by name.

    Raises:
        ActrecError: A video cannot be read, or shows no person.
    """
    files = videos_in(path) if path.is_dir() else [path]
    if not files:
        raise ActrecError(f"There are no videos in {path}.")
    extractor.pose([np.zeros((360, 640, 3), dtype=np.uint8)] * extractor.pose.batch)  # load and warm up
    print(f"{'video':<28}{'frames':>8}{'pose alone':>14}{'whole':>14}{'share':>8}{'decisions':>14}")
    rates: dict[str, VideoRates] = {}
    for file in files:
        try:
            rates[file.name] = video_rates(file, extractor, recognizer)
        except ActrecError as error:
            raise ActrecError(f"{file}: {error}") from None
        _print_rates(file.name, rates[file.name])
    every = list(rates.values())
    total = sum(rate.n_frames for rate in every)
    alone = sum(rate.n_frames / rate.pose_alone for rate in every)
    whole = sum(rate.n_frames / rate.whole for rate in every)
    known = [rate.n_frames / rate.decisions for rate in every if rate.decisions]
    rates["all"] = VideoRates(total, total / alone, total / whole, total / sum(known) if known else None)
    _print_rates("all", rates["all"])
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{' '.join(extractor.pose.description)}, {os.cpu_count()} cores; peak memory {peak:.0f} MiB")
    return {name: rate._asdict() for name, rate in rates.items()} | {"peak_mib": peak}


def _print_rates(name: str, rates: VideoRates) -> None:
    share = rates.whole / rates.pose_alone
    decisions = "" if rates.decisions is None else f"{rates.decisions:>11.1f} /s"
    print(f"{name:<28}{rates.n_frames:>8}{rates.pose_alone:>11.1f} /s{rates.whole:>11.1f} /s{share:>8.2f}{decisions}")
