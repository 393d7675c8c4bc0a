"""Writes the predictions of a stream: `predictions.jsonl`, `sets.csv`, and an annotated video."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import numpy as np

from actrec.drawing.frames import write_video
from actrec.files import LineFile, replace_file
from actrec.live.answers import frame_answer, person_lines, to_json
from actrec.live.overlay import Overlay
from actrec.live.sets import sets_csv, sets_summary
from actrec.live.stream import RecognizedFrame, Stream
from actrec.online.recognizer import OnlineRecognizer
from actrec.online.set_list import PersonSet, SetList
from actrec.types import Picture

PREDICTIONS, SETS, ANNOTATED = "predictions.jsonl", "sets.csv", "annotated.mp4"


class Summary(NamedTuple):
    """Summary of a stream."""

    n_frames: int
    held: Counter[str | None]  # number of detections of a person by held label; None is no action
    sets: list[PersonSet]

    def __str__(self) -> str:
        shares = [f"{label or 'no action'} {n / self.held.total():.0%}" for label, n in self.held.most_common(3)]
        detected = f"held labels, by share of detections: {', '.join(shares) or 'nobody detected'}"
        return "\n  ".join([*sets_summary(self.sets), f"{self.n_frames} frames; {detected}"])


def write_results(
    folder: Path, frames: Iterator[RecognizedFrame], stream: Stream, recognizer: OnlineRecognizer, with_video: bool
) -> Summary:
    """Writes `predictions.jsonl`, `sets.csv` and, with `with_video`, `annotated.mp4`.

    Args:
        folder: Created if needed; removed if an error leaves it empty.
        recognizer: A recogniser of the same model, for its labels and skeletons.

    Raises:
        ActrecError: There are no frames, or the stream is damaged; no file is written then.
    """
    overlay = Overlay(recognizer.input_skeleton, recognizer.skeleton, stream.seconds, recognizer.labels)
    count, held, found = 0, Counter[str | None](), SetList()

    def annotated(file: LineFile) -> Iterator[tuple[float, Picture]]:
        nonlocal count
        for count, (time, picture, people, drawn) in enumerate(frames, start=1):
            for line in person_lines(count - 1, frame_answer(round(time, 6), people), recognizer.labels):
                file.write(to_json(line))
            held.update(each.prediction.held for each in people)
            found.update(each.prediction for each in people)
            if with_video:
                picture = np.array(picture)
                scale = picture.shape[1] / stream.width
                overlay(picture, [each.scaled(scale) for each in people] if drawn is None else drawn, time)
            yield time, picture

    with _removed_if_empty(folder), LineFile(folder / PREDICTIONS) as file:
        if with_video:
            write_video(folder / ANNOTATED, annotated(file), stream.fps)
        else:
            for _ in annotated(file):
                pass
        replace_file(folder / SETS, sets_csv(found.sets))
    return Summary(count, held, found.sets)


@contextmanager
def _removed_if_empty(folder: Path) -> Iterator[None]:
    """Creates a folder, and removes it if it is empty after an error."""
    folder.mkdir(parents=True, exist_ok=True)
    try:
        yield
    except BaseException:
        with suppress(OSError):
            folder.rmdir()
        raise
