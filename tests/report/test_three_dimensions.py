from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from actrec.drawing.colors import LIGHT
from actrec.drawing.projection import project
from actrec.evaluation.results import evaluate_model
from actrec.evaluation.samples import SampleClip, typical_clips
from actrec.explain.explanation import explain
from actrec.model.network import build_network
from actrec.model.spec import ModelSpec
from actrec.pipeline.features import Features
from actrec.pipeline.pipeline import Pipeline
from actrec.pipeline.preprocess import Preprocess
from actrec.pipeline.windows import ResizeWindows
from actrec.report.loggers import sample_frames
from actrec.report.page import write_report
from actrec.report.poses import contact_sheet, sample_sheet
from actrec.report.svg import pose_row
from actrec.skeleton import NWUCLA20
from actrec.types import ActrecError

Make = Callable[..., Any]
Lift = Callable[[Any], Any]


def _spec(view: str = "camera") -> ModelSpec:
    options = {"skeleton": "nwucla20", "in_channels": 7, "n_classes": 2, "dim": 8, "layers": 1, "heads": 2}
    options |= {"graph_heads": 1, "attention_dim": 4, "horizon": 2, "coordinates": 3}
    features = Features(use_velocity=True)
    pipeline = Pipeline(NWUCLA20, Preprocess("offline", view=view), ResizeWindows(12), features, n_coordinates=3)
    return ModelSpec("InfoGCN", options, pipeline, ("label_0", "label_1"))


def _network(spec: ModelSpec) -> nn.Module:
    torch.manual_seed(0)
    network = build_network(spec)
    for parameter in network.parameters():
        nn.init.normal_(parameter, std=0.3)
    return network.eval()


@pytest.mark.parametrize("view", ["camera", "body"])
def test_a_report_with_every_picture(make_sequences: Make, lift: Lift, tmp_path: Path, view: str) -> None:
    clips = [lift(clip) for clip in make_sequences(2, 4, skeleton="nwucla20")]
    spec = _spec(view)
    network = _network(spec)
    results, why = evaluate_model(network, spec, clips), explain(network, spec, clips)
    assert all(sample.sequence.n_coordinates == 3 for sample in results.samples)
    forecasts = [sample.forecasts for sample in results.samples if sample.forecasts is not None]
    assert len(forecasts) == len(results.samples)
    assert all(np.isfinite(each[2:]).all() for each in forecasts)
    results.metrics["why"] = why.figures()
    write_report(tmp_path, results, title="3D", typical=typical_clips(clips, spec.labels), explanation=why)
    pictures = {file.stem for file in tmp_path.glob("*.png")}
    assert {"samples", "typical", "why_joints", "why_connections", "why_time", "why_forecast"} <= pictures
    assert "could not be drawn" not in (tmp_path / "index.html").read_text()


@pytest.mark.parametrize("view", ["y", "body"])
def test_samples_and_typical_poses_of_turned_bodies_face_us(make_sequences: Make, lift: Lift, view: str) -> None:
    clips = [lift(clip) for clip in make_sequences(2, 2, skeleton="nwucla20")]
    spec = _spec(view)
    network = _network(spec)
    (left, right), head = NWUCLA20.index(NWUCLA20.shoulders), NWUCLA20.joints.index("head")
    poses = [each.sequence.keypoints[:, :, :3] for each in evaluate_model(network, spec, clips).samples]
    for pose in [*poses, *(each[None] for each in explain(network, spec, clips).poses.values())]:
        seen = project(pose)
        assert (seen[:, right, 0] < seen[:, left, 0]).all()
        assert (seen[:, head, 1] < seen[:, left, 1]).all()


def test_sheets_and_rows_draw_the_projected_poses(make_sequences: Make, lift: Lift) -> None:
    """The drawing of a body of three dimensions is that of its projection, given as a body of two."""
    clip = lift(make_sequences(1, 1, skeleton="nwucla20")[0])
    clip.keypoints[:, NWUCLA20.joints.index("left_hand")] = 0
    flat = replace(clip, keypoints=np.concatenate([project(clip.keypoints[..., :3]), clip.keypoints[..., 3:]], -1))
    assert pose_row(clip) == pose_row(flat)
    bones = [
        np.concatenate([path.vertices for each in sheet.axes[0].collections for path in each.get_paths()])
        for sheet in (contact_sheet([clip]), contact_sheet([flat]))
    ]
    np.testing.assert_allclose(bones[0], bones[1])


def test_forecasts_have_the_coordinates_of_the_clip(make_sequences: Make, lift: Lift) -> None:
    clip = lift(make_sequences(1, 1, skeleton="nwucla20")[0])
    forecasts = clip.keypoints[..., :3].copy()
    figure = sample_sheet([SampleClip(clip, clip.label, 0.9, forecasts)])
    assert len([each for each in figure.axes[0].collections if each.get_alpha() is not None]) == 6
    with pytest.raises(ActrecError, match="forecasts of clip"):
        SampleClip(clip, clip.label, 0.9, forecasts[..., :2])


def test_a_samples_video_shows_the_forecast_from_the_turning_camera(make_sequences: Make, lift: Lift) -> None:
    clip = lift(make_sequences(1, 1, skeleton="nwucla20")[0])
    forecasts = np.full((len(clip), 20, 3), np.nan, dtype=np.float32)
    forecasts[3] = clip.keypoints[3, :, :3] + 0.05
    pictures = [picture for _, picture in sample_frames(SampleClip(clip, clip.label, 0.5, forecasts))]
    violet = np.array([int(LIGHT.forecast[place : place + 2], 16) for place in (1, 3, 5)])
    shown = [number for number, picture in enumerate(pictures) if (picture == violet).all(-1).any()]
    assert shown == [3]
    assert all((picture < 255).any() for picture in pictures)
