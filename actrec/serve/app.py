"""The Streamlit app: `make app`, or `streamlit run actrec/serve/app.py -- <model folder> … [<pose model>]`.

Visitors can choose only among the models that it was started with.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from actrec.data.synthetic.clips import Synthetic
from actrec.drawing.lettering import spaced
from actrec.model.folder import load_model
from actrec.model.spec import ModelSpec, find_model, load_spec
from actrec.network.infogcn import InfoGCN
from actrec.online.recognizer import OnlineRecognizer
from actrec.online.train_serve_skew import streaming_warning
from actrec.report.bodies import STRONGEST
from actrec.serve.app_results import (
    VideoResults,
    attention_figures,
    class_table,
    probability_curves,
    repetition_totals,
    results_of_array,
    results_of_clip,
    results_of_upload,
    set_table,
)
from actrec.types import ActrecError, SkeletonSequence
from actrec.video.people import SKELETON
from actrec.video.pose import PoseModel

_N_CLIPS = 14  # generated clips, one for each action
_NO_CLIP = "–"
_POSE = "yolo11n"


@st.cache_resource
def _recognizer(model: str) -> OnlineRecognizer:
    is_flat = load_spec(model).pipeline.n_coordinates == 2
    return OnlineRecognizer.from_pretrained(model, skeleton=SKELETON if is_flat else None)


@st.cache_resource
def _network(model: str) -> tuple[ModelSpec, Any]:
    return load_spec(model), load_model(model)


@st.cache_resource
def _pose_model(weights: str) -> PoseModel:
    return PoseModel(weights)


@st.cache_data
def _generated_clips() -> list[SkeletonSequence]:
    return sorted(Synthetic(n_clips=_N_CLIPS).clips(), key=lambda clip: clip.label)


def models_and_pose(arguments: Sequence[str]) -> tuple[list[str], str]:
    """Parses the command line into models and the pose model.

    By default the models are the one that comes with actrec and that of the newest run in `outputs/`.
    """
    models, pose = list(arguments), _POSE
    if len(models) > 1 and not (find_model(models[-1]) / "config.json").is_file():
        pose = models.pop()
    if not models:
        runs = sorted(Path("outputs").glob("**/model/config.json"), key=lambda file: file.stat().st_mtime)
        models = ["sport14", *(str(file.parent) for file in runs[-1:])]
    return models, pose


def _show_attention(model: str, lines: list[dict[str, Any]], fps: float) -> None:
    st.subheader("Attention")
    spec, network = _network(model)
    if not isinstance(network, InfoGCN) or not len(network.encoder):
        st.info("Attention is shown for InfoGCN++ only.")
        return
    frames = [line["frame"] for line in lines]
    chosen = st.select_slider("Frame", frames, frames[-1]) if len(frames) > 1 else frames[0]
    layer = st.radio("Layer", range(1, len(network.encoder) + 1), horizontal=True)
    until = [line for line in lines if line["frame"] <= chosen]
    figures = attention_figures(spec, network, until, int(layer) - 1, fps)
    for column, (name, figure) in zip(st.columns(2), figures.joints.items(), strict=True):
        column.markdown(f"**{name}**")
        column.pyplot(figure, width="content")
    st.markdown("**Attention over time**")
    st.pyplot(figures.time, width="content")
    st.caption(
        f"Arrows show the {STRONGEST} strongest connections, from the joint that is attended to, to the joint that "
        "attends; the size of a joint is the attention that it receives. The effective adjacency is the attention "
        "times the learned adjacency of the layer. Attention over time is the weight of each earlier frame in this "
        "one, averaged over joints and heads."
    )


def _show(results: VideoResults, model: str, labels: tuple[str, ...]) -> None:
    st.video(results.video)
    left, middle, right = st.columns(3)
    left.download_button("Annotated video", results.video, "annotated.mp4", "video/mp4")
    middle.download_button("Sets", results.sets_csv, "sets.csv", "text/csv")
    right.download_button("Predictions", results.predictions, "predictions.jsonl", "application/x-ndjson")
    people = results.people()
    if not people:
        st.warning("No person was found in the video.")
        return
    st.subheader("Sets")
    if results.sets:
        st.dataframe(set_table(results.sets), hide_index=True, width="stretch")
    else:
        st.info("No action was found.")
    names = list(people)
    person = st.selectbox("Person", names) if len(names) > 1 else names[0]
    if totals := repetition_totals(results.sets, person):
        for column, (label, total) in zip(st.columns(len(totals)), totals.items(), strict=True):
            column.metric(spaced(label), total, help="Repetitions in all sets")
    st.subheader("Classes")
    st.pyplot(probability_curves(people[person], labels))
    st.dataframe(class_table(people[person], labels, results.fps), hide_index=True, width="stretch")
    _show_attention(model, people[person], results.fps)


def _asked(is_flat: bool) -> tuple[Any, str]:
    """Shows the fields for a file and a generated clip, and returns what was chosen; "–" is no generated clip."""
    if not is_flat:
        st.info("This model takes keypoints of three dimensions, which videos do not show.")
        return st.file_uploader("Keypoints: (frame, joint, 4), with x, y, z and confidence", ["npy", "npz"]), _NO_CLIP
    file = st.file_uploader("A video", ["mp4", "mov", "avi", "mkv", "webm"])
    names = [spaced(clip.label) for clip in _generated_clips()]
    return file, st.selectbox("or a generated clip", [_NO_CLIP, *names])


def _recognize(file: Any, sample: str, weights: str, recognizer: OnlineRecognizer) -> VideoResults:
    """Recognises the uploaded file or else the generated clip, with a progress bar."""
    bar = st.progress(0.0, "Processing the video")

    def progress(done: int, n_frames: int) -> None:
        bar.progress(done / n_frames, f"Frame {done} of {n_frames}")

    try:
        if file is None:
            clip = next(clip for clip in _generated_clips() if spaced(clip.label) == sample)
            return results_of_clip(clip, recognizer, progress)
        if recognizer.spec.pipeline.n_coordinates == 3:
            return results_of_array(file.name, file.getvalue(), recognizer.spec.fps, recognizer, progress)
        return results_of_upload(file.name, file.getvalue(), _pose_model(weights), recognizer, progress)
    finally:
        bar.empty()


def main() -> None:
    """Renders the page."""
    st.set_page_config("actrec", layout="wide")
    st.title("actrec")
    models, weights = models_and_pose(sys.argv[1:])
    model = st.sidebar.selectbox("Model", models)
    st.sidebar.caption(f"Pose model: {weights}")
    if model not in models:  # a browser may send any value
        st.error("The app was not started with that model.")
        return
    try:
        recognizer = _recognizer(model)
        if warning := streaming_warning(recognizer.spec):
            st.warning(warning)
        file, sample = _asked(recognizer.spec.pipeline.n_coordinates == 2)
        if file is None and sample == _NO_CLIP:
            return
        key = (model, weights, file.file_id if file else sample)
        if st.session_state.get("key") != key:
            st.session_state["results"] = _recognize(file, sample, weights, recognizer)
            st.session_state["key"] = key
        _show(st.session_state["results"], model, recognizer.labels)
    except ActrecError as error:
        st.error(str(error))


if __name__ == "__main__":
    main()
