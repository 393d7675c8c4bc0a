"""Replaces the values `auto` of a training's config by what follows from its data, as `experiment=mine` needs it."""

from __future__ import annotations

from typing import Any

from omegaconf import DictConfig, OmegaConf, open_dict

from actrec.data.clips import check_generated
from actrec.training.auto_facts import find_facts
from actrec.training.auto_rules import ABSENT, RULES
from actrec.training.checks import check_config

AUTO = "auto"


def with_auto(cfg: DictConfig) -> tuple[DictConfig, list[str]]:
    """Returns a config whose values `auto` are replaced, and what they became and why; others are left as they are.

    Raises:
        ActrecError: A value that is not auto is out of range, the clips cannot be loaded, or there are none.
    """
    wanted = _wanted(cfg)
    if not wanted:
        return cfg, []
    check_given(cfg)
    cfg = cfg.copy()
    facts = find_facts(cfg)
    reasons: dict[str, list[str]] = {}
    for key in wanted:  # in the order of the rules, since later ones use what earlier ones chose
        value, why = RULES[key](facts, cfg)
        with open_dict(cfg):
            OmegaConf.update(cfg, key, value)
            if value is None and key in ABSENT:
                del OmegaConf.select(cfg, key.rpartition(".")[0])[key.rpartition(".")[2]]
        reasons.setdefault(why, []).append(f"{key}={_shown(value)}")
    told = [f"  {', '.join(values)}: {why}" for why, values in reasons.items()]
    return cfg, [f"Values of auto follow from the data: {facts}.", *told]


def _wanted(cfg: DictConfig) -> list[str]:
    """Lists the keys whose value is auto, in the order of the rules."""
    return [key for key in RULES if OmegaConf.select(cfg, key) == AUTO]


def check_given(cfg: DictConfig) -> None:
    """Raises an ActrecError for a value that is not auto and is out of range, see `check_config`."""
    given, wanted = cfg.copy(), _wanted(cfg)
    for key in wanted:
        if "." not in key:
            given[key] = 1  # in place of auto
    check_config(given)
    if "mix.generated" not in wanted:
        check_generated(OmegaConf.select(cfg, "mix.generated", default=0))


def _shown(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return "null" if value is None else str(value).lower()
    return f"{value:.4g}" if isinstance(value, float) else str(value)
