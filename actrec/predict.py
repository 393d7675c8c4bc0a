"""Recognises the actions in videos or keypoints: `python -m actrec.predict model=… source=video.mp4`."""

from __future__ import annotations

import logging
import re
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import chain
from pathlib import Path
from threading import Event
from typing import Any

from hydra.utils import instantiate
from omegaconf import DictConfig
from tqdm import tqdm

from actrec.config import check_whole, main
from actrec.data.sources.folders import distinct_names, files_below, videos_in
from actrec.live.keypoints import ReadClip, clips_in, recognize_clip, stream_of
from actrec.live.results import Summary, write_results
from actrec.live.stream import RecognizedFrame, Stream, open_stream, recognize
from actrec.live.tracking import TrackingRecognizer
from actrec.model.spec import ModelSpec, load_spec
from actrec.online.hysteresis import Hysteresis
from actrec.online.inputs import check_takes_pictures
from actrec.online.recognizer import OnlineRecognizer
from actrec.online.train_serve_skew import streaming_warning
from actrec.types import ActrecError, SetupError
from actrec.video.camera import is_stream
from actrec.video.extraction import Extractor
from actrec.video.people import SKELETON
from actrec.video.video import is_video

log = logging.getLogger("actrec.predict")  # run as a script, __name__ is __main__

Begin = Callable[[Event], Iterator[RecognizedFrame]]


@contextmanager
def _stopped_by_interrupt() -> Iterator[Event]:
    """Gives an event that Ctrl-C sets, so that files can be completed; a second Ctrl-C interrupts at once."""
    stopped = Event()

    def stop(_number: int, _frame: Any) -> None:
        stopped.set()
        signal.signal(signal.SIGINT, before)

    before = signal.signal(signal.SIGINT, stop)
    try:
        yield stopped
    finally:
        signal.signal(signal.SIGINT, before)


def predict(
    stream: Stream, begin: Begin, recognizer: OnlineRecognizer, folder: Path, with_video: bool
) -> tuple[Summary, bool]:
    """Writes the results of a stream, see `write_results`; Ctrl-C ends it after a frame, with complete files.

    Args:
        begin: Starts recognition, which the event ends.

    Returns the summary, and whether Ctrl-C ended the stream.

    Raises:
        ActrecError: No frame can be decoded, or the stream is damaged further on; no file is written then.
        KeyboardInterrupt: Ctrl-C came before the first frame; no file is written then.
    """
    with _stopped_by_interrupt() as stopped:
        frames = begin(stopped)
        first = next(frames, None)
        if first is None and stopped.is_set():
            raise KeyboardInterrupt
        if first is None:
            raise ActrecError("not one frame of it can be decoded.")
        shown = tqdm(chain([first], frames), folder.name, stream.n_frames, unit="frame", disable=None)
        return write_results(folder, iter(shown), stream, recognizer, with_video), stopped.is_set()


def sources(source: str) -> dict[str, str]:
    """Lists the videos of a folder, or the source itself, by the name of the folder for their results."""
    if is_stream(source):
        return {re.sub(r"[^\w.]+", "_", source).strip("_."): source}
    path = Path(source).expanduser()
    if path.is_dir() and any(is_video(file) for file in files_below(path).files):
        videos = videos_in(path)
        names = distinct_names([video.relative_to(path) for video in videos])
        return {name: str(video) for name, video in zip(names, videos, strict=True)}
    return {path.absolute().stem: source}  # a video, or a folder of pictures


def clips_of(cfg: DictConfig, spec: ModelSpec) -> dict[str, ReadClip]:
    """Lists the clips of keypoints of the source, see `clips_in`; none if it has videos or pictures."""
    if is_stream(str(cfg.source)):
        return {}
    layout = spec.pipeline.skeleton.name if cfg.skeleton is None else str(cfg.skeleton)
    return clips_in(Path(str(cfg.source)).expanduser(), layout, float(cfg.fps))


def _opened(
    source: str | ReadClip, cfg: DictConfig, extractor: Extractor, recognizer: OnlineRecognizer
) -> tuple[Stream, Begin]:
    """Opens a stream of pictures, or reads a clip of keypoints."""
    if not isinstance(source, str):
        clip = recognizer.spec.pipeline.to_skeleton(source())
        return stream_of(clip), partial(recognize_clip, clip, recognizer)
    stream = open_stream(source, cfg.longest, cfg.picture_fps)
    return stream, partial(recognize, stream, extractor.pose, TrackingRecognizer(recognizer, stream.fps))


@main("predict")
def run(cfg: DictConfig) -> None:
    """Recognises each source and writes its results; a source that fails does not end the others."""
    check_whole(cfg, "longest", 16)
    hysteresis: Hysteresis = instantiate(cfg.hysteresis, _convert_="all")
    extractor: Extractor = instantiate(cfg.extractor, _convert_="all")
    output = Path(str(cfg.output_dir)).expanduser()
    spec, failed = load_spec(str(cfg.model)), list[str]()
    clips = clips_of(cfg, spec)
    every: dict[str, str | ReadClip] = {**(clips or sources(str(cfg.source)))}
    if not clips and (is_stream(str(cfg.source)) or Path(str(cfg.source)).expanduser().exists()):
        check_takes_pictures(spec)
    layout, trust = None if clips else SKELETON, cfg.trust or ()
    recognizer = OnlineRecognizer.from_pretrained(
        str(cfg.model), hysteresis, skeleton=layout, max_people=cfg.max_people, trust=trust
    )
    if warning := streaming_warning(recognizer.spec):
        log.warning("%s", warning)
    for name, source in every.items():
        try:
            stream, begin = _opened(source, cfg, extractor, fresh := recognizer.fresh())
            summary, interrupted = predict(stream, begin, fresh, output / name, cfg.video)
        except SetupError:
            raise  # it would end every other source too
        except Exception as error:  # an unexpected error in one video must not end the others
            reason = _reason(source if isinstance(source, str) else name, error)
            if len(every) > 1:
                failed.append(reason)
                log.warning("left out: %s", reason)
                log.debug("", exc_info=True)
                continue
            if isinstance(error, ActrecError):
                raise type(error)(reason) from None
            raise
        log.info("%s\n  %s%s", output / name, summary, "; interrupted" if interrupted else "")
        if interrupted:
            raise KeyboardInterrupt
    if failed:
        listed = "".join(f"\n  {each}" for each in failed)
        raise ActrecError(f"{len(failed)} of {len(every)} {'clips' if clips else 'videos'} could not be read:{listed}")


def _reason(source: str, error: Exception) -> str:
    """Formats the source and why it failed, with the exception's name where it is unexpected."""
    text = str(error) if isinstance(error, ActrecError) else f"{type(error).__name__}: {error}"
    return text if source in text else f"{source}: {text}"


if __name__ == "__main__":
    run()
