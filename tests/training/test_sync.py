from __future__ import annotations

import csv
import os
import subprocess
import sys
from collections.abc import Callable, Collection
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from actrec.data.store.clip_source import ClipSource
from actrec.data.store.writing import write_store
from actrec.types import SkeletonSequence

Make = Callable[..., list[SkeletonSequence]]
PLAIN = ["dataset=csv", "dataset.split=official", "preprocess=causal", "network=tiny", "network.norm=batch"]
PLAIN += ["augmentation.joint_dropout=null", "warmup_epochs=0"]
TWO = ["hardware=multi_gpu", "hardware.accelerator=cpu", "hardware.devices=2", "hardware.precision=32-true"]


@pytest.fixture
def store(make_sequences: Make, tmp_path: Path) -> Path:
    clips = [ClipSource(c.clip_id, c.source, c.clip_id, lambda c=c: c) for c in make_sequences(2, 12)]
    write_store(tmp_path / "store", clips, {"dataset": "generated", "raw": "none"})
    return tmp_path / "store"


def train(folder: Path, *overrides: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "actrec.train", *PLAIN, f"output_dir={folder}", "epochs=3", *overrides]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)


# Anchored windows are padded: by how much differs from process to process.
PADDED = pytest.param(["windows=anchored", "windows.length=48"], marks=pytest.mark.slow)


@pytest.mark.parametrize("windows", [["windows=resize"], PADDED])
def test_two_processes_train_as_one(windows: list[str], store: Path, tmp_path: Path) -> None:
    common = [f"store={store}", "split.val_share=0.3", "base_lr=0.05", *windows]
    runs = {"one": ["batch_size=4"], "two": ["batch_size=2", "hardware.workers=0", *TWO]}
    for name, overrides in runs.items():
        result = train(tmp_path / name, *common, *overrides)
        assert result.returncode == 0, result.stderr
    weights = [load_file(tmp_path / name / "model" / "model.safetensors") for name in runs]
    for key, value in weights[0].items():
        np.testing.assert_allclose(weights[1][key], value, atol=2e-4, rtol=1e-3, err_msg=key)
    one, two = (rows(tmp_path / name / "history.csv") for name in runs)
    assert len(one) == 3
    assert float(one[2]["train/loss"]) < 0.95 * float(one[0]["train/loss"])  # there is training to miss
    # Over batches of unlike padding the forecasts' figures are near means: frames weigh them, and not pairs of frames.
    near = {"val/loss", "val/loss_pred", "val/loss_feat"} if "windows=anchored" in windows else set()
    alike(one, two, without={"seconds"} | near)
    one, two = (rows(tmp_path / name / "predictions.csv") for name in runs)
    assert len(one) == 8
    alike(one, two)


def rows(file: Path) -> list[dict[str, str]]:
    with file.open(newline="") as stream:
        return list(csv.DictReader(stream))


def alike(one: list[dict[str, str]], two: list[dict[str, str]], without: Collection[str] = ()) -> None:
    """Numbers to rounding, all else exactly."""
    for first, second in zip(one, two, strict=True):
        for key in first.keys() - set(without):
            try:
                assert float(second[key]) == pytest.approx(float(first[key]), rel=1e-3, abs=1e-5), key
            except ValueError:
                assert second[key] == first[key]


def test_a_sweep_does_not_start_processes(store: Path, tmp_path: Path) -> None:
    result = train(tmp_path / "run", f"store={store}", *TWO, "seed=0,1", "-m")
    assert result.returncode == 1
    assert "A sweep (-m) cannot start the processes of runs on several devices" in result.stderr
