"""Adds a class to a model from a few clips: `python -m actrec.enroll model=sport14 clips=FOLDER label=wave`."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

from hydra.utils import instantiate
from omegaconf import DictConfig

from actrec.config import main, no_value
from actrec.data.sources.arrays import ARRAYS
from actrec.data.sources.folders import files_below, videos_in
from actrec.data.store.reading import MANIFEST, read_store
from actrec.live.keypoints import read_clip
from actrec.model.copies import writable_copy, writable_folder
from actrec.model.spec import SHIPPED, find_model, load_spec
from actrec.online.enrolment import check_enrollable, check_label
from actrec.online.recognizer import OnlineRecognizer
from actrec.types import ActrecError, SkeletonSequence
from actrec.video.extraction import Extractor
from actrec.video.video import is_video

log = logging.getLogger("actrec.enroll")  # run as a script, __name__ is __main__

ExtractorMaker = Callable[[], Extractor]


@main("enroll")
def run(cfg: DictConfig) -> None:
    """Enrols or removes one class, and writes it into the model folder."""
    if cfg.clips is None and not cfg.remove:
        raise no_value("enroll", "clips", "label")
    model, label = find_model(str(cfg.model)), str(cfg.label)
    to = None if cfg.to is None else Path(str(cfg.to)).expanduser()
    spec = load_spec(model)  # for the error if it is no model
    if not cfg.remove:
        check_enrollable(spec)
    writable_folder(model, to)  # for its error before videos are read, which takes long
    recognizer = OnlineRecognizer.from_pretrained(model, trust=cfg.trust or ())
    if cfg.remove:
        recognizer.unenroll(label)
        found = f"{label} is removed"
    else:
        check_label(label, recognizer.labels)  # before videos are read too
        clips = read_clips(Path(str(cfg.clips)).expanduser(), label, cfg, lambda: instantiate(cfg.extractor))
        enrolment = recognizer.enroll(label, clips)
        found = str(enrolment)
        if warning := enrolment.warning():
            log.warning("%s", warning)
    folder = writable_copy(model, to)
    recognizer.save_enrolled(folder)
    if model.is_relative_to(SHIPPED) and to is None:
        log.info("%s comes with actrec and stays as it is. Its copy ./%s is what model=%s means here.", *3 * [folder])
    log.info("%s\n%s: now knows %s", found, folder, ", ".join(recognizer.labels))


def read_clips(path: Path, label: str, cfg: DictConfig, extractor: ExtractorMaker) -> list[SkeletonSequence]:
    """Reads the clips of a class: of a skeleton store those with its label, else all videos and arrays in a folder.

    Raises:
        ActrecError: There are none, or one is damaged.
    """
    if not path.exists():
        raise ActrecError(f"clips={path} does not exist. Give a folder of videos or arrays of keypoints, or a store.")
    if (path / MANIFEST).is_file():
        stored = read_store(path)
        clips = [clip for clip in stored if clip.label == label]
        if not clips:
            known = ", ".join(sorted({clip.label for clip in stored}))
            raise ActrecError(f"The store {path} has no clips of '{label}'. Its labels are: {known}.")
        return clips
    files = sorted(files_below(path).files) if path.is_dir() else [path]
    arrays = [file for file in files if file.suffix.lower() in ARRAYS]
    clips = [read_clip(file, str(cfg.skeleton), cfg.fps) for file in arrays]
    if any(is_video(file) for file in files):
        made = extractor()
        clips += [_video(made, file, float(cfg.fps)) for file in (videos_in(path) if path.is_dir() else [path])]
    if not clips:
        raise ActrecError(f"There are no videos and no arrays (.npy, .npz) in {path}.")
    return clips


def _video(extractor: Extractor, file: Path, picture_fps: float) -> SkeletonSequence:
    if extractor.person == "all":
        raise ActrecError("person=all gives several people a video; an enrolled clip shows one. Use person=main.")
    try:
        found: SkeletonSequence = extractor(file, None, picture_fps)[0]
    except ActrecError as error:
        raise type(error)(f"{file}: {error}") from None
    return found


if __name__ == "__main__":
    run()
