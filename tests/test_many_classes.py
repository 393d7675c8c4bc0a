"""What a report of many classes costs, in a process of its own: `python tests/test_many_classes.py 400`."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest


def _write(n_classes: int, n_clips: int, folder: Path) -> float:
    """Writes everything that an evaluation leaves, of results drawn by a seeded generator; CPU seconds of it."""
    from actrec.evaluation.metrics import summarize
    from actrec.evaluation.predictions import clip_predictions
    from actrec.evaluation.results import Results
    from actrec.evaluation.samples import SampleClip, pick_samples, typical_clips
    from actrec.explain.explanation import Explanation
    from actrec.report.page import write_report
    from actrec.skeleton import COCO17
    from actrec.types import SkeletonSequence

    rng = np.random.default_rng(0)
    classes = [f"a_class_with_a_long_name_that_goes_on_to_{k}" for k in range(n_classes)]
    labels = np.concatenate([np.arange(n_classes), rng.integers(n_classes, size=n_clips - n_classes)])
    keypoints = np.concatenate([rng.uniform(0, 200, (8, 17, 2)), np.ones((8, 17, 1))], axis=-1).astype(np.float32)
    clips = [
        SkeletonSequence(keypoints, 30.0, "coco17", classes[label], f"clip_{k}", group=f"g{k // 4}")
        for k, label in enumerate(labels)
    ]
    given = np.where(rng.random(n_clips) < 0.7, labels, (labels + rng.integers(1, 6, n_clips)) % n_classes)
    start = time.process_time()
    by_ratio = {str(r / 10): given for r in range(1, 10)} | {"1.0": np.eye(n_classes)[given]}
    metrics = summarize(by_ratio, labels, [clip.group for clip in clips], classes)
    predictions = clip_predictions(clips, by_ratio, classes)
    samples = [SampleClip(clips[k], predictions[k].prediction, 0.9) for k in pick_samples(predictions)]
    joints, nothing = {name: rng.random(17) for name in classes}, np.zeros((0, 17))
    poses = {name: keypoints[0, :, :2].astype(float) for name in classes}
    explanation = Explanation(COCO17, joints, poses, None, None, nothing, nothing)
    results = Results(metrics | {"why": explanation.figures()}, predictions, samples)
    folder.mkdir(parents=True, exist_ok=True)
    results.write(folder)
    typical = typical_clips(clips, classes)
    write_report(folder / "report", results, title="many", typical=typical, explanation=explanation)
    return time.process_time() - start


def _measure(n_classes: int, n_clips: int, folder: Path) -> dict[str, float]:
    command = [sys.executable, __file__, str(n_classes), str(n_clips), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "could not be drawn" not in done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def _check(folder: Path, n_classes: int) -> None:
    assert len(json.loads((folder / "metrics.json").read_text())["per_class"]) == n_classes
    page = (folder / "report/index.html").read_text()
    assert f"The 30 most confused of {n_classes} classes" in page
    assert f"The first 30 of {n_classes} classes" in page
    assert "This picture is missing" not in page
    assert sum(file.stat().st_size for file in folder.rglob("*")) < 20e6


pytestmark = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="Linux says how much memory is held.")


def test_a_report_of_400_classes_takes_less_than_a_gigabyte(tmp_path: Path) -> None:
    found = _measure(400, 2000, tmp_path)
    _check(tmp_path, 400)
    assert found["peak_mib"] < 950


@pytest.mark.slow
def test_a_report_costs_the_same_for_14_and_400_classes(tmp_path: Path) -> None:
    few, many = _measure(14, 20_000, tmp_path / "few"), _measure(400, 20_000, tmp_path / "many")
    _check(tmp_path / "many", 400)
    assert many["seconds"] < 3 * few["seconds"]
    assert many["peak_mib"] < 950


if __name__ == "__main__":
    n_classes = int(sys.argv[1])
    n_clips = int(sys.argv[2]) if len(sys.argv) > 2 else 20_000
    seconds = _write(n_classes, n_clips, Path(sys.argv[3] if len(sys.argv) > 3 else f"outputs/{n_classes}_classes"))
    # Not getrusage's figure: that begins with what the process which started this one held.
    peak = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    print(json.dumps({"seconds": seconds, "peak_mib": int(peak.split()[1]) / 1024}))
