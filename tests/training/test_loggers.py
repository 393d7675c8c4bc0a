from __future__ import annotations

import csv
import json
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from wandb.proto import wandb_internal_pb2

import actrec.train
from actrec.evaluation.samples import SampleClip
from actrec.report.loggers import sample_frames
from actrec.training.history import read_history
from actrec.training.loggers import wandb_logger
from actrec.types import SetupError
from actrec.video.video import open_video

pytestmark = pytest.mark.usefixtures("no_pictures")

Run = Callable[..., tuple[int, str, str]]
TINY = ["experiment=synthetic_mini", "network=tiny", "windows.length=8", "hardware=cpu", "epochs=2", "batch_size=16"]
TERMS = ("loss", "loss_cls", "loss_pred", "loss_feat")


def records(file: Path) -> Iterator[Any]:
    """The records of an offline W&B run: a log of LevelDB's format with a header of 7 bytes."""
    data, at, record = file.read_bytes(), 7, b""
    while at + 7 <= len(data):
        left = 32_768 - at % 32_768
        if left < 7:
            at += left
            continue
        _, length, kind = struct.unpack_from("<IHB", data, at)
        record += data[at + 7 : at + 7 + length]
        at += 7 + length
        if kind in (1, 4):  # whole, or the last part
            yield wandb_internal_pb2.Record.FromString(record)
            record = b""


@pytest.fixture
def folder(run_command: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run with every logger, trained from a store."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WANDB_MODE", "offline")
    import actrec.prepare

    generated = ["dataset=synthetic", "dataset.importer.n_clips=140"]
    assert run_command(actrec.prepare.run, *generated, "store=store")[0] == 0
    code, _, err = run_command(actrec.train.run, *TINY, "store=store", "logger=many", "output_dir=run")
    assert code == 0, err
    return tmp_path / "run"


def test_what_was_logged_is_read_back(folder: Path) -> None:
    (file,) = folder.glob("wandb/offline-run-*/*.wandb")
    import wandb

    wandb.teardown()  # its service writes until then
    found: dict[str, list[Any]] = {}
    for record in records(file):
        kind = record.WhichOneof("record_type")
        found.setdefault(kind, []).append(getattr(record, kind))
    assert found["exit"][0].exit_code == 0
    (run,) = found["run"]
    assert (run.project, run.run_group, run.display_name) == ("actrec", "synthetic_mini", "run")
    config = {item.key: json.loads(item.value_json) for each in [run.config] for item in each.update}
    for update in found.get("config", []):
        config |= {item.key: json.loads(item.value_json) for item in update.update}
    assert config["lambda_1"] == 0.1
    assert config["network"]["_target_"] == "actrec.network.infogcn.InfoGCN"
    rows: dict[str, list[Any]] = {}
    for row in found["history"]:
        for item in row.item:
            rows.setdefault(item.key or ".".join(item.nested_key), []).append(json.loads(item.value_json))
    history = read_history(folder / "history.csv")
    for name in [f"{split}/{term}" for split in ("train", "val") for term in TERMS] + ["val/accuracy"]:
        assert rows[name] == pytest.approx([row[name] for row in history], rel=1e-5), name
    assert len(rows["train/grad_norm"]) == len(rows["lr/pg1"]) == 2
    assert all(value > 0 for value in rows["train/grad_norm"])
    metrics = json.loads((folder / "metrics.json").read_text())
    assert rows["test/accuracy"] == [pytest.approx(metrics["accuracy"])]
    (observation,) = (folder / "wandb").glob("**/observation_table*.json")
    expected = [[float(ratio), value] for ratio, value in metrics["observation_accuracy"].items()]
    assert json.loads(observation.read_text())["data"] == expected
    (confusion,) = (folder / "wandb").glob("**/confusion_table*.json")
    assert sum(row[2] for row in json.loads(confusion.read_text())["data"]) == metrics["n_clips"]
    videos = sorted((folder / "wandb").glob("**/samples_*.mp4"))
    assert videos
    assert all(open_video(video).width == 320 for video in videos)
    artifacts = {artifact.type: artifact for artifact in found["artifact"]}
    assert set(artifacts) >= {"model", "dataset"}
    names = {entry.path for entry in artifacts["model"].manifest.contents}
    assert {"model.safetensors", "config.json", "README.md"} <= names
    lineage = json.loads(artifacts["model"].metadata)["trained_on"]
    assert lineage["digest"] == artifacts["dataset"].digest


def test_tensorboard_and_csv_have_the_same_figures(folder: Path) -> None:
    events = EventAccumulator(str(folder / "tensorboard"), size_guidance={"images": 0}).Reload()
    history = read_history(folder / "history.csv")
    for name in ("val/accuracy", "train/loss", "train/grad_norm"):
        assert [event.value for event in events.Scalars(name)] == pytest.approx([row[name] for row in history]), name
    assert {"test/confusion", "test/observation"} <= set(events.Tags()["images"])
    assert len(events.Scalars("test/accuracy_by_observation")) == 10
    with (folder / "logs/metrics.csv").open(newline="") as file:
        values = [float(row["val/loss"]) for row in csv.DictReader(file) if row["val/loss"]]
    assert values == pytest.approx([row["val/loss"] for row in history])


def test_without_a_logger_nothing_is_logged(run_command: Run, tmp_path: Path) -> None:
    code, _, err = run_command(actrec.train.run, *TINY, "dataset.importer.n_clips=140", f"output_dir={tmp_path}/run")
    assert code == 0, err
    kept = {path.name for path in (tmp_path / "run").iterdir()}
    assert kept == {
        ".hydra",
        "checkpoints",
        "config.yaml",
        "history.csv",
        "metrics.json",
        "model",
        "predictions.csv",
        "report",
        "split.json",
        "train.log",
    }
    assert "train/grad_norm" not in read_history(tmp_path / "run/history.csv")[0]


def test_a_sample_shows_its_skeleton_and_forecast(make_sequences: Callable[..., Any]) -> None:
    clip = make_sequences(1, 1)[0]
    forecasts = np.full((len(clip), 17, 2), np.nan, dtype=np.float32)
    plain = [picture for _, picture in sample_frames(SampleClip(clip, clip.label, 0.5, forecasts))]
    forecasts[3] = clip.keypoints[3, :, :2] + 5
    ghostly = [picture for _, picture in sample_frames(SampleClip(clip, clip.label, 0.5, forecasts))]
    changed = [number for number, pair in enumerate(zip(plain, ghostly, strict=True)) if (pair[0] != pair[1]).any()]
    assert changed == [3]
    assert all((picture < 255).any() for picture in plain)


def test_online_without_an_account_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WANDB_API_KEY", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(SetupError, match=r"No API key configured.*logger.wandb.mode=offline"):
        wandb_logger(str(tmp_path), "project", None, "online", "group")
