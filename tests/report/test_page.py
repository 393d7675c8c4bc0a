from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from actrec.evaluation.metrics import summarize
from actrec.evaluation.predictions import clip_predictions
from actrec.evaluation.results import Results, write_metrics
from actrec.evaluation.samples import SampleClip, typical_clips
from actrec.report.page import write_report


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found |= {value for name, value in attrs if name in ("src", "href", "srcset") and value}

    def handle_data(self, data: str) -> None:
        self.text += data


def _read(page: Path) -> _Links:
    parser = _Links()
    parser.feed(page.read_text())
    return parser


def test_report_is_whole_and_needs_nothing_outside_its_folder(
    results: Results, make_sequences: Callable[..., Any], tmp_path: Path
) -> None:
    sequence, other = make_sequences(2, 1)
    page = write_report(
        tmp_path / "report",
        replace(results, samples=[SampleClip(sequence, "label_1", 0.7)]),
        title="A <run> & more",
        history=[{"epoch": 0.0, "train/loss": 1.0, "val/accuracy": 0.5, "lr": 0.1}],
        typical=[sequence, other],
        config="name: <b>run</b>\n",
        facts={"network": "tiny"},
    )
    links = _read(page)
    pictures = {
        f"{name}{dark}.png"
        for name in ("observation", "class_f1", "confusion", "learning", "samples", "typical")
        for dark in ("", "-dark")
    }
    assert links.found == {*pictures, "data:,"}
    assert {path.name for path in page.parent.iterdir()} == {*pictures, "index.html"}
    for name in pictures:
        assert (page.parent / name).read_bytes().startswith(b"\x89PNG")
    assert "http" not in page.read_text()
    assert "A <run> & more" in links.text
    assert "<b>run</b>" in links.text  # escaped in the page
    assert "87.5" in links.text  # 21 of 24
    assert "The model also knows never seen" in links.text
    assert "3 of 3 mistakes in 24 clips" in links.text
    assert "× 3" in links.text
    assert "A clip of each class as stored" in links.text


def test_report_of_an_evaluation_alone(results: Results, tmp_path: Path) -> None:
    right = replace(results, predictions=[clip for clip in results.predictions if clip.correct])
    page = write_report(tmp_path, right, title="evaluation")
    links = _read(page)
    assert "Learning curves" not in links.text
    assert "Configuration" not in links.text
    assert "There are none." in links.text
    assert not any("learning" in link or "samples" in link for link in links.found)


def test_a_picture_that_fails_is_logged_and_said_and_the_rest_is_there(
    results: Results, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: Any) -> None:
        raise MemoryError("no room for <1,000> pixels")

    (tmp_path / "confusion.png").write_bytes(b"of another run")
    monkeypatch.setattr("actrec.report.page.confusion_matrix", fail)
    page = write_report(tmp_path, results, title="run")
    links = _read(page)
    assert "This picture is missing: MemoryError: no room for <1,000> pixels" in links.text
    assert sorted(file.name for file in tmp_path.glob("*.png")) == sorted(
        f"{name}{theme}.png" for name in ("observation", "class_f1") for theme in ("", "-dark")
    )
    assert not any("confusion" in link for link in links.found)
    assert [record.message for record in caplog.records] == [
        "The picture 'confusion' could not be drawn and is omitted (MemoryError: no room for <1,000> pixels)."
    ]


def test_the_tables_are_there_when_drawing_is_cut_off(
    results: Results, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def end(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("actrec.report.page.observation_curve", end)
    with pytest.raises(KeyboardInterrupt):
        write_report(tmp_path, results, title="run")
    links = _read(tmp_path / "index.html")
    assert links.text.count("it has not been drawn yet, or the process was ended") == 3
    assert "3 of 3 mistakes in 24 clips" in links.text
    assert not any(link.endswith(".png") for link in links.found)


def test_a_page_of_many_classes_says_how_many_are_drawn(
    results: Results, make_sequences: Callable[..., Any], tmp_path: Path
) -> None:
    page = write_report(tmp_path, results, title="many", typical=make_sequences(31, 1))
    assert "A clip of each of the first 30 of 31 classes" in _read(page).text


def _of_classes(classes: list[str], sequences: list[Any], groups: list[str] | None = None) -> tuple[Results, list[Any]]:
    """Results in which each clip is predicted as the next class but one; and the clips."""
    labels = np.arange(len(sequences)) % len(classes)
    clips = [replace(clip, label=classes[k]) for clip, k in zip(sequences, labels, strict=True)]
    by_ratio = {"0.5": labels, "1.0": np.eye(len(classes))[np.roll(labels, -2)]}
    groups = groups or [clip.clip_id for clip in clips]
    metrics = summarize(by_ratio, labels, groups, classes, n_bootstrap=50)
    return Results(metrics, clip_predictions(clips, by_ratio, classes), []), clips


def test_of_many_classes_the_page_shows_the_most_confused_and_says_so(
    make_sequences: Callable[..., Any], tmp_path: Path
) -> None:
    made, _ = _of_classes([f"class_{k}" for k in range(41)], make_sequences(41, 2))
    page = write_report(tmp_path, made, title="many")
    text = " ".join(_read(page).text.split())
    assert "The 30 most confused of 41 classes" in text
    assert "The 20 best and the 20 worst of 41 classes" in text
    assert "Most frequent confusions" in text
    row = '<td><bdi>class 0</bdi></td><td class="bad"><bdi>class 2</bdi></td><td class="number">2</td>'
    assert f'{row}<td class="number">100.0&nbsp;%</td>' in page.read_text()
    with Image.open(tmp_path / "confusion.png") as picture:
        assert max(picture.size) < 2300


def test_names_of_any_kind_are_escaped_and_isolated(make_sequences: Callable[..., Any], tmp_path: Path) -> None:
    classes = ["<script>alert(1)</script>", "قرفصاء", "深蹲", "a\udce9b"]
    made, clips = _of_classes(classes, make_sequences(4, 2))
    typical = typical_clips(clips, classes)
    page = write_report(tmp_path, made, title="names", typical=typical)
    content = page.read_text(encoding="utf-8")
    assert "<script" not in content
    assert "<bdi>&lt;script&gt;alert(1)&lt;/script&gt;</bdi>" in content
    assert "<bdi>قرفصاء</bdi>" in content
    assert "class 3: <bdi>a?b</bdi>" in content  # no font has half a letter


def test_what_means_nothing_is_left_out_or_said(make_sequences: Callable[..., Any], tmp_path: Path) -> None:
    made, _ = _of_classes(["a", "b", "c"], make_sequences(3, 2), groups=["one"] * 6)
    assert made.metrics["top5_accuracy"] == 1
    text = _read(write_report(tmp_path, made, title="few")).text
    assert "Top-5" not in text  # of three classes the five likeliest are all
    assert "All clips belong to one group" in text
    assert "Macro F1" in text


def test_one_clip_has_a_report(make_sequences: Callable[..., Any], tmp_path: Path) -> None:
    clip = make_sequences(1, 1)[0]
    classes = [clip.label, *(f"other_{k}" for k in range(40))]
    by_ratio = {"0.5": np.array([1]), "1.0": np.eye(41)[:1]}
    metrics = summarize(by_ratio, np.array([0]), ["g"], classes, n_bootstrap=50)
    write_metrics(tmp_path / "metrics.json", metrics)
    assert json.loads((tmp_path / "metrics.json").read_text())["intervals"]["accuracy"] == [1.0, 1.0]
    made = Results(metrics, clip_predictions([clip], by_ratio, classes), [SampleClip(clip, clip.label, 1.0)])
    page = write_report(tmp_path, made, title="one")
    assert "other 29 and 10 more, but this split has no clips of these classes" in " ".join(_read(page).text.split())
    assert "This picture is missing" not in page.read_text()
