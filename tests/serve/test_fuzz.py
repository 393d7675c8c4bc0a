"""Whatever a stream is sent, it is answered, in time, and the server stays as it was."""

from __future__ import annotations

import asyncio
import io
import json
import random
import statistics
import struct
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient
from hydra import compose, initialize_config_dir
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from actrec.config import config_dir
from actrec.live.answers import to_json
from actrec.online.recognizer import OnlineRecognizer
from actrec.serve.recognition import LiveStream, Recognition
from actrec.serve.settings import Limits
from actrec.serve.setup import make_app
from actrec.types import ActrecError
from actrec.video.people import SKELETON

Message = str | bytes


def _jpeg(width: int = 64, height: int = 48, **options: Any) -> bytes:
    out = io.BytesIO()
    Image.effect_noise((width, height), 60).convert("RGB").save(out, "JPEG", **options)
    return out.getvalue()


JPEG, PROGRESSIVE = _jpeg(), _jpeg(progressive=True)
_SOF, _SOS = JPEG.index(b"\xff\xc0"), PROGRESSIVE.rindex(b"\xff\xda")
_FIRST = 1000  # messages: the tests' type checks take longer where they meet a new shape
NASTY_NUMBERS = ["NaN", "Infinity", "-Infinity", "1e400", "-1e400", "1e308", "9" * 400, "9" * 5000, "1e-320", "-0", "0"]
NASTY_VALUES = [*NASTY_NUMBERS, "null", "true", '"1"', '""', "[]", "{}", "[[]]", '"\\ud800"', '{"a": {"b": [1]}}']
NASTY_NAMES = ["", "anna", "\u0000", "😀", "名前", "../../etc/passwd", "x" * 201, "x" * 100_000, "1", "__proto__"]


def _person(rng: random.Random, good: bool) -> str:
    rows = [[f"{rng.uniform(0, 640):.1f}", f"{rng.uniform(0, 480):.1f}", f"{rng.uniform(0, 1):.2f}"] for _ in range(17)]
    if not good:
        kind = rng.randrange(6)
        if kind == 0:
            rows[rng.randrange(17)][rng.randrange(3)] = rng.choice(NASTY_VALUES)
        elif kind == 1:
            return rng.choice(NASTY_VALUES)
        elif kind == 2:
            rows = rows[: rng.randrange(17)]
        elif kind == 3:
            rows[rng.randrange(17)] += ["1"] * rng.randrange(1, 3)
        elif kind == 4:
            return "[" * rng.randrange(1, 5000) + "]" * rng.randrange(1, 5000)
        else:
            rows[0][2] = str(rng.choice([1.3, 97, 255, -3, 1e9]))
    return f"[{', '.join('[' + ', '.join(row) + ']' for row in rows)}]"


def _text(rng: random.Random, clock: float) -> str:
    kind = rng.randrange(9)
    moment = f"{clock:.6f}" if rng.random() < 0.8 else rng.choice([*NASTY_VALUES, f"{clock * 1e3:.0f}", "0", "1.7e12"])
    if kind <= 2:
        return f'{{"timestamp": {moment}, "keypoints": {_person(rng, rng.random() < 0.7)}}}'
    if kind <= 4:
        names = [rng.choice([*NASTY_NAMES, str(rng.randrange(100))]) for _ in range(rng.choice([0, 1, 2, 5, 40]))]
        people = ", ".join(f"{json.dumps(name)}: {_person(rng, rng.random() < 0.8)}" for name in names)
        return f'{{"timestamp": {moment}, "people": {{{people}}}}}'
    if kind == 5:  # cut anywhere
        whole = f'{{"timestamp": {moment}, "keypoints": {_person(rng, True)}}}'
        return whole[: rng.randrange(len(whole))]
    if kind == 6:
        return rng.choice(["[", '{"a":', "("]) * rng.choice([1, 100, 10_000, 100_000])
    if kind == 7:
        return f'{{"timestamp": {moment}, "unknown": {rng.choice(NASTY_VALUES)}, "timestamp": {moment}}}'
    return rng.choice([*NASTY_VALUES, "", " ", "\ud800", "x" * 400_000, "9" * 300_000, "{" * 3])


def _binary(rng: random.Random, clock: float) -> bytes:
    moment = struct.pack(">d", rng.choice([clock, clock, clock, float("nan"), float("inf"), -1e300, 1.7e12]))
    kind = rng.randrange(8)
    if kind == 0:
        return rng.randbytes(rng.randrange(200))
    if kind == 1:  # a header that lies about the size: a decompression bomb
        size = struct.pack(">HH", rng.choice([1, 48, 4096, 65_535]), rng.choice([1, 64, 4096, 65_535]))
        return moment + JPEG[: _SOF + 5] + size + JPEG[_SOF + 9 :]
    if kind == 2:  # bytes turned
        picture = bytearray(rng.choice([JPEG, PROGRESSIVE]))
        for _ in range(rng.randrange(1, 20)):
            picture[rng.randrange(2, len(picture))] = rng.randrange(256)
        return moment + bytes(picture)
    if kind == 3:
        return moment + JPEG[: rng.randrange(len(JPEG))]
    if kind == 4:  # thousands of scans
        return moment + PROGRESSIVE[:-2] + PROGRESSIVE[_SOS:-2] * 5000
    if kind == 5:
        return (
            moment + rng.choice([b"\x89PNG\r\n\x1a\n", b"GIF89a", b"<svg>", b"BM", b"%!PS-Adobe"]) + rng.randbytes(50)
        )
    if kind == 6:
        return moment + JPEG[:2] + b"\xff\xe1\xff\xff" * rng.randrange(1, 500) + JPEG[2:]
    return moment + JPEG


def messages(seed: int, count: int) -> Iterator[Message]:
    """As many messages, more or less wrong, at the pace of a camera."""
    rng = random.Random(seed)
    for number in range(count):
        yield _text(rng, number / 30) if rng.random() < 0.8 else _binary(rng, number / 30)


def _answered(answer: dict[str, Any]) -> bool:
    """Whether that is an answer or an error, as it is described, and text that can be sent."""
    to_json(answer).encode()
    return isinstance(answer.get("error"), str) or {"timestamp", "people"} <= set(answer)


def _resident() -> int:
    status = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))


def _answers(live: LiveStream, given: Iterator[Message]) -> Iterator[tuple[Message, dict[str, Any], float]]:
    """Each message, its answer, and the seconds of processor time that it took, which others' work does not stretch."""

    async def answer(message: Message) -> dict[str, Any]:
        try:
            return await live.answer(message)
        except ActrecError as error:
            return {"error": str(error)}

    with asyncio.Runner() as runner:
        for message in given:
            start = time.process_time()
            found = runner.run(answer(message))
            yield message, found, time.process_time() - start


@pytest.fixture(scope="module")
def recognition(noise_model: Path) -> Iterator[Recognition]:
    made = Recognition(OnlineRecognizer.from_pretrained(noise_model, skeleton=SKELETON), None, Limits())
    asyncio.run(made.warm_up())
    yield made
    made.close()


def test_a_few_hundred_messages_are_answered(recognition: Recognition) -> None:
    live, kinds = LiveStream(recognition), set()
    for message, answer, _ in _answers(live, messages(0, 250)):
        assert _answered(answer), message[:200]
        kinds.add("error" in answer)
    assert kinds == {True, False}


@pytest.mark.slow
def test_ten_thousand_messages_are_answered_in_time_and_in_the_same_memory(recognition: Recognition) -> None:
    live, times, resident = LiveStream(recognition), list[float](), list[int]()
    for number, (message, answer, seconds) in enumerate(_answers(live, messages(1, 10_000))):
        assert _answered(answer), message[:200]
        if isinstance(message, str) and number >= _FIRST:
            times.append(seconds)
        if number % 1000 == 999:
            resident.append(_resident())
    worst, grown = max(times), resident[-1] - resident[5]  # by then each thread has decoded its largest picture
    print(f"median {1e3 * statistics.median(times):.1f} ms, most {1e3 * worst:.0f} ms; memory {resident} kB")
    assert worst < 0.1
    assert grown < 20_000


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=20,
)
near_frames = st.fixed_dictionaries(
    {}, optional={"timestamp": json_values, "keypoints": json_values, "people": json_values, "more": json_values}
)


@settings(max_examples=60, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(message=(near_frames | json_values).map(json.dumps) | st.text(max_size=200) | st.binary(max_size=200))
def test_any_json_text_and_bytes_are_answered(recognition: Recognition, message: Message) -> None:
    ((_, answer, _),) = _answers(LiveStream(recognition), iter([message]))
    assert _answered(answer)


@pytest.fixture
def client(noise_model: Path) -> Iterator[TestClient]:
    with initialize_config_dir(str(config_dir()), version_base="1.3"):
        cfg = compose("serve", [f"model={noise_model}", "pose=null", "limits.fps=1e6", "limits.queue=1000000"])
    with TestClient(make_app(cfg)) as made:
        yield made


def test_the_stream_stays_open_whatever_comes(client: TestClient) -> None:
    given = [each for each in messages(2, 60) if isinstance(each, bytes) or each.isprintable()]
    with client.websocket_connect("/v1/stream") as socket:
        for message in given:
            (socket.send_text if isinstance(message, str) else socket.send_bytes)(message)
            assert _answered(socket.receive_json())
        socket.send_text('{"timestamp": 1e6, "people": {"\\ud800": null}}')  # half a character
        assert _answered(socket.receive_json())
    assert 'actrec_failures_total{kind="stream"} 0.0' in client.get("/metrics").text


@pytest.mark.parametrize("kind", [RuntimeError, KeyError, TimeoutError])
def test_a_fault_of_the_server_is_logged_counted_and_closes_the_stream(
    client: TestClient,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    kind: Callable[..., Exception],
) -> None:
    def broken(*_: object) -> None:
        raise kind("of torch, say")

    monkeypatch.setattr(LiveStream, "_of_keypoints", broken)
    with client.websocket_connect("/v1/stream") as socket:
        socket.send_text("{}")
        assert socket.receive() == {
            "type": "websocket.close",
            "code": 1011,
            "reason": "The server failed. See its log.",
        }
    (record,) = [each for each in caplog.records if each.name == "actrec.serve.stream"]
    assert record.levelname == "ERROR"
    assert "of torch, say" in (record.exc_text or "")
    assert 'actrec_failures_total{kind="stream"} 1.0' in client.get("/metrics").text


def test_a_client_that_goes_is_no_fault(client: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    with client.websocket_connect("/v1/stream") as socket:
        socket.send_text(json.dumps({"timestamp": 0, "keypoints": np.ones((17, 3)).tolist()}))
        assert "people" in socket.receive_json()
    assert not [each for each in caplog.records if each.levelname in ("WARNING", "ERROR")]
    assert 'actrec_failures_total{kind="stream"} 0.0' in client.get("/metrics").text
