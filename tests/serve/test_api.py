"""The API in one process; the server under load and faults is in test_server.py."""

from __future__ import annotations

import io
import json
import re
import shutil
import struct
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient
from hydra import compose, initialize_config_dir
from PIL import Image
from starlette.testclient import WebSocketDenialResponse
from starlette.websockets import WebSocketDisconnect

from actrec.config import config_dir
from actrec.live.tracking import TrackedPerson, TrackingRecognizer
from actrec.online.recognizer import OnlineRecognizer
from actrec.serve.model_info import model_id
from actrec.serve.schema import FrameAnswer
from actrec.serve.setup import make_app
from actrec.video.people import People
from actrec.video.video import open_video

Make = Callable[..., TestClient]


@pytest.fixture
def make_client(noise_model: Path, test_data: Path) -> Iterator[Make]:
    clients = []

    def make(*overrides: str, pictures: bool = False) -> TestClient:
        pose = test_data / "models/yolov8n-pose_int8_openvino_model" if pictures else "null"
        with initialize_config_dir(str(config_dir()), version_base="1.3"):
            cfg = compose("serve", [f"model={noise_model}", f"pose={pose}", *overrides])
        client = TestClient(make_app(cfg))
        clients.append(client.__enter__())
        return client

    yield make
    for client in clients:
        client.__exit__(None, None, None)


def person(t: float, seed: int = 0) -> list[list[float]]:
    places = np.random.default_rng(seed).uniform(100, 400, (17, 2)) + 20 * np.sin(3 * t)
    return np.concatenate([places, np.ones((17, 1))], 1).round(2).tolist()


def jpeg(width: int = 64, height: int = 48) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (width, height), (90, 90, 90)).save(out, "JPEG")
    return out.getvalue()


def claiming(width: int, height: int) -> bytes:
    """A small JPEG whose header says that it is larger."""
    content = jpeg()
    at = content.index(b"\xff\xc0") + 5
    return content[:at] + struct.pack(">HH", height, width) + content[at + 4 :]


def frame(timestamp: float, picture: bytes) -> bytes:
    return struct.pack(">d", timestamp) + picture


def test_what_the_server_says_of_itself(make_client: Make, noise_model: Path) -> None:
    client = make_client()
    assert client.get("/healthz").json() == {"status": "ok"}
    assert client.get("/readyz").json() == {"status": "ready"}
    info = client.get("/v1/model").json()
    assert info["labels"] == ["squat", "push_ups", "pull_ups"]
    assert info["skeleton"] == "coco17"
    assert info["card"] == (noise_model / "README.md").read_text()
    assert not info["takes_pictures"]
    assert "actrec_sessions 0.0" in client.get("/metrics").text
    described = client.get("/openapi.json").json()
    assert described["paths"]["/v1/predict"]["post"]["requestBody"]["required"]
    content = described["paths"]["/v1/predict"]["post"]["responses"]["200"]["content"]
    assert content == {"application/x-ndjson": {"schema": {"$ref": "#/components/schemas/FrameAnswer"}}}
    page = client.get("/docs").text
    assert "/openapi.json" in page
    assert not re.search(r"(src|href)=.https?:", page)


def test_a_stream_of_keypoints_is_answered_as_the_recogniser_answers(make_client: Make, noise_model: Path) -> None:
    recognizer = OnlineRecognizer.from_pretrained(noise_model, skeleton="coco17")
    with make_client().websocket_connect("/v1/stream") as socket:
        for number in range(30):
            t = number / 30
            people = {"anna": person(t), "ben": person(t, 1) if number > 5 else None}
            socket.send_text(json.dumps({"timestamp": t, "people": people}))
            answer = socket.receive_json()
            given = {name: np.array(each, np.float32) if each else None for name, each in people.items()}
            expected = recognizer.push_all(given, t)
            assert answer["timestamp"] == pytest.approx(t)
            assert [each["person"] for each in answer["people"]] == list(expected)
            for each in answer["people"]:
                prediction = expected[each["person"]]
                np.testing.assert_allclose(each["probabilities"], prediction.probabilities, atol=1e-3)
                assert (each["label"], each["held"]) == (prediction.label, prediction.held)
                assert each["action"] == pytest.approx(prediction.action, abs=1e-3)
                assert (each["phase"], each["repetitions"]) == (None, None)  # the model has none
                assert len(each["forecast"]) == 13


def test_one_person_needs_no_name(make_client: Make) -> None:
    with make_client().websocket_connect("/v1/stream") as socket:
        socket.send_text(json.dumps({"timestamp": 0, "keypoints": person(0)}))
        assert [each["person"] for each in socket.receive_json()["people"]] == ["1"]


def test_a_stream_of_pictures_is_answered_with_skeletons(make_client: Make, test_data: Path) -> None:
    video = open_video(test_data / "data/clips/squat/squat_02.mp4")
    with make_client(pictures=True).websocket_connect("/v1/stream") as socket:
        found = 0
        for (t, picture), _ in zip(video.frames(480), range(4), strict=False):
            out = io.BytesIO()
            Image.fromarray(picture).save(out, "JPEG")
            socket.send_bytes(frame(t, out.getvalue()))
            answer = socket.receive_json()
            for each in answer["people"]:
                assert np.array(each["keypoints"]).shape == (17, 3)
                left, _, right, _ = each["box"]
                assert 0 <= left < right <= 480
                found += 1
        assert found >= 3


def test_a_video_is_answered_frame_by_frame(make_client: Make, test_data: Path) -> None:
    content = (test_data / "data/clips/squat/squat_01.mp4").read_bytes()
    client = make_client(pictures=True)
    lines = [json.loads(line) for line in client.post("/v1/predict", content=content).text.splitlines()]
    assert [line["frame"] for line in lines] == list(range(29))
    assert sum(bool(line["people"]) for line in lines) > 20
    assert [line["frame"] for line in lines if "sets" in line] == [28]
    told = {(each["person"], each["set"]["start"]): each for line in lines for each in line["people"] if each["set"]}
    assert lines[-1]["sets"] == [{"person": each["person"]} | each["set"] for each in told.values()]
    assert FrameAnswer.model_validate(lines[-1]).sets is not None
    assert 'actrec_frames_total{kind="video"} 29.0' in client.get("/metrics").text


GOOD = json.dumps({"timestamp": 1.0, "keypoints": person(0)})


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ("no json", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("[1]", "not an object"),
        (f'{{"timestamp": 1, "keypoints": [{"0, " * 200_000}0]}}', "too long"),
        ('{"timestamp": 1}', "neither keypoints nor people"),
        ('{"timestamp": 1, "people": 3}', "neither keypoints nor people"),
        (GOOD.replace("1.0", "NaN", 1), "timestamp"),
        (GOOD.replace("1.0", '"now"', 1), "timestamp"),
        (GOOD.replace("1.0", "1e999", 1), "timestamp"),
        ('{"timestamp": 2, "keypoints": [[1, 2]]}', "expected 17 joints"),
        ('{"timestamp": 2, "keypoints": [["a", 2, 3]]}', "expected 17 joints"),
        (
            json.dumps({"timestamp": 2, "keypoints": person(0)[:13]}),
            "person '1' has keypoints of shape (13, 3)",
        ),
        (json.dumps({"timestamp": 2, "keypoints": [[float("nan")] * 3] * 17}), "NaN or infinite"),
        (json.dumps({"timestamp": 2, "keypoints": [[1e30] * 3] * 17}), "a coordinate of 1e+30"),
        (json.dumps({"timestamp": 1, "people": {str(i): None for i in range(40)}}), "at most 32"),
        (json.dumps({"timestamp": 0.5, "keypoints": person(0)}), "ascend"),
        (b"", "too short"),
        (frame(2, b"no jpeg"), "not a complete JPEG"),
        (frame(2, jpeg(640, 480)[:1500]), "not a complete JPEG"),
        (frame(2, jpeg(5000, 20)), "5000 × 20 pixels; expected at most 4096"),
        (frame(2, claiming(20_000, 20_000)), "20000 × 20000 pixels; expected at most 4096"),
        (frame(float("nan"), jpeg()), "timestamp"),
        (frame(2, jpeg()), "no pose model"),
    ],
)
def test_a_bad_frame_is_told_and_the_stream_goes_on(make_client: Make, message: str | bytes, reason: str) -> None:
    with make_client().websocket_connect("/v1/stream") as socket:
        socket.send_text(GOOD)
        assert "people" in socket.receive_json()
        (socket.send_text if isinstance(message, str) else socket.send_bytes)(message)
        assert reason in socket.receive_json()["error"]
        socket.send_text(GOOD.replace("1.0", "3.0", 1))
        assert len(socket.receive_json()["people"]) == 1


@pytest.mark.parametrize(
    ("overrides", "content", "status", "reason"),
    [
        ((), b"", 400, "empty"),
        ((), b"no video" * 100, 400, "cannot be opened as a video"),
        (("limits.body_mb=0.01",), bytes(20_000), 413, "larger than 0.01 MB"),
        (("limits.seconds=0.2",), "squat/squat_01.mp4", 413, "seconds; at most 0.2"),
        (("limits.fps=10",), "squat/squat_01.mp4", 413, "frames a second; at most 10"),
        (("limits.side=64",), "squat/squat_01.mp4", 413, "pixels a side; at most 64"),
    ],
)
def test_a_bad_video_is_told(
    make_client: Make, test_data: Path, overrides: tuple[str, ...], content: str | bytes, status: int, reason: str
) -> None:
    body = content if isinstance(content, bytes) else (test_data / "data/clips" / content).read_bytes()
    client = make_client(*overrides, pictures=True)
    answer = client.post("/v1/predict", content=body)
    assert answer.status_code == status
    assert reason in answer.json()["error"]
    assert client.get("/readyz").status_code == 200
    assert "actrec_sessions 0.0" in client.get("/metrics").text


def test_a_token_is_asked_for(make_client: Make) -> None:
    client = make_client("token=sesame")
    assert client.get("/healthz").status_code == 200
    for header in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "sesam"}):
        assert client.get("/v1/model", headers=header).status_code == 401
        assert client.post("/v1/predict", headers=header).status_code == 401
        with pytest.raises(WebSocketDenialResponse) as refused, client.websocket_connect("/v1/stream", headers=header):
            pass
        assert (refused.value.status_code, list(refused.value.json())) == (401, ["error"])
    right: dict[str, Any] = {"headers": {"Authorization": "Bearer sesame"}}
    assert client.get("/v1/model", **right).status_code == 200
    for way in (right, {"params": {"token": "sesame"}}):
        with client.websocket_connect("/v1/stream", **way) as socket:
            socket.send_text(GOOD)
            assert "people" in socket.receive_json()


def test_only_so_many_are_served_at_once(make_client: Make) -> None:
    client = make_client("limits.sessions=1")
    with client.websocket_connect("/v1/stream") as socket:
        socket.send_text(GOOD)
        socket.receive_json()
        assert client.get("/readyz").status_code == 503
        assert client.post("/v1/predict", content=b"x").headers["Retry-After"] == "5"
        with pytest.raises(WebSocketDenialResponse) as refused, client.websocket_connect("/v1/stream"):
            pass
        assert refused.value.status_code == 503
        assert "Try later" in refused.value.json()["error"]
    deadline = time.monotonic() + 5
    while client.get("/readyz").status_code != 200:
        assert time.monotonic() < deadline


def test_an_idle_client_is_let_go(make_client: Make) -> None:
    with make_client("limits.idle=0.2").websocket_connect("/v1/stream") as socket:
        socket.send_text(GOOD)
        socket.receive_json()
        with pytest.raises(WebSocketDisconnect) as ended:
            socket.receive_json()
    assert (ended.value.code, ended.value.reason) == (1008, "No frame for 0.2 seconds.")


def test_more_frames_than_are_allowed_end_a_stream(make_client: Make) -> None:
    with make_client("limits.fps=10").websocket_connect("/v1/stream") as socket:
        for number in range(30):
            socket.send_text(json.dumps({"timestamp": number / 30, "keypoints": person(0)}))
        while (closed := socket.receive())["type"] != "websocket.close":
            assert "people" in closed["text"]
    assert (closed["code"], closed["reason"]) == (1008, "More than 10 frames a second are not accepted.")


def test_frames_in_a_burst_are_shed_oldest_first_and_told(make_client: Make) -> None:
    client = make_client("limits.queue=2")
    with client.websocket_connect("/v1/stream") as socket:
        for number in range(100):
            socket.send_text(json.dumps({"timestamp": number / 30, "keypoints": person(0)}))
        answered, shed, last = 0, 0, -1.0
        while last < 99 / 30:
            answer = socket.receive_json()
            assert answer["timestamp"] > last
            answered, shed, last = answered + 1, shed + answer.get("shed", 0), answer["timestamp"]
    assert answered + shed == 100
    assert shed > 0
    assert f"actrec_shed_frames_total {shed}.0" in client.get("/metrics").text


def test_a_form_is_refused_whatever_its_file_is_called(make_client: Make) -> None:
    answer = make_client(pictures=True).post("/v1/predict", files={"file": ("../../a.mp4", b"x")})
    assert answer.status_code == 415
    assert "curl -X POST -T" in answer.json()["error"]


def test_what_there_is_not_is_told_in_json(make_client: Make) -> None:
    client = make_client()
    assert client.get("/v2/../../etc/passwd").json() == {"error": "Not Found"}
    assert client.get("/v1/predict").json() == {"error": "Method Not Allowed"}


def test_pages_of_other_origins_are_refused_unless_listed(make_client: Make) -> None:
    client, theirs = make_client(), {"Origin": "https://evil.example"}
    for method, path in (("get", "/v1/model"), ("post", "/v1/predict")):
        answer = getattr(client, method)(path, headers=theirs)
        assert (answer.status_code, "origins=" in answer.json()["error"]) == (403, True)
    with pytest.raises(WebSocketDenialResponse) as refused, client.websocket_connect("/v1/stream", headers=theirs):
        pass
    assert refused.value.status_code == 403
    own = {"Origin": "http://localhost:8000", "Host": "localhost:8000"}
    with client.websocket_connect("/v1/stream", headers=own) as socket:
        socket.send_text(GOOD)
        assert "people" in socket.receive_json()
    listed = make_client("origins=[https://gym.example.org]")
    asked = {"Origin": "https://gym.example.org"}
    assert listed.get("/v1/model", headers=asked).headers["access-control-allow-origin"] == asked["Origin"]
    assert "access-control-allow-origin" not in client.get("/healthz", headers=theirs).headers
    before = asked | {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
    assert listed.options("/v1/predict", headers=before).status_code == 200
    with listed.websocket_connect("/v1/stream", headers=asked) as socket:
        socket.send_text(GOOD)
        assert "people" in socket.receive_json()


def test_the_model_says_its_joints_window_rates_and_id(make_client: Make, noise_model: Path, tmp_path: Path) -> None:
    info = make_client().get("/v1/model").json()
    assert (info["n_joints"], info["joints"][0], len(info["joints"])) == (17, "nose", 17)
    assert len(info["forecast_joints"]) == 13
    assert (info["window"], info["fps"], info["training_fps"]) == ({"rule": "anchored", "length": 8}, 15.0, 30.0)
    assert ["no class 'none'" in warning for warning in info["warnings"]] == [True]  # it is a model for streams
    assert info["id"] == model_id(noise_model)
    copy = shutil.copytree(noise_model, tmp_path / "copy")
    (copy / "README.md").write_text("another card")
    assert model_id(copy) == info["id"]
    config = json.loads((copy / "config.json").read_text())
    (copy / "config.json").write_text(json.dumps(config | {"metrics": {"accuracy": 0.5}}))
    assert model_id(copy) == info["id"]
    (copy / "config.json").write_text(json.dumps(config | {"labels": ["squat", "push_ups", "lunge"]}))
    assert model_id(copy) != info["id"]


def test_openapi_has_the_bearer_token(make_client: Make) -> None:
    for overrides, security in ((), [{}, {"bearer": []}]), (("token=sesame",), [{"bearer": []}]):
        described = make_client(*overrides).get("/openapi.json").json()
        assert described["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"
        for path, method in (("/v1/model", "get"), ("/v1/predict", "post")):
            assert described["paths"][path][method]["security"] == security


def test_a_fault_on_an_upload_is_logged_counted_and_its_last_line(
    make_client: Make, test_data: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    whole, calls = TrackingRecognizer.__call__, []

    def broken(self: TrackingRecognizer, people: People, t: float) -> list[TrackedPerson]:
        calls.append(t)
        if len(calls) == 3:
            raise RuntimeError("of torch, say")
        return whole(self, people, t)

    monkeypatch.setattr(TrackingRecognizer, "__call__", broken)
    client = make_client(pictures=True)
    content = (test_data / "data/clips/squat/squat_01.mp4").read_bytes()
    lines = [json.loads(line) for line in client.post("/v1/predict", content=content).text.splitlines()]
    assert [sorted(line)[0] for line in lines] == ["frame", "frame", "error"]
    assert ["sets" in line for line in lines] == [False, True, False]  # until there
    assert 'actrec_failures_total{kind="video"} 1.0' in client.get("/metrics").text
    assert any("of torch, say" in (record.exc_text or "") for record in caplog.records)
    calls[:] = [0.0, 0.0]  # before the first line
    answer = client.post("/v1/predict", content=content)
    assert (answer.status_code, list(answer.json())) == (500, ["error"])
