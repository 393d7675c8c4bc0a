"""Searches hyperparameters with Optuna: each run of a sweep is a trial with suggested values."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from omegaconf import DictConfig, OmegaConf

from actrec.types import ActrecError, SetupError

_NUMBER = "number"  # attribute of a trial: its number in the sweep


@dataclass
class Trial:
    """A trial of the search."""

    values: dict[str, Any]  # that Optuna has chosen, by dotted key
    is_done: bool = False  # whether it was finished before the sweep was interrupted
    value: float | None = None  # the metric that the run has reached; set after its training

    def choose(self, cfg: DictConfig) -> None:
        """Sets the values in a config."""
        for key, value in self.values.items():
            OmegaConf.update(cfg, key, value)


@dataclass(frozen=True)
class Search:
    """A search for the config values that optimise a metric.

    Args:
        metric: A column of `history.csv`.
        direction: maximize or minimize.
        space: By dotted key: `{low, high}`, with `log: true` for a logarithmic scale, or `{choices}`.
        seed: Seed of the sampler.
    """

    metric: str
    direction: Literal["maximize", "minimize"]
    space: dict[str, dict[str, Any]]
    seed: int = 0

    @contextmanager
    def trial(self, folder: Path, number: int) -> Iterator[Trial]:
        """Yields the trial of this number from the study in a folder; an interrupted trial keeps its values."""
        try:
            import optuna
            from optuna.storages import JournalStorage
            from optuna.storages.journal import JournalFileBackend
        except ImportError:
            raise SetupError("The search needs Optuna, which is not installed: pip install 'actrec[search]'") from None
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        folder.mkdir(parents=True, exist_ok=True)
        study = optuna.create_study(
            study_name="actrec",
            storage=JournalStorage(JournalFileBackend(str(folder / "optuna.log"))),
            sampler=optuna.samplers.TPESampler(seed=self.seed + number),
            direction=self.direction,
            load_if_exists=True,
        )
        found = [each for each in study.get_trials() if each.user_attrs.get(_NUMBER) == number]
        if any(each.state.is_finished() and each.value is not None for each in found):
            yield Trial({}, is_done=True)
            return
        running = [each for each in found if not each.state.is_finished()]
        trial = optuna.trial.Trial(study, running[-1]._trial_id) if running else study.ask()
        trial.set_user_attr(_NUMBER, number)
        chosen = Trial({key: _suggest(trial, key, dict(space)) for key, space in self.space.items()})
        yield chosen
        study.tell(trial, chosen.value)


def _suggest(trial: Any, key: str, space: dict[str, Any]) -> Any:
    try:
        if "choices" in space:
            return trial.suggest_categorical(key, space["choices"])
        low, high = space.pop("low"), space.pop("high")
        kind = trial.suggest_int if isinstance(low, int) and isinstance(high, int) else trial.suggest_float
        return kind(key, low, high, **space)
    except (KeyError, TypeError, ValueError) as error:
        raise ActrecError(
            f"sweep.search.space.{key} cannot be searched ({error}); give low and high, or choices."
        ) from None
