"""Evaluates a model folder on a data set: `python -m actrec.evaluate model=… dataset=… store=…`."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

import lightning as L
import numpy as np
import torch
from hydra.utils import instantiate
from lightning.fabric.utilities.exceptions import MisconfigurationException
from omegaconf import DictConfig, OmegaConf

from actrec.checkpoint import load_model
from actrec.config import check_whole, main
from actrec.data.load import load_clips
from actrec.data.split import Split
from actrec.online.judge import judge_online, online_summary
from actrec.online.recognizer import OnlineRecognizer
from actrec.online.torch_backend import make_engine
from actrec.results import judge, summary, write_results
from actrec.run import free_folder, log_to
from actrec.spec import ModelSpec, load_spec
from actrec.types import ActrecError, SkeletonSequence

log = logging.getLogger("actrec.evaluate")  # run as a script, __name__ is __main__


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
        keypoints = clip.keypoints.copy()
        keypoints[:, rng.choice(n_joints, count, replace=False)] = 0
        hidden.append(replace(clip, keypoints=keypoints))
    return hidden


def _split(cfg: DictConfig, spec: ModelSpec) -> Split:
    """The split asked for; by default the model's own, so that it is not judged on clips that it was trained on."""
    if cfg.split is None:
        return Split(**spec.split) if spec.split else Split(cfg.dataset.split)
    if spec.split and cfg.split != spec.split["protocol"]:
        log.warning(
            "The model was trained with the split '%s': with '%s' it may be judged on clips that it was trained on.",
            spec.split["protocol"],
            cfg.split,
        )
    return Split(cfg.split)


def _part(cfg: DictConfig, spec: ModelSpec, clips: list[SkeletonSequence]) -> list[SkeletonSequence]:
    if cfg.part == "all":
        return clips
    split = _split(cfg, spec)
    if cfg.part == "test" and split.protocol == "official":
        split = replace(split, val_share=0.0)  # test is what it is, be there clips enough for val or not
    parts = split(clips)
    if cfg.part not in parts:
        raise ActrecError(f"There is no part '{cfg.part}'. Choose one of: {', '.join(parts)}, all.")
    return parts[cfg.part]


def _device(accelerator: str) -> torch.device:
    try:
        return L.Fabric(accelerator=accelerator, devices=1).device
    except (MisconfigurationException, ValueError) as error:
        raise ActrecError(f"hardware does not fit this machine: {str(error).splitlines()[0]}") from error


def evaluate(cfg: DictConfig) -> Path:
    """Figures, predictions and report of a model on a split.

    Args:
        cfg: A composed `evaluate` config.

    Returns:
        The folder that they are in.

    Raises:
        ActrecError: Model, store or split is not right.
    """
    for name, least in {"unseen_joints": 0, "seed": 0, "batch_size": 1}.items():
        check_whole(cfg, name, least)
    spec = load_spec(cfg.model)
    network = load_model(cfg.model).to(_device(cfg.hardware.accelerator))
    dataset = cfg.dataset
    importer, label_map = (instantiate(node, _convert_="all") for node in (dataset.importer, dataset.label_map))
    every = load_clips(cfg.store, dataset.name, importer, label_map, dataset.skeleton)
    kept = [clip for clip in every if clip.label not in dataset.exclude_labels]
    clips = [spec.pipeline.map(clip) for clip in _part(cfg, spec, kept)]
    clips = hide_random_joints(clips, cfg.unseen_joints, cfg.seed)
    folder = free_folder(cfg.output_dir, "evaluate")
    results = judge(network, spec, clips, cfg.batch_size)
    if cfg.online:
        recognizer = OnlineRecognizer(spec, make_engine(network.cpu(), spec), instantiate(cfg.hysteresis))
        results.metrics["online"] = judge_online(recognizer, clips)
    folder.mkdir(parents=True, exist_ok=True)
    with log_to(folder / "evaluate.log"):
        page = write_results(
            folder,
            results,
            title=f"{Path(cfg.model).name}: {spec.network} on {cfg.dataset.name}, {cfg.part}",
            config=OmegaConf.to_yaml(cfg, resolve=True),
            facts={"model": str(cfg.model), "unseen joints": str(cfg.unseen_joints)},
        )
        if cfg.online:
            log.info("Online: %s", online_summary(results.metrics["online"]))
        log.info("%s. Look at %s", summary(results), page)
    return folder


@main("evaluate")
def run(cfg: DictConfig) -> None:
    evaluate(cfg)


if __name__ == "__main__":
    run()
