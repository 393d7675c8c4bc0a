"""Test data, found or generated.

pytest reads this file before jaxtyping's import hook is in place, so `actrec` is imported inside the fixtures: what
were imported above would go unchecked.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from absl import logging as absl_logging

if TYPE_CHECKING:
    from actrec.types import SkeletonSequence

ROOT = Path(__file__).parents[1]
os.environ.update(WANDB_MODE="offline", YOLO_OFFLINE="true", MPLBACKEND="Agg")
if "PYTEST_XDIST_WORKER" in os.environ:  # the workers already use every core
    os.environ.setdefault("OMP_NUM_THREADS", "1")

# OpenVINO imports absl where it is installed; the handler would close the stream that it was made with, pytest's own.
absl_logging.get_absl_handler().python_handler.stream = sys.__stderr__

# A standing person, y down, in torso lengths from the pelvis; x is outwards for a joint that has a side.
_STANDING = {
    "nose": (0.0, -1.4),
    "eye": (0.07, -1.47),
    "ear": (0.14, -1.43),
    "head": (0.0, -1.5),
    "face": (0.0, -1.4),
    "neck": (0.0, -1.15),
    "spine_shoulder": (0.0, -1.0),
    "spine_mid": (0.0, -0.5),
    "belly": (0.0, -0.4),
    "spine_base": (0.0, 0.0),
    "shoulder": (0.35, -1.0),
    "elbow": (0.45, -0.5),
    "wrist": (0.5, 0.0),
    "hand": (0.5, 0.1),
    "hand_tip": (0.5, 0.2),
    "thumb": (0.42, 0.12),
    "hip": (0.2, 0.0),
    "knee": (0.22, 0.75),
    "ankle": (0.24, 1.5),
    "foot": (0.34, 1.6),
    "pelvis": (0.0, 0.0),
    "thorax": (0.0, -1.0),
    "head_top": (0.0, -1.6),
    "eye_inner": (0.05, -1.47),
    "eye_outer": (0.09, -1.47),
    "mouth": (0.05, -1.33),
    "hand_root": (0.5, 0.02),
    "pinky": (0.52, 0.12),
    "index": (0.48, 0.14),
    "heel": (0.22, 1.58),
    "big_toe": (0.36, 1.62),
    "small_toe": (0.38, 1.6),
    "foot_index": (0.36, 1.62),
}
# How far each joint of a moving limb swings, in torso lengths.
_SWING = {
    "arm": {"elbow": 0.4, "wrist": 0.9, "hand": 1.0, "hand_tip": 1.1, "thumb": 1.0},
    "leg": {"knee": 0.3, "ankle": 0.6, "foot": 0.7},
}
# What each label moves; a label beyond these moves the same limbs at another frequency.
_MOVES = (
    (("left_", "arm"), ("right_", "arm")),
    (("left_", "leg"), ("right_", "leg")),
    (("left_", "arm"), ("right_", "leg")),
    (("right_", "arm"),),
)


@pytest.fixture(scope="session")
def test_data() -> Path:
    """The folder of real data that is no part of the project: `ACTREC_TEST_DATA`, or ../shared."""
    folder = Path(os.environ.get("ACTREC_TEST_DATA", ROOT.parent / "shared")).resolve()
    if not (folder / "data").is_dir():
        reason = f"There is no test data in {folder}. Set ACTREC_TEST_DATA to the folder that has data/ and models/."
        if os.environ.get("ACTREC_REQUIRE_TEST_DATA") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    return folder


@pytest.fixture(scope="session")
def noise_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small model of 13 joints and 3 classes that steps frame by frame, and whose weights are noise."""
    import torch
    from torch import nn

    from actrec.model.folder import save_model
    from actrec.model.network import build_network
    from actrec.model.spec import ModelSpec
    from actrec.pipeline.features import Features
    from actrec.pipeline.pipeline import Pipeline
    from actrec.pipeline.preprocess import Preprocess
    from actrec.pipeline.windows import AnchoredWindows
    from actrec.skeleton import PENN13

    torch.manual_seed(0)
    pipeline = Pipeline(PENN13, Preprocess("causal", fps=15), AnchoredWindows(8), Features())
    options = {"skeleton": "penn13", "in_channels": 3, "n_classes": 3, "dim": 8, "layers": 1, "heads": 2}
    options |= {"graph_heads": 1, "attention_dim": 4, "horizon": 2}
    spec = ModelSpec("InfoGCN", options, pipeline, ("squat", "push_ups", "pull_ups"))
    network = build_network(spec)
    for parameter in network.parameters():
        nn.init.normal_(parameter, std=0.3)
    return save_model(tmp_path_factory.mktemp("made") / "model", network, spec)


@pytest.fixture(scope="session")
def solid_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small model of three dimensions, 20 joints and 3 classes, whose weights are noise."""
    import torch
    from torch import nn

    from actrec.model.folder import save_model
    from actrec.model.network import build_network
    from actrec.model.spec import ModelSpec
    from actrec.pipeline.features import Features
    from actrec.pipeline.pipeline import Pipeline
    from actrec.pipeline.preprocess import Preprocess
    from actrec.pipeline.windows import AnchoredWindows
    from actrec.skeleton import NWUCLA20

    torch.manual_seed(0)
    pipeline = Pipeline(NWUCLA20, Preprocess("causal", fps=15, view="y"), AnchoredWindows(8), Features(), 3)
    options = {"skeleton": "nwucla20", "in_channels": 4, "n_classes": 3, "dim": 8, "layers": 1, "heads": 2}
    options |= {"graph_heads": 1, "attention_dim": 4, "horizon": 2, "coordinates": 3}
    spec = ModelSpec("InfoGCN", options, pipeline, ("throw", "carry", "sit_down"))
    network = build_network(spec)
    for parameter in network.parameters():
        nn.init.normal_(parameter, std=0.1)
    return save_model(tmp_path_factory.mktemp("solid") / "model", network, spec)


@pytest.fixture
def no_fonts(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A system that has no fonts but matplotlib's own."""
    import actrec.drawing.lettering
    from actrec.drawing import fonts

    fonts.forget()
    monkeypatch.setattr(actrec.drawing.lettering, "_advised", set())
    monkeypatch.setattr(fonts, "_candidates", list)
    yield
    monkeypatch.undo()
    fonts.forget()


@pytest.fixture(scope="session")
def make_sequences() -> Callable[..., list[SkeletonSequence]]:
    """`make_sequences(n_labels=3, …)` gives generated clips, the same for the same arguments."""
    return _make_sequences


def _make_sequences(
    n_labels: int = 3,
    clips_per_label: int = 8,
    frames: tuple[int, int] = (20, 50),
    skeleton: str = "coco17",
    seed: int = 0,
    split: str = "official",
) -> list[SkeletonSequence]:
    """Clips of people who swing the limbs of their label, easy enough for a tiny network.

    Two clips make a group, which is of one label; `split="official"` puts a third of the groups into test, anything
    else is the split of every clip. 30 frames a second, 640 × 480, every joint observed.
    """
    from actrec.skeleton import get_skeleton
    from actrec.types import SkeletonSequence

    rng = np.random.default_rng(seed)
    joints = get_skeleton(skeleton).joints
    sequences = []
    for label in range(n_labels):
        for clip in range(clips_per_label):
            group = clip // 2
            sequences.append(
                SkeletonSequence(
                    keypoints=_swing(joints, label, int(rng.integers(frames[0], frames[1] + 1)), rng),
                    fps=30.0,
                    skeleton=skeleton,
                    label=f"label_{label}",
                    clip_id=f"label_{label}_clip_{clip:02d}",
                    source="generated",
                    group=f"label_{label}_g{group:02d}",
                    split=("test" if group % 3 == 1 else "train") if split == "official" else split,
                    width=640,
                    height=480,
                )
            )
    return sequences


def _swing(joints: tuple[str, ...], label: int, n_frames: int, rng: np.random.Generator) -> np.ndarray:
    frequency = 1.0 + 0.8 * (label // len(_MOVES))
    wave = np.sin(2 * np.pi * (frequency * np.arange(n_frames) / 30 + rng.uniform()))
    torso, pelvis = rng.uniform(70, 110), rng.uniform((260, 200), (380, 260))
    keypoints = np.empty((n_frames, len(joints), 3), dtype=np.float32)
    for number, joint in enumerate(joints):
        part = joint.removeprefix("left_").removeprefix("right_")
        outward = -1 if joint.startswith("right_") else 1
        x, y = _STANDING.get(part) or (0.3 + 0.01 * (number % 10), -1.4 + 0.01 * number)  # points of face and fingers
        reach = sum(_SWING[limb].get(part, 0.0) for side, limb in _MOVES[label % len(_MOVES)] if joint.startswith(side))
        keypoints[:, number, 0] = pelvis[0] + torso * outward * (x + reach * (1 + wave) / 2)
        keypoints[:, number, 1] = pelvis[1] + torso * (y - reach * (1 + wave) / 2)
    keypoints[..., :2] += rng.normal(0, 1, (n_frames, len(joints), 2))
    keypoints[..., 2] = rng.uniform(0.5, 1, (n_frames, len(joints)))
    return keypoints


@pytest.fixture(scope="session")
def lift() -> Callable[[SkeletonSequence], SkeletonSequence]:
    """`lift(clip)` gives a generated clip as Kinect would: x, y, z in metres, seen from 3 m, y up and x to the left."""
    return _lift


def _lift(clip: SkeletonSequence) -> SkeletonSequence:
    from dataclasses import replace

    x, y, confidence = np.moveaxis(clip.keypoints, -1, 0)
    depth = 3 + 0.02 * np.sin(x / 20 + np.arange(len(clip))[:, None] / 9)
    keypoints = np.stack([(320 - x) / 200, (240 - y) / 200, depth, confidence], -1).astype(np.float32)
    return replace(clip, keypoints=keypoints, width=0, height=0)


@pytest.fixture
def keep_logging() -> Iterator[None]:
    """Puts the logging handlers back that a command replaces."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture
def run_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], keep_logging: None
) -> Callable[..., tuple[int, str, str]]:
    """`run_command(actrec.prepare.run, "dataset=csv", …)` gives exit status, stdout and stderr; in this process."""

    def run(entry: Callable[[], None], *arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", [entry.__module__, *arguments])
        capsys.readouterr()
        code = 0
        try:
            entry()
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else int(end.code is not None)
        return code, *capsys.readouterr()

    return run


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Iterator[pytest.TestReport]:
    """Escapes lone surrogates in captured output, such as of file names, which pytest-xdist cannot send."""
    report = yield
    report.sections = [(name, text.encode(errors="backslashreplace").decode()) for name, text in report.sections]
    return report


@pytest.fixture
def no_pictures(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Leaves the pictures out of reports, which take seconds to draw, unless the test is marked `pictures`."""
    if not request.node.get_closest_marker("pictures"):
        monkeypatch.setattr("actrec.report.page.write_pictures", lambda folder, draw: {})


@pytest.fixture
def results(make_sequences: Callable[..., Any]) -> Any:
    """Results on 24 clips of 3 of 4 classes; three of label_0 are predicted as label_1 with growing confidence."""
    from actrec.evaluation.metrics import summarize
    from actrec.evaluation.predictions import clip_predictions
    from actrec.evaluation.results import Results

    classes, sequences = ["label_0", "label_1", "label_2", "never_seen"], make_sequences(3, 8)
    labels = np.array([classes.index(sequence.label) for sequence in sequences])
    predicted = labels.copy()
    predicted[:3] = 1
    probabilities = np.eye(4)[predicted] * np.linspace(0.6, 0.9, 24)[:, None] + 0.1
    by_ratio = {"0.1": np.full((24, 4), 0.25), "1.0": probabilities}
    metrics = summarize(by_ratio, labels, [sequence.group for sequence in sequences], classes, n_bootstrap=50)
    return Results(metrics, clip_predictions(sequences, by_ratio, classes), [])
