"""The rules by which the values `auto` of a training's config follow from its data.

They were chosen on parts of training splits that were held out, see docs/results.md.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

from omegaconf import DictConfig, OmegaConf

from actrec.data.synthetic.clips import ACTIONS
from actrec.model.spec import load_spec
from actrec.model.transfer import differing_option
from actrec.training.auto_facts import Facts
from actrec.types import ActrecError

Rule = Callable[[Facts, DictConfig], tuple[Any, str]]  # gives the value, and why

_START = "sport14"  # the model to start from
_STREAM_FPS = 15  # frames a second, as in _START
_LONGEST = 32  # frames of a window
_LEAST_VAL = 15  # groups of the rarest class from which on val is given a share
_UNEVEN = 3  # times as many clips in the largest class as in the smallest, from which on classes are balanced
_FEW = 50  # clips of a class up to which generated ones are added
_HAVE_CAUSAL = ("actrec.network.infogcn.InfoGCN", "actrec.network.transformer.Transformer")
_SIDES = re.compile(r"(^|[_\W])(left|right)([_\W]|$)", re.IGNORECASE)


def _is_stream(cfg: DictConfig) -> bool:
    if cfg.judge not in ("clips", "stream", None):
        raise ActrecError(f"judge is {cfg.judge!r}; expected auto, clips or stream.")
    return bool(cfg.judge == "stream")


def _is_graph(cfg: DictConfig) -> bool:
    return str(cfg.network._target_).endswith(".InfoGCN")


def _by_judge(clips: Any, stream: Any) -> Rule:
    """Makes a rule that depends on what is judged alone."""
    return lambda facts, cfg: (stream if _is_stream(cfg) else clips, f"judge={cfg.judge}")


def _judge(facts: Facts, cfg: DictConfig) -> tuple[Any, str]:
    if facts.long:
        return "stream", "some clips have segments or no action"
    return "clips", "every clip shows one action; judge=stream trains for cameras and long videos"


def _window(facts: Facts, cfg: DictConfig) -> tuple[Any, str]:
    if _is_stream(cfg):
        return _LONGEST, f"{_LONGEST / (cfg.preprocess.fps or facts.fps):.1f} s of a stream"
    length = min(max(8 * round(facts.n_frames / 8), 16), _LONGEST)
    what = f"clips have {facts.n_frames:g} frames (median), and are resampled to this many"
    return length, f"{what}; more cost time" if length == _LONGEST else what


def _skeleton(facts: Facts, cfg: DictConfig) -> tuple[Any, str]:
    return facts.skeleton, "the joint layout of the clips"


def _init(facts: Facts, cfg: DictConfig) -> tuple[Any, str]:
    if facts.n_coordinates == 3:
        return None, f"the clips have x, y and z, and {_START} has x and y alone"
    network: Any = OmegaConf.to_container(cfg.network, resolve=True)
    features: Any = OmegaConf.to_container(cfg.features, resolve=True)
    other = differing_option(network, features, load_spec(_START))
    if other:
        return None, f"{_START} has another {other}, so the training starts from random weights"
    return _START, "the model that comes with actrec; joints are matched by name"


def _generated(facts: Facts, cfg: DictConfig) -> tuple[Any, str]:
    if facts.n_coordinates == 3:
        return 0, "the clips have x, y and z, and generated ones have x and y alone"
    few = [label for label, count in facts.counts.items() if label in ACTIONS and count < _FEW]
    if not few:
        return 0, f"no class that the generator knows has fewer than {_FEW} clips"
    return 20, f"the generator knows {', '.join(few)}"


def _val_share(facts: Facts, cfg: DictConfig) -> tuple[Any, str]:
    if facts.groups < _LEAST_VAL:
        return (
            0.0,
            f"the rarest class has {facts.groups} groups to train on, too few to give some away; nothing needs val",
        )
    return 0.1, "to watch the training; nothing is chosen by it"


def _counts(facts: Facts, cfg: DictConfig) -> list[int]:
    """Returns the number of training clips of each class, with generated ones."""
    return [count + (label in ACTIONS) * int(cfg.mix.generated) for label, count in facts.counts.items()]


def _sampler(facts: Facts, cfg: DictConfig) -> tuple[Any, str]:
    least, most = min(_counts(facts, cfg)), max(_counts(facts, cfg))
    what = f"classes have {least} to {most} clips{', generated ones included' if cfg.mix.generated else ''}"
    return ("balanced", what) if most > _UNEVEN * least else ("natural", f"{what}, which is even enough")


def _batch_size(facts: Facts, cfg: DictConfig) -> tuple[Any, str]:
    return (16, "many small steps suit few clips") if _is_graph(cfg) else (32, "the baseline's")


def _steps(facts: Facts, cfg: DictConfig) -> int:
    """Returns the number of optimiser steps: it grows with the square root of the number of clips."""
    steps = min(max(50 * math.sqrt(facts.n_clips), 300), 2000)
    return round(steps if _is_graph(cfg) else 3 * steps)


def _epochs(facts: Facts, cfg: DictConfig) -> tuple[Any, str]:
    steps, n_items = _steps(facts, cfg), sum(_counts(facts, cfg))
    epochs = max(round(steps * cfg.batch_size / n_items), 1)
    return epochs, f"about {steps} steps of {cfg.batch_size} clips"


def _warmup(facts: Facts, cfg: DictConfig) -> tuple[Any, str]:
    return round(0.05 * cfg.epochs, 2), "a twentieth of the training"


def _val_every(facts: Facts, cfg: DictConfig) -> tuple[Any, str]:
    if not cfg.split.val_share:
        return 1, "without effect, since there is no val"
    return max(cfg.epochs // 10, 1), "about ten times in the training"


def _average(facts: Facts, cfg: DictConfig) -> tuple[Any, str]:
    steps = max(cfg.epochs * sum(_counts(facts, cfg)) / cfg.batch_size, 1)
    return round(max(1 - 25 / steps, 0.8), 4), "the average of the weights is over the last twenty-fifth"


def _rate(facts: Facts, cfg: DictConfig) -> tuple[Any, str]:
    if not _is_graph(cfg):
        return 1e-3, "the baseline's"
    return (1.5e-3, f"init={cfg.init}") if cfg.init else (2.5e-3, "random weights at first")


def _causal(facts: Facts, cfg: DictConfig) -> tuple[Any, str]:
    if str(cfg.network._target_) not in _HAVE_CAUSAL:
        return None, "left out, since other networks may not have it"
    return _by_judge(False, True)(facts, cfg)


def _mirror(facts: Facts, cfg: DictConfig) -> tuple[Any, str]:
    sided = [label for label in facts.counts if _SIDES.search(label)]
    if sided:
        return 0.0, f"'{sided[0]}' names a side"
    return 0.5, "no label names a side"


# Keys that are taken out of the config if they become null: arguments that not every network and window rule has.
ABSENT = ("network.causal", "windows.p_interval_train", "windows.p_interval_val")
RULES: dict[str, Rule] = {
    "judge": _judge,
    "skeleton": _skeleton,
    "preprocess.mode": _by_judge("offline", "causal"),
    "preprocess.fps": _by_judge(None, _STREAM_FPS),
    "windows._target_": _by_judge("actrec.pipeline.windows.ResizeWindows", "actrec.pipeline.windows.AnchoredWindows"),
    "windows.length": _window,
    "windows.p_interval_train": _by_judge([1.0], None),
    "windows.p_interval_val": _by_judge([1.0], None),
    "network.causal": _causal,
    "objective.pooled": _by_judge(True, False),
    "decision": _by_judge("mean", "last"),
    "augmentation.temporal_crop.p": _by_judge(0.0, 0.6),
    "augmentation.mirror.p": _mirror,
    "init": _init,
    "mix.generated": _generated,
    "split.val_share": _val_share,
    "sampler": _sampler,
    "batch_size": _batch_size,
    "base_lr": _rate,
    "epochs": _epochs,
    "warmup_epochs": _warmup,
    "val_every": _val_every,
    "ema_decay": _average,
}
