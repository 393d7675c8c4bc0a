"""Files of data sets, written for the tests of importers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import scipy.io

from actrec.data.sources.videos import VideoClip


def penn_mat(file: Path, **changes: Any) -> None:
    rng = np.random.default_rng(0)
    content = {
        "action": "squat",
        "x": rng.uniform(2, 300, (6, 13)),
        "y": rng.uniform(2, 200, (6, 13)),
        "visibility": rng.integers(0, 2, (6, 13), dtype=np.uint8),
        "train": 1,
        "dimensions": [[240, 320, 6]],
    } | changes
    file.parent.mkdir(parents=True, exist_ok=True)
    scipy.io.savemat(file, {name: value for name, value in content.items() if value is not None})


def touch(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


def told(clips: Iterator[VideoClip]) -> list[tuple[str, str, str, str]]:
    return [(clip.clip_id, clip.label, clip.group, clip.split) for clip in clips]
