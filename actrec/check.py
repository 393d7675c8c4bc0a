"""Checks data and says what is wrong with it: `python -m actrec.check store=data/ucf101`, or `dataset=csv raw=…`.

The exit status is 0 with notes at most, 2 with a warning and 3 with an error in the data.
"""

from __future__ import annotations

import logging
import shlex
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from hydra.core.hydra_config import HydraConfig
from hydra.utils import instantiate
from omegaconf import DictConfig

from actrec.config import check_whole, main, no_value
from actrec.data.build_store import prepare
from actrec.data.check.checks import check_clips
from actrec.data.check.plane import in_plane
from actrec.data.check.text import report_text
from actrec.data.clips import load_clips
from actrec.data.sources.csv_files import read_records
from actrec.data.sources.importer import ClipGenerator
from actrec.data.store.actions import actions_of
from actrec.data.store.reading import build_command, iterate_store
from actrec.data.store.writing import REJECTED
from actrec.report.check_page import write_check
from actrec.types import ActrecError, SkeletonSequence

_OWN = ("output=", "window=")  # what actrec.prepare does not have

log = logging.getLogger("actrec.check")  # run as a script, __name__ is __main__


class Loaded(NamedTuple):
    """The clips to check.

    Attributes:
        name: The store or data set.
        unreadable: Ids or files of clips that cannot be read, and the reasons.
        command: The command that makes the store again.
    """

    name: str
    clips: list[SkeletonSequence]
    unreadable: list[tuple[str, str]]
    command: str


def load(cfg: DictConfig) -> Loaded:
    """Loads the clips of a store, of a raw folder, or of a generator."""
    if cfg.store is not None and cfg.raw is not None:
        raise ActrecError("store and raw are both given. Give store=… for a skeleton store, or raw=… and dataset=….")
    if cfg.store is not None:
        return _of_store(Path(str(cfg.store)).expanduser())
    dataset = cfg.get("dataset")
    if dataset is None:
        raise no_value("check", "store") if cfg.raw is None else no_value("prepare", "dataset", "raw")
    importer = instantiate(dataset.importer, _convert_="all")
    label_map = instantiate(dataset.label_map, _convert_="all")
    if cfg.raw is None:
        if not isinstance(importer, ClipGenerator):
            raise no_value("prepare", "raw")
        clips = load_clips(None, dataset.name, importer, label_map, dataset.skeleton)
        return Loaded(dataset.name, clips, [], _prepare_command())
    raw = Path(str(cfg.raw))
    with tempfile.TemporaryDirectory() as folder:
        store, logger = Path(folder) / "store", logging.getLogger("actrec.data")
        level = logger.level
        logger.setLevel(logging.ERROR)  # the report says it all
        try:
            summary = prepare(dataset.name, raw, store, importer, label_map, dataset.skeleton, max_rejected=1.0)
        except ActrecError:
            if not (store / REJECTED).is_file():
                raise
            rejected = [(row["file"], row["reason"]) for _, row in read_records(store / REJECTED)[1]]  # all clips
            return Loaded(str(raw), [], rejected, _prepare_command())
        finally:
            logger.setLevel(level)
        clips = list(iterate_store(store))
    return Loaded(str(raw), clips, list(summary.rejected.items()), _prepare_command())


def _prepare_command() -> str:
    """Returns the command that makes a store of the same data."""
    given = [each for each in HydraConfig.get().overrides.task if not each.startswith(_OWN)]
    return shlex.join(["python", "-m", "actrec.prepare", *given])


def _of_store(store: Path) -> Loaded:
    unreadable: list[tuple[str, str]] = []
    clips = list(iterate_store(store, damaged=lambda name, error: unreadable.append((name, str(error)))))
    return Loaded(str(store), clips, unreadable, build_command(store))


@main("check")
def run(cfg: DictConfig) -> None:
    """Checks the clips, prints what is wrong, and writes the report."""
    check_whole(cfg, "window", 2)
    loaded = load(cfg)
    actions = list(actions_of(loaded.clips))
    result = check_clips(actions, window=cfg.window, unreadable=loaded.unreadable)
    print(report_text(result, loaded.command, loaded.name))
    folder = Path("outputs/check") / Path(loaded.name).resolve().name if cfg.output is None else Path(str(cfg.output))
    page = write_check(folder.expanduser(), result, list(map(in_plane, actions)), loaded.name, loaded.command)
    print(f"Look at {page}")
    if result.exit_status:
        sys.exit(result.exit_status)


if __name__ == "__main__":
    run()
