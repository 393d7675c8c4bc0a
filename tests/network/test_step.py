import pytest
import torch
from torch import nn

from actrec.benchmark.plain import PlainAttention, PlainGraphConv, plain
from actrec.network.folded import fold
from actrec.network.graph import GraphConv
from actrec.network.infogcn import InfoGCN
from actrec.network.published import OPTIONS
from actrec.network.step import Step
from actrec.network.transformer import Transformer

TINY = {"dim": 8, "layers": 2, "heads": 2, "graph_heads": 2, "attention_dim": 4}
WINDOW = 10


def trained(**options: object) -> InfoGCN:
    """A network whose every parameter and statistic matters, as after training."""
    torch.manual_seed(0)
    network = InfoGCN("coco17", 3, 5, **{**TINY, **options})  # type: ignore[arg-type]
    for module in network.modules():
        if isinstance(module, nn.BatchNorm1d):
            nn.init.normal_(module.running_mean, std=0.3)  # type: ignore[arg-type]
            nn.init.uniform_(module.running_var, 0.5, 2)  # type: ignore[arg-type]
    for name, parameter in network.named_parameters():
        nn.init.normal_(parameter, 1.0 if "norm" in name and "weight" in name else 0.0, 0.3)
    return network.double().eval()  # compared is the arithmetic, and not float32's rounding of large numbers


NETWORKS = {
    "infogcnpp": trained(),
    "layer": trained(norm="layer", dynamics_norm="none"),
    "batch in the dynamics": trained(dynamics_norm="batch", solver="rk4_38"),
    "gcn": trained(dynamics="gcn", head="gcn", solver="midpoint"),
    "published": trained(**{**OPTIONS, "window": WINDOW}),
    "horizon 0": trained(horizon=0),
}
X = torch.randn(3, WINDOW, 17, 3, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
VALID = torch.ones(3, WINDOW, dtype=torch.bool)


@pytest.mark.parametrize("name", NETWORKS)
def test_folding_changes_no_number(name: str) -> None:
    network = NETWORKS[name]
    before = {key: value.clone() for key, value in network.state_dict().items()}
    folded = fold(network)
    with torch.no_grad():
        for ours, theirs in zip(folded(X, VALID), network(X, VALID), strict=True):
            torch.testing.assert_close(ours, theirs, atol=1e-6, rtol=1e-6)
    assert all(torch.equal(value, before[key]) for key, value in network.state_dict().items())
    assert not any(isinstance(module, nn.BatchNorm1d) for module in folded.modules())


def test_a_network_without_graph_convolutions_stays_as_it_is() -> None:
    network = Transformer("coco17", 3, 5, dim=8, layers=1, heads=2).double().eval()
    with torch.no_grad():
        torch.testing.assert_close(fold(network)(X, VALID).logits, network(X, VALID).logits)


@pytest.mark.parametrize("name", NETWORKS)
def test_steps_are_the_forward_whatever_stands_behind_the_position(name: str) -> None:
    network, step = NETWORKS[name], Step(NETWORKS[name], WINDOW)
    with torch.no_grad():
        expected = network(X, VALID)
        keys, values = (torch.full(step.cache_shape(3), 99.0, dtype=torch.float64) for _ in range(2))
        starts = torch.tensor([0, 2, 5])  # of the rows, in steps
        for t in range(WINDOW):
            position = (t - starts).clamp(min=0)
            answer = (t >= starts).nonzero()[:, 0]
            output = step(X[torch.arange(3), position], position, answer, keys.unbind(), values.unbind())
            keys[:, torch.arange(3), :, position] = output.keys.transpose(0, 1)
            values[:, torch.arange(3), :, position] = output.values.transpose(0, 1)
            place = position[answer]
            torch.testing.assert_close(output.logits, expected.logits[answer, place], atol=1e-6, rtol=1e-6)
            forecasts = expected.pose_forecasts[:, answer, place]
            torch.testing.assert_close(output.pose_forecasts, forecasts, atol=1e-6, rtol=1e-6)


@pytest.mark.parametrize("name", NETWORKS)
def test_the_fused_network_is_the_plain_one(name: str) -> None:
    valid = VALID.clone()
    valid[0, 4:] = valid[1, 2] = False
    network = NETWORKS[name]
    with torch.no_grad():
        for ours, theirs in zip(network(X, valid), plain(network)(X, valid), strict=True):
            torch.testing.assert_close(ours, theirs, atol=1e-6, rtol=1e-6)


def test_a_plain_network_runs_no_fused_convolution() -> None:
    made = plain(NETWORKS["infogcnpp"])
    inside = {id(module.conv) for module in made.modules() if isinstance(module, PlainGraphConv)}  # their weights
    assert all(id(module) in inside for module in made.modules() if isinstance(module, GraphConv))
    attentions = [module for module in made.modules() if isinstance(module, PlainAttention)]
    assert len(attentions) == TINY["layers"]
    assert all(isinstance(module.to_qkv, PlainGraphConv) for module in attentions)


@pytest.mark.parametrize("name", NETWORKS)
def test_the_embedding_is_what_the_logits_are_computed_from(name: str) -> None:
    network, step = NETWORKS[name], Step(NETWORKS[name], WINDOW)
    position = torch.zeros(3, dtype=torch.long)
    with torch.no_grad():
        embedding = network(X, VALID).embedding
        layer = network.head.classifiers[0]
        assert embedding is not None
        by_hand = torch.einsum("nd,cd->nc", embedding[:, 0], layer.weight) + layer.bias
        torch.testing.assert_close(network(X, VALID).logits[:, 0], by_hand)
        caches = [torch.zeros(step.cache_shape(3), dtype=torch.float64).unbind() for _ in range(2)]
        stepped = step(X[:, 0], position, torch.tensor([0, 2]), *caches).embedding
        torch.testing.assert_close(stepped, embedding[[0, 2], 0], atol=1e-6, rtol=1e-6)
