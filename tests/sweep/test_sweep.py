from __future__ import annotations

import csv
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import lightning as L
import numpy as np
import pytest
from PIL import Image
from scipy.stats import t as student

import actrec.train
from actrec.data.store.clip_source import ClipSource
from actrec.data.store.writing import write_store
from actrec.model.spec import load_spec
from actrec.sweep.runs import SweptRun, kept_figures, read_runs
from actrec.sweep.settings import differing, settings_of
from actrec.sweep.summary import summarize
from actrec.types import SkeletonSequence

pytestmark = pytest.mark.usefixtures("no_pictures")

Run = Callable[..., tuple[int, str, str]]
LABELS = ("pull_ups", "push_ups", "squat")
TINY = ["network=tiny", "windows.length=8", "hardware=cpu", "batch_size=8", "warmup_epochs=1", "epochs=2"]


@pytest.fixture
def sweep(
    run_command: Run, make_sequences: Callable[..., list[SkeletonSequence]], tmp_path: Path, monkeypatch: Any
) -> Callable[..., tuple[int, str, str]]:
    """`sweep("lambdas", "lambda_1=0,1", …)` runs one of tiny trainings, in an empty folder."""
    made = [replace(clip, label=LABELS[int(clip.label[-1])]) for clip in make_sequences(3, 12)]
    clips = [ClipSource(c.clip_id, c.source, c.clip_id, lambda c=c: c) for c in made]
    write_store(tmp_path / "store", clips, {"dataset": "generated", "raw": "none"})
    monkeypatch.chdir(tmp_path)

    def begin(name: str, *overrides: str) -> tuple[int, str, str]:
        arguments = ["-m", "name=small", "store=store", f"sweep={name}", *TINY, *overrides]
        return run_command(actrec.train.run, *arguments)

    return begin


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The folder of each training that ends."""
    folders, train = [], actrec.train.train

    def watched(cfg: Any) -> Path:
        folders.append(train(cfg))
        return folders[-1]

    monkeypatch.setattr(actrec.train, "train", watched)
    return folders


def table(folder: str) -> list[dict[str, str]]:
    with (Path("outputs") / folder / "summary.csv").open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.filterwarnings("ignore:Checkpoint directory")
def test_a_sweep_started_again_does_only_what_is_missing(
    sweep: Run, trained: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    grid = ("lambda_1=0,1", "lambda_2=0.1,2")
    fit = L.Trainer.fit

    def cut_off(trainer: L.Trainer, *given: Any, **named: Any) -> None:
        if len(trained) == 2:
            trainer.fit_loop.max_epochs = 1  # as a kill between two epochs leaves it
            fit(trainer, *given, **named)
            raise KeyboardInterrupt
        fit(trainer, *given, **named)

    with monkeypatch.context() as patch:
        patch.setattr(L.Trainer, "fit", cut_off)
        assert sweep("lambdas", *grid)[0] == 130
    assert len(trained) == 2
    before = {file: file.stat().st_mtime_ns for file in Path("outputs/small_lambdas").glob("runs/*/metrics.json")}
    code, out, err = sweep("lambdas", *grid)
    assert code == 0, err
    assert out.count("There already") == 2
    assert len(trained) == len(set(trained)) == 4
    assert "resumed" in (trained[2] / "train.log").read_text()
    assert all(file.stat().st_mtime_ns == moment for file, moment in before.items())
    rows = table("small_lambdas")
    assert sorted((row["lambda_1"], row["lambda_2"]) for row in rows) == [
        ("0", "0.1"), ("0", "2"), ("1", "0.1"), ("1", "2")
    ]  # fmt: skip
    assert [float(row["val_accuracy"]) for row in rows] == sorted(
        (float(row["val_accuracy"]) for row in rows), reverse=True
    )
    best = Path("outputs/small_lambdas/runs") / rows[0]["run"]
    assert (best / "model/model.safetensors").read_bytes() == Path(
        "outputs/small_lambdas/model/model.safetensors"
    ).read_bytes()
    assert float(rows[0]["accuracy"]) == pytest.approx(
        json.loads((best / "metrics.json").read_text())["accuracy"], abs=1e-4
    )
    assert set(LABELS) < set(load_spec(Path("outputs/small_lambdas/model")).labels)
    with Image.open("outputs/small_lambdas/summary.png") as picture:
        assert picture.width > 500
    sweep("lambdas", *grid)
    assert len(trained) == 4
    sweep("lambdas", "lambda_1=0,1", "lambda_2=0.1,2,3")
    assert len(trained) == 6


def test_seeds_are_one_row_with_their_interval(sweep: Run) -> None:
    code, _, err = sweep("seeds")
    assert code == 0, err
    (row,) = table("small_seeds")
    accuracy = [run.figures["accuracy"] for run in read_runs(Path("outputs/small_seeds"))]
    assert (row["n_runs"], row["interval_over"]) == ("3", "seeds")
    assert float(row["accuracy"]) == pytest.approx(np.mean(accuracy), abs=1e-4)
    low, high = student.interval(0.95, 2, np.mean(accuracy), np.std(accuracy, ddof=1) / 3**0.5)
    if low < high:
        assert (float(row["low"]), float(row["high"])) == pytest.approx((low, high), abs=1e-3)


def test_a_search_goes_on_with_the_same_study(sweep: Run, trained: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    space = "++sweep.search.space={base_lr:{low:0.001,high:0.1,log:true},network.dim:{choices:[4,8]}}"
    fit = L.Trainer.fit

    def fail_second(*given: Any, **named: Any) -> None:
        if len(trained) == 1:
            raise KeyboardInterrupt
        fit(*given, **named)

    with monkeypatch.context() as patch:
        patch.setattr(L.Trainer, "fit", fail_second)
        code, _, err = sweep("optuna", "trial=range(3)", space)
    assert code == 130, err
    (cut,) = [file for file in Path("outputs/small_optuna").glob("runs/*/config.yaml") if "trial-1" in file.parent.name]
    begun = cut.read_text()
    code, out, err = sweep("optuna", "trial=range(3)", space)
    assert code == 0, err
    assert out.count("There already") == 1
    assert len(set(trained)) == 3
    assert cut.read_text() == begun  # the same values, not new ones
    rows = table("small_optuna")
    assert len({row["base_lr"] for row in rows}) == 3
    assert all(0.001 <= float(row["base_lr"]) <= 0.1 for row in rows)
    assert {run.values["network.dim"] for run in read_runs(Path("outputs/small_optuna"))} <= {4, 8}
    code, _, err = sweep("optuna", "trial=range(4)", "++sweep.search.space={base_lr:{from:1}}")
    assert code == 1
    assert "sweep.search.space.base_lr cannot be searched" in err


def test_a_sweep_alone_is_refused(run_command: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    code, _, err = run_command(actrec.train.run, "sweep=seeds", "dataset=synthetic")
    assert code == 1
    assert "actrec.train -m" in err


def made(accuracy: float, val: float, **values: Any) -> SweptRun:
    figures = {"accuracy": accuracy, "intervals": {"accuracy": [accuracy - 0.1, accuracy + 0.1]}}
    return SweptRun(
        Path(f"{values}"), {key.replace("__", "."): value for key, value in values.items()}, figures, val, 1.0, 2.0
    )


def test_settings_are_what_differs_but_for_seeds_and_echoes() -> None:
    runs = [
        made(
            0.5 + 0.1 * a + 0.01 * seed,
            0.9 - 0.1 * a,
            seed=seed,
            lambda_1=a,
            objective__lambda_1=a,
            store=f"/{seed}",
            k=1,
        )
        for a in (0, 1)
        for seed in (0, 1, 2)
    ]
    assert differing(runs) == ["lambda_1"]
    first, second = settings_of(runs)
    assert (first.values, second.values) == ({"lambda_1": 0}, {"lambda_1": 1})  # the better by val, not by test
    assert [run.values["seed"] for run in first.runs] == [0, 1, 2]
    assert first.accuracy == pytest.approx(0.51)
    half = student.ppf(0.975, 2) * 0.01 / 3**0.5
    assert (first.low, first.high) == pytest.approx((0.51 - half, 0.51 + half))


def test_one_run_has_its_interval_over_clips() -> None:
    (setting,) = settings_of([made(0.8, 0.9, seed=0)])
    assert (setting.low, setting.high) == pytest.approx((0.7, 0.9))


def test_without_a_finished_run_nothing_is_written(tmp_path: Path) -> None:
    assert summarize(tmp_path) == []
    assert not list(tmp_path.iterdir())


def run_of(folder: Path, history: str, monitor: str | None = "val/accuracy", **values: Any) -> Path:
    """A finished run's folder, as far as a sweep reads it."""
    best = {"monitor": monitor, "mode": "min" if monitor and "loss" in monitor else "max"}
    (folder / "model").mkdir(parents=True)
    (folder / "model" / "name").write_text(folder.name)
    (folder / "config.yaml").write_text(json.dumps({"callbacks": {"best": best}, **values}))
    figures = {"accuracy": 0.5, "macro_f1": 0.5, "auc": 0.5, "intervals": {"accuracy": [0.4, 0.6]}}
    (folder / "metrics.json").write_text(json.dumps(figures))
    if history:
        (folder / "history.csv").write_text(history)
    return folder


HEAD = "epoch,seconds,train/loss,val/accuracy,val/loss_cls\n"


@pytest.mark.parametrize(
    ("rows", "monitor", "epoch", "accuracy"),
    [
        ("0,60,3,0.5,2\n1,60,2,0.75,1\n2,60,1,0.25,3\n", "val/accuracy", 1, 0.75),
        ("0,60,3,0.5,2\n1,60,2,0.5,1\n2,60,1,0.25,3\n", "val/accuracy", 1, 0.5),  # of equals the latest
        ("0,60,3,,\n1,60,2,0.75,1\n2,60,1,,\n", None, 2, 0.75),  # the last; val's are the latest
        ("0,60,3,,\n1,60,1,0.75,1\n2,60,2,,\n3,60,3,0.5,1\n", "train/loss", 1, 0.75),
        ("0,60,3,,\n1,60,2,,\n", "val/accuracy", 1, None),  # never validated: the last is kept
        ("0,60,3,nan,2\n1,60,2,0.25,1\n", "val/accuracy", 1, 0.25),
    ],
)
def test_the_figures_kept_are_the_checkpoints(
    rows: str, monitor: str | None, epoch: int, accuracy: float | None, tmp_path: Path
) -> None:
    kept = kept_figures(run_of(tmp_path / "run", HEAD + rows, monitor))
    assert (kept["epoch"], kept.get("val/accuracy")) == (epoch, accuracy)


def test_a_summary_has_what_there_is(tmp_path: Path) -> None:
    run_of(tmp_path / "runs/a", HEAD + "0,60,3,0.5,2\n", a=1)
    run_of(tmp_path / "runs/b", HEAD + "0,60,3,,\n", a=2)
    run_of(tmp_path / "runs/c", HEAD + "0,60,3,0.75,2\n", a=3)
    run_of(tmp_path / "runs/d", "", a=4)
    assert [setting.values["a"] for setting in summarize(tmp_path)][:2] == [3, 1]
    with (tmp_path / "summary.csv").open(newline="") as file:
        cells = {row["a"]: row["val_accuracy"] for row in csv.DictReader(file)}
    assert cells == {"1": "0.5000", "2": "", "3": "0.7500", "4": ""}
    assert (tmp_path / "model/name").read_text() == "c"


def test_without_any_val_there_is_no_best(tmp_path: Path) -> None:
    for name in "ab":
        for seed in (0, 1):
            run_of(tmp_path / f"runs/{name}{seed}", HEAD + "0,60,3,,\n", lambda_1=ord(name), lambda_2=seed, k=name)
    assert len(summarize(tmp_path)) == 4
    assert (tmp_path / "summary.png").is_file()
    assert not (tmp_path / "model").exists()


def test_a_sweep_that_keeps_the_last_and_is_seldom_validated(sweep: Run) -> None:
    code, out, err = sweep("seeds", "seed=0,1", "callbacks.best.monitor=null", "val_every=2", "epochs=3")
    assert code == 0, err
    (row,) = table("small_seeds")
    assert 0 <= float(row["val_accuracy"]) <= 1
    assert "The best by val is in" in out


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["sweep.search.metric=val/acc"], "sweep.search.metric is 'val/acc', which is never logged. Did you mean"),
        (["val_every=9"], "val_every is 9: no epoch of 2 has the val/accuracy to search by"),
    ],
)
def test_a_search_by_what_is_never_there_ends_before_a_training(overrides: list[str], message: str, sweep: Run) -> None:
    code, _, err = sweep("optuna", "trial=0", *overrides)
    assert code == 1
    assert message in err
    assert not list(Path("outputs").glob("small_optuna/runs/*"))
