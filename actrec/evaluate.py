"""Evaluates a model folder, or an ensemble of several: `python -m actrec.evaluate model=… dataset=… store=…`."""

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
from actrec.data.clips import DataSet, found_labels, load_clips, whole_sessions, without_labels
from actrec.data.excluded_labels import excluded
from actrec.data.store.actions import trimmed
from actrec.data.synthetic.sessions import SyntheticSessions
from actrec.evaluation.clip_selection import select_clips
from actrec.evaluation.online import evaluate_online, online_summary
from actrec.evaluation.people import check_people
from actrec.evaluation.results import EnsembleMember, evaluate_ensemble
from actrec.evaluation.sessions import Motions
from actrec.explain.explanation import explain
from actrec.model.folder import load_model
from actrec.model.spec import ModelSpec, find_model, load_spec
from actrec.online.recognizer import OnlineRecognizer
from actrec.online.torch_backend import make_engine
from actrec.report.page import write_report
from actrec.training.run import free_folder, kept_log, log_to
from actrec.types import NONE, ActrecError, SkeletonSequence

log = logging.getLogger("actrec.evaluate")  # run as a script, __name__ is __main__


def evaluate(cfg: DictConfig) -> Path:
    """Evaluates models on a split; writes metrics, predictions and a report into a folder, and returns it."""
    for name, least in {"unseen_joints": 0, "seed": 0, "batch_size": 1}.items():
        check_whole(cfg, name, least)
    check_people(cfg.people)
    members = _load_members(cfg)
    network, spec, _ = members[0]
    with kept_log() as earlier:
        whole = hide_random_joints(_load_clips(cfg, spec), cfg.unseen_joints, cfg.seed)
    clips = [clip for clip in trimmed(whole) if clip.label != NONE or NONE in spec.labels]
    sessions = whole_sessions(whole)
    folder = free_folder(cfg.output_dir, "evaluate")
    results, explanation = evaluate_ensemble(members, clips, cfg.batch_size, cfg.people), None
    if cfg.why:
        log.info("Measuring joint importance by occlusion …")
        explanation = explain(network, spec, clips, cfg.batch_size)
        results.metrics["why"] = explanation.figures()
    if cfg.online or (sessions and len(members) == 1):
        recognizer = OnlineRecognizer(spec, make_engine(network.cpu(), spec), instantiate(cfg.hysteresis))
        results = results.with_sessions(recognizer, sessions, _motions(cfg, sessions))
        if cfg.online:
            results.metrics["online"] = evaluate_online(recognizer.fresh(), clips)
    names = " + ".join(Path(each).name for each in _folders(cfg))
    folder.mkdir(parents=True, exist_ok=True)
    with log_to(folder / "evaluate.log", earlier):
        results.write(folder)
        page = write_report(
            folder / "report",
            results,
            title=f"{names}: {spec.network_name} on {cfg.dataset.name}, {cfg.split}",
            explanation=explanation,
            config=OmegaConf.to_yaml(cfg, resolve=True),
            facts={"model": ", ".join(_folders(cfg)), "unseen joints": str(cfg.unseen_joints)},
        )
        if cfg.online:
            log.info("Online: %s", online_summary(results.metrics["online"]))
        if results.sessions:
            log.info("Online: %s", results.online())
        if explanation and explanation.check:
            log.info("%s", explanation.check)
        log.info("%s. Look at %s", results, page)
    return folder


def _folders(cfg: DictConfig) -> list[str]:
    return [str(find_model(folder)) for folder in (cfg.models or [cfg.model])]


def _load_members(cfg: DictConfig) -> list[EnsembleMember]:
    if cfg.model is None and not cfg.models:
        raise no_value("evaluate", "model")
    if cfg.model is not None and cfg.models:
        raise ActrecError("Give either model=… or models=[…,…].")
    folders, device = _folders(cfg), _device(cfg.hardware.accelerator)
    weights = [1.0] * len(folders) if cfg.weights is None else list(cfg.weights)
    if len(weights) != len(folders) or not all(isinstance(each, int | float) and each > 0 for each in weights):
        raise ActrecError(f"weights={weights} do not fit {len(folders)} models: give each a number above 0.")
    for option in ("online", "why"):
        if cfg[option] and len(folders) > 1:
            raise ActrecError(f"{option}=true is for one model.")
    return [
        EnsembleMember(load_model(folder, cfg.trust or ()).to(device), load_spec(folder), weight)
        for folder, weight in zip(folders, weights, strict=True)
    ]


def _device(accelerator: str) -> torch.device:
    try:
        return L.Fabric(accelerator=accelerator, devices=1).device
    except (MisconfigurationException, ValueError) as error:
        raise ActrecError(f"hardware does not fit this machine: {str(error).splitlines()[0]}") from error


def _load_clips(cfg: DictConfig, spec: ModelSpec) -> list[SkeletonSequence]:
    dataset = cfg.dataset
    importer, label_map = (instantiate(node, _convert_="all") for node in (dataset.importer, dataset.label_map))
    clips = load_clips(cfg.store, dataset.name, importer, label_map, dataset.skeleton)
    left_out = excluded(dataset.exclude_labels, {*found_labels(clips), *label_map.names, *spec.labels})
    kept = [part for clip in clips if (part := without_labels(clip, left_out)) is not None]
    generated: Any = OmegaConf.to_container(dataset.importer, resolve=True) if cfg.store is None else None
    data = DataSet(dataset.name, kept, generated=generated)
    models = [Path(folder) for folder in _folders(cfg)]
    chosen = select_clips(data, models, spec, cfg.split, cfg.protocol, dataset.split)
    return [spec.pipeline.to_skeleton(clip) for clip in chosen]


def _motions(cfg: DictConfig, sessions: list[SkeletonSequence]) -> dict[str, Motions]:
    """Returns the motions of generated sessions, by clip id."""
    importer = instantiate(cfg.dataset.importer, _convert_="all")
    if not isinstance(importer, SyntheticSessions):
        return {}
    return {clip.clip_id: importer.session(int(clip.clip_id.rpartition("_")[2])).motions for clip in sessions}


def hide_random_joints(clips: list[SkeletonSequence], count: int, seed: int) -> list[SkeletonSequence]:
    """Marks `count` joints of each clip as not observed in all of its frames; each clip has its own random joints.

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


@main("evaluate")
def run(cfg: DictConfig) -> None:
    evaluate(cfg)


if __name__ == "__main__":
    run()
