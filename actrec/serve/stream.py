"""WebSocket /v1/stream: answers each frame with the predictions of its people.

A stream that is too slow drops its oldest frames (`FrameQueue`) and states their number in the answer as "shed".
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from contextlib import suppress

from fastapi import WebSocket, WebSocketDisconnect
from fastapi.responses import JSONResponse
from starlette.websockets import WebSocketState

from actrec.live.answers import to_json
from actrec.serve.recognition import LiveStream
from actrec.serve.server import Server
from actrec.types import ActrecError

log = logging.getLogger(__name__)

_NOT_ALLOWED, _FAILED = 1008, 1011  # WebSocket's close codes
# Raised by a send to a disconnected client: by Starlette, by the system, and by uvicorn after the close frame.
_GONE = (WebSocketDisconnect, OSError, RuntimeError, TimeoutError)


async def answer_stream(server: Server, socket: WebSocket) -> None:
    """Answers a client's frames until the client or the server closes the stream."""
    refusal = server.refusal(socket)
    if refusal:
        await socket.send_denial_response(JSONResponse({"error": refusal.detail}, refusal.status_code, refusal.headers))
        return
    async with server.session():
        try:
            await socket.accept()
        except _GONE as error:
            log.debug("a stream did not begin: %r", error)
            return
        queue = FrameQueue(server.recognition.limits.queue)
        reader = asyncio.create_task(_read(server, socket, queue))
        try:
            await _answer(server, socket, queue)
            await reader
        except _ClientGoneError as error:
            log.debug("a stream ended: %r", error.__cause__)
        except Exception:
            log.exception("A stream failed, and was closed.")
            server.counters.failures.labels("stream").inc()
            queue.end()
            queue.close = _FAILED, "The server failed. See its log."
        finally:
            reader.cancel()
            await asyncio.gather(reader, return_exceptions=True)
            if socket.client_state is WebSocketState.CONNECTED:
                with suppress(*_GONE):
                    await asyncio.wait_for(asyncio.shield(socket.close(*queue.close)), 1)


class _ClientGoneError(Exception):
    """The client has disconnected."""


class FrameQueue:
    """A bounded queue of frames; when it is full, the oldest is dropped.

    Attributes:
        shed: Number of frames dropped so far.
        close: WebSocket close code and reason, sent after the last frame.
    """

    def __init__(self, most: int) -> None:
        self.most, self.shed, self.ended, self.close = most, 0, False, (1000, "")
        self._waiting: deque[tuple[float, str | bytes]] = deque()
        self._changed = asyncio.Event()

    def put(self, message: str | bytes) -> None:
        """Adds a message, with the present time as its arrival."""
        if len(self._waiting) >= self.most:
            self._waiting.popleft()
            self.shed += 1
        self._waiting.append((time.monotonic(), message))
        self._changed.set()

    def end(self, code: int = 1000, reason: str = "") -> None:
        """Marks the end: no more frames will come."""
        if not self.ended:
            self.ended, self.close = True, (code, reason)
        self._changed.set()

    async def get(self) -> tuple[float, str | bytes] | None:
        """Returns the next message and its time of arrival; None at the end."""
        while not self._waiting:
            if self.ended:
                return None
            self._changed.clear()
            await self._changed.wait()
        return self._waiting.popleft()


async def _read(server: Server, socket: WebSocket, queue: FrameQueue) -> None:
    limits, last = server.recognition.limits, time.monotonic()
    allowed = float(limits.fps)  # frames; a burst of one second is allowed, as after a network pause
    try:
        while True:
            message = await asyncio.wait_for(socket.receive(), limits.idle)
            if message["type"] == "websocket.disconnect":
                break
            now = time.monotonic()
            allowed, last = min(allowed + (now - last) * limits.fps, limits.fps) - 1, now
            if allowed < 0:
                queue.end(_NOT_ALLOWED, f"More than {limits.fps:g} frames a second are not accepted.")
                break
            queue.put(message["text"] if message.get("text") is not None else message["bytes"])
    except TimeoutError:
        queue.end(_NOT_ALLOWED, f"No frame for {limits.idle:g} seconds.")
    finally:
        queue.end()


async def _answer(server: Server, socket: WebSocket, queue: FrameQueue) -> None:
    live, limits, counters = LiveStream(server.recognition), server.recognition.limits, server.counters
    shed = 0
    while (item := await queue.get()) is not None:
        arrived, message = item
        try:
            answer = await live.answer(message)
            counters.frames.labels("stream").inc()
        except ActrecError as error:
            answer = {"error": str(error)}
            counters.errors.inc()
        if queue.shed > shed:
            answer["shed"], shed = queue.shed - shed, queue.shed
            counters.shed.inc(answer["shed"])
        spent = time.monotonic() - arrived
        counters.latency.observe(spent)
        answer["milliseconds"] = round(1e3 * spent, 1)
        await _send(socket, to_json(answer), limits.idle)


async def _send(socket: WebSocket, text: str, seconds: float) -> None:
    try:
        await asyncio.wait_for(socket.send_text(text), seconds)
    except _GONE as error:
        raise _ClientGoneError from error
