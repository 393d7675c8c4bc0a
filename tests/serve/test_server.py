"""A real server on loopback: load, and what clients do wrong."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect as connect_now

from actrec.online.onnx_export import export
from tests.serve.conftest import Running

Serve = Callable[..., Running]


def frame(t: float, seed: int = 0) -> str:
    places = np.random.default_rng(seed).uniform(100, 400, (17, 2)) + 20 * np.sin(3 * t)
    keypoints = np.concatenate([places, np.ones((17, 1))], 1).round(1).tolist()
    return json.dumps({"timestamp": round(t, 6), "keypoints": keypoints})


async def stream(port: int, number: int, seconds: float, rate: int) -> list[float]:
    """Sends frames at that rate, and gives each answer's delay in seconds."""
    delays, sent = [], {}
    async with connect(f"ws://127.0.0.1:{port}/v1/stream") as socket:

        async def receive() -> None:
            for _ in range(round(rate * seconds)):
                answer = json.loads(await socket.recv())
                assert len(answer["people"]) == 1
                delays.append(time.monotonic() - sent.pop(answer["timestamp"]))

        receiving, start = asyncio.create_task(receive()), time.monotonic()
        for k in range(round(rate * seconds)):
            await asyncio.sleep(max(0, start + (k + number / 8) / rate - time.monotonic()))
            sent[round(k / rate, 6)] = time.monotonic()
            await socket.send(frame(k / rate, number))
        await asyncio.wait_for(receiving, 10)
    return delays


def load(server: Running, seconds: float, rate: int = 30) -> list[float]:
    async def everybody() -> list[list[float]]:
        return await asyncio.gather(*(stream(server.port, number, seconds, rate) for number in range(8)))

    return [delay for delays in asyncio.run(everybody()) for delay in delays]


def wait_for(condition: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_eight_streams_lose_no_frame(serve: Serve) -> None:
    delays = load(serve(), 4, rate=5)  # what a busy machine without AVX-512 answers; the slow test sends 30 a second
    assert len(delays) == 8 * 20
    assert np.median(delays) < 0.25


@pytest.mark.slow
def test_eight_streams_for_two_minutes(serve: Serve, full_model: Path, tmp_path: Path) -> None:
    export(full_model, tmp_path / "onnx")
    server = serve(model=tmp_path / "onnx")
    load(server, 5)

    def resident() -> int:
        status = Path(f"/proc/{server.process.pid}/status").read_text()
        return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))

    before = resident()
    delays = load(server, 120)
    grown = resident() - before
    print(f"p50 {1e3 * np.median(delays):.1f} ms, p99 {1e3 * np.percentile(delays, 99):.1f} ms, {len(delays)} frames")
    print(f"resident memory {before / 1e3:.0f} MB, grown by {grown / 1e3:.1f} MB")
    assert len(delays) == 8 * 3600
    assert np.percentile(delays, 99) < 0.1
    assert grown < 20_000


def test_a_client_that_is_gone_is_forgotten(serve: Serve) -> None:
    server = serve()
    for kind in ("stream", "upload"):
        if kind == "stream":
            with connect_now(f"ws://127.0.0.1:{server.port}/v1/stream", close_timeout=0.1) as gone:
                gone.send(frame(0))
                gone.recv()
                gone.socket.shutdown(socket.SHUT_RDWR)
        else:
            with socket.create_connection(("127.0.0.1", server.port)) as half:
                half.sendall(b"POST /v1/predict HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\nabc")
        wait_for(lambda: server.sessions == 0)
    assert not list(server.temporary.glob("actrec-*"))


def test_a_client_gone_in_the_middle_of_an_answer_is_forgotten(serve: Serve, test_data: Path) -> None:
    server = serve()
    body = (test_data / "data/clips/push_ups/push_ups_01.mp4").read_bytes()
    with socket.create_connection(("127.0.0.1", server.port)) as gone:
        gone.sendall(f"POST /v1/predict HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
        assert b"200 OK" in gone.recv(4096)
        assert server.sessions == 1
    wait_for(lambda: server.sessions == 0)
    assert not list(server.temporary.glob("actrec-*"))


def test_a_slow_client_is_told_what_it_missed_and_slows_nobody(serve: Serve) -> None:
    server, delays = serve("limits.fps=1000"), []
    narrow = socket.socket()
    narrow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    narrow.connect(("127.0.0.1", server.port))
    address = f"ws://127.0.0.1:{server.port}/v1/stream"
    with connect_now(address, sock=narrow, max_queue=1) as slow, connect_now(address) as quick:
        people = {str(number): json.loads(frame(0, number))["keypoints"] for number in range(30)}
        number, deadline = 0, time.monotonic() + 60
        while not server.counted("actrec_shed_frames_total"):
            assert time.monotonic() < deadline
            for _ in range(20):
                slow.send(json.dumps({"timestamp": number / 500, "people": people}))
                number += 1
            sent = time.monotonic()
            quick.send(frame(number / 500))
            assert json.loads(quick.recv(timeout=10))["people"]
            delays.append(time.monotonic() - sent)
        assert np.median(delays) < 0.5
        while "shed" not in (answer := json.loads(slow.recv(timeout=10))):
            assert len(answer["people"]) == 30


def test_a_message_that_is_too_large_ends_only_its_stream(serve: Serve) -> None:
    server = serve("limits.message_mb=0.1")
    address = f"ws://127.0.0.1:{server.port}/v1/stream"
    with connect_now(address) as other, connect_now(address) as large:
        large.send(bytes(200_000))
        with pytest.raises(ConnectionClosed) as ended:
            large.recv(timeout=10)
        assert ended.value.rcvd
        assert ended.value.rcvd.code == 1009
        other.send(frame(0))
        assert json.loads(other.recv(timeout=10))["people"]


def test_an_upload_that_never_ends_is_refused(serve: Serve) -> None:
    server = serve("limits.upload=1.5", "limits.idle=1")
    for pause in (0.2, 5.0):  # trickles on, stalls
        with socket.create_connection(("127.0.0.1", server.port), timeout=10) as endless:
            endless.sendall(b"POST /v1/predict HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n")
            endless.settimeout(pause)
            answer, deadline = b"", time.monotonic() + 10
            while not answer:
                assert time.monotonic() < deadline
                endless.sendall(b"x")
                try:
                    answer = endless.recv(4096)
                except TimeoutError:
                    continue
            assert b"408" in answer.splitlines()[0]
    assert server.sessions == 0
    assert not list(server.temporary.glob("actrec-*"))


UPGRADE = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {}==\r\n\r\n"


@pytest.mark.parametrize("request_", ["GET /v1/model HTTP/1.1\r\nHost: x\r\n\r\n", "websocket"])
def test_a_thousand_connections_at_once(serve: Serve, request_: str) -> None:
    server, sockets = serve(), []
    if request_ == "websocket":
        request_ = "GET /v1/stream HTTP/1.1\r\nHost: x\r\n" + UPGRADE.format("A" * 22)
    try:
        for _ in range(1000):
            sockets.append(socket.create_connection(("127.0.0.1", server.port), timeout=10))
            sockets[-1].sendall(request_.encode())
        statuses = {each.recv(4096).split(b" ", 2)[1] for each in sockets}
        assert statuses <= {b"200", b"101", b"503"}
        assert len(statuses) == 2
    finally:
        for each in sockets:
            each.close()

    def answers() -> bool:
        try:
            return json.loads(server.get("/healthz")) == {"status": "ok"} and server.sessions == 0
        except OSError:
            return False

    wait_for(answers)
    with connect_now(f"ws://127.0.0.1:{server.port}/v1/stream") as socket_:
        socket_.send(frame(0))
        assert json.loads(socket_.recv())["people"]


def test_sigterm_finishes_what_is_in_flight(serve: Serve, test_data: Path) -> None:
    server = serve()
    body = (test_data / "data/clips/squat/squat_01.mp4").read_bytes()
    request: Any = urllib.request.Request(f"{server.address}/v1/predict", body, method="POST")
    with connect_now(f"ws://127.0.0.1:{server.port}/v1/stream") as live:
        live.send(frame(0))
        live.recv()
        with urllib.request.urlopen(request, timeout=60) as answer:
            first = answer.readline()
            server.process.send_signal(signal.SIGTERM)
            lines = [first, *answer.readlines()]
        assert [json.loads(line)["frame"] for line in lines] == list(range(29))
        with pytest.raises(ConnectionClosed):
            live.recv(timeout=30)
    assert server.process.wait(60) in (0, -signal.SIGTERM)
    assert not list(server.temporary.glob("actrec-*"))
