import csv
import itertools
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import lightning as L
import pytest
import torch
from hydra import compose, initialize_config_dir
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf
from safetensors.torch import load_file

import actrec.evaluate
import actrec.prepare
import actrec.train
from actrec.config import config_dir
from actrec.data.saved_split import FILE
from actrec.data.store.clip_source import ClipSource
from actrec.data.store.reading import read_store
from actrec.data.store.writing import write_store
from actrec.model.spec import load_spec
from actrec.online.train_serve_skew import streaming_warning
from actrec.training.checks import warn_of_seen_clips
from actrec.training.history import LOGGED, read_history
from actrec.types import SkeletonSequence

pytestmark = pytest.mark.usefixtures("no_pictures")

Run = Callable[..., tuple[int, str, str]]
ROOT = Path(__file__).parents[1]
LABELS = ("pull_ups", "push_ups", "squat")  # of both data sets
TINY = ["network=tiny", "windows.length=8", "hardware=cpu", "batch_size=8", "warmup_epochs=1"]
SESSIONS = ["dataset.importer.n_clips=20", "dataset.importer.test_share=0.1", "dataset.importer.seconds=[6,8]"]
SESSIONS += ["dataset.importer.actions=1.0", "dataset.importer.others=0.0", "dataset.importer.seed=0"]


@pytest.fixture
def store(make_sequences: Callable[..., list[SkeletonSequence]], tmp_path: Path) -> Path:
    made = [replace(clip, label=LABELS[int(clip.label[-1])]) for clip in make_sequences(3, 12)]
    clips = [ClipSource(c.clip_id, c.source, c.clip_id, lambda c=c: c) for c in made]
    write_store(tmp_path / "store", clips, {"dataset": "generated", "raw": "none"})
    return tmp_path / "store"


def config(*overrides: str, name: str = "train") -> DictConfig:
    with initialize_config_dir(str(config_dir()), version_base="1.3"):
        return compose(name, list(overrides))


def options(group: str) -> list[str]:
    return sorted(file.stem for file in (config_dir() / group).glob("*.yaml"))


GROUPS = ["preprocess", "windows", "augmentation", "objective", "optimizer", "schedule", "callbacks"]


@pytest.mark.parametrize("choice", [(g, o) for g in GROUPS for o in options(g) if o != "auto"], ids="=".join)
def test_every_option_is_constructed(choice: tuple[str, str]) -> None:
    group, option = choice
    cfg = config(f"{group}=[{option}]" if group == "callbacks" else f"{group}={option}")
    made = instantiate(cfg[group], _convert_="all")
    if group in ("optimizer", "schedule"):  # a partial
        optimizer = instantiate(cfg.optimizer)([torch.nn.Parameter(torch.zeros(2))])
        made = optimizer if group == "optimizer" else made(optimizer, epochs=3, steps_per_epoch=2)
    assert made


@pytest.mark.parametrize("option", options("network"))
def test_every_network_is_constructed(option: str) -> None:
    cfg = config(f"network={option}")
    assert instantiate(cfg.network, skeleton="coco17", in_channels=3, n_classes=4, _convert_="all")


def test_sport14_is_the_blog_posts_table() -> None:
    cfg = config("experiment=sport14")
    table = {
        "epochs": 55,
        "base_lr": 1e-2,
        "weight_decay": 1e-4,
        "warmup_epochs": 5,
        "lr_steps": [30, 45, 60],
        "lr_decay": 0.1,
        "grad_clip": 1.0,
        "batch_size": 32,
        "p_interval_train": [0.5, 1.0],
        "p_interval_val": [0.95],
        "random_rotation": True,
        "use_velocity": False,
        "preload": True,
        "preload_to_tensor": True,
        "lambda_1": 0.1,
        "lambda_2": 0.1,
    }
    assert {name: cfg[name] for name in table} == table
    optimizer = instantiate(cfg.optimizer)([torch.nn.Parameter(torch.zeros(2))])
    assert isinstance(optimizer, torch.optim.SGD)
    group = optimizer.param_groups[0]
    assert (group["lr"], group["weight_decay"], group["momentum"], group["nesterov"]) == (1e-2, 1e-4, 0.9, True)
    network = cfg.network
    assert (network.dim, network.layers, network.horizon, network.solver, cfg.windows.length) == (64, 4, 3, "rk4", 64)


@pytest.mark.parametrize("experiment", options("experiment"))
def test_every_experiment_runs(
    experiment: str, store: Path, tmp_path: Path, run_command: Run, lift: Callable[..., SkeletonSequence]
) -> None:
    sessions, clips = experiment in ("live", "live_penn", "quickstart"), experiment in ("synthetic", "synthetic_mini")
    given = ["dataset.importer.n_clips=140", "dataset.importer.test_share=0.2"] if clips else [f"store={store}"]
    if experiment.startswith("nw_ucla"):  # in three dimensions
        deep = [lift(clip) for clip in read_store(store)]
        sources = [ClipSource(clip.clip_id, clip.source, clip.clip_id, lambda clip=clip: clip) for clip in deep]
        write_store(tmp_path / "deep", sources, {"dataset": "generated", "raw": "none"})
        given = [f"store={tmp_path / 'deep'}", "split.protocol=grouped"]
    code, out, err = run_command(
        actrec.train.run,
        f"experiment={experiment}",
        *(TINY[1:] if experiment.endswith("transformer") else TINY),
        "fast_dev_run=true",
        "mix.store=null",  # of live_penn
        "init=null",  # of mine and quickstart: their network is another
        *(SESSIONS if sessions else given),
        f"output_dir={tmp_path / 'run'}",
    )
    assert code == 0, err
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert 0 < metrics["n_clips"] <= (28 if clips else 12)
    assert ("sessions" in metrics) == sessions
    for_streams = experiment in (
        "live",
        "live_penn",
        "nw_ucla_online",
        "penn_online",
        "penn_camera",
        "quickstart",
        "synthetic_online",
    )
    assert ("This model is for whole clips" in out + err) == (not for_streams)


def test_quickstart_needs_no_data_and_ends_with_sets_and_commands_that_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run_command: Run
) -> None:
    monkeypatch.chdir(tmp_path)
    small = ["hardware=cpu", *SESSIONS]
    code, out, err = run_command(actrec.train.run, "experiment=quickstart", "init=null", *small, *TINY)
    assert code == 0, err
    assert [path.name for path in tmp_path.iterdir()] == ["outputs"]
    (run,) = (tmp_path / "outputs/quickstart").iterdir()
    spec = json.loads((run / "model/config.json").read_text())
    assert spec["pose_model"] == "generated"
    assert spec["network"]["phase"]
    assert streaming_warning(load_spec(run)) is None
    done = [row for row in csv.DictReader((run / "sets.csv").read_text().splitlines()) if row["which"] == "done"]
    shown = re.search(r"Sets of (\w+):\n +done +recognised\n((?:  .*\n?)*)", out)
    assert shown is not None
    one = [row for row in done if row["session"] == shown[1]]
    actions = {
        name: len({row["label"] for row in done if row["session"] == name}) for name in (r["session"] for r in done)
    }
    assert actions[shown[1]] == max(actions.values())
    assert all(f"{row['label']} {float(row['start']):.1f} to {float(row['end']):.1f} s" in shown[2] for row in one)
    commands = [shlex.split(line) for line in out.partition("What to try next:")[2].splitlines() if "-m" in line]
    entries = {f"actrec.{name}": getattr(actrec, name).run for name in ("evaluate", "prepare")}
    assert {command[2] for command in commands} == {*entries, "actrec.predict", "actrec.serve"}
    for python, _, module, *overrides in commands:
        assert python == sys.executable
        if module not in entries:  # of a video or a camera
            config(*overrides, name=module.removeprefix("actrec."))
            continue
        cheap = small if module == "actrec.evaluate" else small[1:]
        code, _, err = run_command(entries[module], *overrides, *cheap)
        assert code == 0, err


@pytest.mark.parametrize("experiment", ["mine", "quickstart"])
def test_a_start_from_the_model_of_the_package_fits(
    experiment: str, store: Path, tmp_path: Path, run_command: Run
) -> None:
    given = SESSIONS if experiment == "quickstart" else [f"store={store}"]
    cheap = ["fast_dev_run=true", "hardware=cpu", "batch_size=2", f"output_dir={tmp_path / 'run'}"]
    code, out, err = run_command(actrec.train.run, f"experiment={experiment}", *given, *cheap)
    assert code == 0, err
    known = "15 of 15" if experiment == "quickstart" else "3 of 3"
    assert f"Starts from sport14: {known} classes and" in out + err


@pytest.mark.parametrize(
    ("dataset", "options", "training"),
    [
        ("synthetic", ["dataset.importer.n_clips=140"], ["dataset=synthetic"]),
        (
            "synthetic_sessions",
            [*SESSIONS[2:], "dataset.importer.n_clips=12", "dataset.importer.test_share=0.4"],
            ["experiment=live", "split.val_share=0.2"],
        ),
    ],
)
def test_a_generated_set_is_trained_on_as_its_store_is(
    dataset: str, options: list[str], training: list[str], tmp_path: Path, run_command: Run
) -> None:
    store = tmp_path / "clips"
    assert run_command(actrec.prepare.run, f"dataset={dataset}", *options, f"store={store}")[0] == 0
    for name, source in {"memory": "null", "store": store}.items():
        given = [*training, *options, *TINY, "epochs=1", f"store={source}", f"output_dir={tmp_path / name}"]
        code, _, err = run_command(actrec.train.run, *given)
        assert code == 0, err
    one, other = ((tmp_path / name / "predictions.csv").read_text() for name in ("memory", "store"))
    assert one == other
    metrics = [json.loads((tmp_path / name / "metrics.json").read_text()) for name in ("memory", "store")]
    assert metrics[0].get("sessions") == metrics[1].get("sessions")
    assert ("sessions" in metrics[0]) == (dataset == "synthetic_sessions")


def test_a_recipe_that_follows_from_the_data_says_what_it_chose(
    store: Path, tmp_path: Path, run_command: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = tmp_path / "run"
    given = ["experiment=mine", f"store={store}", "network=tiny", "hardware=cpu", "epochs=1", "mix.generated=2"]
    given += [f"output_dir={run}", "objective.pooled=true", "class_weights=balanced", "network.causal=false"]

    def cut_off(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(L.Trainer, "fit", cut_off)
        assert run_command(actrec.train.run, *given)[0] == 130
    code, out, err = run_command(actrec.train.run, *given, "resume=auto")  # chooses the same values, so it goes on
    assert code == 0, err
    logged, chosen = (run / "train.log").read_text(), OmegaConf.load(run / "config.yaml")
    assert "Values of auto follow from the data: about 24 training clips of 3 classes, 8 of each" in out
    lines = [line.partition(": ")[0] for line in re.findall(r"actrec\.train:   (.+)", logged)]
    told = dict(re.findall(r"([\w.]+)=(\[.*?\]|[^,\s]+)", ", ".join(lines)))
    assert {"judge", "init", "batch_size", "windows.length", "ema_decay", "split.val_share"} <= told.keys()
    assert not {"epochs", "mix.generated"} & told.keys()
    for key, value in told.items():
        found = OmegaConf.select(chosen, key)
        if isinstance(found, float):
            assert float(value) == pytest.approx(found, rel=1e-3)
        else:
            assert value == ("null" if found is None else str(found))
    assert (chosen.judge, chosen.init, chosen.epochs) == ("clips", None, 1)
    assert "Mixed into train: 6 clips" in logged
    spec = load_spec(run)
    assert (spec.decision, type(spec.pipeline.windows).__name__) == ("mean", "ResizeWindows")
    assert spec.network_options["causal"] is False
    code, _, err = run_command(actrec.train.run, *given, "resume=auto")
    assert code == 1
    assert "cannot be resumed: it is finished" in err


def test_few_clips_from_a_trained_model(store: Path, tmp_path: Path, run_command: Run) -> None:
    common = [f"store={store}", *TINY, "split.val_share=0.2"]
    code, _, err = run_command(
        actrec.train.run, "experiment=penn_action", *common, "epochs=1", f"output_dir={tmp_path / 'penn'}"
    )
    assert code == 0, err
    few = [*common, "experiment=few_shot", "skeleton=penn13", "split.clips_per_class=2", "epochs=3", "val_every=2"]
    folder = tmp_path / "penn/model"
    code, out, err = run_command(actrec.train.run, *few, f"init={folder}", f"output_dir={tmp_path / 'few'}")
    assert code == 0, err
    assert f"Starts from {folder}: 8 of 14 classes and 13 of 13 joints known." in out
    assert "14 classes; clips: 6 train, " in out
    history = read_history(tmp_path / "few" / "history.csv")
    assert ["val/accuracy" in row for row in history] == [False, True, False]
    for name in ("best", "last"):  # no choice by val
        assert torch.load(tmp_path / f"few/checkpoints/{name}.ckpt", weights_only=True)["epoch"] == 2

    wider = [*few, "skeleton=coco17", "epochs=1", "val_every=1", f"output_dir={tmp_path / 'wider'}"]
    code, out, err = run_command(actrec.train.run, *wider, f"init={folder}")
    assert code == 0, err
    assert "13 of 17 joints known" in out


@pytest.mark.pictures
def test_a_run_learns_and_leaves_all_of_it(store: Path, tmp_path: Path, run_command: Run) -> None:
    run = tmp_path / "run"
    common = ["dataset=csv", "dataset.split=official", f"store={store}"]
    code, out, err = run_command(
        actrec.train.run,
        *common,
        *TINY,
        "name=learns",
        "epochs=30",
        "network=transformer",
        "network.dim=32",
        "network.layers=1",
        "optimizer=adamw",
        "base_lr=0.01",
        "schedule=cosine",
        "split.val_share=0.2",
        "use_velocity=true",
        f"output_dir={run}",
    )
    assert code == 0, err
    assert "clips: accuracy" in out
    metrics = json.loads((run / "metrics.json").read_text())
    assert metrics["accuracy"] > 0.7
    for name in ("macro_precision", "macro_recall", "macro_f1", "top5_accuracy", "auc", "n_clips", "classes"):
        assert name in metrics
    assert list(metrics["observation_accuracy"]) == [f"{r / 10}" for r in range(1, 11)]
    wanted = (
        "config.yaml metrics.json predictions.csv train.log history.csv checkpoints/best.ckpt checkpoints/last.ckpt"
    )
    wanted += " model/model.safetensors model/config.json model/README.md report/index.html report/confusion.png"
    assert [name for name in wanted.split() if not (run / name).is_file()] == []
    history = read_history(run / "history.csv")
    assert [row["epoch"] for row in history] == list(range(30))
    assert history[-1]["train/loss_cls"] < history[0]["train/loss_cls"]
    assert {*LOGGED, "lr"} - {"train/loss_phase", "val/loss_phase"} <= set(history[-1])  # clips without repetitions

    # evaluate says the same of the model folder alone
    code, _, err = run_command(
        actrec.evaluate.run,
        *common,
        f"model={run / 'model'}",
        f"output_dir={tmp_path / 'again'}",
    )
    assert code == 0, err
    again = json.loads((tmp_path / "again" / "metrics.json").read_text())
    assert again["observation_accuracy"] == metrics["observation_accuracy"]

    # the folder is not written into again, and a finished run is not resumed
    code, _, err = run_command(actrec.train.run, *common, *TINY, f"output_dir={run}")
    assert code == 1
    assert "is not empty" in err
    code, _, err = run_command(actrec.train.run, *common, *TINY, f"output_dir={run}", "resume=auto")
    assert code == 1
    assert "cannot be resumed" in err


@pytest.mark.parametrize(
    ("overrides", "best"),
    [
        (["val_every=5"], None),  # none is validated: the last is the model
        (["split.val_share=0.0", "callbacks.best.monitor=null"], 1),
        (["+callbacks.best.save_top_k=2", "callbacks.progress=null"], 1),
    ],
)
def test_without_a_best_the_last_is_the_model(
    overrides: list[str], best: int | None, store: Path, tmp_path: Path, run_command: Run
) -> None:
    run, given = tmp_path / "run", ["dataset=csv", f"store={store}", *TINY, "epochs=2", "split.val_share=0.2", "seed=3"]
    code, out, err = run_command(actrec.train.run, *given, *overrides, f"output_dir={run}")
    assert code == 0, err
    assert ("There is no checkpoints/best.ckpt: the model is the last epoch's." in out) == (best is None)
    assert (run / "checkpoints/best.ckpt").exists() == (best is not None)
    assert (run / "metrics.json").is_file()
    last = torch.load(run / "checkpoints/last.ckpt", weights_only=True)["state_dict"]
    if "split.val_share=0.0" in overrides or best is None:
        for name, value in load_file(run / "model/model.safetensors").items():
            torch.testing.assert_close(value, last[f"network.{name}"])


def test_early_stop_ends_a_run(store: Path, tmp_path: Path, run_command: Run) -> None:
    code, _, err = run_command(
        actrec.train.run,
        "dataset=csv",
        "dataset.split=official",
        f"store={store}",
        *TINY,
        "base_lr=0.0",
        "epochs=9",
        "callbacks=[default,early_stop]",
        "patience=2",
        f"output_dir={tmp_path / 'run'}",
    )
    assert code == 0, err
    assert len(read_history(tmp_path / "run" / "history.csv")) == 3


@pytest.mark.parametrize("callbacks", [pytest.param("[default]", marks=pytest.mark.slow), "[default,ema]"])
def test_a_killed_run_ends_where_an_uninterrupted_one_ends(callbacks: str, store: Path, tmp_path: Path) -> None:
    def start(folder: Path, *more: str) -> subprocess.Popen[bytes]:
        overrides = ["dataset=csv", "dataset.split=official", f"store={store}", *TINY, "epochs=6", "name=resumed"]
        overrides += [f"callbacks={callbacks}", "network.dropout=0.2", "ema_decay=0.9", *more]
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
        command = [sys.executable, "-m", "actrec.train", *overrides]
        folder.mkdir(exist_ok=True)
        with (folder / "console.log").open("wb") as log:
            return subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log)

    whole = start(tmp_path / "whole", "output_dir=run")
    cut = start(tmp_path / "cut", "resume=auto")
    runs = tmp_path / "cut" / "outputs" / "resumed"
    deadline = time.monotonic() + 120
    while not any(len(read_history(file)) >= 2 for file in runs.glob("*/history.csv")):
        assert time.monotonic() < deadline
        assert cut.poll() is None, (tmp_path / "cut" / "console.log").read_text()
        time.sleep(0.01)
    os.kill(cut.pid, signal.SIGKILL)
    cut.wait()
    (folder,) = runs.iterdir()
    done = len(read_history(folder / "history.csv"))
    assert not (folder / "metrics.json").exists()
    assert whole.wait(180) == 0, (tmp_path / "whole" / "console.log").read_text()

    again = start(tmp_path / "cut", "resume=auto")
    assert again.wait(180) == 0, (tmp_path / "cut" / "console.log").read_text()
    assert [path.name for path in runs.iterdir()] == [folder.name]
    history, expected = read_history(folder / "history.csv"), read_history(tmp_path / "whole" / "run" / "history.csv")
    assert [row["epoch"] for row in history] == list(range(6))
    assert 0 < done < 6
    for row, other in itertools.zip_longest(history, expected):
        assert row["train/loss"] == pytest.approx(other["train/loss"], rel=1e-5)
    weights = load_file(folder / "model" / "model.safetensors")
    for name, value in load_file(tmp_path / "whole" / "run" / "model" / "model.safetensors").items():
        torch.testing.assert_close(weights[name], value, atol=1e-6, rtol=1e-5)
    assert (folder / "predictions.csv").read_text() == (tmp_path / "whole" / "run" / "predictions.csv").read_text()


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["experiment=sport14"], r"python -m actrec.prepare dataset=sport14 raw="),
        (["experiment=sport14"], "python -m actrec.train experiment=quickstart"),
        (["experiment=sport14", "store=null"], "the clips of dataset=sport14 cannot be generated"),
        (["experiment=sport14", "val_every=0"], "val_every is 0"),
        (["experiment=quickstart", "init=nowhere", "dataset.importer.n_clips=140"], "'nowhere' is not a model"),
        (["experiment=sprt14"], "Did you mean 'sport14'"),
        (["experiment=penn_action", "network={dims: 1}"], "'network.dims'. Did you mean 'network.dim'"),
        (["experiment=sport14", "objetive.lambda_1=1"], "objective"),
        (["experiment=sport14", "network.horizn=1"], "network.horizon"),
        (["experiment=sport14", "epochs=abc"], "epochs is 'abc'; expected a whole number"),
        (["experiment=sport14", "batch_size=0"], "batch_size is 0"),
        (["experiment=sport14", "base_lr=fast"], "base_lr is 'fast'; expected a number"),
    ],
)
def test_a_mistake_is_one_sentence(
    overrides: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run_command: Run
) -> None:
    monkeypatch.chdir(tmp_path)
    code, _, err = run_command(actrec.train.run, *overrides)
    assert code == 1
    assert message in err
    assert "Traceback" not in err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["hardware.accelerator=abacus"], "invalid accelerator name: `accelerator='abacus'`"),
        (["callbacks=[ema]"], "lacks 'best'"),
        (["callbacks.best=null"], "lacks 'best'"),
        (["callbacks.best.monitor=val/acuracy"], "which is never logged. Did you mean 'val/accuracy'?"),
        (["callbacks.best.save_on_train_epoch_end=true", "val_every=2"], "save_on_train_epoch_end=null"),
        (
            ["split.val_share=0.0"],
            "There are no clips in val, and RunCheckpoint monitors val/accuracy. Give val a share",
        ),
        (["split=null"], "split has no value"),
        (["network=null"], "network=null is no choice. Choose one: network=infogcnpp|"),
        (["experiment=null"], "experiment=null is no choice. Choose one: experiment=few_shot|"),
        (["hardware.workers=-1"], "workers is -1"),
        (["base_lr=nan"], "base_lr is nan"),
        (["seed=99999999999"], "seed is 99999999999"),
        (["callbacks=[default,emma]"], "no callbacks 'emma'. Did you mean 'ema'?"),
        (["optimizer.momentum=much"], "optimizer or the schedule does not work"),
        (["lr_steps=[late]"], "optimizer or the schedule does not work"),
        (["objective.label_smoothing=5"], "label_smoothing is 5"),
        (["network.heads=0"], "network.heads is 0"),
        (["patience=0"], "patience is 0"),
        (["output_dir={store}/manifest.csv/run"], "Not a directory"),
    ],
)
def test_a_mistake_leaves_no_folder(
    overrides: list[str], message: str, store: Path, tmp_path: Path, run_command: Run
) -> None:
    given = ["dataset=csv", f"store={store}", *TINY, f"output_dir={tmp_path / 'run'}"]
    code, _, err = run_command(actrec.train.run, *given, *(text.format(store=store) for text in overrides))
    assert code == 1
    assert message in err
    assert "Traceback" not in err
    assert not (tmp_path / "run").exists()


def test_ctrl_c_is_an_interrupt(store: Path, tmp_path: Path, run_command: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def press(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(actrec.training.history.History, "on_train_epoch_end", press)
    handler = signal.getsignal(signal.SIGINT)
    try:
        code, _, err = run_command(
            actrec.train.run, "dataset=csv", f"store={store}", *TINY, f"output_dir={tmp_path}/run"
        )
    finally:
        signal.signal(signal.SIGINT, handler)  # which Lightning has switched off
    assert code == 130
    assert err.endswith("interrupted\n")


def test_a_class_with_one_clip(store: Path, tmp_path: Path, run_command: Run) -> None:
    rows = (store / "manifest.csv").read_text().splitlines()
    few = [row for row in rows if "label_2" not in row or "clip_00" in row]
    (store / "manifest.csv").write_text("\n".join(few) + "\n")
    common: list[Any] = ["dataset=csv", f"store={store}", *TINY, f"output_dir={tmp_path / 'run'}"]
    code, _, err = run_command(actrec.train.run, *common)
    assert code == 1
    assert "Class 'squat' has 1 group" in err
    assert "dataset.exclude_labels=[squat]" in err
    assert not (tmp_path / "run").exists()
    code, _, err = run_command(actrec.train.run, *common, "dataset.exclude_labels=[squat]", "fast_dev_run=true")
    assert code == 0, err


def grow(store: Path, make_sequences: Callable[..., list[SkeletonSequence]]) -> None:
    """Adds as many clips of other people to a store."""
    made = [replace(clip, label=LABELS[int(clip.label[-1])]) for clip in make_sequences(3, 12)]
    made += [replace(clip, clip_id=f"{clip.clip_id}_b", group=f"{clip.group}_b") for clip in made]
    clips = [ClipSource(c.clip_id, c.source, c.clip_id, lambda c=c: c) for c in made]
    shutil.rmtree(store)
    write_store(store, clips, {"dataset": "generated", "raw": "none"})


GROUPED = ["dataset=csv", "dataset.split=grouped", *TINY, "split.val_share=0.2", "split.test_share=0.3"]


def test_a_run_that_goes_on_keeps_its_clips_when_the_store_has_grown(
    store: Path,
    tmp_path: Path,
    make_sequences: Callable[..., list[SkeletonSequence]],
    run_command: Run,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run = tmp_path / "run"
    given = [*GROUPED, "fast_dev_run=true", f"store={store}", f"output_dir={run}"]

    def cut_off(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(L.Trainer, "fit", cut_off)
        assert run_command(actrec.train.run, *given)[::2] == (130, "interrupted\n")
    before = (run / "split.json").read_text()
    grow(store, make_sequences)
    code, out, err = run_command(actrec.train.run, *given, "resume=auto")
    assert code == 0, err
    assert "36 clips are new since this run began, and are left out of it." in out
    assert (run / "split.json").read_text() == (run / "model/split.json").read_text() == before
    tested = {row.split(",")[1] for row in (run / "predictions.csv").read_text().splitlines()[1:]}
    assert tested
    assert tested <= set(json.loads(before)["groups"]["test"])  # fast_dev_run tests one batch

    (run / "metrics.json").unlink()
    lines = (store / "manifest.csv").read_text().splitlines(keepends=True)
    (store / "manifest.csv").write_text("".join(line for line in lines if not line.startswith("label_0_clip_00,")))
    code, _, err = run_command(actrec.train.run, *given, "resume=auto")
    assert code == 1
    assert "1 of the clips that this run began with are not in the store any more (label_0_clip_00)" in err


def test_a_start_from_a_model_that_knows_the_test_is_said(
    store: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def data(*overrides: str) -> Any:
        return instantiate(config(*GROUPED, f"store={store}", *overrides).data, _convert_="all")

    (tmp_path / FILE).write_text(data().saved.to_json(), encoding="utf-8")
    warn_of_seen_clips(str(tmp_path), data())
    assert "are of groups that" not in caplog.text
    warn_of_seen_clips(str(tmp_path), data("split.seed=5"))
    assert "are of groups that" in caplog.records[-1].getMessage()
    assert int(caplog.records[-1].getMessage().split()[0]) > 0
