"""Draws skeletons over a video (`python -m actrec.view source=video.mp4`), or a store (`source=data/ucf101`).

Bodies of three dimensions are seen obliquely from above; in a video of a store, the camera goes about them.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from hydra.utils import instantiate
from omegaconf import DictConfig
from tqdm import tqdm

from actrec.config import check_whole, main, no_value
from actrec.data.store.reading import MANIFEST, read_store
from actrec.drawing.colors import GREY
from actrec.drawing.frames import draw_skeleton, write_video
from actrec.drawing.moving import RATE, moving_clips
from actrec.evaluation.samples import typical_clips
from actrec.report.poses import CONTACTS, contact_sheet
from actrec.skeleton import get_skeleton
from actrec.types import ActrecError, Picture
from actrec.video.extraction import Extractor
from actrec.video.people import SKELETON, PeopleBuffer, scaled_keypoints
from actrec.video.video import open_video

log = logging.getLogger(__name__)

FILMED = 12  # clips in a video of a store


def view_video(source: Path, output: Path, extractor: Extractor, longest: int, picture_fps: float = 30.0) -> None:
    """Writes a video with skeletons drawn over it: in colours those that `prepare` would keep, all others in grey.

    `longest` is the longer side of the written video at most; `picture_fps` the frame rate of a folder of pictures.

    Raises:
        ActrecError: The video cannot be read, or nobody is found in it.
    """
    try:
        video = open_video(source, picture_fps)
        bar = tqdm(extractor.people(video), "pose", video.about_frames, unit="frame", disable=None)
        people = PeopleBuffer(iter(bar))
        chosen = extractor.choose(video, people)
    except ActrecError as error:
        raise type(error)(f"{source}: {error}") from None
    skeleton = get_skeleton(SKELETON)

    def frames() -> Iterator[tuple[float, Picture]]:
        for number, (time, decoded) in enumerate(video.frames(longest)):
            picture = np.array(decoded)
            scale = picture.shape[1] / video.width, picture.shape[0] / video.height
            for keypoints in people[number].scaled(*scale).keypoints:
                draw_skeleton(picture, keypoints, skeleton, GREY)
            for track in chosen:
                draw_skeleton(picture, scaled_keypoints(track[number], *scale), skeleton)
            yield time, picture

    count = write_video(output, frames(), video.fps)
    found = ", ".join(f"{np.mean((track[..., -1] > 0).any(1)):.0%}" for track in chosen)
    log.info("%s: %d frames at %.3f a second; kept: %d (found in %s).", output, count, video.fps, len(chosen), found)


def view_store(source: Path, output: Path) -> None:
    """Draws all clips of a store on contact sheets of 30 clips; from the second on, names have a number."""
    clips = read_store(source)
    output.parent.mkdir(parents=True, exist_ok=True)
    for first in range(0, len(clips), CONTACTS):
        number = first // CONTACTS + 1
        file = output if number == 1 else output.with_name(f"{output.stem}-{number}{output.suffix}")
        contact_sheet(clips[first : first + CONTACTS], with_ids=True).savefig(file, dpi=100)
        log.info("%s: clips %d to %d of %d", file, first + 1, min(first + CONTACTS, len(clips)), len(clips))


def film_store(source: Path, output: Path) -> None:
    """Writes a video with a clip of each class of a store, of the first twelve classes; see `moving_clips`."""
    clips = read_store(source)
    shown = typical_clips(clips, sorted({clip.label for clip in clips}))[:FILMED]
    write_video(output, moving_clips(shown), RATE)
    log.info("%s: %d clips, one of a class", output, len(shown))


@main("view")
def run(cfg: DictConfig) -> None:
    """Checks the config, and draws a store or a video.

    Raises:
        ActrecError: A value of the config is missing or wrong.
    """
    if cfg.source is None:
        raise no_value("view", "source")
    check_whole(cfg, "longest", 16)
    source = Path(str(cfg.source)).expanduser()
    is_store = (source / MANIFEST).is_file()
    endings = (".png", ".mp4") if is_store else (".mp4",)
    default = Path("outputs/view") / f"{source.resolve().stem}{endings[0]}"
    output = default if cfg.output is None else Path(str(cfg.output)).expanduser()
    if output.suffix not in endings:
        raise ActrecError(f"output={output} should end in {' or '.join(endings)}.")
    if is_store:
        (film_store if output.suffix == ".mp4" else view_store)(source, output)
    else:
        view_video(source, output, instantiate(cfg.extractor, _convert_="all"), cfg.longest, cfg.picture_fps)


if __name__ == "__main__":
    run()
