"""Makes the ASGI application from a composed `serve` config."""

from __future__ import annotations

import logging

from fastapi import FastAPI
from hydra.utils import instantiate
from omegaconf import DictConfig

from actrec.model.spec import find_model, load_spec
from actrec.online.recognizer import OnlineRecognizer
from actrec.online.train_serve_skew import streaming_warning
from actrec.serve.address import is_loopback
from actrec.serve.api import create_app
from actrec.serve.model_info import model_info
from actrec.serve.origins import Origins, checked_origins
from actrec.serve.recognition import Recognition
from actrec.serve.server import Server
from actrec.video.people import SKELETON

log = logging.getLogger("actrec.serve")


def make_app(cfg: DictConfig) -> FastAPI:
    """Loads the models and makes the application."""
    model, origins = find_model(str(cfg.model)), checked_origins(cfg.origins)
    is_flat = load_spec(model).pipeline.n_coordinates == 2
    recognizer = OnlineRecognizer.from_pretrained(
        model,
        instantiate(cfg.hysteresis, _convert_="all"),
        skeleton=SKELETON if is_flat else None,
        max_people=cfg.max_people,
        trust=cfg.trust or (),
    )
    pose = None if cfg.pose is None or not is_flat else instantiate(cfg.extractor, _convert_="all").pose
    if pose is not None:
        pose.load()
    limits, warning = instantiate(cfg.limits, _convert_="all"), streaming_warning(recognizer.spec)
    if warning:
        log.warning("%s", warning)
    token, local = None if cfg.token is None else str(cfg.token), is_loopback(str(cfg.host))
    may_enroll = (local or token is not None) if cfg.enroll is None else bool(cfg.enroll)
    can_enroll = may_enroll and recognizer.gives_embeddings()
    info = model_info(model, recognizer, pose is not None, can_enroll, [warning] if warning else [])
    return create_app(Server(Recognition(recognizer, pose, limits), model, info, token, Origins(origins, local)))
