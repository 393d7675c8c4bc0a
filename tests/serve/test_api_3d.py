"""The API and the app with a model of three dimensions."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from fastapi.testclient import TestClient
from hydra import compose, initialize_config_dir

from actrec.config import config_dir
from actrec.online.recognizer import OnlineRecognizer
from actrec.serve.app_results import attention_figures, results_of_array
from actrec.serve.setup import make_app
from actrec.skeleton import NWUCLA20
from actrec.types import ActrecError


@pytest.fixture(scope="module")
def client(solid_model: Path) -> Iterator[TestClient]:
    """A client of a server whose config has a pose model, which a model of three dimensions does not use."""
    with initialize_config_dir(str(config_dir()), version_base="1.3"):
        cfg = compose("serve", [f"model={solid_model}", "enroll=true"])
    with TestClient(make_app(cfg), base_url="http://127.0.0.1") as made:
        yield made


def body(t: float) -> np.ndarray:
    """A body in metres that sways."""
    rng = np.random.default_rng(0)
    places = rng.normal(0, 0.4, (20, 3)) + np.array([0.1, 0.0, 2.5])
    places += 0.1 * np.sin(3 * t + np.arange(60).reshape(20, 3))
    return np.concatenate([places, np.ones((20, 1))], -1).astype(np.float32)


def test_the_model_says_its_coordinates_and_its_own_joints(client: TestClient) -> None:
    info = client.get("/v1/model").json()
    assert info["n_coordinates"] == 3
    assert (info["skeleton"], info["n_joints"]) == ("nwucla20", 20)
    assert info["joints"] == list(NWUCLA20.joints)
    assert not info["takes_pictures"]
    assert not info["can_enroll"]


def test_a_stream_is_answered_as_the_recogniser_answers(client: TestClient, solid_model: Path) -> None:
    recognizer = OnlineRecognizer.from_pretrained(solid_model)
    with client.websocket_connect("/v1/stream") as socket:
        for number in range(12):
            frame = body(number / 15)
            socket.send_text(json.dumps({"timestamp": number / 15, "people": {"anna": frame.tolist()}}))
            (answer,) = json.loads(socket.receive_text())["people"]
            expected = recognizer.push(frame, number / 15)
            assert expected is not None
            np.testing.assert_allclose(answer["probabilities"], expected.probabilities, atol=1e-4)
            np.testing.assert_allclose(answer["forecast"], expected.forecast[-1], rtol=1e-4)
            assert np.array(answer["forecast"]).shape == (20, 3)
        socket.send_text(json.dumps({"timestamp": 1.0, "keypoints": body(1.0)[:, [0, 1, 3]].tolist()}))
        error = json.loads(socket.receive_text())["error"]
        assert "shape (20, 3)" in error
        assert error.endswith(
            "each with the numbers x, y, z and confidence. This model takes three dimensions, not two."
        )
        socket.send_bytes(b"\0" * 8 + b"\xff\xd8\xff")
        assert "error" in json.loads(socket.receive_text())


def test_videos_and_new_classes_are_refused_in_a_sentence(client: TestClient) -> None:
    answer = client.post("/v1/predict", content=b"no video")
    assert answer.status_code == 501
    assert "takes three dimensions, which pictures do not show" in answer.json()["error"]
    answer = client.post("/v1/enrolled", json={"label": "wave", "clips": []})
    assert answer.status_code == 403
    assert "has three dimensions" in answer.json()["error"]


def test_a_model_of_two_dimensions_refuses_three(noise_model: Path) -> None:
    with initialize_config_dir(str(config_dir()), version_base="1.3"):
        cfg = compose("serve", [f"model={noise_model}", "pose=null"])
    with TestClient(make_app(cfg), base_url="http://127.0.0.1") as client:
        assert client.get("/v1/model").json()["n_coordinates"] == 2
        with client.websocket_connect("/v1/stream") as socket:
            socket.send_text(json.dumps({"timestamp": 1.0, "keypoints": np.ones((17, 4)).tolist()}))
            assert "This model takes two dimensions, not three." in json.loads(socket.receive_text())["error"]


def test_the_app_shows_an_array_of_keypoints(solid_model: Path, tmp_path: Path) -> None:
    from actrec.model.folder import load_model
    from actrec.network.infogcn import InfoGCN

    recognizer = OnlineRecognizer.from_pretrained(solid_model)
    np.save(tmp_path / "clip.npy", np.stack([body(t / 15) for t in range(10)]))
    content = (tmp_path / "clip.npy").read_bytes()
    results = results_of_array("clip.npy", content, 15.0, recognizer, lambda _done, _of: None)
    (lines,) = results.people().values()
    assert len(lines) == 10
    np.testing.assert_allclose([line["keypoints"] for line in lines], np.stack([body(t / 15) for t in range(10)]), 1e-4)
    assert "box" not in lines[0]
    network = load_model(solid_model)
    assert isinstance(network, InfoGCN)
    figures = attention_figures(recognizer.spec, network, lines, 0, 15.0)
    assert set(figures.joints) == {"Attention", "Effective adjacency"}
    np.save(tmp_path / "flat.npy", body(0.0)[None, :, [0, 1, 3]])
    with pytest.raises(ActrecError, match="has 2 coordinates for each joint; this model or run takes 3"):
        results_of_array("f.npy", (tmp_path / "flat.npy").read_bytes(), 15.0, recognizer, lambda _done, _of: None)
