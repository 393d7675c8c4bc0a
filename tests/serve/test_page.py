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

import actrec.serve
from actrec.online.recognizer import OnlineRecognizer
from actrec.serve.enrolment import parse_class
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

        def begin(address: str, width: int = 1280, height: int = 800, scheme: Any = "light", model: Any = None) -> Page:
            page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)
            page.on("pageerror", lambda error: errors.append(str(error)))
            page.on("request", lambda asked: errors.append(asked.url) if not asked.url.startswith(LOCAL) else None)
            if model is not None:  # there is no server
                page.route(address, lambda route: route.fulfill(path=PAGE))
                page.route(f"{address}enroll.js", lambda route: route.fulfill(path=PAGE.with_name("enroll.js")))
                page.route(f"{address}v1/model", lambda route: route.fulfill(json=model))
            page.goto(address)
            return page

        yield begin
    assert not errors


PAGE = Path(actrec.serve.__file__).parent / "page/index.html"
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


# Shows answers as if they had come from the server, for a picture of 640 × 360 pixels.
SHOW = """answers => {
  const picture = document.createElement("canvas");
  picture.width = 640; picture.height = 360;
  for (const answer of answers) {
    sentAt.set(answer.timestamp, {moment: performance.now(), picture, width: 640});
    receive(answer);
  }
}"""


def model_info(labels: list[str], bones: list[list[int]]) -> dict[str, Any]:
    return {"labels": labels, "enrolled": labels[3:], "bones": bones, "takes_pictures": True, "can_enroll": True}


def someone(person: str, left: float, held: str | None, current: dict[str, Any] | None) -> dict[str, Any]:
    probabilities, keypoints = [0.9, 0.06, 0.04], [[left + 5 * joint, 150 + 10 * joint, 1.0] for joint in range(17)]
    box = [left, 140.0, left + 90, 320.0]
    answer = {"person": person, "held": held, "probabilities": probabilities, "box": box, "keypoints": keypoints}
    return answer | {"set": current and current | {"mean_probability": 0.9}}


def test_each_person_has_label_and_counter_at_the_body(open_page: Callable[..., Page]) -> None:
    labels, bones = ["squat", "push_ups", "pull_ups"], [[joint, joint + 1] for joint in range(16)]
    page = open_page("http://127.0.0.1:9/", model=model_info(labels, bones))
    page.wait_for_function("model")

    def at(time: float, count: int) -> dict[str, Any]:
        squat = {"label": "squat", "start": 100.0, "end": time, "repetitions": count}
        ended = {"label": "push_ups", "start": 101.0, "end": 104.0, "repetitions": 4}
        uncounted = {"label": "pull_ups", "start": 102.5, "end": time, "repetitions": None}
        people = [someone("1", 20, "squat", squat), someone("2", 300, None, ended)]
        return {
            "timestamp": time,
            "people": [*people, someone("3", 360, "pull_ups", uncounted), someone("4", 520, None, None)],
        }

    def counters() -> list[str]:
        return page.locator(".tag .count").all_inner_texts()

    page.evaluate(SHOW, [at(104.0 + each, 3 + each) for each in range(3)])
    assert page.locator(".tag b").all_inner_texts() == ["1 · squat", "2 · no action", "3 · pull ups", "4 · no action"]
    assert counters() == ["5", "4", "", ""]
    assert page.get_attribute("#timeline", "data-people") == "1 2 3"  # person 4 has no set
    tags = page.evaluate("[...document.querySelectorAll('.tag')].map(each => each.getBoundingClientRect().toJSON())")
    stage = page.evaluate("$('stage').getBoundingClientRect().toJSON()")
    for number, (tag, left) in enumerate(zip(tags, (20, 300, 360, 520), strict=True)):
        assert stage["left"] <= tag["left"] < tag["right"] <= stage["right"] + 1
        middle = ((tag["left"] + tag["right"]) / 2 - stage["left"]) * 640 / stage["width"]
        assert abs(middle - (left + 45)) < 130
        for other in tags[:number]:
            assert min(tag["right"], other["right"]) <= max(tag["left"], other["left"]) or (
                min(tag["bottom"], other["bottom"]) <= max(tag["top"], other["top"])
            )
    page.evaluate(SHOW, [at(108.0, 9)])
    assert counters() == ["9", "", "", ""]  # that of the set which has ended goes after a while
    rows = [[cell.strip() for cell in row.split("\t")] for row in page.locator("#sets tr").all_inner_texts()]
    assert rows == [
        ["3", "pull ups", "0:00 to 0:04", "–"],
        ["2", "push ups", "0:00 to 0:00", "4"],
        ["1", "squat", "0:00 to 0:04", "9"],
    ]
    page.evaluate(SHOW, [{"timestamp": 109.0, "people": []}])
    assert not page.locator(".tag").count()
    assert page.locator("#sets tr").count() == 3
    page.evaluate("stop()")
    assert page.locator("#sets tr").count() == 3  # they stay until another video begins


def test_an_action_is_recorded_three_times_named_and_added(open_page: Callable[..., Page], noise_model: Path) -> None:
    labels, bones = ["squat", "push_ups", "pull_ups"], [[joint, joint + 1] for joint in range(16)]
    page = open_page("http://127.0.0.1:9/", model=model_info(labels, bones))
    asked: list[tuple[str, str, str | None]] = []

    def enrolled(route: Any) -> None:
        request = route.request
        asked.append((request.method, request.url.removeprefix("http://127.0.0.1:9/"), request.post_data))
        if not request.url.endswith("/save"):
            labels[3:] = {"POST": ["wave"], "DELETE": []}[request.method]
        route.fulfill(json={"warning": None, "labels": labels, "folder": "/models/mine"})

    page.route("**/v1/enrolled**", enrolled)
    page.route("**/v1/model", lambda route: route.fulfill(json=model_info(labels, bones)))
    page.route_web_socket("ws://127.0.0.1:9/v1/stream", lambda _: None)
    record, add, tiles = page.locator("#record"), page.locator("#add"), page.locator("#recorded li")
    page.wait_for_function("model")
    assert record.is_disabled()
    page.evaluate("running = true; showRecordings()")
    for number in range(4):
        record.click()
        page.wait_for_function("recording", timeout=10_000)
        page.evaluate(SHOW, [moving(100.0 * number + t / 15) for t in range(20 if number else 5)])
        assert record.inner_text() == "Stop recording"
        record.click()
        assert tiles.count() == number  # the first was too short
    assert page.locator("#recorded small").all_inner_texts() == ["1.3 s"] * 3
    record.click()
    page.wait_for_function("recording", timeout=10_000)
    page.evaluate(SHOW, [moving(500 + t / 15) for t in range(60)])  # it ends by itself after 3 s
    assert page.locator("#recorded small").all_inner_texts() == [*["1.3 s"] * 3, "3.0 s"]
    page.get_by_role("button", name="Delete recording 4").click()
    assert add.is_disabled()
    page.get_by_label("Name of the action").fill(" wave ")
    add.click()
    page.wait_for_function("document.getElementById('status').innerText.startsWith('\"wave\" is added.')")
    assert tiles.count() == 0
    assert page.locator("#enrolled li").all_text_contents() == ["wave×"]
    method, path, body = asked.pop()
    assert (method, path) == ("POST", "v1/enrolled")
    label, clips = parse_class((body or "").encode(), OnlineRecognizer.from_pretrained(noise_model, skeleton="coco17"))
    assert (label, len(clips)) == ("wave", 3)
    page.get_by_role("button", name="Remove wave").click()
    page.wait_for_function("document.getElementById('status').innerText == '\"wave\" is removed.'")
    assert asked.pop()[:2] == ("DELETE", "v1/enrolled/wave")
    page.get_by_role("button", name="Save").click()  # the removal
    page.wait_for_function("document.getElementById('status').innerText.startsWith('Saved in /models/mine,')")


def moving(time: float) -> dict[str, Any]:
    """An answer with a small person and the main one, who is recorded."""
    small = someone("1", 20 + 3 * (time % 10), None, None)
    main = someone("2", 300 + 10 * (time % 10), None, None)
    return {"timestamp": time, "people": [small, main | {"box": [300.0, 20.0, 560.0, 350.0]}]}
