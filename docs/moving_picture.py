"""Writes docs/sets.gif, what the shipped model makes of a generated session: `python docs/moving_picture.py`."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from PIL import Image

from actrec import OnlineRecognizer
from actrec.data.synthetic.sessions import SyntheticSessions
from actrec.live.overlay import Overlay
from actrec.live.tracking import TrackedPerson
from actrec.skeleton import COCO17

SIZE, RATE = (480, 300), 10.0  # pixels; pictures a second
SURFACE = (246, 247, 249)


def main(model: str = "sport14", seed: str = "7", index: str = "11") -> None:
    """Streams a session through the recogniser, and draws every picture as `actrec.predict` does."""
    sessions = SyntheticSessions(seed=int(seed), seconds=(24, 30), actions=0.7, cuts=0, lost=0)
    clip = sessions.clip(int(index))
    recognizer = OnlineRecognizer.from_pretrained(model)
    overlay = Overlay(COCO17, recognizer.skeleton, len(clip) / clip.fps, recognizer.labels)
    shown, due = [], 0.0
    seen = clip.keypoints[clip.keypoints[..., 2] > 0]
    low, high = np.percentile(seen[:, :2], 1, 0), np.percentile(seen[:, :2], 99, 0)
    scale = float(min((np.array(SIZE) * (0.9, 0.7)) / (high - low)))
    for number, frame in enumerate(clip.keypoints):
        time = number / clip.fps
        prediction = recognizer.push(frame, time, "1")
        if time < due or prediction is None:
            continue
        due += 1 / RATE
        picture = np.full((SIZE[1], SIZE[0], 3), SURFACE, dtype=np.uint8)
        moved = frame.copy()
        moved[:, :2] = (moved[:, :2] - 0.5 * (low + high)) * scale + np.array(SIZE) * (0.5, 0.52)
        moved[moved[:, 2] == 0] = 0
        there = moved[moved[:, 2] > 0, :2]
        if len(there):
            box = np.concatenate([there.min(0), there.max(0)]).astype(np.float32)
            forecast = (prediction.forecast - 0.5 * (low + high)) * scale + np.array(SIZE) * (0.5, 0.52)
            drawn = prediction.__class__(**{**prediction.__dict__, "forecast": forecast.astype(np.float32)})
            overlay(picture, [TrackedPerson("1", box, moved, drawn)], time)
        shown.append(Image.fromarray(picture).quantize(32))
    file = Path(__file__).parent / "sets.gif"
    shown[0].save(file, save_all=True, append_images=shown[1:], duration=round(1000 / RATE), loop=0, optimize=True)
    print(f"{file}: {file.stat().st_size / 1e6:.2f} MB, {len(shown)} pictures")


if __name__ == "__main__":
    main(*sys.argv[1:])
