from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from actrec.explain.attention import effective_adjacency, joint_attention, time_attention
from actrec.explain.forecast_error import forecast_error
from actrec.model.spec import ModelSpec
from actrec.network.infogcn import InfoGCN
from actrec.pipeline.features import Features
from actrec.pipeline.pipeline import Pipeline
from actrec.pipeline.preprocess import Preprocess
from actrec.pipeline.windows import ResizeWindows
from actrec.skeleton import COCO17
from actrec.types import NetworkOutput, SkeletonSequence

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


class Drift(nn.Module):
    """Forecasts that all moves right by 1 a frame."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(1))

    def forward(self, features: Tensor, valid: Tensor) -> NetworkOutput:
        none = features.new_zeros(2, *features.shape[:-1], 1)
        ahead = torch.tensor([1.0, 0.0])
        poses = torch.stack([features[..., :2] + n * ahead for n in (1, 2)])
        return NetworkOutput(features[:, :, 0], none[0], none, poses)


def test_forecast_error_is_the_mean_distance(make_sequences: Make) -> None:
    pipeline = Pipeline(COCO17, Preprocess("causal"), ResizeWindows(12, (1.0,), (1.0,)), Features())
    network, spec, clips = Drift().eval(), ModelSpec("InfoGCN", {}, pipeline, ("label_0",)), make_sequences(1, 3)
    clips[0].keypoints[:, 3] = 0  # an ear never seen: of no clip but this
    error, still = forecast_error(network, spec, clips)
    assert error.shape == still.shape == (2, 17)
    distances: list[list[list[float]]] = [[[] for _ in range(17)] for _ in range(2)]
    stays: list[list[list[float]]] = [[[] for _ in range(17)] for _ in range(2)]
    for clip in clips:
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


class Still(nn.Module):
    """Forecasts for each coordinate that the pose stays, but for the last one, which grows by 1 a frame."""

    def __init__(self, n: int) -> None:
        super().__init__()
        self.weight, self.n = nn.Parameter(torch.ones(1)), n

    def forward(self, features: Tensor, valid: Tensor) -> NetworkOutput:
        none = features.new_zeros(2, *features.shape[:-1], 1)
        ahead = torch.zeros(self.n)
        ahead[-1] = 1
        poses = torch.stack([features[..., : self.n] + k * ahead for k in (1, 2)])
        return NetworkOutput(features[:, :, 0], none[0], none, poses)


def test_forecast_error_in_space_is_the_distance_of_all_coordinates(
    make_sequences: Make, lift: Callable[[SkeletonSequence], SkeletonSequence]
) -> None:
    windows = ResizeWindows(12, (1.0,), (1.0,))
    pipeline = Pipeline(COCO17, Preprocess("offline"), windows, Features(use_velocity=True), n_coordinates=3)
    spec = ModelSpec("InfoGCN", {"coordinates": 3}, pipeline, ("label_0",))
    clip = lift(make_sequences(1, 1)[0])
    error, still = forecast_error(Still(3).eval(), spec, [clip])
    (window,) = spec.pipeline.evaluation_windows(clip)
    poses = window.keypoints[..., :3].astype(float)
    for n in (1, 2):
        changes = poses[n:] - poses[:-n]
        np.testing.assert_allclose(still[n - 1], np.sqrt((changes**2).sum(-1)).mean(0), rtol=1e-4)
        np.testing.assert_allclose(error[n - 1], np.sqrt(((changes - (0, 0, n)) ** 2).sum(-1)).mean(0), rtol=1e-4)


def test_two_who_ask_one_network_at_once_see_their_own_inputs(monkeypatch: pytest.MonkeyPatch) -> None:
    network, both, plain = make_network(), Barrier(2), InfoGCN.encode
    inputs = [X, X.flip(0) * 2]
    expected = [joint_attention(network, each, VALID) for each in inputs]

    def encode(self: InfoGCN, *arguments: Tensor) -> object:
        both.wait(20)  # until both have asked
        return plain(self, *arguments)

    monkeypatch.setattr(InfoGCN, "encode", encode)
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda each: joint_attention(network, each, VALID), inputs))
    for ours, theirs in zip(found, expected, strict=True):
        torch.testing.assert_close(ours, theirs)
    assert not any(module._forward_pre_hooks for module in network.modules())
