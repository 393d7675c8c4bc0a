"""Entry point: `python -m actrec.serve model=…`."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from hydra.utils import instantiate
from omegaconf import DictConfig

from actrec.config import check_whole, main
from actrec.data.people import SKELETON
from actrec.online.recognizer import OnlineRecognizer
from actrec.skeleton import get_skeleton
from actrec.spec import load_spec
from actrec.types import SetupError

log = logging.getLogger("actrec.serve")


def make_app(cfg: DictConfig) -> Any:
    """The app of a composed `serve` config.

    Raises:
        ActrecError: There is no such model, or what the server needs is not installed.
    """
    try:
        from actrec.serve.api import create_app
        from actrec.serve.recognition import Recognition
        from actrec.serve.schema import ModelInfo
        from actrec.serve.server import Server
    except ImportError as error:
        raise SetupError(
            f"The server needs {error.name}, which is not installed: pip install 'actrec[serve]'"
        ) from None
    model = Path(str(cfg.model)).expanduser()
    recognizer = OnlineRecognizer.from_pretrained(
        model, instantiate(cfg.hysteresis, _convert_="all"), skeleton=SKELETON
    )
    pose = None if cfg.pose is None else instantiate(cfg.extractor, _convert_="all").pose
    spec, card = load_spec(model), model / "README.md"
    info = ModelInfo(
        labels=list(spec.labels),
        skeleton=SKELETON,
        bones=get_skeleton(SKELETON).bone_index.tolist(),
        forecast_bones=spec.pipeline.skeleton.bone_index.tolist(),
        fps=spec.pipeline.preprocess.fps,
        takes_pictures=pose is not None,
        metrics=dict(spec.metrics),
        card=card.read_text(encoding="utf-8") if card.is_file() else "",
    )
    recognition = Recognition(recognizer, pose, instantiate(cfg.limits, _convert_="all"))
    return create_app(Server(recognition, info, None if cfg.token is None else str(cfg.token)))


@main("serve")
def run(cfg: DictConfig) -> None:
    """Compose, instantiate, run."""
    check_whole(cfg, "port", 1)
    app = make_app(cfg)
    import uvicorn

    if not (Path(str(cfg.model)).expanduser() / "step.onnx").is_file():
        log.info(
            "For many clients: python -m actrec.export model=%s, and serve …/onnx, at a third of the work.", cfg.model
        )
    log.info("The live page is at http://%s:%d/, the API at /docs. Ctrl-C ends it.", cfg.host, cfg.port)
    # Said of every client that is refused, too.
    logging.getLogger("uvicorn.error").addFilter(lambda record: "without completing handshake" not in record.msg)
    uvicorn.run(
        app,
        host=str(cfg.host),
        port=cfg.port,
        log_level="warning",
        ws_max_size=int(cfg.limits.message_mb * 1e6),
        ws_max_queue=cfg.limits.queue,
        ws_per_message_deflate=False,  # it costs more than it saves
        limit_concurrency=500,
        timeout_graceful_shutdown=30,
    )


if __name__ == "__main__":
    run()
