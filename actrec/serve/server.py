"""The state that the endpoints share, and the admission of clients."""

from __future__ import annotations

import hmac
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import HTTPException
from starlette.requests import HTTPConnection

from actrec.serve.counters import Counters
from actrec.serve.origins import Origins
from actrec.serve.recognition import Recognition
from actrec.serve.schema import ModelInfo


class Server:
    """The state of the ASGI application.

    Args:
        recognition: Runs the models.
        info: The answer of /v1/model.
        token: Bearer token that clients must send; None admits every client.
        origins: The web pages that may use the server.
    """

    def __init__(
        self, recognition: Recognition, info: ModelInfo, token: str | None, origins: Origins | None = None
    ) -> None:
        self.recognition, self.info, self.token, self.origins = recognition, info, token, origins or Origins()
        self.counters, self.sessions, self.ready = Counters(), 0, False

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
