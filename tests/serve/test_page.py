"""The live page in a real browser, with a clip for its camera."""

from __future__ import annotations

import io
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Page, sync_playwright

from actrec.video.video import open_video
from tests.serve.conftest import Running

Serve = Callable[..., Running]
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--use-fake-ui-for-media-stream"]


@pytest.fixture
def clip(test_data: Path) -> Path:
    return test_data / "data/clips/jumping_jacks/jumping_jacks_01.mp4"


@pytest.fixture
def open_page(clip: Path, tmp_path: Path) -> Iterator[Callable[..., Page]]:
    """`open_page(address, width=…)` gives a page whose camera shows the clip, and that fails on an error of its own."""
    chromium = shutil.which("chromium")
    assert chromium, "The browser tests need Debian's chromium: apt-get install chromium"
    camera = tmp_path / "camera.mjpeg"
    with camera.open("wb") as file:
        for _, picture in open_video(clip).frames(640):
            out = io.BytesIO()
            Image.fromarray(picture).save(out, "JPEG")
            file.write(out.getvalue())
    flags = [*FLAGS, "--use-fake-device-for-media-stream", f"--use-file-for-fake-video-capture={camera}"]
    errors: list[str] = []
    with sync_playwright() as playwright, playwright.chromium.launch(executable_path=chromium, args=flags) as browser:

        def begin(address: str, width: int = 1280, height: int = 800, scheme: Any = "light") -> Page:
            page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)
            page.on("pageerror", lambda error: errors.append(str(error)))
            page.on("request", lambda asked: errors.append(asked.url) if not asked.url.startswith(LOCAL) else None)
            page.goto(address)
            return page

        yield begin
    assert not errors


LOCAL = ("http://127.0.0.1:", "ws://127.0.0.1:", "data:", "blob:")
ANSWERED = "document.querySelectorAll('#bars li').length > 0"


GROUND = [27, 33, 43]


def ground(page: Page) -> list[int]:
    """Colour of the canvas' corner."""
    corner: list[int] = page.evaluate("[...$('picture').getContext('2d').getImageData(2, 2, 1, 1).data].slice(0, 3)")
    return corner


def test_the_camera_is_recognised(serve: Serve, open_page: Callable[..., Page], tmp_path: Path) -> None:
    server = serve()
    page = open_page(server.address)
    page.get_by_role("button", name="Use the camera").click()
    page.wait_for_function(ANSWERED, timeout=30_000)
    time.sleep(3)
    assert page.inner_text("#status") == "Live."
    assert int(page.inner_text("#people")) >= 1
    assert int(page.inner_text("#latency").removesuffix(" ms")) < 3000
    assert float(page.inner_text("#rate")) >= 1
    values = [int(text.removesuffix(" %")) for text in page.locator("#bars li span:nth-child(2)").all_inner_texts()]
    assert values == sorted(values, reverse=True)
    assert 90 <= sum(values) <= 110  # of three classes
    page.screenshot(path=tmp_path / "page.png")
    assert ground(page) != GROUND
    page.get_by_role("checkbox", name="Picture").uncheck()
    time.sleep(1.5)
    assert ground(page) == GROUND
    page.get_by_role("button", name="Stop").click()
    assert page.inner_text("#status") == "Stopped."
    deadline = time.monotonic() + 10
    while server.sessions:
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_a_video_on_a_phone_by_the_keyboard(serve: Serve, open_page: Callable[..., Page], test_data: Path) -> None:
    page = open_page(serve("token=sesame").address + "/?token=sesame", 390, 844, "dark")
    for name in ("Use the camera", "Open a video", "Picture"):
        page.keyboard.press("Tab")
        assert name in page.evaluate("(document.activeElement.labels?.[0] ?? document.activeElement).innerText")
    page.set_input_files("#file", test_data / "data/clips/squat/squat_02.mp4")
    page.wait_for_function("document.getElementById('status').innerText == 'The video has ended.'", timeout=60_000)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert background == "rgb(18, 21, 27)"


def test_what_goes_wrong_is_told(serve: Serve, open_page: Callable[..., Page], tmp_path: Path) -> None:
    server = serve("token=sesame")
    page = open_page(server.address)
    page.wait_for_function("document.getElementById('status').innerText.includes('bearer token')")
    page = open_page(server.address + "/?token=sesame")
    bad = tmp_path / "bad.mp4"
    bad.write_bytes(b"no video")
    page.set_input_files("#file", bad)
    page.wait_for_function("document.getElementById('status').innerText.startsWith('That cannot be played')")
    page.get_by_role("button", name="Use the camera").click()
    page.wait_for_function("document.getElementById('status').innerText == 'Live.'", timeout=30_000)
    server.process.terminate()
    page.wait_for_function("document.getElementById('status').className == 'bad'", timeout=40_000)
