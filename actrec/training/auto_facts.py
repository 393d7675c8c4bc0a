"""Finds what the values `auto` of a training's config depend on."""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from hydra.utils import instantiate
from omegaconf import DictConfig

from actrec.data.saved_split import group_of
from actrec.types import NONE, ActrecError


@dataclass(frozen=True)
class Facts:
    """What the values `auto` depend on.

    Attributes:
        counts: Number of training clips of each class, about; val is among them.
        groups: Number of groups of the class that has fewest, in train and val.
        n_frames: Median length of a clip.
        fps: Median frame rate.
        long: Whether some clips are longer than an action: they have segments, or no action.
        skeleton: The most frequent joint layout.
        n_coordinates: Number of coordinates of the joints: 2 or 3.
    """

    counts: Mapping[str, int]
    groups: int
    n_frames: float | int
    fps: float | int
    long: bool
    skeleton: str
    n_coordinates: int

    @property
    def n_clips(self) -> int:
        return sum(self.counts.values())

    def __str__(self) -> str:
        least, most = min(self.counts.values()), max(self.counts.values())
        each = f"{least}" if least == most else f"{least} to {most}"
        return (
            f"about {self.n_clips} training clips of {len(self.counts)} classes, {each} of each, of "
            f"{self.n_frames / self.fps:.1f} s (median) at {self.fps:g} frames a second"
        )


def find_facts(cfg: DictConfig) -> Facts:
    """Loads the clips of a training's config and looks at those of train and val.

    The split is not drawn yet, so that clips and groups of test are taken off by its share.

    Raises:
        ActrecError: The clips cannot be loaded, or there are none.
    """
    clips = instantiate(cfg.data.dataset, mix=None, _convert_="all").clips
    clips = [clip for clip in clips if clip.segments or clip.label not in (cfg.dataset.exclude_labels or ())]
    official = cfg.split.protocol != "grouped" and any(clip.split == "train" for clip in clips)
    kept = [clip for clip in clips if clip.split in ("train", "val") or not official]
    if not kept:
        raise ActrecError("There are no clips to train on.")
    share = 1.0 if official else 1 - cfg.split.test_share
    most = cfg.split.clips_per_class or math.inf
    groups: dict[str, set[str]] = {}
    for clip in kept:
        groups.setdefault(clip.label, set()).add(group_of(clip))
    return Facts(
        {label: int(min(math.ceil(share * n), most)) for label, n in Counter(clip.label for clip in kept).items()},
        int(min(math.ceil(share * min(map(len, groups.values()))), most)),
        statistics.median(map(len, kept)),
        statistics.median(clip.fps for clip in kept),
        any(clip.segments or clip.label == NONE for clip in kept),
        Counter(clip.skeleton for clip in kept).most_common(1)[0][0],
        kept[0].n_coordinates,
    )
