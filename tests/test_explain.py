from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from actrec.data.pipeline import Pipeline
from actrec.data.preprocess import Preprocess
from actrec.data.windows import Features, ResizeWindows
from actrec.explain import (
    check_occlusion,
    class_importance,
    effective_adjacency,
    forecast_error,
    joint_attention,
    joint_importance,
    time_attention,
)
from actrec.network.infogcn import InfoGCN
from actrec.skeleton import COCO17
from actrec.spec import ModelSpec
from actrec.types import ActrecError, NetworkOutput, SkeletonSequence

X = torch.randn(2, 5, 17, 3, generator=torch.Generator().manual_seed(0))
VALID = torch.ones(2, 5, dtype=torch.bool)
Make = Callable[..., list[SkeletonSequence]]


def make_network() -> InfoGCN:
    torch.manual_seed(0)
    network = InfoGCN("coco17", 3, 4, dim=8, layers=2, heads=2, graph_heads=3, attention_dim=4, horizon=1).eval()
    for parameter in network.parameters():
        nn.init.normal_(parameter, std=0.3)
    return network


def test_the_first_layers_adjacency_is_its_formula() -> None:
    network = make_network()
    found = effective_adjacency(network, X, VALID)
    assert found.shape == (2, 2, 5, 3, 17, 17)
    conv, layer = network.encoder[0].attention.to_qkv, network.encoder[0]
    with torch.no_grad():
        z = _embedded(network)
        qk = conv.to_qk(conv.attention_norm(layer.attention_norm(z))).unflatten(-1, (2, 3, 4))
        q, k = qk.unbind(-3)
        scores = torch.einsum("btvmd,btumd->btmvu", q, k) / 2
        torch.testing.assert_close(found[0], scores.softmax(-1) * conv.topology, atol=1e-5, rtol=1e-4)
        attention = joint_attention(network, X, VALID)
        torch.testing.assert_close(attention[0], scores.softmax(-1), atol=1e-5, rtol=1e-4)
        torch.testing.assert_close(attention.sum(-1), torch.ones(2, 2, 5, 3, 17))


def _embedded(network: InfoGCN) -> Tensor:
    z = network.embedding(X) + network.joint_code
    code = torch.tensor([[0.0], [1.0], [2.0], [3.0], [4.0]]) * 10_000 ** (-torch.arange(0, 8, 2) / 8)
    return z + torch.stack((code.sin(), code.cos()), -1).flatten(1)[:, None]


def test_attention_over_time_is_what_the_layer_mixes_its_values_by() -> None:
    network = make_network()
    valid = torch.tensor([[True] * 5, [True, True, False, True, True]])
    found = time_attention(network, X, valid)
    assert found.shape == (2, 2, 17, 2, 5, 5)
    torch.testing.assert_close(found.sum(-1), torch.ones(2, 2, 17, 2, 5))
    assert (found.triu(1) == 0).all()
    assert (found[:, 1, ..., 3:, 2] == 0).all()  # a frame that is not real is not looked at
    block = network.encoder[0].attention
    with torch.no_grad():
        normed = network.encoder[0].attention_norm(_embedded(network))
        values = block.to_qkv(normed).unflatten(-1, (3, 2, 4))[..., 2, :, :]  # batch time joint head channel
        mixed = torch.einsum("bvhts,bsvhd->btvhd", found[0], values).flatten(3)
        mask = torch.ones(5, 5, dtype=torch.bool).tril() & (valid[:, None] | torch.eye(5, dtype=torch.bool))
        torch.testing.assert_close(block.to_out(mixed), block(normed, mask), atol=1e-5, rtol=1e-4)


def test_it_leaves_the_network_as_it_was() -> None:
    network = make_network()
    before = network(X, VALID).logits
    effective_adjacency(network, X, VALID)
    time_attention(network, X, VALID)
    torch.testing.assert_close(network(X, VALID).logits, before)
    assert not any(module._forward_pre_hooks for module in network.modules())


class Wrists(nn.Module):
    """Tells class 0 from class 1 by the confidences of the wrists alone, and forecasts that all moves right by 1."""

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


def test_forecast_error_is_the_mean_distance(make_sequences: Make) -> None:
    network, spec, clips = _setting(make_sequences)
    clips[0].keypoints[:, 3] = 0  # an ear never seen: of no clip but this
    error, still = forecast_error(network, spec, clips[:3])
    assert error.shape == still.shape == (2, 17)
    distances: list[list[list[float]]] = [[[] for _ in range(17)] for _ in range(2)]
    stays: list[list[list[float]]] = [[[] for _ in range(17)] for _ in range(2)]
    for clip in clips[:3]:
        (window,) = spec.pipeline.evaluation_windows(clip)
        for n in (1, 2):
            for t in range(12 - n):
                for joint in range(17):
                    if window.observed[t, joint] and window.observed[t + n, joint] and window.valid[t + n]:
                        change = window.keypoints[t + n, joint, :2] - window.keypoints[t, joint, :2]
                        stays[n - 1][joint].append(float(np.hypot(*change)))
                        distances[n - 1][joint].append(float(np.hypot(change[0] - n, change[1])))
    np.testing.assert_allclose(error, [[np.mean(each) for each in row] for row in distances], rtol=1e-4)
    np.testing.assert_allclose(still, [[np.mean(each) for each in row] for row in stays], rtol=1e-4)
