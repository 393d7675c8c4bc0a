"""The HTTP and WebSocket API; its OpenAPI description is at /docs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from fastapi import FastAPI, HTTPException, Request, Response, WebSocket
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import FileResponse, JSONResponse, PlainTextResponse
from fastapi_offline import FastAPIOffline
from starlette.exceptions import HTTPException as AnyHTTPException

from actrec.serve.enrolment import add_class, enrolled_classes, remove_class, save_classes
from actrec.serve.schema import AddedClass, EnrolledClasses, Failure, FrameAnswer, ModelInfo, NewClass, SavedClasses
from actrec.serve.server import Server
from actrec.serve.stream import answer_stream
from actrec.serve.upload import NdJson, answer_upload

_PAGE = Path(__file__).parent / "page"

_DESCRIPTION = """
Live recognition uses a WebSocket, which OpenAPI cannot describe: **`/v1/stream`** receives frames and answers each.

* A **text** message is a frame's keypoints, in pixels:
  `{"timestamp": 1.5, "keypoints": [[x, y, confidence], …]}`, or, for several people,
  `{"timestamp": 1.5, "people": {"anna": [[x, y, confidence], …], "ben": null}}`.
* The keypoints of a **model of three dimensions** are `[x, y, z, confidence]` in any unit of length; `n_coordinates`
  of `/v1/model` is then 3. It takes no pictures.
* A **binary** message is a picture: 8 bytes with the timestamp (a big-endian double), then a JPEG.
* An **answer** is `{"timestamp": 1.5, "people": [Person, …], "milliseconds": 4.2}`, or `{"error": "…"}` for an invalid
  frame, after which the stream continues. `"shed": 3` means that three older frames were dropped because the client or
  the server was too slow.
* A **page of another origin** than the server's own is refused with 403, unless the server's setting `origins` lists
  it.
* The token is sent in the header `Authorization: Bearer …` or, by browsers, in the query: `/v1/stream?token=…`.
"""


def create_app(server: Server) -> FastAPI:
    """Creates the ASGI application of a server."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await server.recognition.warm_up()
        server.ready = True
        yield
        server.ready = False
        server.recognition.close()

    app = FastAPIOffline(
        title="actrec",
        summary="Recognises human actions, frame by frame.",
        description=_DESCRIPTION,
        lifespan=lifespan,
        redoc_url=None,
    )
    if server.origins.listed:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=server.origins.listed,
            allow_methods=["GET", "POST", "DELETE"],
            allow_headers=["Authorization", "Content-Type"],
        )

    @app.exception_handler(AnyHTTPException)
    async def failed(_: Request, error: AnyHTTPException) -> JSONResponse:
        return JSONResponse({"error": error.detail}, error.status_code, error.headers)

    _add_operation(app, server)
    _add_recognition(app, server)
    _add_enrolment(app, server)
    described = app.openapi()
    described["components"]["securitySchemes"] = {_BEARER: _SCHEME}
    schema = NewClass.model_json_schema(ref_template="#/components/schemas/{model}")
    described["components"]["schemas"] |= schema.pop("$defs") | {"NewClass": schema}
    answer = described["paths"]["/v1/predict"]["post"]["responses"]["200"]
    del answer["content"][NdJson.media_type]["schema"]["type"]  # added by FastAPI to the reference to FrameAnswer
    return app


def _add_operation(app: FastAPI, server: Server) -> None:
    """Adds the live page and the endpoints for operating the server."""

    @app.get("/healthz", tags=["operation"])
    async def healthz() -> dict[str, str]:
        """Reports that the process is running."""
        return {"status": "ok"}

    @app.get("/readyz", tags=["operation"], responses=_failures(503))
    async def readyz() -> dict[str, str]:
        """Reports whether the model is loaded and another client can be served."""
        if not server.ready or server.is_full:
            raise HTTPException(503, "busy" if server.ready else "loading")
        return {"status": "ready"}

    @app.get("/metrics", tags=["operation"], response_class=PlainTextResponse)
    async def metrics() -> Response:
        """Returns metrics in the text format of Prometheus."""
        return Response(server.counters.text(), media_type="text/plain; version=0.0.4")

    @app.get("/", include_in_schema=False)
    async def page() -> FileResponse:
        return FileResponse(_PAGE / "index.html")

    @app.get("/enroll.js", include_in_schema=False)
    async def script() -> FileResponse:
        return FileResponse(_PAGE / "enroll.js")


def _add_recognition(app: FastAPI, server: Server) -> None:
    """Adds the endpoints that describe and run the model."""
    security = _security(server)

    @app.get("/v1/model", tags=["model"], responses=_failures(401, 403), openapi_extra=security)
    async def model(request: Request) -> ModelInfo:
        """Returns labels, skeleton, metrics and model card."""
        if refusal := server.unauthorized(request):
            raise refusal
        return server.info

    @app.post("/v1/predict", tags=["recognition"], **_PREDICT, openapi_extra=_VIDEO | security)
    async def predict(request: Request) -> Response:
        """Recognises the people in a video; answers each frame with a line of JSON as soon as it is processed.

        The body is the video file itself: `curl -X POST -T squat.mp4 …/v1/predict`. The last frame's line has the
        `sets` of the whole video. If decoding fails after the first frame, a line `{"error": "…"}` follows it.
        """
        return await answer_upload(server, request)

    @app.websocket("/v1/stream")
    async def stream(socket: WebSocket) -> None:
        await answer_stream(server, socket)


def _add_enrolment(app: FastAPI, server: Server) -> None:
    """Adds the endpoints that change the classes of the model; `actrec.serve.enrolment` does the work."""
    security = _security(server)

    @app.get("/v1/enrolled", tags=["enrolment"], responses=_failures(401, 403), openapi_extra=security)
    async def enrolled(request: Request) -> EnrolledClasses:
        """Lists the classes that were enrolled."""
        if refusal := server.unauthorized(request):
            raise refusal
        return enrolled_classes(server)

    refused = _failures(400, 401, 403, 408, 413, 500, 503)

    @app.post("/v1/enrolled", tags=["enrolment"], responses=refused, openapi_extra=_NEW_CLASS | security)
    async def add(request: Request) -> AddedClass:
        """Adds a class from 1 to 10 clips of it, for all streams and uploads that begin afterwards.

        It is there until the server ends, or longer if it is saved. The first one takes up to a minute.
        """
        return await add_class(server, request)

    @app.delete(
        "/v1/enrolled/{label:path}", tags=["enrolment"], responses=_failures(401, 403, 404), openapi_extra=security
    )
    async def remove(request: Request, label: str) -> EnrolledClasses:
        """Removes an enrolled class; a saved one comes back with the next server, unless this is saved too."""
        return await remove_class(server, request, label)

    @app.post("/v1/enrolled/save", tags=["enrolment"], responses=_failures(401, 403, 409), openapi_extra=security)
    async def save(request: Request) -> SavedClasses:
        """Writes the enrolled classes into the model's folder; a model that comes with actrec is copied to ./<name>."""
        return await save_classes(server, request)


def _security(server: Server) -> dict[str, Any]:
    return {"security": [{_BEARER: []}] if server.token is not None else [{}, {_BEARER: []}]}


def _failures(*statuses: int) -> dict[int | str, dict[str, Any]]:
    return {status: {"model": Failure} for status in statuses}


_PREDICT: dict[str, Any] = {
    "response_class": NdJson,
    "status_code": 200,
    "responses": {
        200: {"model": FrameAnswer, "description": "A FrameAnswer in each line"},
        **{
            status: {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Failure"}}}}
            for status in (400, 401, 403, 408, 413, 415, 500, 501, 503)
        },
    },
}
_VIDEO: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}
_NEW_CLASS: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/NewClass"}}},
    }
}
_BEARER = "bearer"
_SCHEME = {
    "type": "http",
    "scheme": "bearer",
    "description": "The server's setting `token`; without it, all clients are admitted.",
}
