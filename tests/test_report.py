from __future__ import annotations

import csv
import json
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from actrec.metrics import summarize
from actrec.poses import SampleClip
from actrec.report import (
    ClipPrediction,
    clip_predictions,
    pick_samples,
    pick_typical,
    read_history,
    write_metrics,
    write_predictions,
    write_report,
)
from actrec.types import ActrecError

CLASSES = ["label_0", "label_1", "label_2", "never_seen"]


@pytest.fixture
def outcome(make_sequences: Callable[..., Any]) -> dict[str, Any]:
    """24 clips of three labels; three of label_0 are taken for label_1, the more confidently the later."""
    sequences = make_sequences(3, 8)
    labels = np.array([CLASSES.index(sequence.label) for sequence in sequences])
    given = labels.copy()
    given[:3] = 1
    probabilities = np.eye(4)[given] * np.linspace(0.6, 0.9, 24)[:, None] + 0.1
    groups = [sequence.group for sequence in sequences]
    by_ratio = {"0.1": np.full((24, 4), 0.25), "1.0": probabilities}
    return {
        "sequences": sequences,
        "metrics": summarize(by_ratio, labels, groups, CLASSES, n_bootstrap=50),
        "predictions": clip_predictions(sequences, by_ratio, CLASSES),
    }


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


def test_report_is_whole_and_needs_nothing_outside_its_folder(outcome: dict[str, Any], tmp_path: Path) -> None:
    sequence = outcome["sequences"][0]
    page = write_report(
        tmp_path / "report",
        outcome["metrics"],
        outcome["predictions"],
        title="A <run> & more",
        history=[{"epoch": 0.0, "train/loss": 1.0, "val/accuracy": 0.5, "lr": 0.1}],
        samples=[SampleClip(sequence, "label_1", 0.7)],
        typical=outcome["sequences"][:2],
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
    assert "The model knows never seen" in links.text
    assert "3 of 3 mistakes in 24 clips" in links.text
    assert "× 3" in links.text
    assert "A clip of each class, as it is stored" in links.text


def test_report_of_an_evaluation_alone(outcome: dict[str, Any], tmp_path: Path) -> None:
    right = [clip for clip in outcome["predictions"] if clip.correct]
    page = write_report(tmp_path, outcome["metrics"], right, title="evaluation")
    links = _read(page)
    assert "Learning curves" not in links.text
    assert "Configuration" not in links.text
    assert "There are none." in links.text
    assert not any("learning" in link or "samples" in link for link in links.found)


def test_the_page_comes_last(outcome: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr("actrec.report.confusion_matrix", fail)
    with pytest.raises(OSError, match="No space"):
        write_report(tmp_path, outcome["metrics"], outcome["predictions"], title="run")
    assert not (tmp_path / "index.html").exists()


def test_predictions_have_a_row_a_clip(outcome: dict[str, Any], tmp_path: Path) -> None:
    file = tmp_path / "predictions.csv"
    last = ClipPrediction('a,"b', "g", "label_0", "label_1", 0.25, {"0.1": True, "1.0": False})
    write_predictions(file, [*outcome["predictions"], last])
    with file.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert list(rows[0]) == ["clip_id", "group", "label", "prediction", "probability", "correct", "correct_0.1"]
    assert len(rows) == 25
    assert [row["correct"] for row in rows].count("false") == 4
    assert rows[-1]["clip_id"] == 'a,"b'
    assert rows[-1]["correct_0.1"] == "true"
    assert float(rows[-1]["probability"]) == 0.25


def test_metrics_are_plain_json(outcome: dict[str, Any], tmp_path: Path) -> None:
    file = tmp_path / "deep" / "metrics.json"
    write_metrics(file, outcome["metrics"])
    assert json.loads(file.read_text()) == outcome["metrics"]
    with pytest.raises(ValueError, match="nan"):
        write_metrics(file, {"accuracy": float("nan")})
    assert json.loads(file.read_text()) == outcome["metrics"]
    assert [path.name for path in file.parent.iterdir()] == ["metrics.json"]


def test_samples_are_the_worst_mistakes_and_one_clip_of_other_labels(outcome: dict[str, Any]) -> None:
    predictions = outcome["predictions"]
    assert pick_samples(predictions, 4)[-2:] == [2, 1]
    chosen = pick_samples(predictions, 8)
    assert len(chosen) == len(set(chosen)) == 6  # three mistakes and one clip of each label
    right = [predictions[number] for number in chosen if predictions[number].correct]
    assert [clip.label for clip in right] == CLASSES[:3]
    assert pick_samples([], 8) == []


def test_typical_clips_are_the_most_observed_of_the_first_few(make_sequences: Callable[..., Any]) -> None:
    clips = make_sequences(2, 12)
    for number, clip in enumerate(clips):  # of label_0 the fifth is seen best, of label_1 the 12th, which is too late
        clip.keypoints[:, : 1 if number in (4, 23) else 3, 2] = 0
    chosen = pick_typical(clips, ["label_1", "never_seen", "label_0"])
    assert [clip.clip_id for clip in chosen] == ["label_1_clip_00", "label_0_clip_04"]


def test_a_page_of_many_classes_says_how_many_are_drawn(
    outcome: dict[str, Any], make_sequences: Callable[..., Any], tmp_path: Path
) -> None:
    page = write_report(
        tmp_path, outcome["metrics"], outcome["predictions"], title="many", typical=make_sequences(31, 1)
    )
    assert "A clip of each of the first 30 of 31 classes" in _read(page).text


def test_history_may_have_empty_columns(tmp_path: Path) -> None:
    file = tmp_path / "history.csv"
    file.write_text("epoch,lr,val/accuracy\n0,0.01,\n1,0.02,0.75\n")
    assert read_history(file) == [{"epoch": 0, "lr": 0.01}, {"epoch": 1, "lr": 0.02, "val/accuracy": 0.75}]


@pytest.mark.parametrize("text", ["step,train/loss\n1,2\n", "epoch,train/loss\n0,much\n", "epoch,lr\n0,1,2\n"])
def test_history_of_something_else(tmp_path: Path, text: str) -> None:
    file = tmp_path / "metrics.csv"
    file.write_text(text)
    with pytest.raises(ActrecError, match="Row 2"):
        read_history(file)
