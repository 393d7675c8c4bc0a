from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from actrec.explain.occlusion import check_occlusion, class_importance, joint_importance
from actrec.model.spec import ModelSpec
from actrec.pipeline.features import Features
from actrec.pipeline.pipeline import Pipeline
from actrec.pipeline.preprocess import Preprocess
from actrec.pipeline.windows import ResizeWindows
from actrec.skeleton import COCO17
from actrec.types import ActrecError, NetworkOutput, SkeletonSequence

Make = Callable[..., list[SkeletonSequence]]


class Wrists(nn.Module):
    """Tells class 0 from class 1 by the confidences of the wrists alone."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(1))

    def forward(self, features: Tensor, valid: Tensor) -> NetworkOutput:
        left, right = (features[..., COCO17.joints.index(f"{side}_wrist"), 2] for side in ("left", "right"))
        logits = torch.stack((3 * left + right, 2 + 0 * left, -9 + 0 * left), -1) * self.weight
        none = features.new_zeros(2, *features.shape[:-1], 1)
        ahead = torch.tensor([1.0, 0.0])
        return NetworkOutput(logits, none[0], none, torch.stack([features[..., :2] + n * ahead for n in (1, 2)]))


def _setting(make_sequences: Make) -> tuple[nn.Module, ModelSpec, list[SkeletonSequence]]:
    pipeline = Pipeline(COCO17, Preprocess("causal"), ResizeWindows(12, (1.0,), (1.0,)), Features())
    spec = ModelSpec("InfoGCN", {}, pipeline, ("label_0", "label_1", "other"))
    clips = [_with_confidence(clip, 1.0) for clip in make_sequences(1, 16)]
    return Wrists().eval(), spec, clips


def _with_confidence(clip: SkeletonSequence, confidence: float) -> SkeletonSequence:
    keypoints = clip.keypoints.copy()
    keypoints[..., 2] = confidence
    return replace(clip, keypoints=keypoints)


def test_importance_is_the_loss_of_log_probability(make_sequences: Make) -> None:
    network, spec, clips = _setting(make_sequences)
    importance, decided = joint_importance(network, spec, clips)
    assert (decided == 0).all()
    logits = {(): [4.0, 2.0, -9.0], ("left",): [1.0, 2.0, -9.0], ("right",): [3.0, 2.0, -9.0]}
    log_p = {hidden: torch.tensor(each).log_softmax(0)[0].item() for hidden, each in logits.items()}
    want = np.zeros(17)
    for side in ("left", "right"):
        want[COCO17.joints.index(f"{side}_wrist")] = log_p[()] - log_p[(side,)]
    np.testing.assert_allclose(importance, np.tile(want, (16, 1)), atol=1e-5)
    means = class_importance(importance, decided, 3)
    np.testing.assert_allclose(means[0], want, atol=1e-5)
    assert np.isnan(means[1:]).all()


def test_hiding_the_joints_that_decide_hurts_more_than_others(make_sequences: Make) -> None:
    network, spec, clips = _setting(make_sequences)
    importance, decided = joint_importance(network, spec, clips)
    check = check_occlusion(network, spec, clips, importance, decided, hidden=1, draws=20)
    assert (check.none, check.named, check.least) == (1.0, 0.0, 1.0)
    assert check.random == pytest.approx(16 / 17, abs=0.05)  # the left wrist is drawn once in 17
    assert check.ahead == pytest.approx(check.random)
    assert check.low <= check.ahead <= check.high
    assert "1.000 with those that matter least" in str(check)


def test_a_check_against_joints_that_do_not_matter_finds_nothing(make_sequences: Make) -> None:
    network, spec, clips = _setting(make_sequences)
    _, decided = joint_importance(network, spec, clips)
    noise = np.random.default_rng(1).normal(size=(16, 17))
    noise[:, COCO17.index(["left_wrist", "right_wrist"])] = -9
    check = check_occlusion(network, spec, clips, noise, decided, hidden=1, draws=20)
    assert check.named == 1.0
    assert check.ahead < 0


@pytest.mark.parametrize("change", [{"hidden": 17}, {"hidden": 0}, {"clips": 1}])
def test_what_cannot_be_checked(make_sequences: Make, change: dict[str, Any]) -> None:
    network, spec, clips = _setting(make_sequences)
    clips = clips[: change.pop("clips", 16)]
    with pytest.raises(ActrecError, match="2 groups or more"):
        check_occlusion(network, spec, clips, np.zeros((len(clips), 17)), np.zeros(len(clips), dtype=int), **change)


def test_hidden_joints_leave_the_others_where_they_are(make_sequences: Make) -> None:
    _, spec, clips = _setting(make_sequences)
    hidden = np.zeros(17, dtype=bool)
    hidden[COCO17.index(["left_hip", "right_shoulder"])] = True
    (whole,), (without,) = (spec.pipeline.evaluation_windows(clips[0], 1.0, each) for each in (None, hidden))
    np.testing.assert_array_equal(without.keypoints[:, ~hidden], whole.keypoints[:, ~hidden])
    assert (without.keypoints[:, hidden] == 0).all()
    assert not without.known[:, hidden].any()
    assert not without.observed[:, hidden].any()
