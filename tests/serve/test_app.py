"""The Streamlit app, as a script and in a real browser."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright
from streamlit.testing.v1 import AppTest

from actrec.online.prediction import Set
from actrec.online.set_list import PersonSet
from actrec.serve.app_results import repetition_totals, set_table

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "actrec/serve/app.py"


Start = Callable[..., AppTest]


@pytest.fixture
def start(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Start:
    """`start(model, pose)` gives the app that was started with those arguments, from an empty folder."""

    def begin(*arguments: Path | str) -> AppTest:
        monkeypatch.setattr(sys, "argv", ["app.py", *map(str, arguments)])
        monkeypatch.chdir(tmp_path)
        return AppTest.from_file(str(SCRIPT), default_timeout=300).run()

    return begin


def test_a_generated_sample_is_explained(start: Start, noise_model: Path) -> None:
    app = start(noise_model)
    app.main.selectbox[0].set_value("push ups").run()
    assert not app.exception
    assert not app.error
    assert all("not trained for streams" not in warning.value for warning in app.warning)
    assert len(app.dataframe[-1].value) == 3
    assert app.dataframe[-1].value["mean probability"].sum() == pytest.approx(1, abs=1e-3)
    assert [each.value for each in app.subheader] == ["Sets", "Classes", "Attention"]
    assert (len(app.dataframe) == 2) != bool(app.info)  # a table of sets, or that there are none
    assert not app.metric  # the model counts nothing
    frames = app.select_slider[0].options
    app.select_slider[0].set_value(int(frames[3])).run()
    assert not app.exception


def test_what_is_wrong_is_told(start: Start, tmp_path: Path) -> None:
    app = start(tmp_path)
    assert "is not a model folder" in app.error[0].value
    assert not app.exception
    assert start().sidebar.selectbox[0].options[0] == "sport14"


def test_visitors_choose_among_what_the_app_was_started_with(start: Start, noise_model: Path, tmp_path: Path) -> None:
    other = shutil.copytree(noise_model, tmp_path / "elsewhere/model")
    app = start(noise_model, "yolo11s")
    assert not app.text_input  # no path can be typed
    assert app.sidebar.selectbox[0].options == [str(noise_model)]
    assert app.sidebar.caption[0].value == "Pose model: yolo11s"
    with pytest.raises(ValueError, match="elsewhere"):
        app.sidebar.selectbox[0].set_value(str(other)).run()
    assert start(noise_model, other).sidebar.selectbox[0].options == [str(noise_model), str(other)]


def test_a_model_that_is_not_for_streams_is_said_to_be_none(start: Start, noise_model: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(noise_model, tmp_path / "model")
    config = json.loads((folder / "config.json").read_text())
    config["decision"] = "mean"
    (folder / "config.json").write_text(json.dumps(config))
    (warning,) = start(folder).warning
    assert "decision=mean" in warning.value
    assert "Train one for streams with:" in warning.value


@pytest.fixture
def address(noise_model: Path, test_data: Path) -> Iterator[str]:
    pose = test_data / "models/yolov8n-pose_int8_openvino_model"
    command = [sys.executable, "-m", "streamlit", "run", str(SCRIPT), "--server.port", "8591", "--", noise_model, pose]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + 60
        while True:
            try:
                urllib.request.urlopen("http://127.0.0.1:8591/_stcore/health", timeout=5).close()
                break
            except OSError:
                assert time.monotonic() < deadline
                time.sleep(0.3)
        yield "http://127.0.0.1:8591/"
        process.terminate()


def test_an_uploaded_video_is_shown_in_a_browser(address: str, test_data: Path, tmp_path: Path) -> None:
    flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=flags)
        page = browser.new_page()
        page.goto(address)
        page.wait_for_selector("input[type=file]", state="attached", timeout=60_000)
        page.set_input_files("input[type=file]", test_data / "data/clips/squat/squat_02.mp4")
        page.wait_for_selector("h3:has-text('Attention')", timeout=120_000)
        page.wait_for_function(
            "document.querySelector('video').readyState > 0 && document.querySelector('video').duration > 1"
        )
        with page.expect_download() as download:
            page.get_by_role("button", name="Predictions").click()
        download.value.save_as(tmp_path / "predictions.jsonl")
        assert len({line.split(",")[0] for line in (tmp_path / "predictions.jsonl").read_text().splitlines()}) == 35
        bad = tmp_path / "bad.mp4"
        bad.write_bytes(b"no video")
        page.set_input_files("input[type=file]", bad)
        page.wait_for_selector("text=it cannot be opened as a video", timeout=60_000)
        browser.close()


def test_sets_have_a_row_each_and_repetitions_are_summed_by_action() -> None:
    sets = [
        PersonSet("1", Set("push_ups", 1.0, 9.123456, 7, 0.9)),
        PersonSet("2", Set("push_ups", 1.0, 9.0, 100, 0.9)),
        PersonSet("1", Set("plank", 12.0, 19.0, None, 0.8)),
        PersonSet("1", Set("push_ups", 30.0, 40.0, 5, 0.9)),
    ]
    assert repetition_totals(sets, "1") == {"push_ups": 12}
    assert repetition_totals(sets, "3") == {}
    rows = set_table(sets)
    assert rows[0] == {
        "person": "1",
        "label": "push ups",
        "start, seconds": 1.0,
        "end, seconds": 9.12,
        "repetitions": 7,
        "mean probability": 0.9,
    }
    assert [row["repetitions"] for row in rows] == [7, 100, None, 5]
    assert set_table([]) == []
