"""Evaluates a model folder on a store: `python -m actrec.evaluate model=… dataset=… store=…`."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import torch
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf

from actrec.checkpoint import load_model, load_spec
from actrec.config import main
from actrec.data.store import read_store
from actrec.evaluation import hide_joints
from actrec.results import judge, summary, write_results
from actrec.run import log_to, new_folder
from actrec.types import ActrecError, SkeletonSequence

log = logging.getLogger(__name__)


def hide_random_joints(clips: list[SkeletonSequence], count: int, seed: int) -> list[SkeletonSequence]:
    """The clips with `count` joints of each unseen throughout, drawn anew for each clip.

    Raises:
        ActrecError: A clip does not have that many joints.
    """
    rng, hidden = np.random.default_rng(seed), []
    for clip in clips:
        n_joints = clip.keypoints.shape[1]
        if not 0 <= count <= n_joints:
            raise ActrecError(f"unseen_joints is {count}; clip '{clip.clip_id}' has {n_joints} joints.")
        hidden.append(hide_joints(clip, rng.choice(n_joints, count, replace=False)))
    return hidden


def evaluate(cfg: DictConfig) -> Path:
    """Figures, predictions and report of a model on a split.

    Args:
        cfg: A composed `evaluate` config.

    Returns:
        The folder that they are in.

    Raises:
        ActrecError: Model, store or split is not right.
    """
    spec = load_spec(cfg.model)
    network = load_model(cfg.model).to("cuda" if torch.cuda.is_available() else "cpu")
    stored = read_store(cfg.store, cfg.dataset.name)
    splits = instantiate(cfg.split, _convert_="all")([c for c in stored if c.label not in cfg.dataset.exclude_labels])
    if cfg.part not in splits:
        raise ActrecError(f"There is no part '{cfg.part}' of a split. Choose one of: {', '.join(splits)}.")
    clips = [spec.pipeline.map(clip) for clip in splits[cfg.part]]
    clips = hide_random_joints(clips, cfg.unseen_joints, cfg.seed)
    results = judge(network, spec, clips, cfg.batch_size)
    folder = new_folder(cfg.output_dir, "evaluate")
    with log_to(folder / "evaluate.log"):
        page = write_results(
            folder,
            results,
            title=f"{Path(cfg.model).name}: {spec.network} on {cfg.dataset.name}, {cfg.part}",
            config=OmegaConf.to_yaml(cfg, resolve=True),
            facts={"model": str(cfg.model), "unseen joints": str(cfg.unseen_joints)},
        )
        log.info("%s. Look at %s", summary(results), page)
    return folder


@main("evaluate")
def run(cfg: DictConfig) -> None:
    evaluate(cfg)


if __name__ == "__main__":
    run()
