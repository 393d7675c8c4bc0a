"""Entry point: what do the people of a video do? `python -m actrec.predict model=… source=video.mp4`."""

from __future__ import annotations

import json
import logging
import re
import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import chain, islice
from pathlib import Path
from threading import Event
from typing import Any, NamedTuple

import numpy as np
from hydra.utils import instantiate
from omegaconf import DictConfig
from tqdm import tqdm

from actrec.config import check_whole, main
from actrec.data.sources.folders import distinct_names, files_below, videos_in
from actrec.drawing.frames import write_video
from actrec.files import LineFile
from actrec.live.overlay import Overlay
from actrec.live.watcher import Watched, Watcher
from actrec.online.hysteresis import Hysteresis
from actrec.online.mismatch import streaming_warning
from actrec.online.recognizer import OnlineRecognizer
from actrec.skeleton import get_skeleton
from actrec.types import ActrecError, Picture, SetupError
from actrec.video.camera import Camera, is_stream
from actrec.video.extraction import Extractor, one_ahead
from actrec.video.people import SKELETON
from actrec.video.video import Video, is_video, open_video

log = logging.getLogger("actrec.predict")  # run as a script, __name__ is __main__


class Stream(NamedTuple):
    """The pictures of a file, a camera or a network stream."""

    frames: Iterator[tuple[float, Picture]]  # seconds and picture
    fps: float
    width: int  # of the source's own pictures, in pixels
    n_frames: int | None  # None if unknown
    seconds: float | None


def open_stream(source: str, longest: int, picture_fps: float = 30.0) -> Stream:
    """Opens a video file, a folder of pictures, a camera or a network stream.

    Raises:
        ActrecError: It cannot be opened.
    """
    if is_stream(source):
        camera = Camera(source)
        return Stream(camera.frames(), camera.fps, camera.width, None, None)
    path = Path(source).expanduser()
    try:
        video: Video = open_video(path, picture_fps)
        fps, n_frames = video.about_fps, video.about_frames
    except ActrecError as error:
        raise type(error)(f"{path}: {error}") from None
    return Stream(video.frames(longest), fps, video.width, n_frames, n_frames / fps)


@contextmanager
def stopped_by_interrupt() -> Iterator[Event]:
    """An event that Ctrl-C sets, so that what is being written can be finished; a second Ctrl-C interrupts at once."""
    stopped = Event()

    def stop(_number: int, _frame: Any) -> None:
        stopped.set()
        signal.signal(signal.SIGINT, before)

    before = signal.signal(signal.SIGINT, stop)
    try:
        yield stopped
    finally:
        signal.signal(signal.SIGINT, before)


def watch(
    stream: Stream, extractor: Extractor, watcher: Watcher, stopped: Event
) -> Iterator[tuple[float, Picture, list[Watched]]]:
    """Each frame's time in seconds, picture, and people, these in pixels of the source's own pictures."""
    size = 1 if stream.n_frames is None else extractor.pose.batch
    frames = iter(lambda: list(islice(stream.frames, size)), [])
    for batch in frames if stream.n_frames is None else one_ahead(frames):
        found = extractor.pose([picture for _, picture in batch])
        for (time, picture), people in zip(batch, found, strict=True):
            if stopped.is_set():
                return
            scale = stream.width / picture.shape[1]
            yield time, picture, watcher(people.scaled(scale, scale), time)


def lines(number: int, time: float, people: list[Watched], labels: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    """Makes a frame's lines of `predictions.jsonl`: one for each person, or one with `person` null."""
    for each in people:
        prediction = each.prediction
        yield {
            "frame": number,
            "time": round(time, 6),
            "person": each.person,
            "box": [round(float(value), 1) for value in each.box],
            "label": prediction.label,
            "probability": round(float(prediction.probabilities.max()), 4),
            "held": prediction.held,
            "probabilities": {
                label: round(float(p), 4) for label, p in zip(labels, prediction.probabilities, strict=True)
            },
        }
    if not people:
        yield {"frame": number, "time": round(time, 6), "person": None}


class Summary(NamedTuple):
    """Summary of a stream.

    Attributes:
        n_frames: All of them.
        held: How many skeletons had each held label; None is no action.
        interrupted: Whether Ctrl-C ended it.
    """

    n_frames: int
    held: Counter[str | None]
    interrupted: bool

    def __str__(self) -> str:
        shares = [f"{label or 'no action'} {n / self.held.total():.0%}" for label, n in self.held.most_common(3)]
        end = ", then interrupted" if self.interrupted else ""
        return f"{self.n_frames} frames{end}; of the skeletons: {', '.join(shares) or 'none'}"


def predict(
    stream: Stream, extractor: Extractor, recognizer: OnlineRecognizer, folder: Path, with_video: bool
) -> Summary:
    """Writes `predictions.jsonl` and, if asked for, `annotated.mp4`; whole also where Ctrl-C ends it.

    Raises:
        ActrecError: Not one frame can be decoded, or the stream is damaged further on; nothing is written then.
        KeyboardInterrupt: Ctrl-C came before the first frame; nothing is written then.
    """
    watcher = Watcher(recognizer, stream.fps)
    overlay = Overlay(get_skeleton(SKELETON), recognizer.skeleton, stream.seconds, recognizer.labels)
    count, held = 0, Counter[str | None]()
    with stopped_by_interrupt() as stopped:
        frames = watch(stream, extractor, watcher, stopped)
        first = next(frames, None)
        if first is None and stopped.is_set():
            raise KeyboardInterrupt
        if first is None:
            raise ActrecError("not one frame of it can be decoded.")
        watched = tqdm(chain([first], frames), folder.name, stream.n_frames, unit="frame", disable=None)

        def annotated(file: LineFile) -> Iterator[tuple[float, Picture]]:
            nonlocal count
            for count, (time, picture, people) in enumerate(watched, start=1):
                for line in lines(count - 1, time, people, recognizer.labels):
                    file.write(json.dumps(line, ensure_ascii=False))
                held.update(each.prediction.held for each in people)
                if with_video:
                    picture = np.array(picture)
                    overlay(picture, people, time, picture.shape[1] / stream.width)
                yield time, picture

        with _removed_if_empty(folder), LineFile(folder / "predictions.jsonl") as file:
            if with_video:
                write_video(folder / "annotated.mp4", annotated(file), stream.fps)
            else:
                for _ in annotated(file):
                    pass
        return Summary(count, held, stopped.is_set())


@contextmanager
def _removed_if_empty(folder: Path) -> Iterator[None]:
    """Makes a folder, and removes it where an error leaves nothing in it."""
    folder.mkdir(parents=True, exist_ok=True)
    try:
        yield
    except BaseException:
        with suppress(OSError):
            folder.rmdir()
        raise


def sources(source: str) -> dict[str, str]:
    """Lists the sources by the name of the folder for their results: a folder's videos, or the source itself."""
    if is_stream(source):
        return {re.sub(r"[^\w.]+", "_", source).strip("_."): source}
    path = Path(source).expanduser()
    if path.is_dir() and any(is_video(file) for file in files_below(path).files):
        videos = videos_in(path)
        names = distinct_names([video.relative_to(path) for video in videos])
        return {name: str(video) for name, video in zip(names, videos, strict=True)}
    return {path.absolute().stem: source}  # a video, or a folder of pictures


@main("predict")
def run(cfg: DictConfig) -> None:
    """Compose, instantiate, run."""
    check_whole(cfg, "longest", 16)
    hysteresis: Hysteresis = instantiate(cfg.hysteresis, _convert_="all")
    extractor: Extractor = instantiate(cfg.extractor, _convert_="all")
    output = Path(str(cfg.output_dir)).expanduser()
    every, failed = sources(str(cfg.source)), list[str]()
    recognizer = OnlineRecognizer.from_pretrained(
        str(cfg.model), hysteresis, skeleton=SKELETON, max_people=cfg.max_people, trust=cfg.trust or ()
    )
    if warning := streaming_warning(recognizer.spec):
        log.warning("%s", warning)
    for name, source in every.items():
        try:
            stream = open_stream(source, cfg.longest, cfg.picture_fps)
            summary = predict(stream, extractor, recognizer.fresh(), output / name, cfg.video)
        except SetupError:
            raise  # so would every other
        except Exception as error:  # an unexpected error in one video must not end the others
            if len(every) > 1:
                failed.append(_reason(source, error))
                log.warning("left out: %s", failed[-1])
                log.debug("", exc_info=True)
                continue
            if isinstance(error, ActrecError):
                raise type(error)(_reason(source, error)) from None
            raise
        log.info("%s: %s", output / name, summary)
        if summary.interrupted:
            raise KeyboardInterrupt
    if failed:
        listed = "".join(f"\n  {each}" for each in failed)
        raise ActrecError(f"{len(failed)} of {len(every)} videos could not be read:{listed}")


def _reason(source: str, error: Exception) -> str:
    """Formats the source and why it failed, with the exception's name where it is unexpected."""
    text = str(error) if isinstance(error, ActrecError) else f"{type(error).__name__}: {error}"
    return text if source in text else f"{source}: {text}"


if __name__ == "__main__":
    run()
