"""Times a network on this machine: `python -m actrec.benchmark`; or videos: `… video=<file or folder>`.

For the network it also reports GFLOP/s, and their share of those of its most common matrix product, which is timed
between the measurements.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from hydra.utils import instantiate
from omegaconf import DictConfig

from actrec.benchmark.network import time_data, time_forward, time_training
from actrec.benchmark.output import print_figures, speed_ratios, write_figures
from actrec.benchmark.setup import Setup, make_setup
from actrec.benchmark.streaming import measure_memory, time_people, time_step
from actrec.benchmark.timing import PRODUCT
from actrec.benchmark.video import time_videos
from actrec.config import check_whole, main
from actrec.online.inputs import check_takes_pictures
from actrec.online.recognizer import OnlineRecognizer
from actrec.types import ActrecError
from actrec.video.people import SKELETON

PARTS: dict[str, Callable[[Setup], dict[str, Any]]] = {
    "forward": time_forward,
    "step": lambda setup: time_step(setup.recognizers, setup.cfg.frames),
    "people": lambda setup: time_people(setup.recognizers, setup.cfg.people),
    "memory": lambda setup: measure_memory(setup.recognizers, setup.cfg.memory_frames),
    "data": time_data,
    "training": time_training,
}


def _time_videos(cfg: DictConfig) -> dict[str, Any]:
    model = None if cfg.model is None else Path(str(cfg.model)).expanduser()
    recognizer = None if model is None else OnlineRecognizer.from_pretrained(model, skeleton=SKELETON)
    if recognizer is not None:
        check_takes_pictures(recognizer.spec)
    return time_videos(Path(str(cfg.video)).expanduser(), instantiate(cfg.extractor, _convert_="all"), recognizer)


@main("benchmark")
def run(cfg: DictConfig) -> None:
    """Times the videos, or the chosen parts of the network, and writes the figures."""
    if cfg.video is not None:
        write_figures(cfg, _time_videos(cfg))
        return
    for name in ("batch_size", "repeats", "frames", "memory_frames"):
        check_whole(cfg, name, 1)
    unknown = [part for part in cfg.parts if part not in PARTS]
    if unknown:
        raise ActrecError(f"There is no part '{unknown[0]}'. Choose among: {', '.join(PARTS)}.")
    setup, figures = make_setup(cfg), dict[str, Any]()
    n_joints = setup.pipeline.skeleton.n_joints
    print(f"{setup.spec.network_name}, {cfg.windows.length} frames, {n_joints} joints, {setup.dtype}")
    print(f"share: of the GFLOP/s of a ({PRODUCT[0]:,} × {PRODUCT[1]}) by ({PRODUCT[1]} × {PRODUCT[2]}) product")
    for part in cfg.parts:
        measured = PARTS[part](setup)
        print_figures(measured)
        figures |= measured
    print_figures(ratios := speed_ratios(figures))
    write_figures(cfg, figures | ratios)


if __name__ == "__main__":
    run()
