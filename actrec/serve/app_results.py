"""Computes the results that the Streamlit app shows."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from matplotlib.figure import Figure
from torch import Tensor

from actrec.drawing.lettering import spaced
from actrec.drawing.projection import project
from actrec.explain.attention import effective_adjacency, joint_attention, time_attention
from actrec.live.keypoints import read_clip, recognize_clip, stream_of
from actrec.live.results import ANNOTATED, PREDICTIONS, write_results
from actrec.live.sets import sets_csv
from actrec.live.stream import RecognizedFrame, Stream, open_stream, recognize
from actrec.live.tracking import TrackingRecognizer
from actrec.model.spec import ModelSpec
from actrec.network.infogcn import InfoGCN
from actrec.online.recognizer import OnlineRecognizer
from actrec.online.set_list import PersonSet
from actrec.pipeline.view import facing
from actrec.report.bodies import connections
from actrec.report.explanation import attention_curve
from actrec.types import ActrecError, SkeletonSequence
from actrec.video.people import SKELETON
from actrec.video.pose import PoseModel

_LONGEST = 960  # pixels of the annotated video

Progress = Callable[[int, int], None]  # number of processed frames, and of all


class VideoResults(NamedTuple):
    """The results for a video."""

    video: bytes
    predictions: str  # the text of `predictions.jsonl`
    sets: list[PersonSet]
    fps: float

    @property
    def sets_csv(self) -> str:
        """The text of `sets.csv`."""
        return sets_csv(self.sets)

    def people(self) -> dict[str, list[dict[str, Any]]]:
        """Groups the lines of `predictions.jsonl` by person, the one with most frames first."""
        found: dict[str, list[dict[str, Any]]] = {}
        for line in map(json.loads, self.predictions.splitlines()):
            if line["person"] is not None:
                found.setdefault(line["person"], []).append(line)
        return dict(sorted(found.items(), key=lambda pair: -len(pair[1])))


def results_of_upload(
    name: str, content: bytes, pose: PoseModel, recognizer: OnlineRecognizer, progress: Progress
) -> VideoResults:
    """Recognises the people in an uploaded video."""
    with tempfile.TemporaryDirectory(prefix="actrec-") as folder:
        path = Path(folder) / "upload"
        path.write_bytes(content)
        try:
            stream = open_stream(str(path), _LONGEST)
        except ActrecError as error:
            raise ActrecError(f"{name}: {str(error).partition(': ')[2]}") from None
        frames = recognize(stream, pose, TrackingRecognizer(recognizer.fresh(), stream.fps))
        return _results(frames, stream, recognizer, progress)


def results_of_clip(clip: SkeletonSequence, recognizer: OnlineRecognizer, progress: Progress) -> VideoResults:
    """Recognises the person of a clip of keypoints, drawn on an empty background."""
    return _results(recognize_clip(clip, recognizer.fresh()), stream_of(clip), recognizer, progress)


def results_of_array(
    name: str, content: bytes, fps: float, recognizer: OnlineRecognizer, progress: Progress
) -> VideoResults:
    """Recognises the person of an uploaded array of keypoints in the recogniser's layout."""
    with tempfile.TemporaryDirectory(prefix="actrec-") as folder:
        path = Path(folder) / f"upload{Path(name).suffix}"
        path.write_bytes(content)
        try:
            clip = read_clip(path, recognizer.input_skeleton.name, fps)
        except ActrecError as error:
            raise ActrecError(str(error).replace(str(path), name)) from None
    return results_of_clip(clip, recognizer, progress)


def _results(
    frames: Iterator[RecognizedFrame], stream: Stream, recognizer: OnlineRecognizer, progress: Progress
) -> VideoResults:
    def counted() -> Iterator[RecognizedFrame]:
        for number, frame in enumerate(frames, start=1):
            progress(number, max(stream.n_frames or 1, number))
            yield frame

    with tempfile.TemporaryDirectory(prefix="actrec-") as name:
        folder = Path(name)
        summary = write_results(folder, counted(), stream, recognizer, with_video=True)
        predictions = (folder / PREDICTIONS).read_text(encoding="utf-8")
        return VideoResults((folder / ANNOTATED).read_bytes(), predictions, summary.sets, stream.fps)


def set_table(sets: Sequence[PersonSet]) -> list[dict[str, Any]]:
    """Makes a row for each set; `repetitions` is None where they are not counted."""
    return [
        {
            "person": person,
            "label": spaced(each.label),
            "start, seconds": round(each.start, 2),
            "end, seconds": round(each.end, 2),
            "repetitions": each.repetitions,
            "mean probability": round(each.probability, 3),
        }
        for person, each in sets
    ]


def repetition_totals(sets: Sequence[PersonSet], person: str) -> dict[str, int]:
    """Sums the repetitions of a person over the sets of each action in which they are counted."""
    totals: dict[str, int] = {}
    for name, each in sets:
        if name == person and each.repetitions is not None:
            totals[each.label] = totals.get(each.label, 0) + each.repetitions
    return totals


def probability_curves(lines: Sequence[dict[str, Any]], labels: Sequence[str]) -> Figure:
    """Plots the probabilities over time of the five classes with the highest peaks."""
    times = [line["time"] for line in lines]
    best = sorted(labels, key=lambda label: -max(line["probabilities"][label] for line in lines))[:5]
    figure = Figure(figsize=(9, 2.8), layout="constrained")
    axes = figure.add_subplot()
    for label in best:
        axes.plot(times, [line["probabilities"][label] for line in lines], label=spaced(label), linewidth=1.8)
    axes.set(xlabel="seconds", ylabel="probability", ylim=(0, 1), xlim=(times[0], max(times[-1], times[0] + 0.1)))
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, ncols=5, loc="lower left", bbox_to_anchor=(0, 1), fontsize=8.5)
    return figure


def class_table(lines: Sequence[dict[str, Any]], labels: Sequence[str], fps: float) -> list[dict[str, Any]]:
    """Summarises one person's predictions in a row for each class, the most probable first."""
    found = []
    for label in labels:
        values = [line["probabilities"][label] for line in lines]
        held = sum(line["held"] == label for line in lines) / fps
        row = {"class": spaced(label), "mean probability": float(np.mean(values)), "maximum": max(values)}
        found.append(row | {"held, seconds": round(held, 2)})
    return sorted(found, key=lambda row: -row["mean probability"])


class AttentionFigures(NamedTuple):
    """The network's attention in one frame, as matplotlib figures."""

    joints: dict[str, Figure]
    time: Figure


def attention_figures(
    spec: ModelSpec, network: InfoGCN, lines: Sequence[dict[str, Any]], layer: int, fps: float
) -> AttentionFigures:
    """Draws the attention of one layer in the last of these frames of a person."""
    keypoints = np.array([line["keypoints"] for line in lines], dtype=np.float32)
    parts = spec.pipeline
    layout = SKELETON if parts.n_coordinates == 2 else parts.skeleton.name
    batch = parts.batch(SkeletonSequence(keypoints, fps, layout))
    last = int(batch.valid[-1].sum()) - 1
    features, valid = batch.features[-1:, : last + 1], batch.valid[-1:, : last + 1]
    pose = project(facing(features[0, last, :, : parts.n_coordinates].numpy(), parts.preprocess.view))

    def draw(matrices: Tensor) -> Figure:
        return connections(matrices[layer, 0, last].abs().mean(0).numpy(), pose, parts.skeleton)

    joints = {
        "Attention": draw(joint_attention(network, features, valid)),
        "Effective adjacency": draw(effective_adjacency(network, features, valid)),
    }
    curve = time_attention(network, features, valid)[:, 0, :, :, -1].mean((1, 2)).flip(-1).numpy()
    return AttentionFigures(joints, attention_curve(curve))
