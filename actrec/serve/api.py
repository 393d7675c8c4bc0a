"""The HTTP and WebSocket API. OpenAPI describes it at /docs."""

from __future__ import annotations

import asyncio
import hmac
import json
import logging
import tempfile
import time
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from fastapi import FastAPI, HTTPException, Request, Response, WebSocket, WebSocketDisconnect
from fastapi.responses import FileResponse, JSONResponse, PlainTextResponse, StreamingResponse
from pydantic import BaseModel
from starlette.websockets import WebSocketState

from actrec.serve.counters import Counters
from actrec.serve.frames import Jpeg, Keypoints, parse_bytes, parse_text
from actrec.serve.recognition import LiveStream, NoPose, Recognition, TooMuch, video_answers
from actrec.types import ActrecError

log = logging.getLogger(__name__)

_PAGE = Path(__file__).parent / "page"
_TRY_LATER, _NOT_ALLOWED = 1013, 1008  # WebSocket close codes


class Failure(BaseModel):
    """Why a request was refused."""

    error: str


class ModelInfo(BaseModel):
    """The model that is served."""

    labels: list[str]
    skeleton: str
    bones: list[list[int]]
    forecast_bones: list[list[int]]
    fps: float | None
    takes_pictures: bool
    metrics: dict[str, Any]
    card: str


def _failures(*statuses: int) -> dict[int | str, dict[str, Any]]:
    return {status: {"model": Failure} for status in statuses}


class Server:
    """The state behind the app.

    Args:
        recognition: Does the work.
        info: What /v1/model says.
        token: That clients must bear; None lets everybody in.
    """

    def __init__(self, recognition: Recognition, info: ModelInfo, token: str | None) -> None:
        self.recognition, self.info, self.token = recognition, info, token
        self.counters, self.sessions, self.ready = Counters(), 0, False

    def admits(self, authorization: str | None, in_query: str | None = None) -> bool:
        """Whether a request bears the token; a browser's WebSocket can give it in the query only."""
        if self.token is None:
            return True
        given = (authorization or "").removeprefix("Bearer ") or in_query or ""
        return hmac.compare_digest(given.encode(), self.token.encode())

    @property
    def is_full(self) -> bool:
        """Whether as many are served as are allowed."""
        return self.sessions >= self.recognition.limits.sessions

    @asynccontextmanager
    async def session(self) -> AsyncIterator[None]:
        """Counts one more while it lasts."""
        self.sessions += 1
        self.counters.sessions.set(self.sessions)
        try:
            yield
        finally:
            self.sessions -= 1
            self.counters.sessions.set(self.sessions)


def create_app(server: Server) -> FastAPI:
    """The app."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await asyncio.to_thread(server.recognition.warm_up)
        server.ready = True
        yield
        server.ready = False
        server.recognition.close()

    app = FastAPI(title="actrec", summary="Recognises human actions, frame by frame.", lifespan=lifespan)

    @app.exception_handler(HTTPException)
    async def failed(_: Request, error: HTTPException) -> JSONResponse:
        return JSONResponse({"error": error.detail}, error.status_code, error.headers)

    @app.get("/healthz", tags=["operation"])
    async def healthz() -> dict[str, str]:
        """The process is alive."""
        return {"status": "ok"}

    @app.get("/readyz", tags=["operation"], responses=_failures(503))
    async def readyz() -> dict[str, str]:
        """The model is loaded, and there is room for one more client."""
        if not server.ready or server.is_full:
            raise HTTPException(503, "busy" if server.ready else "loading")
        return {"status": "ready"}

    @app.get("/metrics", tags=["operation"], response_class=PlainTextResponse)
    async def metrics() -> Response:
        """Counters, as Prometheus takes them."""
        return Response(server.counters.text(), media_type="text/plain; version=0.0.4")

    @app.get("/v1/model", tags=["model"], responses=_failures(401))
    async def model(request: Request) -> ModelInfo:
        """Labels, skeleton, metrics and card of the model."""
        _authorize(server, request)
        return server.info

    @app.post("/v1/predict", tags=["recognition"], **_PREDICT)
    async def predict(request: Request) -> Response:
        """What the people of a video do: a line of JSON for each frame, as soon as it is known.

        The body is the video file itself: `curl -T squat.mp4 -X POST …/v1/predict`.
        """
        _authorize(server, request)
        if server.is_full:
            raise HTTPException(503, "As many clients are served as are allowed. Try later.", {"Retry-After": "5"})
        return await _predict(server, request)

    @app.websocket("/v1/stream")
    async def stream(socket: WebSocket) -> None:
        await _stream(server, socket)

    @app.get("/", include_in_schema=False)
    async def page() -> FileResponse:
        return FileResponse(_PAGE / "index.html")

    return app


_PREDICT: dict[str, Any] = {
    "responses": {
        200: {"content": {"application/x-ndjson": {"example": {"frame": 0, "timestamp": 0.0, "people": []}}}},
        **_failures(400, 401, 408, 413, 501, 503),
    },
    "openapi_extra": {
        "requestBody": {
            "required": True,
            "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
        }
    },
}


def _authorize(server: Server, request: Request) -> None:
    if not server.admits(request.headers.get("authorization")):
        raise HTTPException(401, "The bearer token is missing or wrong.", {"WWW-Authenticate": "Bearer"})


async def _predict(server: Server, request: Request) -> Response:
    folder = tempfile.TemporaryDirectory(prefix="actrec-")
    session = server.session()
    await session.__aenter__()

    async def end() -> None:
        await session.__aexit__(None, None, None)
        await asyncio.to_thread(folder.cleanup)

    try:
        file = Path(folder.name) / "video"
        await _receive(server, request, file)
        answers = video_answers(server.recognition, file)
        first = await anext(answers, None)  # so that what is wrong with the file has a status of its own
    except BaseException as error:
        await end()
        if isinstance(error, ActrecError):
            status = {TooMuch: 413, NoPose: 501}.get(type(error), 400)
            raise HTTPException(status, f"The video cannot be taken: {error}") from None
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
        finally:
            await end()

    return StreamingResponse(lines(), media_type="application/x-ndjson")


def _line(answer: Any) -> bytes:
    return json.dumps(answer, ensure_ascii=False).encode() + b"\n"


async def _receive(server: Server, request: Request, file: Path) -> None:
    limits, size, start = server.recognition.limits, 0, time.monotonic()
    parts = request.stream().__aiter__()
    with file.open("wb") as out:
        while True:
            left = min(limits.idle, limits.upload - (time.monotonic() - start))
            try:
                part = await asyncio.wait_for(anext(parts, None), max(left, 0.001))
            except TimeoutError:
                raise HTTPException(408, "The upload has stalled, or takes longer than is allowed.") from None
            if part is None:
                break
            size += len(part)
            if size > limits.body_mb * 1e6:
                raise HTTPException(413, f"The body is larger than {limits.body_mb:g} MB.")
            await asyncio.to_thread(out.write, part)
    if not size:
        raise HTTPException(400, "The body is empty; expected a video.")


async def _stream(server: Server, socket: WebSocket) -> None:
    if not server.admits(socket.headers.get("authorization"), socket.query_params.get("token")):
        await socket.close(_NOT_ALLOWED, "The bearer token is missing or wrong.")
        return
    if server.is_full:
        await socket.close(_TRY_LATER, "As many clients are served as are allowed. Try later.")
        return
    await socket.accept()
    async with server.session():
        queue = FrameQueue(server.recognition.limits.queue)
        reader = asyncio.create_task(_read(server, socket, queue))
        try:
            await _answer(server, socket, queue)
        except (WebSocketDisconnect, RuntimeError, TimeoutError) as error:
            log.debug("a stream ended: %r", error)
        finally:
            reader.cancel()
            await asyncio.gather(reader, return_exceptions=True)
            if socket.client_state is WebSocketState.CONNECTED:
                await asyncio.wait_for(asyncio.shield(socket.close()), 1)


class FrameQueue:
    """Frames that wait; where there are too many, the oldest is shed.

    Args:
        most: How many may wait.
    """

    def __init__(self, most: int) -> None:
        self.most, self.shed, self.ended = most, 0, False
        self._waiting: deque[tuple[float, str | bytes]] = deque()
        self._changed = asyncio.Event()

    def put(self, message: str | bytes) -> None:
        """Adds a message that has arrived now."""
        if len(self._waiting) >= self.most:
            self._waiting.popleft()
            self.shed += 1
        self._waiting.append((time.monotonic(), message))
        self._changed.set()

    def end(self) -> None:
        """Nothing more will come."""
        self.ended = True
        self._changed.set()

    async def get(self) -> tuple[float, str | bytes] | None:
        """The next message and when it arrived; None in the end."""
        while not self._waiting:
            if self.ended:
                return None
            self._changed.clear()
            await self._changed.wait()
        return self._waiting.popleft()


async def _read(server: Server, socket: WebSocket, queue: FrameQueue) -> None:
    try:
        while True:
            message = await asyncio.wait_for(socket.receive(), server.recognition.limits.idle)
            if message["type"] == "websocket.disconnect":
                break
            queue.put(message["text"] if message.get("text") is not None else message["bytes"])
    except TimeoutError:
        log.debug("a stream was idle")
    finally:
        queue.end()


async def _answer(server: Server, socket: WebSocket, queue: FrameQueue) -> None:
    live, limits, counters = LiveStream(server.recognition), server.recognition.limits, server.counters
    shed = 0
    while (item := await queue.get()) is not None:
        arrived, message = item
        answer: dict[str, Any] = {}
        try:
            frame = await server.recognition.run(_parsed, message, server)
            answer = {"timestamp": frame.timestamp, "people": await live.answer(frame)}
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
        await asyncio.wait_for(socket.send_text(json.dumps(answer, ensure_ascii=False)), limits.idle)


def _parsed(message: str | bytes, server: Server) -> Keypoints | Jpeg:
    limits = server.recognition.limits
    if isinstance(message, bytes):
        return parse_bytes(message, limits)
    return parse_text(message, server.recognition.recognizer.input_skeleton, limits)
