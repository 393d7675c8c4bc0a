"""POST /v1/predict: answers a video with a line of JSON for each of its frames."""

from __future__ import annotations

import asyncio
import logging
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

from fastapi import HTTPException, Request, Response
from fastapi.responses import StreamingResponse
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send

from actrec.live.answers import to_json
from actrec.serve.recognition import NoPoseModelError, video_answers
from actrec.serve.server import Server
from actrec.types import ActrecError
from actrec.video.limits import TooMuchVideo

log = logging.getLogger(__name__)

_FAILED = "The server failed on this video. See its log."


class NdJson(StreamingResponse):
    """A streaming response of JSON lines."""

    media_type = "application/x-ndjson"

    def __init__(self, lines: AsyncIterator[bytes], end: Callable[[], Awaitable[None]]) -> None:
        super().__init__(lines)
        self._end = end

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Sends the response, then calls `end`."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            await self._end()


async def answer_upload(server: Server, request: Request) -> Response:
    """Receives the video in a request's body, and streams the answers while the video is decoded."""
    if refusal := server.refusal(request):
        raise refusal
    if request.headers.get("content-type", "").startswith("multipart/"):
        raise HTTPException(
            415, "The body is a form; expected the video itself, as curl -X POST -T squat.mp4 sends it."
        )
    folder = tempfile.TemporaryDirectory(prefix="actrec-")
    session = server.session()
    await session.__aenter__()

    async def end() -> None:
        try:
            await asyncio.to_thread(folder.cleanup)
        finally:
            await session.__aexit__(None, None, None)

    try:
        file = Path(folder.name) / "video"
        size = 0
        with file.open("wb") as out:
            async for part in body_parts(server, request, server.recognition.limits.body_mb):
                size += await asyncio.to_thread(out.write, part)
        if not size:
            raise HTTPException(400, "The body is empty; expected a video.")
        answers = video_answers(server.recognition, file)
        first = await anext(answers, None)  # an error in the file gets its own status
    except BaseException as error:
        await end()
        if isinstance(error, ActrecError):
            status = {TooMuchVideo: 413, NoPoseModelError: 501}.get(type(error), 400)
            raise HTTPException(status, f"The video cannot be processed: {error}") from None
        if isinstance(error, ClientDisconnect):
            return Response(status_code=400)  # the client has disconnected
        if isinstance(error, Exception) and not isinstance(error, HTTPException):
            _failed(server)
            raise HTTPException(500, _FAILED) from None
        raise

    async def lines() -> AsyncIterator[bytes]:
        try:
            answer = first
            while answer is not None:
                server.counters.frames.labels("video").inc()
                yield _line(answer)
                answer = await anext(answers, None)
        except ActrecError as error:
            yield _line({"error": str(error)})
        except Exception:
            _failed(server)
            yield _line({"error": _FAILED})

    return NdJson(lines(), end)


def _failed(server: Server) -> None:
    """Logs the exception that is being handled, with its traceback, and counts it."""
    log.exception("An uploaded video failed.")
    server.counters.failures.labels("video").inc()


def _line(answer: Any) -> bytes:
    return to_json(answer).encode() + b"\n"


async def body_parts(server: Server, request: Request, most_mb: float) -> AsyncIterator[bytes]:
    """Yields the parts of a request's body.

    Raises:
        HTTPException: The body is larger than that many megabytes, has stalled, or takes longer than the limit.
    """
    limits, size, start = server.recognition.limits, 0, time.monotonic()
    parts = request.stream().__aiter__()
    while True:
        left = min(limits.idle, limits.upload - (time.monotonic() - start))
        try:
            part = await asyncio.wait_for(anext(parts, None), max(left, 0.001))
        except TimeoutError:
            raise HTTPException(408, "The upload has stalled, or takes longer than the limit.") from None
        if part is None:
            return
        size += len(part)
        if size > most_mb * 1e6:
            raise HTTPException(413, f"The body is larger than {most_mb:g} MB.")
        yield part
