"""Entry point: `python -m actrec.serve model=…`."""

from __future__ import annotations

import logging
import socket
import sys
from contextlib import closing, suppress
from typing import Any

from hydra.utils import instantiate
from omegaconf import DictConfig

from actrec.config import main
from actrec.model.spec import find_model
from actrec.online.mismatch import streaming_warning
from actrec.online.recognizer import OnlineRecognizer
from actrec.serve.address import address_of, bound_socket, is_loopback, listen
from actrec.types import SetupError
from actrec.video.people import SKELETON

log = logging.getLogger("actrec.serve")


def make_app(cfg: DictConfig) -> Any:
    """Makes the app of a composed `serve` config.

    Raises:
        ActrecError: There is no such model, a setting is wrong, or what the server needs is not installed.
    """
    try:
        from actrec.serve.api import create_app
        from actrec.serve.model_info import model_info
        from actrec.serve.origins import Origins, checked_origins
        from actrec.serve.recognition import Recognition
        from actrec.serve.server import Server
    except ImportError as error:
        raise SetupError(
            f"The server needs {error.name}, which is not installed: pip install 'actrec[serve]'"
        ) from None
    model, origins = find_model(str(cfg.model)), checked_origins(cfg.origins)
    recognizer = OnlineRecognizer.from_pretrained(
        model,
        instantiate(cfg.hysteresis, _convert_="all"),
        skeleton=SKELETON,
        max_people=cfg.max_people,
        trust=cfg.trust or (),
    )
    pose = None if cfg.pose is None else instantiate(cfg.extractor, _convert_="all").pose
    if pose is not None:
        pose.load()
    limits, warning = instantiate(cfg.limits, _convert_="all"), streaming_warning(recognizer.spec)
    if warning:
        log.warning("%s", warning)
    info = model_info(model, recognizer.spec, pose is not None, [warning] if warning else [])
    token = None if cfg.token is None else str(cfg.token)
    allowed = Origins(origins, is_loopback(str(cfg.host)))
    return create_app(Server(Recognition(recognizer, pose, limits), info, token, allowed))


@main("serve")
def run(cfg: DictConfig) -> None:
    """Compose, instantiate, run."""
    host = str(cfg.host)
    with closing(bound_socket(host, cfg.port)) as sock:
        app = make_app(cfg)
        listen(sock, host)
        if not (find_model(str(cfg.model)) / "step.onnx").is_file():
            log.info(
                "For many clients: python -m actrec.export model=%s, and serve …/onnx, at a third of the work.",
                cfg.model,
            )
        _serve(app, sock, cfg)


def _serve(app: Any, sock: socket.socket, cfg: DictConfig) -> None:
    """Serves the app on a listening socket until Ctrl-C or SIGTERM."""
    import uvicorn

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            if self.started:
                log.info(
                    "The live page is at %s, the API at %sdocs. Ctrl-C ends it.", *2 * [address_of(sock, str(cfg.host))]
                )

    # uvicorn logs this for every client that is refused. The message of a record may be an exception.
    logging.getLogger("uvicorn.error").addFilter(lambda record: "without completing handshake" not in str(record.msg))
    server = Server(
        uvicorn.Config(
            app,
            log_level="warning",
            ws_max_size=int(cfg.limits.message_mb * 1e6),
            ws_max_queue=cfg.limits.queue,
            ws_per_message_deflate=False,  # it costs more than it saves
            limit_concurrency=500,
            timeout_graceful_shutdown=30,
        )
    )
    with suppress(KeyboardInterrupt):  # it has been shut down in order by then
        server.run([sock])
    if not server.started:
        sys.exit(1)


if __name__ == "__main__":
    run()
