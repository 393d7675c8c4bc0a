"""The Hydra callback that summarises a sweep after its last run."""

from __future__ import annotations

import logging
import math
from pathlib import Path
from typing import Any

from hydra.experimental.callback import Callback
from omegaconf import DictConfig

from actrec.data.saved_split import SavedSplit
from actrec.sweep.runs import SweptRun
from actrec.sweep.summary import summarize

log = logging.getLogger(__name__)


class Summarize(Callback):
    """Writes and logs a sweep's summary after its last run."""

    def on_multirun_end(self, config: DictConfig, **kwargs: Any) -> None:
        """Called by Hydra after the last run."""
        folder = Path(config.sweep.folder)
        settings = summarize(folder)
        for setting in settings:
            values = ", ".join(f"{key}={value}" for key, value in setting.values.items()) or "all"
            figures = f"accuracy {setting.accuracy:.4f} ({setting.low:.4f} to {setting.high:.4f})"
            log.info("%s: %s, val %.4f, %d runs", values, figures, setting.val_accuracy, len(setting.runs))
        if settings and math.isfinite(settings[0].val_accuracy):
            log.info("The best by val is in %s; the table in %s", folder / "model", folder / "summary.csv")
        elif settings:
            log.warning("No run was validated, so none is the best by val. The table is in %s", folder / "summary.csv")
        if len({_clip_ids(run) for setting in settings for run in setting.runs} - {None}) > 1:
            log.warning("The runs were not trained on the same clips: the store has changed between them.")


def _clip_ids(run: SweptRun) -> frozenset[str] | None:
    """Returns the ids of all clips of a run's split; None for a run of an earlier version, which saved none."""
    saved = SavedSplit.read(run.folder)
    return None if saved is None else saved.clip_ids
