"""The Streamlit app: `make app`, or `streamlit run actrec/serve/app.py -- <model folder> … [<pose model>]`.

Visitors choose among what it was started with, and can name no other path of this machine.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from threading import Event
from typing import Any, NamedTuple

import numpy as np
import streamlit as st
from matplotlib.figure import Figure

from actrec.data.synthetic.clips import Synthetic
from actrec.drawing.frames import write_video
from actrec.drawing.lettering import spaced
from actrec.explain.attention import effective_adjacency, joint_attention, time_attention
from actrec.live.overlay import Overlay
from actrec.live.watcher import Watched, Watcher
from actrec.model.folder import load_model
from actrec.model.spec import ModelSpec, load_spec
from actrec.network.infogcn import InfoGCN
from actrec.online.mismatch import streaming_warning
from actrec.online.recognizer import OnlineRecognizer
from actrec.predict import lines, open_stream, watch
from actrec.report.bodies import STRONGEST, connections
from actrec.report.explanation import attention_curve
from actrec.skeleton import get_skeleton
from actrec.types import ActrecError, SkeletonSequence
from actrec.video.extraction import Extractor
from actrec.video.people import SKELETON
from actrec.video.pose import PoseModel

_LONGEST = 960  # pixels of the annotated video
_SAMPLES = 14  # generated clips, one an action
_POSE = "yolo11n"


class Seen(NamedTuple):
    """The results for a video."""

    video: bytes
    lines: list[dict[str, Any]]
    keypoints: dict[str, list[tuple[int, np.ndarray]]]  # of each person: frame number and keypoints
    fps: float


@st.cache_resource
def recognizer_of(model: str) -> OnlineRecognizer:
    return OnlineRecognizer.from_pretrained(Path(model), skeleton=SKELETON)


@st.cache_resource
def network_of(model: str) -> tuple[ModelSpec, Any]:
    return load_spec(Path(model)), load_model(Path(model))


@st.cache_resource
def pose_of(weights: str) -> PoseModel:
    return PoseModel(weights)


@st.cache_data
def samples() -> list[SkeletonSequence]:
    return sorted(Synthetic(n_clips=_SAMPLES).clips(), key=lambda clip: clip.label)


class Offer(NamedTuple):
    """The models and the pose model that visitors may use."""

    models: list[str]  # folders
    pose: str


def offered(arguments: Sequence[str]) -> Offer:
    """Reads the models and the pose model that the app was started with; by default the newest run in `outputs/`.

    Args:
        arguments: Of the command line.
    """
    models, pose = list(arguments), _POSE
    if len(models) > 1 and not (Path(models[-1]) / "config.json").is_file():
        pose = models.pop()
    if not models:
        runs = sorted(Path("outputs").glob("**/model/config.json"), key=lambda file: file.stat().st_mtime)
        models = [str(file.parent) for file in runs[-1:]]
    return Offer(models, pose)


def _frames_of_sample(clip: SkeletonSequence, recognizer: OnlineRecognizer) -> Any:
    fresh = recognizer.fresh()
    for number, keypoints in enumerate(clip.keypoints):
        picture = np.full((clip.height or 480, clip.width or 640, 3), 38, dtype=np.uint8)
        seen = keypoints[keypoints[:, 2] > 0, :2]
        box = np.concatenate([seen.min(0), seen.max(0)]) if len(seen) else np.zeros(4)
        prediction = fresh.push(keypoints, number / clip.fps, "1")
        people = [] if prediction is None else [Watched("1", box.astype(np.float32), keypoints, prediction)]
        yield number / clip.fps, picture, people


def look_at(frames: Any, n_frames: int, width: int, fps: float, seconds: float, recognizer: OnlineRecognizer) -> Seen:
    """Runs through a video, with a progress bar."""
    bar = st.progress(0.0, "Looking at the video")
    overlay = Overlay(get_skeleton(SKELETON), recognizer.skeleton, seconds, recognizer.labels)
    written: list[dict[str, Any]] = []
    keypoints: dict[str, list[tuple[int, np.ndarray]]] = {}

    def annotated() -> Any:
        for number, (time, picture, people) in enumerate(frames):
            written.extend(lines(number, time, people, recognizer.labels))
            for each in people:
                keypoints.setdefault(each.person, []).append((number, each.keypoints))
            canvas = np.array(picture)
            overlay(canvas, people, time, canvas.shape[1] / width)
            bar.progress(min((number + 1) / n_frames, 1.0), f"Frame {number + 1} of {n_frames}")
            yield time, canvas

    with tempfile.TemporaryDirectory(prefix="actrec-") as folder:
        file = Path(folder) / "annotated.mp4"
        write_video(file, annotated(), fps)
        bar.empty()
        return Seen(file.read_bytes(), written, keypoints, fps)


def timeline(seen: Seen, person: str, labels: tuple[str, ...]) -> Figure:
    """Probabilities over time of the five classes that were likeliest at any moment."""
    rows = [line for line in seen.lines if line["person"] == person]
    times = [line["time"] for line in rows]
    best = sorted(labels, key=lambda label: -max(line["probabilities"][label] for line in rows))[:5]
    figure = Figure(figsize=(9, 2.8), layout="constrained")
    axes = figure.add_subplot()
    for label in best:
        axes.plot(times, [line["probabilities"][label] for line in rows], label=spaced(label), linewidth=1.8)
    axes.set(xlabel="seconds", ylabel="probability", ylim=(0, 1), xlim=(times[0], max(times[-1], times[0] + 0.1)))
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, ncols=5, loc="lower left", bbox_to_anchor=(0, 1), fontsize=8.5)
    return figure


def table(seen: Seen, person: str, labels: tuple[str, ...]) -> list[dict[str, Any]]:
    """A row a class, the likeliest first."""
    rows = [line for line in seen.lines if line["person"] == person]
    found = []
    for label in labels:
        values = [line["probabilities"][label] for line in rows]
        held = sum(line["held"] == label for line in rows) / seen.fps
        mean, most = float(np.mean(values)), max(values)
        found.append(
            {"class": spaced(label), "mean probability": mean, "greatest": most, "held, seconds": round(held, 2)}
        )
    return sorted(found, key=lambda row: -row["mean probability"])


def show_why(spec: ModelSpec, network: InfoGCN, history: list[tuple[int, np.ndarray]], fps: float) -> None:
    """Attention and effective adjacency in the last of these frames."""
    layer = st.radio("Layer", range(1, len(network.encoder) + 1), horizontal=True)
    clip = SkeletonSequence(np.stack([keypoints for _, keypoints in history]), fps, SKELETON)
    batch = spec.pipeline.batch(clip)
    window = batch.features[-1:], batch.valid[-1:]
    last = int(batch.valid[-1].sum()) - 1
    pose = batch.features[-1, last, :, :2].numpy()
    for column, name, function in zip(
        st.columns(2), ("Attention", "Effective adjacency"), (joint_attention, effective_adjacency), strict=True
    ):
        column.markdown(f"**{name}**")
        matrices = function(network, *window)[int(layer) - 1, 0, last]
        column.pyplot(connections(matrices.abs().mean(0).numpy(), pose, spec.pipeline.skeleton), width="content")
    st.markdown("**Attention over time**")
    weights = time_attention(network, window[0][:, : last + 1], window[1][:, : last + 1])
    curve = weights[:, 0, :, :, -1].mean((1, 2)).flip(-1).numpy()
    st.pyplot(attention_curve(curve), width="content")
    st.caption(
        f"Arrows: the {STRONGEST} strongest connections, from the joint that is looked at to the one that looks. A "
        "joint is the larger the more is taken from it. Attention is what the layer finds in this frame; "
        "the effective adjacency is attention times the connections that training has settled on. Attention over "
        "time is how this frame weighs those before it, the mean over joints and heads."
    )


def show(seen: Seen, model: str, labels: tuple[str, ...]) -> None:
    """All that there is to see of a video."""
    st.video(seen.video)
    left, right = st.columns(2)
    left.download_button("Annotated video", seen.video, "annotated.mp4", "video/mp4")
    text = "\n".join(json.dumps(line, ensure_ascii=False) for line in seen.lines) + "\n"
    right.download_button("Predictions", text, "predictions.jsonl", "application/x-ndjson")
    if not seen.keypoints:
        st.warning("Nobody was found in it.")
        return
    people = sorted(seen.keypoints, key=lambda name: -len(seen.keypoints[name]))
    person = st.selectbox("Person", people) if len(people) > 1 else people[0]
    st.pyplot(timeline(seen, person, labels))
    st.dataframe(table(seen, person, labels), hide_index=True, width="stretch")
    st.subheader("Why")
    spec, network = network_of(model)
    if not isinstance(network, InfoGCN) or not len(network.encoder):
        st.info("Only an InfoGCN++ can be asked.")
        return
    frames = [number for number, _ in seen.keypoints[person]]
    chosen = st.select_slider("Frame", frames, frames[-1]) if len(frames) > 1 else frames[0]
    show_why(spec, network, [each for each in seen.keypoints[person] if each[0] <= chosen], seen.fps)


def main() -> None:
    """The page."""
    st.set_page_config("actrec", layout="wide")
    st.title("actrec")
    models, weights = offered(sys.argv[1:])
    if not models:
        st.info("There is no model here: start the app with a run's outputs/…/model; `make quickstart` makes one.")
        return
    model = st.sidebar.selectbox("Model", models)
    st.sidebar.caption(f"Pose model: {weights}")
    if model not in models:  # a browser may send any value
        st.error("The app was not started with that model.")
        return
    try:
        recognizer = recognizer_of(model)
        if warning := streaming_warning(recognizer.spec):
            st.warning(warning)
        file = st.file_uploader("A video", ["mp4", "mov", "avi", "mkv", "webm"])
        clips = {spaced(clip.label): clip for clip in samples()}
        sample = st.selectbox("or a generated sample", ["–", *clips])
        key = (model, weights, file.file_id if file else sample)
        if file is None and sample == "–":
            return
        if st.session_state.get("key") != key:
            st.session_state["seen"] = (
                _of_upload(file, weights, recognizer) if file else _of_sample(clips[sample], recognizer)
            )
            st.session_state["key"] = key
        show(st.session_state["seen"], model, recognizer.labels)
    except ActrecError as error:
        st.error(str(error))


def _of_sample(clip: SkeletonSequence, recognizer: OnlineRecognizer) -> Seen:
    seconds = len(clip) / clip.fps
    return look_at(_frames_of_sample(clip, recognizer), len(clip), clip.width or 640, clip.fps, seconds, recognizer)


def _of_upload(file: Any, weights: str, recognizer: OnlineRecognizer) -> Seen:
    with tempfile.TemporaryDirectory(prefix="actrec-") as folder:
        path = Path(folder) / "upload"
        path.write_bytes(file.getvalue())
        try:
            stream = open_stream(str(path), _LONGEST)
        except ActrecError as error:
            raise ActrecError(f"{file.name}: {str(error).partition(': ')[2]}") from None
        watcher = Watcher(recognizer.fresh(), stream.fps)
        frames = watch(stream, Extractor(pose_of(weights)), watcher, Event())
        return look_at(frames, stream.n_frames or 1, stream.width, stream.fps, stream.seconds or 0.0, recognizer)


if __name__ == "__main__":
    main()
