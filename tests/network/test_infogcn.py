from typing import Any

import pytest
import torch
from torch import nn

from actrec.network.infogcn import InfoGCN
from actrec.network.published import OPTIONS
from actrec.network.transformer import Transformer
from actrec.skeleton import SKELETONS, get_skeleton

TINY: dict[str, Any] = {"dim": 8, "layers": 2, "heads": 2, "graph_heads": 2, "attention_dim": 4, "solver": "midpoint"}


def made_random(made: dict[str, nn.Module]) -> dict[str, nn.Module]:
    for network in made.values():
        for name, parameter in network.named_parameters():
            if "field.out" in name:  # starts at zero, which would hide the dynamics
                nn.init.normal_(parameter, std=0.3)
    return made


def networks() -> dict[str, nn.Module]:
    torch.manual_seed(0)
    made: dict[str, nn.Module] = {
        "infogcnpp": InfoGCN("coco17", 3, 5, **TINY),
        "layer": InfoGCN("coco17", 3, 5, **TINY, norm="layer"),
        "gcn": InfoGCN("coco17", 3, 5, **TINY, dynamics="gcn", head="gcn"),
        "linear": InfoGCN("coco17", 3, 5, **{**TINY, "solver": "linear"}),
        "horizon 0": InfoGCN("coco17", 3, 5, **TINY, horizon=0),
        "published": InfoGCN("coco17", 3, 5, **{**TINY, **OPTIONS, "window": 12}),
        "transformer": Transformer("coco17", 3, 5, dim=8, layers=2, heads=2),
    }
    return made_random(made)


NETWORKS = networks()
WHOLE: dict[str, nn.Module] = made_random(
    {
        "infogcnpp": InfoGCN("coco17", 3, 5, **TINY, causal=False),
        "layer": InfoGCN("coco17", 3, 5, **TINY, norm="layer", causal=False),
        "transformer": Transformer("coco17", 3, 5, dim=8, layers=2, heads=2, causal=False),
    }
)


@pytest.mark.parametrize("name", NETWORKS)
def test_changing_the_future_changes_nothing_before_it(name: str) -> None:
    network, valid = NETWORKS[name].eval(), torch.ones(2, 12, dtype=torch.bool)
    x = torch.randn(2, 12, 17, 3, generator=torch.Generator().manual_seed(1))
    other = x.clone()
    other[:, 7:] += 1
    with torch.no_grad():
        one, two = network(x, valid), network(other, valid)
    for a, b, axis in zip(one[:4], two[:4], (1, 1, 2, 2), strict=True):
        early = (slice(None),) * axis + (slice(None, 7),)
        late = (slice(None),) * axis + (slice(7, None),)
        torch.testing.assert_close(a[early], b[early])
        assert not len(a) or not torch.allclose(a[late], b[late])


@pytest.mark.parametrize("name", NETWORKS)
def test_frames_that_are_not_valid_are_not_looked_at(name: str) -> None:
    network, valid = NETWORKS[name].eval(), torch.ones(1, 12, dtype=torch.bool)
    valid[:, 4:6] = False
    x = torch.randn(1, 12, 17, 3, generator=torch.Generator().manual_seed(2))
    other = x.clone()
    other[:, 4:6] = 9
    with torch.no_grad():
        one, two = network(x, valid).logits, network(other, valid).logits
    keep = [*range(4), *range(7 if name == "linear" else 6, 12)]  # the velocity at 6 is from 5
    torch.testing.assert_close(one[:, keep], two[:, keep])


@pytest.mark.parametrize("name", WHOLE)
def test_a_network_that_is_not_causal_looks_at_later_frames_and_at_no_padding(name: str) -> None:
    network, valid = WHOLE[name].eval(), torch.ones(2, 12, dtype=torch.bool)
    valid[:, 9:] = False
    x = torch.randn(2, 12, 17, 3, generator=torch.Generator().manual_seed(3))
    last, padding = x.clone(), x.clone()
    last[:, 8] += 1
    padding[:, 9:] = 9
    with torch.no_grad():
        logits, other, padded, short = (
            network(each, valid[:, : each.shape[1]]).logits for each in (x, last, padding, x[:, :9])
        )
    for frame in range(9):
        assert not torch.allclose(logits[:, frame], other[:, frame])
    torch.testing.assert_close(padded[:, :9], logits[:, :9])
    torch.testing.assert_close(short, logits[:, :9])


@pytest.mark.parametrize("name", WHOLE)
def test_a_network_that_is_not_causal_trains_on_windows_of_several_lengths_as_on_each(name: str) -> None:
    network = WHOLE[name].eval() if name == "infogcnpp" else WHOLE[name].train()  # batch norm is over all windows
    for module in network.modules():
        if isinstance(module, nn.Dropout | nn.MultiheadAttention):
            module.eval()
    x, valid = torch.randn(2, 12, 17, 3), torch.ones(2, 12, dtype=torch.bool)
    valid[1, 5:] = False
    with torch.no_grad():
        both, alone = network(x, valid).logits, network(x[1:, :5], valid[1:, :5]).logits
    torch.testing.assert_close(both[1:, :5], alone, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("kind", [InfoGCN, Transformer])
def test_networks_that_are_and_are_not_causal_have_the_same_weights(kind: type) -> None:
    one, other = (kind("penn13", 3, 4, dim=8, layers=1, heads=2, causal=causal) for causal in (True, False))
    assert (one.causal, other.causal) == (True, False)
    assert {n: p.shape for n, p in one.named_parameters()} == {n: p.shape for n, p in other.named_parameters()}
    other.load_state_dict(one.state_dict())
    x, valid = torch.randn(1, 6, 13, 3), torch.ones(1, 6, dtype=torch.bool)
    with torch.no_grad():
        first, second = one.eval()(x, valid).logits, other.eval()(x, valid).logits
    assert not torch.allclose(first[:, 0], second[:, 0])


@pytest.mark.parametrize("skeleton", SKELETONS)
def test_shapes_on_every_layout(skeleton: str) -> None:
    joints = get_skeleton(skeleton).n_joints
    output = InfoGCN(skeleton, 5, 4, **TINY)(torch.randn(2, 6, joints, 5), torch.ones(2, 6, dtype=torch.bool))
    assert output.logits.shape == (2, 6, 4)
    assert output.latents.shape == (2, 6, joints, 8)
    assert output.latent_forecasts.shape == (3, 2, 6, joints, 8)
    assert output.pose_forecasts.shape == (3, 2, 6, joints, 2)


def test_every_parameter_is_trained() -> None:
    network = InfoGCN("penn13", 3, 4, **TINY)
    nn.init.normal_(network.dynamics.field.out.weight)  # type: ignore[union-attr]
    output = network(torch.randn(4, 6, 13, 3), torch.ones(4, 6, dtype=torch.bool))
    weights = torch.randn_like(output.logits)
    ((output.logits * weights).sum() + output.pose_forecasts.square().sum()).backward()
    assert [name for name, p in network.named_parameters() if p.grad is None or not p.grad.any()] == []


def test_transformer_has_the_size_of_the_issue() -> None:
    size = sum(p.numel() for p in Transformer("penn13", 5, 15).parameters())
    assert 390_000 < size < 420_000
