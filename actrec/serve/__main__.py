"""Serves a model: `python -m actrec.serve model=…`."""

from __future__ import annotations

import logging
import socket
import sys
from contextlib import closing, suppress
from typing import Any

import uvicorn
from omegaconf import DictConfig

from actrec.config import main
from actrec.model.spec import find_model
from actrec.serve.address import address_of, bound_socket, listen
from actrec.serve.setup import make_app

log = logging.getLogger("actrec.serve")


@main("serve")
def run(cfg: DictConfig) -> None:
    """Binds the port, loads the models, and serves until Ctrl-C or SIGTERM."""
    host = str(cfg.host)
    with closing(bound_socket(host, cfg.port)) as sock:
        app = make_app(cfg)
        listen(sock, host)
        if not (find_model(str(cfg.model)) / "step.onnx").is_file():
            hint = "For many clients, run python -m actrec.export model=%s and serve …/onnx: a third of the CPU time."
            log.info(hint, cfg.model)
        _serve(app, sock, cfg)


class _Server(uvicorn.Server):
    """A server that logs its address once it accepts connections."""

    def __init__(self, config: uvicorn.Config, address: str) -> None:
        super().__init__(config)
        self._address = address

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            log.info("The live page is at %s, the API at %sdocs. Ctrl-C ends it.", self._address, self._address)


def _serve(app: Any, sock: socket.socket, cfg: DictConfig) -> None:
    # uvicorn logs this for every client that is refused. The message of a record may be an exception.
    logging.getLogger("uvicorn.error").addFilter(lambda record: "without completing handshake" not in str(record.msg))
    config = uvicorn.Config(
        app,
        log_level="warning",
        ws_max_size=int(cfg.limits.message_mb * 1e6),
        ws_max_queue=cfg.limits.queue,
        ws_per_message_deflate=False,  # compression costs more time than it saves
        limit_concurrency=500,
        timeout_graceful_shutdown=30,
    )
    server = _Server(config, address_of(sock, str(cfg.host)))
    with suppress(KeyboardInterrupt):  # raised again by uvicorn after an orderly shutdown
        server.run([sock])
    if not server.started:
        sys.exit(1)


if __name__ == "__main__":
    run()
