"""Evaluates a model folder, or several as one, on a data set: `python -m actrec.evaluate model=… dataset=… store=…`."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import lightning as L
import numpy as np
import torch
from hydra.utils import instantiate
from lightning.fabric.utilities.exceptions import MisconfigurationException
from omegaconf import DictConfig, OmegaConf

from actrec.config import check_whole, main, no_value
from actrec.data.clips import load_clips
from actrec.data.excluded_labels import excluded
from actrec.evaluation.clips import DataSet, choose
from actrec.evaluation.online import judge_online, online_summary
from actrec.evaluation.results import Voice, judge_fused, summary, write_results
from actrec.explain.explanation import explain
from actrec.model.folder import load_model
from actrec.model.spec import find_model, load_spec
from actrec.online.recognizer import OnlineRecognizer
from actrec.online.torch_backend import make_engine
from actrec.training.run import free_folder, kept_log, log_to
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


def _device(accelerator: str) -> torch.device:
    try:
        return L.Fabric(accelerator=accelerator, devices=1).device
    except (MisconfigurationException, ValueError) as error:
        raise ActrecError(f"hardware does not fit this machine: {str(error).splitlines()[0]}") from error


def _folders(cfg: DictConfig, name: bool = False) -> list[str]:
    """The model folders, or their names."""
    folders = [str(find_model(folder)) for folder in (cfg.models or [cfg.model])]
    return [Path(folder).name for folder in folders] if name else folders


def _voices(cfg: DictConfig) -> list[Voice]:
    """The models asked for.

    Raises:
        ActrecError: There is none, one cannot be loaded, or weights do not fit.
    """
    if cfg.model is None and not cfg.models:
        raise no_value("evaluate", "model")
    if cfg.model is not None and cfg.models:
        raise ActrecError("Give either model=… or models=[…,…].")
    folders, device = _folders(cfg), _device(cfg.hardware.accelerator)
    weights = [1.0] * len(folders) if cfg.weights is None else list(cfg.weights)
    if len(weights) != len(folders) or not all(isinstance(each, int | float) and each > 0 for each in weights):
        raise ActrecError(f"weights={weights} do not fit {len(folders)} models: give each a number above 0.")
    if cfg.online and len(folders) > 1:
        raise ActrecError("online=true is for one model.")
    if cfg.why and len(folders) > 1:
        raise ActrecError("why=true is for one model.")
    return [
        Voice(load_model(folder, cfg.trust or ()).to(device), load_spec(folder), weight)
        for folder, weight in zip(folders, weights, strict=True)
    ]


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
    voices = _voices(cfg)
    network, spec, _ = voices[0]
    dataset = cfg.dataset
    importer, label_map = (instantiate(node, _convert_="all") for node in (dataset.importer, dataset.label_map))
    every = load_clips(cfg.store, dataset.name, importer, label_map, dataset.skeleton)
    left_out = excluded(dataset.exclude_labels, {*(clip.label for clip in every), *label_map.names, *spec.labels})
    kept = [clip for clip in every if clip.label not in left_out]
    generated: Any = OmegaConf.to_container(dataset.importer, resolve=True) if cfg.store is None else None
    data = DataSet(kept, dataset.name, dataset.split, generated)
    with kept_log() as earlier:
        part = choose(data, [Path(folder) for folder in _folders(cfg)], spec, cfg.part, cfg.split)
    clips = [spec.pipeline.to_skeleton(clip) for clip in part]
    clips = hide_random_joints(clips, cfg.unseen_joints, cfg.seed)
    folder = free_folder(cfg.output_dir, "evaluate")
    results = judge_fused(voices, clips, cfg.batch_size)
    if cfg.why:
        log.info("Hiding joints, to see what decides …")
        results = replace(results, why=explain(network, spec, clips, cfg.batch_size))
    if cfg.online:
        recognizer = OnlineRecognizer(spec, make_engine(network.cpu(), spec), instantiate(cfg.hysteresis))
        results.metrics["online"] = judge_online(recognizer, clips)
    folder.mkdir(parents=True, exist_ok=True)
    with log_to(folder / "evaluate.log", earlier):  # each file is whole; the figures are there before any picture
        write_results(
            folder,
            results,
            title=f"{' + '.join(_folders(cfg, name=True))}: {spec.network_name} on {cfg.dataset.name}, {cfg.part}",
            config=OmegaConf.to_yaml(cfg, resolve=True),
            facts={"model": ", ".join(_folders(cfg)), "unseen joints": str(cfg.unseen_joints)},
        )
        if cfg.online:
            log.info("Online: %s", online_summary(results.metrics["online"]))
        if results.why and results.why.check:
            log.info("%s", results.why.check)
        log.info("%s. Look at %s", summary(results), folder / "report" / "index.html")
    return folder


@main("evaluate")
def run(cfg: DictConfig) -> None:
    evaluate(cfg)


if __name__ == "__main__":
    run()
