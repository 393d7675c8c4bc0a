"""The routes that add classes to the served model, list, remove and save them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient
from hydra import compose, initialize_config_dir

import actrec.model.copies
import actrec.online.enrolment
from actrec.config import config_dir
from actrec.online.recognizer import OnlineRecognizer
from actrec.serve.setup import make_app

Make = Callable[..., TestClient]
OWN = ["squat", "push_ups", "pull_ups"]


@pytest.fixture(autouse=True)
def short_background(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two short generated sessions, because the test model is not worth more."""
    sessions = {"n_clips": 2, "seed": 1, "seconds": (3, 3), "test_share": 0.0}
    monkeypatch.setattr(actrec.online.enrolment, "_SESSIONS", sessions)
    monkeypatch.setattr(actrec.online.enrolment, "_SECONDS", 3)


@pytest.fixture
def folder(noise_model: Path, tmp_path: Path) -> Path:
    return shutil.copytree(noise_model, tmp_path / "mine")


@pytest.fixture
def make_client(folder: Path) -> Iterator[Make]:
    clients = []

    def make(*overrides: str) -> TestClient:
        with initialize_config_dir(str(config_dir()), version_base="1.3"):
            cfg = compose("serve", [f"model={folder}", "pose=null", *overrides])
        clients.append(TestClient(make_app(cfg)).__enter__())
        return clients[-1]

    yield make
    for client in clients:
        client.__exit__(None, None, None)


def clip(seed: int = 0, n_frames: int = 30, fps: float = 20.0, start: float = 3.0) -> list[dict[str, Any]]:
    """A clip as the live page records it: uneven times, and one frame in which nobody was found."""
    rng = np.random.default_rng(seed)
    body, times = rng.uniform(100, 400, (17, 2)), start + (np.arange(n_frames) + rng.uniform(0, 0.4, n_frames)) / fps
    frames = []
    for time in times.tolist():
        places = body + 20 * np.sin(3 * time + np.arange(17))[:, None]
        frames.append({"timestamp": time, "keypoints": np.column_stack([places, np.ones(17)]).round(2).tolist()})
    return [frame | {"keypoints": None} if number == 9 else frame for number, frame in enumerate(frames)]


def wave() -> dict[str, Any]:
    return {"label": "wave", "clips": [clip(seed) for seed in range(3)]}


def labels_of_a_stream(client: TestClient, n_frames: int = 5) -> int:
    """The number of probabilities in a new stream's answers."""
    with client.websocket_connect("/v1/stream") as socket:
        answers = []
        for frame in clip(n_frames=n_frames):
            socket.send_text(json.dumps({"timestamp": frame["timestamp"], "people": {"1": frame.get("keypoints")}}))
            answers.append(socket.receive_json())
    return len(answers[-1]["people"][0]["probabilities"])


def test_a_class_is_added_for_new_streams_and_removed(make_client: Make) -> None:
    client = make_client()
    assert client.get("/v1/enrolled").json() == {"enrolled": [], "labels": OWN}
    with client.websocket_connect("/v1/stream") as before:
        made = client.post("/v1/enrolled", json=wave())
        assert made.status_code == 200, made.text
        found = made.json()
        assert (found["label"], found["clips"], found["labels"]) == ("wave", 3, [*OWN, "wave"])
        assert found["seconds"] == pytest.approx(30 / 20, abs=0.15)
        frame = clip()[0]
        before.send_text(json.dumps({"timestamp": 0.5, "keypoints": frame["keypoints"]}))
        assert len(before.receive_json()["people"][0]["probabilities"]) == 3  # as its client was told
    assert client.get("/v1/enrolled").json() == {"enrolled": ["wave"], "labels": [*OWN, "wave"]}
    info = client.get("/v1/model").json()
    assert (info["labels"], info["enrolled"], info["can_enroll"]) == ([*OWN, "wave"], ["wave"], True)
    assert labels_of_a_stream(client) == 4
    assert client.delete("/v1/enrolled/wave").json() == {"enrolled": [], "labels": OWN}
    assert labels_of_a_stream(client) == 3
    again = client.delete("/v1/enrolled/wave")
    assert (again.status_code, again.json()["error"]) == (404, "'wave' is not an enrolled class. Enrolled are: none.")


def test_a_class_is_what_enroll_makes_of_the_same_clips(make_client: Make, folder: Path) -> None:
    client = make_client()
    assert client.post("/v1/enrolled", json=wave()).status_code == 200
    saved = client.post("/v1/enrolled/save")
    assert saved.json() == {"folder": str(folder)}
    recognizer = OnlineRecognizer.from_pretrained(folder)
    assert recognizer.enrolled == ("wave",)
    assert make_client().get("/v1/model").json()["enrolled"] == ["wave"]  # the next server has it
    client.delete("/v1/enrolled/wave")
    assert client.post("/v1/enrolled/save").status_code == 200
    assert not (folder / "enrolled.npz").exists()


def test_a_model_of_the_package_is_copied_before_classes_are_saved(
    make_client: Make, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setattr(actrec.model.copies, "SHIPPED", folder.parent)
    client = make_client()
    for _ in range(2):
        client.post("/v1/enrolled", json=wave())
        assert client.post("/v1/enrolled/save").json() == {"folder": str(tmp_path / "here/mine")}
    assert OnlineRecognizer.from_pretrained("mine").enrolled == ("wave",)
    assert not (folder / "enrolled.npz").exists()


def test_classes_that_cannot_be_saved_stay(
    make_client: Make, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(actrec.model.copies, "SHIPPED", folder.parent)  # ./mine is there already
    (tmp_path / "else").mkdir()
    (tmp_path / "else/mine").mkdir()
    monkeypatch.chdir(tmp_path / "else")
    client = make_client()
    client.post("/v1/enrolled", json=wave())
    answer = client.post("/v1/enrolled/save")
    assert (answer.status_code, answer.json()["error"].count("'mine' exists already")) == (409, 1)
    assert client.get("/v1/enrolled").json()["enrolled"] == ["wave"]


@pytest.fixture(scope="module")
def refusing(noise_model: Path) -> Iterator[TestClient]:
    """A client of a server that gets no class which it can enrol, and so stays as it is."""
    with initialize_config_dir(str(config_dir()), version_base="1.3"):
        cfg = compose("serve", [f"model={noise_model}", "pose=null"])
    with TestClient(make_app(cfg)) as client:
        yield client


def changed(**changes: Any) -> dict[str, Any]:
    return wave() | changes


SHUFFLED = [*clip()[:10], *clip()[:10]]
SLOW = [frame | {"timestamp": 1000 * frame["timestamp"]} for frame in clip()]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("[", "The body is not JSON."),
        ('{"label": "a", "label": "b"}', "a key occurs twice"),
        ("[" * 100_000, "The body is not JSON."),
        ([], "not an object with label and clips"),
        ({"label": "wave"}, "not an object with label and clips"),
        (changed(label=""), "The label is ''; expected the name of an action"),
        (changed(label=" wave"), "without spaces at its ends"),
        (changed(label=3), "The label is 3;"),
        (changed(label="a\nb"), "expected the name of an action"),
        (changed(label="\ud800"), "expected the name of an action"),
        (changed(label="none"), "expected the name of an action"),
        (changed(label="a" * 201), "201 characters"),
        (changed(label="squat"), "There is a class 'squat' already."),
        (changed(clips=[]), "There are no clips of 'wave'; expected 1 to 10."),
        (changed(clips=11 * [clip()]), "There are 11 clips; expected 1 to 10."),
        (changed(clips=[3]), "Clip 1 is not a list of two or more frames."),
        (changed(clips=[clip(), [clip()[0]]]), "Clip 2 is not a list of two or more frames."),
        (changed(clips=[clip(n_frames=10)[:4]]), "Clip '1' lasts"),
        (changed(clips=[SHUFFLED]), "expected timestamps in seconds that ascend"),
        (changed(clips=[SLOW]), "at most 1 s apart"),
        (changed(clips=[clip(n_frames=700, fps=10)]), "at most 60 s in all"),
        (changed(clips=[[{"timestamp": t / 20} for t in range(30)]]), "has an observed joint"),
        (changed(clips=[[{"timestamp": t / 20, "keypoints": [[1, 2, 3]]} for t in range(30)]]), "17 joints"),
    ],
)
def test_what_cannot_be_enrolled_is_answered_with_the_reason(refusing: TestClient, body: Any, reason: str) -> None:
    answer = refusing.post("/v1/enrolled", content=body if isinstance(body, str) else json.dumps(body))
    assert (answer.status_code, list(answer.json())) == (400, ["error"])
    assert reason in answer.json()["error"]
    assert refusing.get("/v1/enrolled").json()["enrolled"] == []


def test_limits_and_access(make_client: Make) -> None:
    assert make_client("limits.message_mb=0.001").post("/v1/enrolled", json=wave()).status_code == 413
    closed = make_client("host=0.0.0.0")
    assert not closed.get("/v1/model").json()["can_enroll"]
    assert closed.get("/v1/enrolled").status_code == 200
    for answer in (
        closed.post("/v1/enrolled", json=wave()),
        closed.delete("/v1/enrolled/wave"),
        closed.post("/v1/enrolled/save"),
    ):
        assert (answer.status_code, "enroll=true" in answer.json()["error"]) == (403, True)
    assert make_client("host=0.0.0.0", "enroll=true").post("/v1/enrolled", json=wave()).status_code == 200
    guarded = make_client("token=sesame")
    assert guarded.post("/v1/enrolled", json=wave()).status_code == 401
    assert guarded.delete("/v1/enrolled/wave").status_code == 401
    headers = {"Authorization": "Bearer sesame"}
    assert guarded.post("/v1/enrolled", json=wave(), headers=headers).status_code == 200
    foreign = make_client().post("/v1/enrolled", json=wave(), headers={"Origin": "https://example.org"})
    assert foreign.status_code == 403


def test_an_internal_error_is_told_and_counted(make_client: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(OnlineRecognizer, "enroll", fail)
    client = make_client()
    answer = client.post("/v1/enrolled", json=wave())
    assert (answer.status_code, answer.json()) == (500, {"error": "The server failed on these clips. See its log."})
    assert 'actrec_failures_total{kind="enrolment"} 1.0' in client.get("/metrics").text
