"""The state that the endpoints share, the metrics, and the admission of clients."""

from __future__ import annotations

import hmac
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import HTTPException
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from starlette.requests import HTTPConnection

from actrec.serve.origins import Origins
from actrec.serve.recognition import Recognition
from actrec.serve.schema import ModelInfo

_BUCKETS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)  # seconds


class Counters:
    """The Prometheus metrics of one server, in their own registry, so that a process can run several servers."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self.frames = Counter("actrec_frames", "Frames answered", ["kind"], registry=self._registry)
        self.errors = Counter("actrec_bad_frames", "Invalid frames", registry=self._registry)
        self.failures = Counter(
            "actrec_failures",
            "Streams, uploads and enrolments ended by an internal error",
            ["kind"],
            registry=self._registry,
        )
        for kind in ("stream", "video", "enrolment"):
            self.failures.labels(kind)  # exports 0 before the first failure
        self.shed = Counter("actrec_shed_frames", "Frames dropped from full queues", registry=self._registry)
        self.sessions = Gauge("actrec_sessions", "Current streams and uploads", registry=self._registry)
        latency = "Time from a frame's arrival to its answer"
        self.latency = Histogram("actrec_frame_seconds", latency, buckets=_BUCKETS, registry=self._registry)

    def text(self) -> bytes:
        """Returns the metrics in the text format of Prometheus."""
        return generate_latest(self._registry)


class Server:
    """The state of the ASGI application.

    Args:
        model: The model's folder, into which enrolled classes are saved.
        info: Its description, before classes are enrolled or removed.
        token: What clients must send; None admits every client.
    """

    def __init__(
        self, recognition: Recognition, model: Path, info: ModelInfo, token: str | None, origins: Origins
    ) -> None:
        self.recognition, self.model, self.token, self.origins = recognition, model, token, origins
        self._info = info
        self.counters, self.sessions, self.ready = Counters(), 0, False

    @property
    def info(self) -> ModelInfo:
        """Returns the description of the model as it is now."""
        recognizer = self.recognition.recognizer
        return self._info.model_copy(update={"labels": list(recognizer.labels), "enrolled": list(recognizer.enrolled)})

    @property
    def is_full(self) -> bool:
        """Returns whether the limit of concurrent sessions is reached."""
        return self.sessions >= self.recognition.limits.sessions

    def unauthorized(self, connection: HTTPConnection) -> HTTPException | None:
        """Returns the error for a client that is not admitted, or None.

        Browsers can send the token of a WebSocket in the query only.
        """
        headers = connection.headers
        if not self.origins.admits(headers.get("origin"), headers.get("host")):
            return HTTPException(
                403, "Pages of this origin may not use the server. Its operator can allow it: origins=…"
            )
        if self.token is None:
            return None
        in_query = connection.query_params.get("token") if connection.scope["type"] == "websocket" else None
        given = headers.get("authorization", "").removeprefix("Bearer ") or in_query or ""
        if hmac.compare_digest(given.encode(), self.token.encode()):
            return None
        return HTTPException(401, "The bearer token is missing or wrong.", {"WWW-Authenticate": "Bearer"})

    def refusal(self, connection: HTTPConnection) -> HTTPException | None:
        """Returns the error for a client that cannot be served now, or None."""
        if refused := self.unauthorized(connection):
            return refused
        if self.is_full:
            return HTTPException(503, "The limit of concurrent clients is reached. Try later.", {"Retry-After": "5"})
        return None

    def enrolment_refusal(self, connection: HTTPConnection) -> HTTPException | None:
        """Returns the error for a client that may not change the classes, or None."""
        if refused := self.unauthorized(connection):
            return refused
        if not self._info.can_enroll:
            return HTTPException(
                403,
                "Classes cannot be added: either the model gives no embedding or has three dimensions, or the server "
                "can be reached by others and has no token. Its operator can allow it: enroll=true.",
            )
        return None

    @asynccontextmanager
    async def session(self) -> AsyncIterator[None]:
        """Counts one more session for its duration."""
        self.sessions += 1
        self.counters.sessions.set(self.sessions)
        try:
            yield
        finally:
            self.sessions -= 1
            self.counters.sessions.set(self.sessions)
